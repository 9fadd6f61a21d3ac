"""A GitHub of the test's own."""

from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from lab.github.front_door import FrontDoor
from lab.github.scenario import PERSON_TOKEN, Scene, build_scene
from lab.github.world import World
from tests.lab_github.caller import Caller
from tests.shared_samples import shared_folder

if TYPE_CHECKING:
    from tests.lab_github.contract import Contract


@pytest.fixture(scope="session")
def contract() -> "Contract | None":
    """GitHub's contract, where this machine has it; answers go unchecked where it has not."""
    if find_spec("jsonschema") is None:
        return None
    from tests.lab_github.contract import FILE, Contract

    folder = shared_folder()
    specs = folder / "azure-specs" if folder else None
    return Contract(specs) if specs and (specs / FILE).is_file() else None


@pytest.fixture(scope="session")
def app_key() -> RSAPrivateKey:
    """The app's private key: making one takes a while."""
    return generate_private_key(65537, 2048)


@pytest.fixture
def scene(app_key: RSAPrivateKey) -> Scene:
    """An organization, its private repository, an app."""
    return build_scene(World(), app_key)


@pytest.fixture
def door(scene: Scene) -> FrontDoor:
    """The way into it."""
    return FrontDoor(scene.world)


@pytest.fixture
def mona(door: FrontDoor, contract: "Contract | None") -> Caller:
    """A person who may write."""
    return Caller(door, PERSON_TOKEN, contract)
