output "namespaces" {
  description = "The id of each namespace, by region and shard."
  value       = module.namespaces.ids
}

output "event_hubs" {
  description = "The id of each event hub, by region and customer."
  value       = module.event_hubs.ids
}
