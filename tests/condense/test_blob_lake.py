"""The lake in Azure Blob Storage: the same step, the same tables, by another address."""

from pathlib import Path

from azure.storage.blob import BlobServiceClient
from pydantic import SecretStr

from azmdr.condense.conservation import discrepancies
from azmdr.lake.open import open_lake
from lab.azurite import ACCOUNT_KEY, AzuriteServer
from tests.condense.capture_files import file_of_bodies
from tests.condense.records import envelope, sign_in_bytes, stage_bytes
from tests.condense.workbench import Workbench

FILES = (
    file_of_bodies(envelope(stage_bytes("start"), sign_in_bytes("e-1")), b"no JSON", partition=0),
    file_of_bodies(envelope(stage_bytes("success", 3600)), partition=1),
)


def test_only_the_address_differs(azurite: AzuriteServer, tmp_path: Path) -> None:
    BlobServiceClient.from_connection_string(azurite.connection_string).create_container("a-lake-of-its-own")
    local, remote = (
        Workbench(f"sqlite:///{tmp_path / name}.db", tmp_path / name) for name in ("local", "remote")
    )
    remote.lake = open_lake(f"{azurite.blob_endpoint}/a-lake-of-its-own/mdr", SecretStr(ACCOUNT_KEY))
    for bench in (local, remote):
        bench.arrive(*FILES)
        result = bench.finish()
        assert discrepancies(bench.lake, result.done) == []
        bench.assert_conserved()
        assert len(bench.step().condense_again([result.done[0].file.partition], redo="again").done) == 2
    assert remote.tables() == local.tables()
    assert list(remote.lake.list("")) == list(local.lake.list(""))
