mock_provider "azurerm" {}

variables {
  namespace_prefix    = "azure-log-ingest"
  resource_group_name = "azure-log-ingest"
  send_rule           = "diagnostics"
  capture = {
    archive_name_format = "{Year}/{Month}/{Day}/{Hour}/{Namespace}/{EventHub}/{PartitionId}/{Minute}/{Second}"
    container_name      = "capture"
    storage_account_id  = "/subscriptions/12345678-1234-9876-4563-123456789012/resourceGroups/a/providers/Microsoft.Storage/storageAccounts/a"
    identity_id         = "/subscriptions/12345678-1234-9876-4563-123456789012/resourceGroups/a/providers/Microsoft.ManagedIdentity/userAssignedIdentities/c"
    interval_seconds    = 60
    size_limit_bytes    = 104857600
  }
  event_hub_mapping = {
    "eastus" = {
      "01" = { sku = "Standard", units = 1, hubs = { "contoso" = 4, "fabrikam" = 8 } }
      "02" = { sku = "Premium", units = 1, hubs = { "tailwind" = 4 } }
    }
    "westeurope" = {
      "01" = { sku = "Standard", units = 1, hubs = { "contoso" = 4 } }
    }
  }
}

run "the_mapping_becomes_namespaces_and_hubs" {
  command = apply

  assert {
    condition     = join(" ", keys(output.namespaces)) == "eastus+01 eastus+02 westeurope+01"
    error_message = "A namespace for each region and shard."
  }
  assert {
    condition     = join(" ", keys(output.event_hubs)) == "eastus+contoso eastus+fabrikam eastus+tailwind westeurope+contoso"
    error_message = "A hub for each region and customer."
  }
  assert {
    condition     = module.namespaces.names["westeurope+01"] == "azure-log-ingest-westeurope-01"
    error_message = "Namespaces are named <prefix>-<region>-<shard>."
  }
}

run "nothing_mapped_is_nothing_made" {
  command = plan

  variables {
    event_hub_mapping = {}
  }

  assert {
    condition     = length(module.namespaces.names) == 0
    error_message = "Something is made of nothing."
  }
}

run "a_customer_twice_in_a_region_is_refused" {
  command = plan

  variables {
    event_hub_mapping = {
      "eastus" = {
        "01" = { sku = "Standard", units = 1, hubs = { "contoso" = 4 } }
        "02" = { sku = "Standard", units = 1, hubs = { "contoso" = 4 } }
      }
    }
  }

  expect_failures = [var.event_hub_mapping]
}

run "an_eleventh_hub_in_a_standard_namespace_is_refused" {
  command = plan

  variables {
    event_hub_mapping = {
      "eastus" = {
        "01" = { sku = "Standard", units = 1, hubs = { for number in range(11) : "customer${number}" => 4 } }
      }
    }
  }

  expect_failures = [var.event_hub_mapping]
}

run "a_hundred_hubs_fit_a_premium_unit" {
  command = plan

  variables {
    event_hub_mapping = {
      "eastus" = {
        "01" = { sku = "Premium", units = 1, hubs = { for number in range(100) : "customer${number}" => 4 } }
      }
    }
  }

  assert {
    condition     = length(module.namespaces.names) == 1
    error_message = "They are not in one namespace."
  }
}
