# From the mapping azmdr generates to what stands in Azure: the two for_each structures, namespaces by region
# and shard, event hubs by region and customer.

locals {
  # "eastus+01" -> the namespace. Keys never change: a namespace's region and number don't.
  namespaces = merge([
    for region, shards in var.event_hub_mapping : {
      for number, shard in shards : "${region}+${number}" => {
        name   = "${var.namespace_prefix}-${region}-${number}"
        region = region
        sku    = shard.sku
        units  = shard.units
      }
    }
  ]...)

  # "eastus+contoso" -> the event hub. A customer has one in a region, whatever shard it is in.
  hubs = merge(flatten([
    for region, shards in var.event_hub_mapping : [
      for number, shard in shards : {
        for customer, partitions in shard.hubs : "${region}+${customer}" => {
          customer   = customer
          namespace  = "${region}+${number}"
          partitions = partitions
        }
      }
    ]
  ])...)
}

module "namespaces" {
  source = "../event_hub_namespaces"

  namespaces               = local.namespaces
  resource_group_name      = var.resource_group_name
  throughput_units         = var.throughput_units
  maximum_throughput_units = var.maximum_throughput_units
  send_rule                = var.send_rule
  send_rule_has_all_rights = var.send_rule_has_all_rights
  capture_identity_id      = var.capture.identity_id
  allowed_ip_masks         = var.allowed_ip_masks
  tags                     = var.tags
}

module "event_hubs" {
  source = "../event_hubs"

  event_hubs          = local.hubs
  namespace_ids       = module.namespaces.ids
  namespace_names     = module.namespaces.names
  resource_group_name = var.resource_group_name
  retention_hours     = var.retention_hours
  consumer_groups     = var.consumer_groups
  capture             = var.capture
}
