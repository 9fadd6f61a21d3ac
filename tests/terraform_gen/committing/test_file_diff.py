import subprocess
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from terraform_gen.file_diff import blob_sha, unified_diff


@given(st.text())
def test_a_long_diff_is_cut_and_says_how_much_is_left_out(text: str) -> None:
    cut = unified_diff("f", text, "x\n" * 300, longest=500)
    assert len(cut) < 530
    assert cut.splitlines()[-1].endswith(" more lines")


def test_a_new_file_comes_from_nowhere() -> None:
    assert unified_diff("f", None, "a\n").splitlines() == ["--- /dev/null", "+++ b/f", "@@ -0,0 +1 @@", "+a"]


def test_contents_have_the_name_git_gives_them(tmp_path: Path) -> None:
    for text in ("", "a\n", "ü\r\nno end", "x" * 100_000):
        (tmp_path / "f").write_bytes(text.encode())
        named = subprocess.run(
            ["git", "hash-object", "--no-filters", "f"], cwd=tmp_path, capture_output=True, check=True
        )
        assert blob_sha(text) == named.stdout.decode().strip()
