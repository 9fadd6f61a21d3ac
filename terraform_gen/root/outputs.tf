output "capture_container" {
  description = "azmdr's setting capture_container."
  value       = module.capture_storage.container_url
}

output "capture_queue" {
  description = "azmdr's setting capture_queue."
  value       = module.capture_storage.queue_url
}

output "event_hubs" {
  description = "The id of each event hub, by region and customer."
  value       = module.log_ingest.event_hubs
}
