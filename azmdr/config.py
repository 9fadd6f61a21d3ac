"""Settings: everything a deployment chooses, from the environment and from one TOML file.

The environment wins over the file. The file is ``azmdr.toml`` in the working directory, or what
``AZMDR_CONFIG`` names. Every key ``x`` is ``AZMDR_X`` in the environment and ``x`` in the file.
"""

import os
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from azmdr.azure.address import PUBLIC_ENDPOINT, ArmAddress, ServicePrincipal
from azmdr.capture.names import TIME_FIRST, ArchiveNameFormat
from azmdr.capture.runs import RunBounds
from azmdr.condense.sources import MAX_BODY_BYTES
from azmdr.condense.step import StepSettings
from azmdr.inventory.placements import NamespaceNames
from azmdr.reconcile.spreading import Spread
from azmdr.steps.bounds import StepBounds
from azmdr.store.operations import Patience

CONFIG_FILE_VARIABLE: Final = "AZMDR_CONFIG"
DEFAULT_CONFIG_FILE: Final = "azmdr.toml"
_PREFIX: Final = "AZMDR_"
_NESTED: Final = "__"
_OWN_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})

Count = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class ConfigurationError(ValueError):
    """Settings that can't be used. The message has a line for each, naming the key and never its value."""


class Settings(BaseSettings):
    """What a deployment chooses. Times are seconds unless the name says otherwise."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX,
        env_nested_delimiter=_NESTED,
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    store_url: SecretStr = SecretStr("sqlite:///.azmdr/state.db")
    """The state store: ``sqlite:///path`` or ``postgresql+psycopg://user@host/name``."""
    lake: str = ".azmdr/lake"
    """The lake: a directory, or ``https://<account>.blob.core.windows.net/<container>/<prefix>``."""
    capture_container: str | None = None
    """URL of the blob container Event Hubs Capture writes to."""
    capture_queue: str | None = None
    """URL of the storage queue Event Grid announces new blobs on."""
    poison_queue: str | None = None
    """URL of the queue for messages that can't be used; by default the capture queue's with ``-poison``."""
    storage_account_key: SecretStr | None = None
    """Key of the storage account; without it, the identity of the machine (``DefaultAzureCredential``)."""
    archive_name_format: str = TIME_FIRST.text
    """Capture's archive name format. Azure's default order is understood beside it."""

    message_visibility: Seconds = 120
    """How long a queue message stays hidden after it was received."""
    message_attempts: Count = 5
    """How often a message may be received before it is set aside as poison."""
    intake_seconds: Seconds = 20
    """How long one tick of the sensor takes messages off the queue."""
    listing_hours: Count = 6
    """How far back the listing looks for files whose message never came, beyond its own mark."""
    listing_grace: Seconds = 900
    """How long after the end of an hour files may still be written into it."""

    linger: Seconds = 180
    """How long an operation that has ended waits for further records. Covers the p99 lateness seen."""
    deadline: Seconds = 900
    """How long an operation that has not ended waits before it is told as it stands. As for ``linger``, a
    change counts for operations that get a record from then on."""
    run_bounds: RunBounds = RunBounds()
    run_seconds: Seconds = 600
    """How long a run claims more files; it must end well within Dagster's ``max_runtime_seconds``."""
    files_per_commit: Count = 50
    """Capture files that become one transaction."""
    bytes_per_commit: Count = 256 * 2**20
    """Bytes of capture files that become one transaction; a larger file is one of its own."""
    claim_lease: Seconds = 600
    """How long a run holds a customer and its capture files without a sign of life."""
    customer_wait: Seconds = 30
    """How long a condensing run waits for customers other runs hold, when it has nothing else to do."""
    keep_quiet: Seconds = 86_400
    """How long the store keeps an operation's records after the lake has all of it; then it is closed."""
    file_attempts: Count = 5
    """How often a capture file is tried before it is given up."""
    max_body_bytes: Count = MAX_BODY_BYTES
    """The largest event body taken apart; Event Hubs itself takes at most 20 MB."""
    sensor_seconds: Count = 30
    """How often the sensors look."""
    listing_schedule: str = "*/10 * * * *"
    """When the container is listed for files whose message never came, as cron."""
    compaction_schedule: str = "20 * * * *"
    """When closed days are looked for to be compacted, as cron."""
    day_closes_after: Seconds = 21_600
    """How long after its end (UTC) a day is compacted, so that most of what comes late is in it."""
    observations_per_run: int = Field(default=50, ge=0)
    """Up to how many files a run records an observation for each on ``capture_files``."""
    partitions_start: date = date(2026, 10, 1)
    """First day of the capture assets' partitions."""

    arm_endpoint: str = PUBLIC_ENDPOINT
    """Azure Resource Manager."""
    entra_authority: str | None = None
    """Entra ID, where it is not the public one."""
    authority_file: Path | None = None
    """A certificate authority both are to be trusted by, in place of the machine's."""
    provider_tenant_id: str | None = None
    """Our own tenant: with ``client_id`` and ``client_secret`` the application we are; without them, the
    identity of the machine (``DefaultAzureCredential``)."""
    client_id: str | None = None
    client_secret: SecretStr | None = None
    ingest_subscription_id: str | None = None
    """Our subscription in which the event hubs stand."""
    ingest_resource_group: str = "azure-log-ingest"
    send_rule: str = "diagnostics"
    """The authorization rule on each event hub namespace that diagnostic settings send with."""
    delegate_to: dict[str, str] = Field(default_factory=dict)
    """Whom customers delegate to: object id of a group or service principal of ours, and its shown name."""
    offer_name: str = "Managed detection and response"
    """What customers' service provider pages call the delegation."""
    offer_description: str = "Watches the control plane of this subscription."
    delegated_roles: Literal["leastPrivilege", "article"] = "leastPrivilege"
    """Which roles every subscription delegates; docs/onboarding.md says what each set can do."""
    setting_name: str = "azmdr"
    """The name that makes a diagnostic setting or an export rule ours, in every customer's tenant."""
    category_policy: Path | None = None
    """The category policy, where it is not the one that comes with azmdr."""
    reconcile_minutes: Count = 60
    """The interval in which every customer is reconciled once."""
    customers_per_slice: Count = 50
    """Customers reconciled by one run, at most."""
    event_hubs_schedule: str = "1-59/5 * * * *"
    """When our own event hubs are looked at, as cron."""
    provision_schedule: str = "2-59/5 * * * *"
    """When new event hubs are placed and committed as Terraform, as cron."""
    customers_schedule: str = "3-59/5 * * * *"
    """When the registry of customers is mirrored into Dagster's partitions, as cron."""
    change_runs: Count = 4
    """Runs for changes seen in the stream, queued or running, at most."""
    step_seconds: Seconds = 480
    """How long a reconciling step begins new work."""
    customer_lease: Seconds = 600
    """How long a step holds a customer without a sign of life."""
    hold_down: Seconds = 86_400
    """How long a thing has to be missing from complete listings before it is gone."""
    visible_after: Seconds = 600
    """How long Azure may take to show in a listing what was written."""
    catalogue_days: Count = 7
    """After how many days the log categories of a type of resource are asked for again."""
    arm_workers: Count = 16
    """Calls to Azure Resource Manager going on at the same time."""
    stale_after: Seconds = 86_400
    """How long a verdict counts without having been looked at again."""
    silence: Seconds = 7_200
    """How long nothing must arrive of a customer that leaves, before it is gone; and from a hub that nothing
    needs any more, before it is removed."""

    namespace_prefix: str = "azure-log-ingest"
    """Event hub namespaces are named ``<prefix>-<region>-<nn>``; such a name is unique in all of Azure."""
    event_hub_tier: Literal["Standard", "Premium"] = "Standard"
    """The tier new namespaces are opened in; those there are keep theirs."""
    premium_units: int = Field(default=1, ge=1, le=16)
    """Processing units of a new Premium namespace; each holds 100 event hubs."""
    removals_per_commit: int = Field(default=3, ge=0)
    """How many event hubs one commit may remove without somebody's approval."""
    approval_seconds: Seconds = 86_400
    """How long an approval of a removal holds."""

    github_api: str = "https://api.github.com"
    """GitHub's API; of a GitHub Enterprise Server ``https://<host>/api/v3``."""
    github_repository: str | None = None
    """Owner and name of the private repository the event hubs' code is committed to."""
    github_branch: str = "main"
    """The branch Terraform applies."""
    github_path: str = "event_hub_mapping.tf"
    """The generated file in it."""
    github_mode: Literal["push", "pull_request"] = "push"
    """Whether commits go to the branch at once or through a pull request."""
    github_token: SecretStr | None = None
    """A token to commit with, in place of an app."""
    github_app_id: str | None = None
    """Id or client id of the GitHub App to commit as."""
    github_app_private_key: SecretStr | None = None
    """Its private key: the PEM file, also with its line ends as ``\\n``, or in base64."""
    github_installation_id: int | None = None
    """Its installation, where it is not to be looked up by the repository."""

    @field_validator("github_api")
    @classmethod
    def _is_protected(cls, address: str) -> str:
        parts = urlsplit(address)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _OWN_HOSTS):
            raise ValueError("must begin with https://, since a token is sent there")
        if parts.username or parts.password:
            raise ValueError("must not hold a user or a password")
        return address

    @field_validator("github_repository")
    @classmethod
    def _is_owner_and_name(cls, name: str | None) -> str | None:
        if (
            name is not None
            and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]*/(?!\.{1,2}$)[A-Za-z0-9._-]+", name) is None
        ):
            raise ValueError("must be an owner and a name, such as contoso/event-hubs")
        return name

    @field_validator("github_path")
    @classmethod
    def _is_path(cls, path: str) -> str:
        if any(part.lower() in ("", ".", "..", ".git") for part in path.split("/")) or "\\" in path:
            raise ValueError("must be the path of a file within the repository, such as event_hub_mapping.tf")
        return path

    @field_validator("archive_name_format")
    @classmethod
    def _is_format(cls, text: str) -> str:
        return ArchiveNameFormat(text).text

    @field_validator("namespace_prefix")
    @classmethod
    def _is_prefix(cls, text: str) -> str:
        return NamespaceNames(text).prefix

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment before the file."""
        file = TomlConfigSettingsSource(
            settings_cls, Path(os.environ.get(CONFIG_FILE_VARIABLE, DEFAULT_CONFIG_FILE))
        )
        return init_settings, env_settings, file_secret_settings, file

    @classmethod
    def load(cls) -> Self:
        """Read the settings.

        Raises:
            ConfigurationError: a value is of the wrong kind, a key is unknown, or there is no such file.
        """
        named = os.environ.get(CONFIG_FILE_VARIABLE)
        if named and not Path(named).is_file():
            raise ConfigurationError(f"{CONFIG_FILE_VARIABLE}: there is no file {named}")
        if unknown := sorted(
            name for name in os.environ if name.startswith(_PREFIX) and not _is_key(cls, name)
        ):
            raise ConfigurationError(f"settings: no such setting: {', '.join(unknown)}")
        try:
            return cls()
        except ValidationError as error:
            lines = (f"{'.'.join(map(str, found['loc']))}: {found['msg']}" for found in error.errors())
            raise ConfigurationError("settings: " + "; ".join(lines)) from None
        except ValueError as error:
            raise ConfigurationError(f"settings: {named or DEFAULT_CONFIG_FILE}: {error}") from None

    @property
    def patience(self) -> Patience:
        """How long operations wait."""
        return Patience(timedelta(seconds=self.linger), timedelta(seconds=self.deadline))

    @property
    def step(self) -> StepSettings:
        """What the condensing step needs to know."""
        return StepSettings(
            patience=self.patience,
            budget=timedelta(seconds=self.run_seconds),
            claim_lease=timedelta(seconds=self.claim_lease),
            customer_wait=timedelta(seconds=self.customer_wait),
            keep_quiet=timedelta(seconds=self.keep_quiet),
            files_per_commit=self.files_per_commit,
            bytes_per_commit=self.bytes_per_commit,
            file_attempts=self.file_attempts,
            max_body_bytes=self.max_body_bytes,
        )

    @property
    def address(self) -> ArmAddress:
        """Where Azure Resource Manager and Entra ID are."""
        return ArmAddress(self.arm_endpoint, self.entra_authority, self.authority_file)

    @property
    def principal(self) -> ServicePrincipal | None:
        """The application we are, where one is set.

        Raises:
            ConfigurationError: only a part of it is set.
        """
        parts = (self.provider_tenant_id, self.client_id, self.client_secret)
        if not any(parts):
            return None
        tenant_id, client_id = self.required("provider_tenant_id"), self.required("client_id")
        self.required("client_secret")
        return ServicePrincipal(tenant_id, client_id, self.client_secret or SecretStr(""))

    @property
    def step_bounds(self) -> StepBounds:
        """How far a reconciling step goes."""
        return StepBounds(
            budget=timedelta(seconds=self.step_seconds),
            lease=timedelta(seconds=self.customer_lease),
            hold_down=timedelta(seconds=self.hold_down),
            catalogue_age=timedelta(days=self.catalogue_days),
            visible_after=timedelta(seconds=self.visible_after),
        )

    @property
    def spread(self) -> Spread:
        """How the customers are spread over the interval."""
        return Spread(timedelta(minutes=self.reconcile_minutes), self.customers_per_slice)

    @property
    def stale_time(self) -> timedelta:
        """How long a verdict counts without having been looked at again."""
        return timedelta(seconds=self.stale_after)

    @property
    def silence_time(self) -> timedelta:
        """How long nothing must arrive of a customer that leaves."""
        return timedelta(seconds=self.silence)

    def required(self, key: str) -> str:
        """The value of an address that this deployment must have.

        Raises:
            ConfigurationError: it is not set; the message names the key.
        """
        value = getattr(self, key)
        if not value:
            raise ConfigurationError(
                f"settings: {key}: not set; set AZMDR_{key.upper()} or {key} in the file"
            )
        return str(value)


def _is_key(settings: type[Settings], variable: str) -> bool:
    """Whether an environment variable sets something; a mistyped one must not be passed over."""
    key = variable.removeprefix(_PREFIX).lower().split(_NESTED)[0]
    return variable == CONFIG_FILE_VARIABLE or key in settings.model_fields
