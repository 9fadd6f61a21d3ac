"""Who we are at GitHub: an app with its private key, or a token."""

import logging
from base64 import b64decode
from binascii import Error as NotBase64Error
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import github
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import SecretStr

from terraform_gen.github_errors import without_secrets

_TIMEOUT: Final = 30


class KeyFormatError(ValueError):
    """A private key that can't be used; the message says why and shows nothing of it."""


@dataclass(frozen=True, slots=True)
class TokenCredentials:
    """A token of a person or of a machine user."""

    token: SecretStr


@dataclass(frozen=True, slots=True)
class AppCredentials:
    """A GitHub App. Without an installation, the one of the repository is looked up."""

    app_id: str
    private_key: SecretStr
    installation_id: int | None = None


Credentials = TokenCredentials | AppCredentials


@dataclass(frozen=True, slots=True)
class Connection:
    """Where GitHub is and how fast it is asked.

    The pauses are those GitHub's best practices ask for; PyGithub keeps them.
    """

    api: str
    authority_file: Path | None = None
    """A certificate authority to trust in place of the machine's."""
    between_requests: float = 0.25
    between_writes: float = 1.0

    def arguments(self) -> dict[str, Any]:
        """What every client of PyGithub is given; repeating is not its business but ours."""
        return {
            "base_url": self.api.rstrip("/"),
            "verify": True if self.authority_file is None else str(self.authority_file),
            "timeout": _TIMEOUT,
            "retry": None,
            "seconds_between_requests": self.between_requests,
            "seconds_between_writes": self.between_writes,
            "user_agent": "azmdr",
        }


def client(credentials: Credentials, connection: Connection, repository: str) -> github.Github:
    """A client, with a fresh token when it asks for the first time.

    Raises:
        KeyFormatError: the private key can't be used.
        github.GithubException: the app or its installation is not known.
    """
    if isinstance(credentials, TokenCredentials):
        return github.Github(
            auth=github.Auth.Token(credentials.token.get_secret_value()), **connection.arguments()
        )
    pem = private_key_pem(credentials.private_key.get_secret_value())
    app = github.Auth.AppAuth(credentials.app_id, pem)
    integration = github.GithubIntegration(auth=app, **connection.arguments())
    number = credentials.installation_id
    if number is None:
        owner, _, name = repository.partition("/")
        number = integration.get_repo_installation(owner, name).id
    return integration.get_github_for_installation(number)


def private_key_pem(text: str) -> str:
    r"""A private key as PyGithub wants it.

    Taken are the file GitHub hands out, the same with its line ends written as ``\n`` (as many secret stores
    have it), and the same in base64.

    Raises:
        KeyFormatError: it is none of them, is locked with a password, or no RSA key.
    """
    pem = text.strip().strip("\"'").replace("\\r", "").replace("\\n", "\n").replace("\r\n", "\n").strip()
    if "-----BEGIN" not in pem:
        try:
            pem = b64decode("".join(pem.split()), validate=True).decode("ascii").strip()
        except (NotBase64Error, UnicodeDecodeError, ValueError):
            raise KeyFormatError("neither a PEM file nor one in base64") from None
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except TypeError:
        raise KeyFormatError("locked with a password; GitHub hands them out without one") from None
    except (ValueError, UnsupportedAlgorithm):
        raise KeyFormatError("no private key that can be read; is it whole?") from None
    if not isinstance(key, RSAPrivateKey):
        raise KeyFormatError("not an RSA key, which GitHub Apps have")
    return pem + "\n"


class _HideTokens(logging.Filter):
    """PyGithub logs whole answers at level DEBUG, that with an installation's token among them."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                without_secrets(str(value)) if isinstance(value, str | dict | bytes) else value
                for value in record.args
            )
        return True


logging.getLogger("github.Requester").addFilter(_HideTokens())
