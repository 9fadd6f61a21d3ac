output "ids" {
  description = "The id of each namespace, by region and shard."
  value       = { for key, namespace in azurerm_eventhub_namespace.this : key => namespace.id }
}

output "names" {
  description = "The name of each namespace, by region and shard."
  value       = { for key, namespace in azurerm_eventhub_namespace.this : key => namespace.name }
}

output "send_rule_ids" {
  description = "The id of the rule diagnostic settings send with, by region and shard. Its keys are not put out."
  value       = { for key, rule in azurerm_eventhub_namespace_authorization_rule.send : key => rule.id }
}
