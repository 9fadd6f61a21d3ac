# The customers' event hubs, one for each region. A hub is named after its customer, and that is how azmdr knows
# whose records a capture file holds.

locals {
  # "eastus+contoso+detection" -> a consumer group of a hub.
  consumer_groups = merge([
    for group in var.consumer_groups : {
      for key, hub in var.event_hubs : "${key}+${group}" => { hub = key, name = group }
    }
  ]...)
}

resource "azurerm_eventhub" "this" {
  for_each = var.event_hubs

  name            = each.value.customer
  namespace_id    = var.namespace_ids[each.value.namespace]
  partition_count = each.value.partitions

  # Capture takes the events within minutes. What is kept beyond that is for the day on which it could not.
  retention_description {
    cleanup_policy          = "Delete"
    retention_time_in_hours = var.retention_hours
  }

  capture_description {
    enabled             = true
    encoding            = "Avro"
    interval_in_seconds = var.capture.interval_seconds
    size_limit_in_bytes = var.capture.size_limit_bytes
    skip_empty_archives = true

    destination {
      name                        = "EventHubArchive.AzureBlockBlob"
      archive_name_format         = var.capture.archive_name_format
      blob_container_name         = var.capture.container_name
      storage_account_id          = var.capture.storage_account_id
      storage_authentication_type = "UserAssigned"
      storage_authentication_id   = var.capture.identity_id
    }
  }
}

# For readers besides Capture, such as a live detection; each needs a consumer group of its own.
resource "azurerm_eventhub_consumer_group" "this" {
  for_each = local.consumer_groups

  name                = each.value.name
  eventhub_name       = azurerm_eventhub.this[each.value.hub].name
  namespace_name      = var.namespace_names[var.event_hubs[each.value.hub].namespace]
  resource_group_name = var.resource_group_name
}
