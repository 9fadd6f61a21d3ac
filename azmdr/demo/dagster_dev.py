"""Dagster for the demo: its instance, its command line, and when its UI is ready."""

import json
import shutil
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from azmdr.demo.processes import DemoError, command

ROOT: Final = Path(__file__).parents[2]
"""The project's checkout, which holds the workspace."""
UI_TIMEOUT: Final = 120.0
"""Seconds; a cold start on a busy machine takes half a minute."""
PORTS_TRIED: Final = 50


def check_checkout() -> None:
    """Raise :class:`DemoError` when the project is installed without its checkout."""
    if not (ROOT / "workspace.yaml").exists():
        raise DemoError(f"the demo runs from a checkout of the project; there is no workspace.yaml in {ROOT}")


def make_instance(home: Path) -> None:
    """Make Dagster's home, or leave what a first start made and renew its settings."""
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(ROOT / "deploy" / "local" / "dagster.yaml", home / "dagster.yaml")


def dagster_dev(port: int) -> list[str]:
    """The command line of the webserver, the daemon and the code server in one."""
    workspace = str(ROOT / "workspace.yaml")
    return command("dagster", "dev", "--workspace", workspace, "--host", "127.0.0.1", "--port", str(port))


def free_port(wanted: int) -> int:
    """The port wanted, or the next one nobody listens on. Raises :class:`DemoError` when all are taken."""
    for port in range(wanted, wanted + PORTS_TRIED):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
    raise DemoError(f"no free port from {wanted} to {wanted + PORTS_TRIED - 1}")


def wait_until_loaded(address: str, log: Path, check: Callable[[], None]) -> None:
    """Wait until the webserver has loaded the code location. ``check`` raises when a process has failed."""
    end = time.monotonic() + UI_TIMEOUT
    state = "no answer"
    while time.monotonic() < end:
        check()
        with suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            state = _location_state(address)
        if state == "RepositoryLocation":
            return
        time.sleep(0.3)
    raise DemoError(f"Dagster was not up within {UI_TIMEOUT:.0f} s ({state}); see {log}")


def _location_state(address: str) -> str:
    """What the webserver says of the code location. While the code server starts it says PythonError."""
    entries = "locationEntries { locationOrLoadError { __typename ... on PythonError { message } } }"
    query = f"{{ workspaceOrError {{ ... on Workspace {{ {entries} }} }} }}"
    request = urllib.request.Request(  # noqa: S310 (our own address)
        f"{address}/graphql", json.dumps({"query": query}).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
        found = json.load(answer)["data"]["workspaceOrError"].get("locationEntries", [])
    state = (found[0]["locationOrLoadError"] if found else None) or {"__typename": "still loading"}
    return str(state.get("message") or state["__typename"])
