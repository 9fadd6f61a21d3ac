output "account_id" {
  description = "The storage account's id."
  value       = azurerm_storage_account.this.id
}

output "container_name" {
  description = "The container Capture writes to."
  value       = azurerm_storage_container.capture.name
}

output "container_url" {
  description = "Its address: azmdr's setting capture_container."
  value       = "https://${azurerm_storage_account.this.name}.blob.core.windows.net/${azurerm_storage_container.capture.name}"
}

output "queue_url" {
  description = "The queue's address: azmdr's setting capture_queue."
  value       = "https://${azurerm_storage_account.this.name}.queue.core.windows.net/${azurerm_storage_queue.capture.name}"
}

output "identity_id" {
  description = "The identity Capture writes with; usable once it may write."
  value       = azurerm_user_assigned_identity.capture.id
  depends_on  = [azurerm_role_assignment.capture_writes_files]
}
