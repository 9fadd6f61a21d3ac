"""Settings that commands on local files obey."""

import os
from pathlib import Path

import click


def max_body_bytes() -> int:
    """The setting; nothing is loaded to find that nothing is set."""
    default = Path("azmdr.toml")
    if not any(name.startswith("AZMDR_") for name in os.environ) and not default.exists():
        from azmdr.condense.sources import MAX_BODY_BYTES

        return MAX_BODY_BYTES
    from azmdr.config import ConfigurationError, Settings

    try:
        return Settings.load().max_body_bytes
    except ConfigurationError as error:
        raise click.ClickException(str(error)) from error
