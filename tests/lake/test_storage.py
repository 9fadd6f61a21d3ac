"""What the lake's storage promises, in a directory and in Azure: whole files, or none."""

import uuid
from pathlib import Path

import pytest
from pydantic import SecretStr

from azmdr.azure.storage import blob_container
from azmdr.lake.open import open_lake
from azmdr.lake.storage import DirectoryLake, LakeFileMissingError, LakeStorage
from lab.azurite import ACCOUNT_KEY

KEY = SecretStr(ACCOUNT_KEY)


@pytest.fixture(params=["directory", "blob container", "prefix of a blob container"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> LakeStorage:
    """An empty lake in each of the places it can be."""
    if request.param == "directory":
        return open_lake(str(tmp_path / "lake"))
    endpoint = request.getfixturevalue("azurite").blob_endpoint
    url = f"{endpoint}/lake-{uuid.uuid4().hex}"
    container, _ = blob_container(url, KEY)
    container.create_container()
    container.upload_blob("elsewhere/a.parquet", b"not of the lake with a prefix")
    if request.param == "blob container":
        container.delete_blob("elsewhere/a.parquet")
        return open_lake(url, KEY)
    return open_lake(f"{url}/team/lake", KEY)


def test_a_file_reads_as_it_was_put(lake: LakeStorage) -> None:
    lake.put("customer=a/table=t/x.parquet", b"\x00content\xff")
    lake.put("customer=a/table=t/empty.parquet", b"")
    assert lake.read("customer=a/table=t/x.parquet") == b"\x00content\xff"
    assert lake.read("customer=a/table=t/empty.parquet") == b""


def test_putting_again_replaces_the_file(lake: LakeStorage) -> None:
    lake.put("x.parquet", b"a longer content than the next")
    lake.put("x.parquet", b"new")
    assert lake.read("x.parquet") == b"new"
    assert list(lake.list("")) == ["x.parquet"]


def test_a_missing_file_is_named_with_its_lake(lake: LakeStorage) -> None:
    with pytest.raises(LakeFileMissingError) as missing:
        lake.read("customer=a/x.parquet")
    assert missing.value.path == "customer=a/x.parquet"
    assert str(missing.value) == f"lake {lake.address}: no file customer=a/x.parquet"


def test_a_deleted_file_is_gone_and_deleting_it_again_is_no_error(lake: LakeStorage) -> None:
    lake.put("x.parquet", b"1")
    lake.delete("x.parquet")
    lake.delete("x.parquet")
    assert list(lake.list("")) == []


def test_a_folder_lists_its_files_in_order_of_their_names_and_nobody_elses(lake: LakeStorage) -> None:
    names = [
        "customer=a/b/2.parquet",
        "customer=a/b-c/3.parquet",
        "customer=a/b/1.parquet",
        "customer=ab/1.parquet",
    ]
    for name in names:
        lake.put(name, b"1")
    lake.put("customer=a/b/readme.txt", b"no table file")
    assert list(lake.list("customer=a/")) == sorted(names[:3])
    assert list(lake.list("")) == sorted(names)
    assert list(lake.list("customer=nobody/")) == []


def test_the_address_tells_where_the_lake_is_and_never_the_key(lake: LakeStorage) -> None:
    assert lake.address
    assert ACCOUNT_KEY not in lake.address + repr(lake)


def test_a_crash_between_writing_and_renaming_leaves_no_visible_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = DirectoryLake(tmp_path)
    lake.put("a/x.parquet", b"old")

    def crash(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", crash)
    monkeypatch.setattr(Path, "unlink", crash)  # killed, so nobody tidies up either
    with pytest.raises(KeyboardInterrupt):
        lake.put("a/x.parquet", b"new")
    monkeypatch.undo()
    assert len(list((tmp_path / "a").iterdir())) == 2
    assert list(lake.list("")) == ["a/x.parquet"]
    assert lake.read("a/x.parquet") == b"old"


def test_a_failed_write_tidies_up_after_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = DirectoryLake(tmp_path)

    def disk_full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("os.fsync", disk_full)
    with pytest.raises(OSError, match="no space left"):
        lake.put("a/x.parquet", b"new")
    assert list((tmp_path / "a").iterdir()) == []
