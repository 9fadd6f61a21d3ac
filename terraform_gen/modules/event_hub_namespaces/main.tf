# Event hub namespaces, one for each shard of a region. Standard holds 10 event hubs, Premium 100 for each
# processing unit (learn.microsoft.com/azure/event-hubs/event-hubs-quotas).

resource "azurerm_eventhub_namespace" "this" {
  for_each = var.namespaces

  name                = each.value.name
  location            = each.value.region
  resource_group_name = var.resource_group_name
  sku                 = each.value.sku

  # In Standard the throughput units to begin with, in Premium the processing units.
  capacity                 = each.value.sku == "Standard" ? var.throughput_units : each.value.units
  auto_inflate_enabled     = each.value.sku == "Standard"
  maximum_throughput_units = each.value.sku == "Standard" ? var.maximum_throughput_units : null

  minimum_tls_version = "1.2"

  # Azure Monitor writes diagnostic settings' records with the key of an authorization rule, which it fetches
  # itself by listkeys. Without local authentication there are no keys and nothing arrives.
  local_authentication_enabled = true

  # Nobody but Azure's own services reaches the namespace. Diagnostic settings, data export rules and Capture
  # come through the bypass for trusted services; the endpoint has to be public for that.
  public_network_access_enabled = true
  network_rulesets = [{
    default_action                 = "Deny"
    public_network_access_enabled  = true
    trusted_service_access_enabled = true
    ip_rule                        = [for mask in sort(var.allowed_ip_masks) : { action = "Allow", ip_mask = mask }]
    virtual_network_rule           = []
  }]

  # Capture writes with this identity, so that no storage key stands in the configuration or in the state.
  identity {
    type         = "UserAssigned"
    identity_ids = [var.capture_identity_id]
  }

  tags = var.tags
}

# What diagnostic settings send with. azmdr names it in every setting it writes and finds it by this name.
# Its keys stand in the state, as azurerm leaves no choice: treat the state as a secret.
resource "azurerm_eventhub_namespace_authorization_rule" "send" {
  for_each = var.namespaces

  name                = var.send_rule
  namespace_name      = azurerm_eventhub_namespace.this[each.key].name
  resource_group_name = var.resource_group_name

  send   = true
  listen = var.send_rule_has_all_rights
  manage = var.send_rule_has_all_rights
}
