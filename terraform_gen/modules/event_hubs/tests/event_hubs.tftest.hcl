mock_provider "azurerm" {}

variables {
  resource_group_name = "azure-log-ingest"
  namespace_ids = {
    "eastus+01" = "/subscriptions/12345678-1234-9876-4563-123456789012/resourceGroups/a/providers/Microsoft.EventHub/namespaces/azure-log-ingest-eastus-01"
  }
  namespace_names = { "eastus+01" = "azure-log-ingest-eastus-01" }
  event_hubs = {
    "eastus+contoso" = { customer = "contoso", namespace = "eastus+01", partitions = 8 }
  }
  capture = {
    archive_name_format = "{Year}/{Month}/{Day}/{Hour}/{Namespace}/{EventHub}/{PartitionId}/{Minute}/{Second}"
    container_name      = "capture"
    storage_account_id  = "/subscriptions/12345678-1234-9876-4563-123456789012/resourceGroups/a/providers/Microsoft.Storage/storageAccounts/a"
    identity_id         = "/subscriptions/12345678-1234-9876-4563-123456789012/resourceGroups/a/providers/Microsoft.ManagedIdentity/userAssignedIdentities/c"
    interval_seconds    = 60
    size_limit_bytes    = 104857600
  }
}

run "a_hub_is_named_after_its_customer_and_captured" {
  command = plan

  assert {
    condition     = azurerm_eventhub.this["eastus+contoso"].name == "contoso"
    error_message = "azmdr knows a customer by its hub's name."
  }
  assert {
    condition     = azurerm_eventhub.this["eastus+contoso"].partition_count == 8
    error_message = "The hub does not have the partitions the mapping gives it."
  }
  assert {
    condition = alltrue([
      for capture in azurerm_eventhub.this["eastus+contoso"].capture_description :
      capture.enabled && capture.skip_empty_archives && capture.encoding == "Avro"
    ])
    error_message = "The hub is not captured as azmdr reads it."
  }
  assert {
    condition     = azurerm_eventhub.this["eastus+contoso"].capture_description[0].destination[0].storage_authentication_type == "UserAssigned"
    error_message = "Capture needs a key."
  }
}

run "consumer_groups_are_on_every_hub" {
  command = plan

  variables {
    consumer_groups = ["detection"]
  }

  assert {
    condition     = azurerm_eventhub_consumer_group.this["eastus+contoso+detection"].eventhub_name == "contoso"
    error_message = "The consumer group is not on the hub."
  }
}

run "an_archive_name_without_a_token_is_refused" {
  command = plan

  variables {
    capture = {
      archive_name_format = "{Year}/{Month}/{Day}/{Hour}/{Namespace}/{EventHub}/{Minute}/{Second}"
      container_name      = "capture"
      storage_account_id  = "x"
      identity_id         = "x"
      interval_seconds    = 60
      size_limit_bytes    = 104857600
    }
  }

  expect_failures = [var.capture]
}

run "a_capture_interval_azure_does_not_know_is_refused" {
  command = plan

  variables {
    capture = {
      archive_name_format = "{Year}/{Month}/{Day}/{Hour}/{Namespace}/{EventHub}/{PartitionId}/{Minute}/{Second}"
      container_name      = "capture"
      storage_account_id  = "x"
      identity_id         = "x"
      interval_seconds    = 30
      size_limit_bytes    = 104857600
    }
  }

  expect_failures = [var.capture]
}

run "a_name_that_is_a_path_is_refused" {
  command = plan

  variables {
    event_hubs = { "eastus+x" = { customer = "../x", namespace = "eastus+01", partitions = 4 } }
  }

  expect_failures = [var.event_hubs]
}

run "more_partitions_than_azure_gives_are_refused" {
  command = plan

  variables {
    event_hubs = { "eastus+x" = { customer = "x", namespace = "eastus+01", partitions = 33 } }
  }

  expect_failures = [var.event_hubs]
}
