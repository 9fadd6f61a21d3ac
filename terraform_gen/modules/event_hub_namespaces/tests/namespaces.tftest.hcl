mock_provider "azurerm" {}

variables {
  resource_group_name = "azure-log-ingest"
  send_rule           = "diagnostics"
  capture_identity_id = "/subscriptions/0/resourceGroups/a/providers/Microsoft.ManagedIdentity/userAssignedIdentities/c"
  namespaces = {
    "eastus+01"     = { name = "azure-log-ingest-eastus-01", region = "eastus", sku = "Standard", units = 1 }
    "westeurope+01" = { name = "azure-log-ingest-westeurope-01", region = "westeurope", sku = "Premium", units = 2 }
  }
}

run "a_standard_namespace_inflates_by_itself" {
  command = plan

  assert {
    condition     = azurerm_eventhub_namespace.this["eastus+01"].auto_inflate_enabled
    error_message = "Standard does not inflate."
  }
  assert {
    condition     = azurerm_eventhub_namespace.this["eastus+01"].maximum_throughput_units == 20
    error_message = "Standard does not inflate far enough."
  }
}

run "a_premium_namespace_has_its_units_and_does_not_inflate" {
  command = plan

  assert {
    condition     = azurerm_eventhub_namespace.this["westeurope+01"].capacity == 2
    error_message = "Premium does not have its processing units."
  }
  assert {
    condition     = !azurerm_eventhub_namespace.this["westeurope+01"].auto_inflate_enabled
    error_message = "Premium can't inflate, and Azure refuses it."
  }
}

run "diagnostic_settings_can_send_and_nobody_else_gets_in" {
  command = plan

  assert {
    condition = alltrue([
      for each in azurerm_eventhub_namespace.this :
      each.local_authentication_enabled
      && each.network_rulesets[0].default_action == "Deny"
      && each.network_rulesets[0].trusted_service_access_enabled
      && each.minimum_tls_version == "1.2"
    ])
    error_message = "Azure Monitor can't send, or somebody else can."
  }
  assert {
    condition = alltrue([
      for rule in azurerm_eventhub_namespace_authorization_rule.send :
      rule.send && !rule.listen && !rule.manage && rule.name == "diagnostics"
    ])
    error_message = "The rule may do more than send, or can't."
  }
}

run "the_rule_has_all_rights_where_asked_for" {
  command = plan

  variables {
    send_rule_has_all_rights = true
  }

  assert {
    condition = alltrue([
      for rule in azurerm_eventhub_namespace_authorization_rule.send : rule.send && rule.listen && rule.manage
    ])
    error_message = "Manage needs Send and Listen as well."
  }
}

run "basic_is_refused" {
  command = plan

  variables {
    namespaces = { "eastus+01" = { name = "azure-log-ingest-eastus-01", region = "eastus", sku = "Basic", units = 1 } }
  }

  expect_failures = [var.namespaces]
}

run "a_region_as_the_portal_spells_it_is_refused" {
  command = plan

  variables {
    namespaces = { "eastus+01" = { name = "azure-log-ingest-eastus-01", region = "East US", sku = "Standard", units = 1 } }
  }

  expect_failures = [var.namespaces]
}

run "more_throughput_units_than_azure_sells_are_refused" {
  command = plan

  variables {
    maximum_throughput_units = 41
  }

  expect_failures = [var.maximum_throughput_units]
}
