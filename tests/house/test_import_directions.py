"""The two directions that import-linter can't see; the others stand as contracts in pyproject.toml."""

import subprocess
import sys


def modules_after(statement: str) -> set[str]:
    """What a fresh interpreter has loaded after one import."""
    code = f"{statement}\nimport sys\nprint(*sys.modules, sep='\\n')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines())


def test_the_command_line_starts_without_loading_dagster() -> None:
    loaded = modules_after("import azmdr.cli")
    assert "azmdr.cli" in loaded
    assert {name for name in loaded if name.split(".")[0].startswith("dagster")} == set()


def test_the_capture_schema_brings_nothing_else_of_the_product() -> None:
    """The lab may import it, and would with it import whatever it imports."""
    loaded = modules_after("import azmdr.capture.schema")
    product = {name for name in loaded if name.split(".")[0] == "azmdr"}
    assert product == {"azmdr", "azmdr.capture", "azmdr.capture.schema"}
