"""What the demo promises as a whole: one command, and everything comes out as it was planted."""

import subprocess
import sys
from pathlib import Path

import pytest

LONGEST_SECONDS = 600


@pytest.mark.soak
def test_the_demo_played_once_ends_well(tmp_path: Path) -> None:
    arguments = ("demo", "--once", "--folder", str(tmp_path), "--port", "24000")
    ended = subprocess.run(
        [sys.executable, "-m", "azmdr", *arguments],
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "0 seen that were not" in ended.stdout
    assert "(conserved)" in ended.stdout
    assert "The control plane converged" in ended.stdout
    assert "nothing blocked, pending or unknown" in ended.stdout
    assert "what happened in it is in the lake: after" in ended.stdout
