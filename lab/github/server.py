"""The server: this GitHub on 127.0.0.1, for as long as a ``with`` block lasts."""

from pathlib import Path

from lab.azure.server import AzureServer
from lab.github.front_door import FrontDoor


class GitHubServer(AzureServer):
    """This GitHub's address, served as the lab's Azure is; plain HTTP unless TLS is asked for."""

    name = "GitHub"

    def __init__(
        self,
        front_door: FrontDoor,
        port: int = 0,
        folder: Path | None = None,
        latency: float = 0.0,
        *,
        tls: bool = False,
    ) -> None:
        super().__init__(front_door, port, folder, latency, tls=tls)
