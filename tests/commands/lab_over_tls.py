"""The lab's Azure as a deployment meets it: over TLS, with real credentials; only the addresses differ."""

from collections.abc import Callable, Iterator
from functools import partial
from types import TracebackType
from typing import Self

from lab.azure.cloud import Cloud
from lab.azure.diagnostic_settings import DiagnosticSetting
from lab.azure.front_door import FrontDoor, LoggedRequest
from lab.azure.scenario import SECRET, build_scene
from lab.azure.server import AzureServer
from lab.azure.virtual_clock import WallClock
from tests.steps.small_lab import CONTOSO, FABRIKAM, OURS


class LabOverTls:
    """A server with two customers."""

    customers = (CONTOSO, FABRIKAM)

    def __init__(self) -> None:
        self.scene = build_scene(Cloud(clock=WallClock()), self.customers)
        self.door = FrontDoor(self.scene.cloud)
        self._server = AzureServer(self.door)

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop()

    @property
    def environment(self) -> dict[str, str]:
        """The settings a deployment makes."""
        return {
            "AZMDR_ARM_ENDPOINT": self._server.url,
            "AZMDR_ENTRA_AUTHORITY": self._server.url,
            "AZMDR_AUTHORITY_FILE": str(self._server.authority_file),
            "AZMDR_PROVIDER_TENANT_ID": self.scene.provider.id,
            "AZMDR_CLIENT_ID": self.scene.principal.app_id or "",
            "AZMDR_CLIENT_SECRET": SECRET,
            "AZMDR_INGEST_SUBSCRIPTION_ID": self.scene.subscription_id,
        }

    def writes(self) -> list[LoggedRequest]:
        """What was asked for that changes something."""
        return self.door.meanwhile(lambda _: self.door.writes())

    def ours(self) -> dict[tuple[str, str], object]:
        """Everything of ours, by where it stands."""
        return {place: each for place, each in self.everything().items() if place[1] == OURS}

    def everything(self) -> dict[tuple[str, str], object]:
        """Every setting and every rule of the customers, by where it stands and its name."""
        return self.door.meanwhile(lambda cloud: dict(_things(cloud)))

    def change(self, happening: Callable[[Cloud], object]) -> None:
        """What somebody else does in the cloud."""
        self.door.meanwhile(happening)

    def put(self, target_key: str, *settings: DiagnosticSetting) -> None:
        """What somebody else sets on a target."""
        for setting in settings:
            self.change(partial(Cloud.put_setting, target_key=target_key, setting=setting))


def _things(cloud: Cloud) -> Iterator[tuple[tuple[str, str], object]]:
    for key in sorted(cloud.settings):
        yield from (((key, name), each) for name, each in cloud.settings[key].all_latest())
    for key in sorted(cloud.exports):
        yield from (((f"{key} rule", name), each) for name, each in cloud.exports[key].items())
