"""Settings: everything a deployment chooses, from the environment and from one TOML file.

The environment wins over the file. The file is ``azmdr.toml`` in the working directory, or what
``AZMDR_CONFIG`` names. Every key ``x`` is ``AZMDR_X`` in the environment and ``x`` in the file.
"""

import os
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from azmdr.capture.names import TIME_FIRST, ArchiveNameFormat
from azmdr.capture.runs import RunBounds
from azmdr.condense.step import StepSettings
from azmdr.store.operations import Patience

CONFIG_FILE_VARIABLE: Final = "AZMDR_CONFIG"
DEFAULT_CONFIG_FILE: Final = "azmdr.toml"
_PREFIX: Final = "AZMDR_"
_NESTED: Final = "__"

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
    """How long an operation that has not ended waits before it is told as it stands."""
    run_bounds: RunBounds = RunBounds()
    run_seconds: Seconds = 600
    """How long a run claims more files; it must end well within Dagster's ``max_runtime_seconds``."""
    files_per_commit: Count = 50
    """Capture files that become one transaction."""
    bytes_per_commit: Count = 256 * 2**20
    """Bytes of capture files that become one transaction; a larger file is one of its own."""
    claim_lease: Seconds = 600
    """How long a run holds a capture file without a sign of life."""
    file_attempts: Count = 5
    """How often a capture file is tried before it is given up."""
    max_body_bytes: Count = 32 * 2**20
    """The largest event body taken apart; Event Hubs itself takes at most 20 MB."""
    sensor_seconds: Count = 30
    """How often the sensors look."""
    listing_schedule: str = "*/10 * * * *"
    """When the container is listed for files whose message never came, as cron."""
    observations_per_run: int = Field(default=50, ge=0)
    """Up to how many files a run records an observation for each on ``capture_files``."""
    partitions_start: date = date(2026, 10, 1)
    """First day of the capture assets' partitions."""

    @field_validator("archive_name_format")
    @classmethod
    def _is_format(cls, text: str) -> str:
        return ArchiveNameFormat(text).text

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
            files_per_commit=self.files_per_commit,
            bytes_per_commit=self.bytes_per_commit,
            file_attempts=self.file_attempts,
            max_body_bytes=self.max_body_bytes,
        )

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
