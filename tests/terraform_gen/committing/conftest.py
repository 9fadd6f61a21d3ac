"""The product's repository against the lab's GitHub: real PyGithub over HTTP, a real bare repository."""

from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from lab.github.front_door import FrontDoor
from lab.github.scenario import Scene
from lab.github.server import GitHubServer
from lab.github.world import World
from tests.terraform_gen.committing.workbench import Workbench


@pytest.fixture(scope="session")
def app_key() -> RSAPrivateKey:
    """The app's private key: making one takes a while."""
    return generate_private_key(65537, 2048)


@pytest.fixture(scope="session")
def bench_server() -> Iterator[tuple[FrontDoor, GitHubServer]]:
    """One server for all tests; each puts a world of its own behind it."""
    door = FrontDoor(World())
    with GitHubServer(door) as server:
        yield door, server


@pytest.fixture
def bench(bench_server: tuple[FrontDoor, GitHubServer], app_key: RSAPrivateKey) -> Workbench:
    """A fresh GitHub and a repository of the product on it."""
    door, server = bench_server
    return Workbench.fresh(door, server.url, app_key)


@pytest.fixture
def scene(bench: Workbench) -> Scene:
    """What is there."""
    return bench.scene
