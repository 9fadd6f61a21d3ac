"""A scene: an organization, its private repository for the event hubs' code, an app that may commit to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from lab.github.world import Account, App, HostedRepository, Installation, Token, World

FILES: Final = {
    "README.md": "# Event hubs\n\nThe infrastructure logs arrive at. `event_hub_mapping.tf` is generated.\n",
    "main.tf": 'terraform {\n  required_version = ">= 1.9"\n}\n',
}
PERSON_TOKEN: Final = "ghp_" + "lab0" * 9
"""The classic token of a person who may write."""
READER_TOKEN: Final = "github_pat_" + "read" * 9
"""The fine-grained token of one who may only read."""
STRANGER_TOKEN: Final = "ghp_" + "else" * 9
"""The token of one who has nothing to do with it."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What a test or a demo needs to know."""

    world: World
    organization: Account
    person: Account
    repository: HostedRepository
    app: App
    installation: Installation


def texts_of(folder: Path) -> dict[str, str]:
    """Every file below a folder, by its path within."""
    files = sorted(each for each in folder.rglob("*") if each.is_file())
    return {each.relative_to(folder).as_posix(): each.read_text("utf-8") for each in files}


def build_scene(
    world: World, key: RSAPrivateKey | None = None, files: Mapping[str, str] | None = None
) -> Scene:
    """Build it in an empty world.

    Args:
        world: an empty one; what its folder holds of an earlier one stays.
        key: the app's; a new one unless it is given.
        files: what the repository begins with, if it is new.
    """
    organization = world.add_account("contoso-soc", "Organization")
    person, reader, stranger = (world.add_account(name) for name in ("mona", "reader", "stranger"))
    repository = world.add_repository(organization, "event-hubs", FILES if files is None else files)
    repository.writers.add(person.login)
    repository.readers.add(reader.login)
    app = world.add_app(organization, "azmdr", key=key)
    installation = world.install(app, organization, repository)
    world.give_token(PERSON_TOKEN, Token(person, scopes=("repo",)))
    world.give_token(READER_TOKEN, Token(reader, permissions={"contents": "read", "pull_requests": "read"}))
    world.give_token(STRANGER_TOKEN, Token(stranger, scopes=("repo",)))
    return Scene(world, organization, person, repository, app, installation)
