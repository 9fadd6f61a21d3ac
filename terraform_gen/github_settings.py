"""The repository that the settings name."""

from pydantic import SecretStr

from azmdr.clock import Clock
from azmdr.config import ConfigurationError, Settings
from terraform_gen.github_credentials import (
    AppCredentials,
    Connection,
    Credentials,
    KeyFormatError,
    TokenCredentials,
    private_key_pem,
)
from terraform_gen.github_repository import GitHubRepository, Target
from terraform_gen.repository import Mode


def github_repository(settings: Settings, clock: Clock | None = None) -> GitHubRepository:
    """The repository the event hubs' code is committed to.

    Raises:
        ConfigurationError: it is not set, or who we are is not, or is twice; the message names the key.
    """
    target = Target(
        settings.required("github_repository"), settings.github_branch, Mode(settings.github_mode)
    )
    connection = Connection(settings.github_api, settings.authority_file)
    return GitHubRepository(target, github_credentials(settings), connection, clock)


def github_credentials(settings: Settings) -> Credentials:
    """Who we are at GitHub.

    Raises:
        ConfigurationError: nobody, or two at once, or with a key that can't be used.
    """
    app = (settings.github_app_id, settings.github_app_private_key, settings.github_installation_id)
    if settings.github_token is not None and settings.github_token.get_secret_value():
        if any(app):
            raise ConfigurationError("settings: github_token: set beside github_app_*; only one can be used")
        return TokenCredentials(settings.github_token)
    if not any(app):
        raise ConfigurationError("settings: github_token: not set, and no github_app_id either")
    app_id = settings.required("github_app_id")
    settings.required("github_app_private_key")
    key = settings.github_app_private_key or SecretStr("")
    try:
        private_key_pem(key.get_secret_value())
    except KeyFormatError as error:
        raise ConfigurationError(f"settings: github_app_private_key: {error}") from None
    return AppCredentials(app_id, key, settings.github_installation_id)
