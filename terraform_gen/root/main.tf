# The infrastructure that takes the logs. What changes with the customers stands in event_hub_mapping.tf, which
# azmdr generates and commits; everything else is here and is changed by people.

resource "azurerm_resource_group" "this" {
  name     = var.resource_group_name
  location = var.location
  tags     = var.tags
}

module "capture_storage" {
  source = "./modules/capture_storage"

  account_name        = var.storage_account_name
  location            = azurerm_resource_group.this.location
  resource_group_name = azurerm_resource_group.this.name
  replication         = var.storage_replication
  allowed_ip_masks    = var.allowed_ip_masks
  allowed_subnet_ids  = var.allowed_subnet_ids
  cool_after_days     = var.cool_after_days
  delete_after_days   = var.delete_after_days
  tags                = var.tags
}

module "log_ingest" {
  source = "./modules/log_ingest"

  event_hub_mapping        = local.event_hub_mapping
  namespace_prefix         = local.log_ingest.namespace_prefix
  resource_group_name      = azurerm_resource_group.this.name
  send_rule                = local.log_ingest.send_rule
  send_rule_has_all_rights = var.send_rule_has_all_rights
  maximum_throughput_units = var.maximum_throughput_units
  tags                     = var.tags

  capture = {
    archive_name_format = local.log_ingest.archive_name_format
    container_name      = module.capture_storage.container_name
    storage_account_id  = module.capture_storage.account_id
    identity_id         = module.capture_storage.identity_id
    interval_seconds    = var.capture_interval_seconds
    size_limit_bytes    = var.capture_size_limit_bytes
  }
}
