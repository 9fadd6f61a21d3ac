"""A scene in a cloud of the test's own, a caller who checks answers, and SDK clients over TLS."""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest
from azure.identity import ClientSecretCredential

from lab.azure.cloud import Cloud
from lab.azure.front_door import FrontDoor
from lab.azure.scenario import Scene, build_scene
from tests.lab_azure.caller import Caller
from tests.shared_samples import shared_folder

if TYPE_CHECKING:
    from lab.azure.server import AzureServer
    from tests.lab_azure.contract import Contract


@pytest.fixture(scope="session")
def contract() -> "Contract | None":
    """Microsoft's contract, where this machine has it; answers go unchecked where it has not."""
    if find_spec("jsonschema") is None:
        return None
    from tests.lab_azure.contract import Contract

    folder = shared_folder()
    specs = folder / "azure-specs" if folder else None
    return Contract(specs) if specs and specs.is_dir() else None


@pytest.fixture
def scene() -> Scene:
    """The provider and the lab's customers."""
    return build_scene(Cloud())


@pytest.fixture
def cloud(scene: Scene) -> Cloud:
    """The cloud of the scene."""
    return scene.cloud


@pytest.fixture
def door(cloud: Cloud) -> FrontDoor:
    """The way into the cloud."""
    return FrontDoor(cloud)


@pytest.fixture
def azmdr(door: FrontDoor, scene: Scene, contract: "Contract | None") -> Caller:
    """The provider's principal."""
    return Caller(door, scene.principal, contract)


@pytest.fixture
def server(door: FrontDoor) -> "Iterator[AzureServer]":
    """The cloud over TLS."""
    pytest.importorskip("trustme", reason="the lab's Azure makes its certificates with trustme")
    from lab.azure.server import AzureServer

    with AzureServer(door) as running:
        yield running


@pytest.fixture
def credential(server: "AzureServer", scene: Scene) -> ClientSecretCredential:
    """The product's own credential; nothing differs from production but the address and the authority."""
    return ClientSecretCredential(
        scene.provider.id,
        scene.principal.app_id or "",
        scene.principal.secret or "",
        authority=server.url,
        disable_instance_discovery=True,
        connection_verify=str(server.authority_file),
        additionally_allowed_tenants=["*"],
    )


@pytest.fixture
def wiring(server: "AzureServer") -> dict[str, Any]:
    """What every SDK client is given beside the credential."""
    return {
        "base_url": server.url,
        "credential_scopes": ["https://management.azure.com/.default"],
        "connection_verify": str(server.authority_file),
    }
