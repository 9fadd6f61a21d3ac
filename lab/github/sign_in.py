"""Who asks: a token of a person or of an installation, or an app with its own signed word.

Source: docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import jwt

from lab.github.github_error import GitHubError, bad_credentials, not_found
from lab.github.world import App, HostedRepository, Installation, Permissions, Token, World

_LONGEST: Final = 600
_DRIFT: Final = 60
_LEVELS: Final = ("none", "read", "write")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. Neither token nor app: anybody."""

    token: Token | None = None
    app: App | None = None

    @property
    def key(self) -> str:
        """Whose limits count."""
        if self.app is not None:
            return f"app {self.app.id}"
        if self.token is None:
            return "anybody"
        return (
            f"installation {self.token.installation}" if self.token.installation else self.token.account.login
        )

    def level(self, repository: HostedRepository, permission: str) -> str:
        """How far a permission reaches in a repository: ``none``, ``read`` or ``write``."""
        public = "none" if repository.is_private or permission == "administration" else "read"
        if self.token is None:
            return public
        granted = self._granted(self.token, repository).get(permission, "none")
        return max(granted, public, key=_LEVELS.index)

    def sees(self, repository: HostedRepository) -> bool:
        """Whether the repository exists, as far as the caller is told."""
        return not repository.is_private or self.level(repository, "metadata") != "none"

    def _granted(self, token: Token, repository: HostedRepository) -> Permissions:
        if token.repositories is not None and repository.full_name.lower() not in token.repositories:
            return {}
        held = token.permissions
        if held is None:
            wanted = "repo" if repository.is_private else "public_repo"
            held = (
                {}
                if not {"repo", wanted} & set(token.scopes)
                else dict.fromkeys(("contents", "metadata", "pull_requests", "administration"), "write")
            )
        else:
            held = {"metadata": "read", **held}
        return held if token.installation else _capped(held, _reach(token, repository))


def _reach(token: Token, repository: HostedRepository) -> str:
    if token.account == repository.owner or token.account.login in repository.writers:
        return "write"
    return "read" if token.account.login in repository.readers else "none"


def _capped(held: Permissions, reach: str) -> Permissions:
    return {name: min(level, reach, key=_LEVELS.index) for name, level in held.items()}


def caller_of(world: World, authorization: str | None) -> Caller:
    """Who the value of an Authorization header stands for.

    Raises:
        GitHubError: 401 for a token that is none, or no longer.
    """
    if not authorization:
        return Caller()
    kind, _, text = authorization.partition(" ")
    if kind.lower() not in ("bearer", "token"):
        raise bad_credentials()
    if text.count(".") == 2:
        return Caller(app=_app_of(world, text.strip()))
    token = world.tokens.get(text.strip())
    if token is None or (token.expires_at is not None and world.clock.now() >= token.expires_at):
        raise bad_credentials()
    installation = world.installations.get(token.installation or 0)
    if token.installation and installation is None:
        raise bad_credentials()
    if installation is not None and installation.is_suspended:
        raise GitHubError(403, "This installation has been suspended")
    return Caller(token=token)


def _app_of(world: World, text: str) -> App:
    try:
        claimed = jwt.decode(text, options={"verify_signature": False})
        issuer = str(claimed["iss"])
        app = next(each for each in world.apps.values() if issuer in (str(each.id), each.client_id))
    except StopIteration as error:
        raise not_found("Integration not found") from error
    except (jwt.PyJWTError, KeyError) as error:
        raise GitHubError(401, "A JSON web token could not be decoded") from error
    try:
        options = {"verify_exp": False, "verify_iat": False, "verify_sub": False}
        jwt.decode(text, app.private_key.public_key(), algorithms=["RS256"], options=options)  # type: ignore[arg-type]  # PyJWT's own type for options differs by version
    except jwt.PyJWTError as error:
        raise GitHubError(401, "A JSON web token could not be decoded") from error
    _check_times(claimed.get("iat"), claimed.get("exp"), world.clock.now())
    return app


def _check_times(issued: object, expires: object, now: datetime) -> None:
    seconds = now.timestamp()
    if not isinstance(expires, int | float) or expires <= seconds:
        message = "'Expiration time' claim ('exp') must be a numeric value representing the future time"
        raise GitHubError(401, f"{message} at which the assertion expires")
    if expires > seconds + _LONGEST + _DRIFT:
        raise GitHubError(401, "'Expiration time' claim ('exp') is too far in the future")
    if not isinstance(issued, int | float) or issued > seconds + _DRIFT:
        message = "'Issued at' claim ('iat') must be an Integer representing the time that the assertion"
        raise GitHubError(401, f"{message} was issued")


def issue_token(world: World, installation: Installation, permissions: Permissions) -> tuple[str, Token]:
    """A token for an installation, with all it may do or less."""
    app = installation.app
    granted = {**installation.permissions, **permissions} if permissions else installation.permissions
    token = Token(
        app.bot,
        permissions=granted,
        repositories=frozenset(installation.repositories),
        installation=installation.id,
        expires_at=world.now() + world.token_lifetime,
    )
    return world.give_token(f"ghs_{secrets.token_hex(18)}", token), token


def exceeds(asked: Permissions, held: Permissions) -> bool:
    """Whether somebody asks for more than there is."""
    return any(_LEVELS.index(level) > _LEVELS.index(held.get(name, "none")) for name, level in asked.items())
