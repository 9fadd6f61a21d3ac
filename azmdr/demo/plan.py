"""What a demo was asked to do, where it keeps things, and the settings it gives the product."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CONTAINER: Final = "capture"
QUEUE: Final = "capture-events"
LINGER: Final = 5
DEADLINE: Final = 30
"""Seconds; a deployment waits longer, see :class:`azmdr.config.Settings`, but here somebody is watching."""


@dataclass(frozen=True, slots=True)
class DemoPlan:
    """What was asked for on the command line."""

    once: bool
    folder: Path
    port: int
    seed: int
    size: float

    @property
    def home(self) -> Path:
        """Where this kind of demo keeps all it writes."""
        return (self.folder / ("demo-once" if self.once else "demo")).absolute()

    @property
    def expected(self) -> Path:
        """Where the lab says what must come out."""
        return self.home / "expected.jsonl"

    @property
    def lake(self) -> Path:
        """The lake."""
        return self.home / "lake"

    @property
    def store_url(self) -> str:
        """The state store."""
        return f"sqlite:///{self.home / 'state.db'}"

    @property
    def dagster_home(self) -> Path:
        """Dagster's instance."""
        return self.home / "dagster"

    def replay_arguments(self) -> list[str]:
        """What the lab is to play, and where to."""
        mode = ["--speed", "2"] if self.once else ["--forever", "--window", "10"]
        return [
            *("--container", CONTAINER, "--queue", QUEUE),
            *("--state", str(self.home / "replay.json"), "--expected", str(self.expected)),
            *("--seed", str(self.seed), "--size", str(self.size)),
            *mode,
        ]

    def environment(self, storage: Mapping[str, str]) -> dict[str, str]:
        """The product's settings, for the storage account the lab says it has."""
        parts = dict(part.partition("=")[::2] for part in storage["connection_string"].split(";"))
        return {
            "DAGSTER_HOME": str(self.dagster_home),
            "DAGSTER_DISABLE_TELEMETRY": "yes",
            "AZMDR_STORE_URL": self.store_url,
            "AZMDR_LAKE": str(self.lake),
            "AZMDR_CAPTURE_CONTAINER": f"{storage['blob_endpoint']}/{CONTAINER}",
            "AZMDR_CAPTURE_QUEUE": f"{storage['queue_endpoint']}/{QUEUE}",
            "AZMDR_STORAGE_ACCOUNT_KEY": parts["AccountKey"],
            "AZMDR_LINGER": str(LINGER),
            "AZMDR_DEADLINE": str(DEADLINE),
            "AZMDR_SENSOR_SECONDS": "5",
            "AZMDR_INTAKE_SECONDS": "3",
            "AZMDR_LISTING_SCHEDULE": "* * * * *",
        }
