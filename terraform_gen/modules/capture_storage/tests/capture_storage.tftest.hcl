mock_provider "azurerm" {}

variables {
  account_name        = "azmdrcapture"
  location            = "westeurope"
  resource_group_name = "azure-log-ingest"
}

run "the_account_takes_no_keys_and_shows_nothing" {
  command = plan

  assert {
    condition = (
      !azurerm_storage_account.this.shared_access_key_enabled
      && !azurerm_storage_account.this.allow_nested_items_to_be_public
      && azurerm_storage_account.this.min_tls_version == "TLS1_2"
      && azurerm_storage_account.this.network_rules[0].default_action == "Deny"
    )
    error_message = "The account is more open than it needs to be."
  }
}

run "new_capture_files_and_nothing_else_are_announced" {
  command = plan

  assert {
    condition     = azurerm_eventgrid_system_topic_event_subscription.new_files.included_event_types == tolist(["Microsoft.Storage.BlobCreated"])
    error_message = "Other events are announced, or files are not."
  }
  assert {
    condition     = azurerm_eventgrid_system_topic_event_subscription.new_files.subject_filter[0].subject_begins_with == "/blobServices/default/containers/capture/blobs/"
    error_message = "Undelivered announcements would announce themselves."
  }
  assert {
    condition     = azurerm_eventgrid_system_topic_event_subscription.new_files.storage_queue_endpoint[0].queue_name == "capture"
    error_message = "Files are not announced on the queue azmdr reads."
  }
}

run "poison_has_a_queue_named_as_azmdr_expects" {
  command = plan

  assert {
    condition     = azurerm_storage_queue.poison.name == "${azurerm_storage_queue.capture.name}-poison"
    error_message = "azmdr sets messages aside on <queue>-poison."
  }
}

run "capture_files_stay_as_long_as_backfills_reach_back" {
  command = plan

  variables {
    delete_after_days = 60
  }

  expect_failures = [var.delete_after_days]
}

run "an_account_name_azure_refuses_is_refused_here" {
  command = plan

  variables {
    account_name = "Not-An-Account"
  }

  expect_failures = [var.account_name]
}
