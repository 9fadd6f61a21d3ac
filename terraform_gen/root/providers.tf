# No credentials here: the identity of the Terraform Cloud workspace signs in by OpenID Connect, with
# ARM_CLIENT_ID, ARM_TENANT_ID, ARM_SUBSCRIPTION_ID and ARM_USE_OIDC in its environment.
provider "azurerm" {
  # The storage account takes no keys.
  storage_use_azuread = true

  features {
    resource_group {
      # A group that still holds a hub is not to be deleted with it.
      prevent_deletion_if_contains_resources = true
    }
  }
}
