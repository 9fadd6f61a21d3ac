output "ids" {
  description = "The id of each event hub, by region and customer."
  value       = { for key, hub in azurerm_eventhub.this : key => hub.id }
}
