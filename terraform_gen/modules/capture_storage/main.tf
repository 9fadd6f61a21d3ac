# Where Capture writes to, the queue on which Event Grid announces each new file, and how long files stay.
# Every access is by identity: the account takes no keys.

resource "azurerm_storage_account" "this" {
  name                = var.account_name
  location            = var.location
  resource_group_name = var.resource_group_name

  account_kind             = "StorageV2"
  account_tier             = "Standard"
  account_replication_type = var.replication

  # Nested namespaces would change how blobs are announced; azmdr counts on flat ones.
  is_hns_enabled = false

  min_tls_version                  = "TLS1_2"
  https_traffic_only_enabled       = true
  shared_access_key_enabled        = false
  default_to_oauth_authentication  = true
  allow_nested_items_to_be_public  = false
  cross_tenant_replication_enabled = false
  local_user_enabled               = false

  # Capture and Event Grid come through the bypass for Azure's services; azmdr from the ranges named here.
  public_network_access_enabled = true
  network_rules {
    default_action             = "Deny"
    bypass                     = ["AzureServices"]
    ip_rules                   = var.allowed_ip_masks
    virtual_network_subnet_ids = var.allowed_subnet_ids
  }

  blob_properties {
    # A capture file is written once. What somebody deletes by mistake can be had back for a while.
    delete_retention_policy {
      days = var.deleted_files_days
    }
    container_delete_retention_policy {
      days = var.deleted_files_days
    }
  }

  tags = var.tags
}

resource "azurerm_storage_container" "capture" {
  name                  = var.container_name
  storage_account_id    = azurerm_storage_account.this.id
  container_access_type = "private"
}

# Announcements Event Grid could not deliver; azmdr's listing finds those files all the same.
resource "azurerm_storage_container" "undelivered" {
  name                  = "${var.container_name}-undelivered"
  storage_account_id    = azurerm_storage_account.this.id
  container_access_type = "private"
}

resource "azurerm_storage_queue" "capture" {
  name               = var.queue_name
  storage_account_id = azurerm_storage_account.this.id
}

# Messages azmdr can't use are set aside here.
resource "azurerm_storage_queue" "poison" {
  name               = "${var.queue_name}-poison"
  storage_account_id = azurerm_storage_account.this.id
}

# --- Capture writes with an identity of its own -------------------------------------------------------------

resource "azurerm_user_assigned_identity" "capture" {
  name                = "${var.account_name}-capture"
  location            = var.location
  resource_group_name = var.resource_group_name
  tags                = var.tags
}

resource "azurerm_role_assignment" "capture_writes_files" {
  scope                = azurerm_storage_account.this.id
  role_definition_name = "Storage Blob Data Contributor"
  principal_id         = azurerm_user_assigned_identity.capture.principal_id
  principal_type       = "ServicePrincipal"
  description          = "Event Hubs Capture writes capture files."
}

# --- Event Grid announces files with another ---------------------------------------------------------------

resource "azurerm_user_assigned_identity" "announcer" {
  name                = "${var.account_name}-announcer"
  location            = var.location
  resource_group_name = var.resource_group_name
  tags                = var.tags
}

resource "azurerm_role_assignment" "announcer_sends_messages" {
  scope                = azurerm_storage_account.this.id
  role_definition_name = "Storage Queue Data Message Sender"
  principal_id         = azurerm_user_assigned_identity.announcer.principal_id
  principal_type       = "ServicePrincipal"
  description          = "Event Grid announces new capture files."
}

resource "azurerm_role_assignment" "announcer_writes_undelivered" {
  scope                = azurerm_storage_account.this.id
  role_definition_name = "Storage Blob Data Contributor"
  principal_id         = azurerm_user_assigned_identity.announcer.principal_id
  principal_type       = "ServicePrincipal"
  description          = "Event Grid sets aside announcements it could not deliver."
}

resource "azurerm_eventgrid_system_topic" "this" {
  name                = "${var.account_name}-files"
  location            = var.location
  resource_group_name = var.resource_group_name
  source_resource_id  = azurerm_storage_account.this.id
  topic_type          = "Microsoft.Storage.StorageAccounts"

  identity {
    type         = "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.announcer.id]
  }

  tags = var.tags
}

resource "azurerm_eventgrid_system_topic_event_subscription" "new_files" {
  name                  = "new-capture-files"
  system_topic          = azurerm_eventgrid_system_topic.this.name
  resource_group_name   = var.resource_group_name
  event_delivery_schema = "EventGridSchema"
  included_event_types  = ["Microsoft.Storage.BlobCreated"]

  subject_filter {
    subject_begins_with = "/blobServices/default/containers/${azurerm_storage_container.capture.name}/blobs/"
    subject_ends_with   = ".avro"
    case_sensitive      = true
  }

  # One file may be announced twice, or late: azmdr knows a file by its path and ETag.
  storage_queue_endpoint {
    storage_account_id                    = azurerm_storage_account.this.id
    queue_name                            = azurerm_storage_queue.capture.name
    queue_message_time_to_live_in_seconds = 604800
  }

  delivery_identity {
    type                   = "UserAssigned"
    user_assigned_identity = azurerm_user_assigned_identity.announcer.id
  }

  storage_blob_dead_letter_destination {
    storage_account_id          = azurerm_storage_account.this.id
    storage_blob_container_name = azurerm_storage_container.undelivered.name
  }

  dead_letter_identity {
    type                   = "UserAssigned"
    user_assigned_identity = azurerm_user_assigned_identity.announcer.id
  }

  retry_policy {
    max_delivery_attempts = 30
    event_time_to_live    = 1440
  }

  depends_on = [
    azurerm_role_assignment.announcer_sends_messages,
    azurerm_role_assignment.announcer_writes_undelivered,
  ]
}

# --- How long files stay -----------------------------------------------------------------------------------

resource "azurerm_storage_management_policy" "this" {
  storage_account_id = azurerm_storage_account.this.id

  rule {
    name    = "capture-files"
    enabled = true

    filters {
      blob_types   = ["blockBlob"]
      prefix_match = ["${azurerm_storage_container.capture.name}/"]
    }

    actions {
      base_blob {
        tier_to_cool_after_days_since_creation_greater_than = var.cool_after_days
        delete_after_days_since_creation_greater_than       = var.delete_after_days
      }
    }
  }

  rule {
    name    = "undelivered-announcements"
    enabled = true

    filters {
      blob_types   = ["blockBlob"]
      prefix_match = ["${azurerm_storage_container.undelivered.name}/"]
    }

    actions {
      base_blob {
        delete_after_days_since_creation_greater_than = 30
      }
    }
  }
}
