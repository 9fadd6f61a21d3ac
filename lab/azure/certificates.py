"""Certificates: an authority made for one lab, and a certificate of its own for 127.0.0.1."""

from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True, slots=True)
class Certificates:
    """The files of one lab."""

    authority: Path
    """What a client has to trust."""
    chain: Path
    key: Path


def make_certificates(folder: Path) -> Certificates:
    """Make an authority and a certificate for localhost in a folder."""
    made = Certificates(folder / "authority.pem", folder / "server.pem", folder / "server.key")
    folder.mkdir(parents=True, exist_ok=True)
    authority = trustme.CA()
    server = authority.issue_cert("localhost", "127.0.0.1")
    authority.cert_pem.write_to_path(str(made.authority))
    made.chain.write_bytes(b"".join(blob.bytes() for blob in server.cert_chain_pems))
    made.key.touch(mode=0o600)
    server.private_key_pem.write_to_path(str(made.key))
    return made
