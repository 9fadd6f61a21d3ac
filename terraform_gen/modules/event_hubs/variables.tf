variable "event_hubs" {
  description = <<-TEXT
    The event hubs, by region and customer: "eastus+contoso". Partitions can't be changed later in Standard; in
    Premium they can only grow.
  TEXT
  type = map(object({
    customer   = string
    namespace  = string
    partitions = number
  }))

  validation {
    condition = alltrue([
      for each in var.event_hubs :
      can(regex("^[a-z0-9]([a-z0-9._-]{0,254}[a-z0-9])?$", each.customer)) && !strcontains(each.customer, "..")
    ])
    error_message = "A customer's name is lower-case letters, digits, dots, hyphens and underscores."
  }

  validation {
    condition     = alltrue([for each in var.event_hubs : each.partitions >= 1 && each.partitions <= 32])
    error_message = "An event hub has 1 to 32 partitions."
  }
}

variable "namespace_ids" {
  description = "The id of each namespace, by region and shard."
  type        = map(string)
}

variable "namespace_names" {
  description = "The name of each namespace, by region and shard."
  type        = map(string)
}

variable "resource_group_name" {
  description = "The resource group that takes the logs."
  type        = string
}

variable "retention_hours" {
  description = "How long events are kept. Standard keeps them for up to a week at no extra cost."
  type        = number
  default     = 168

  validation {
    condition     = var.retention_hours >= 1 && var.retention_hours <= 2160
    error_message = "Events are kept from an hour to 90 days, in Standard to 7 days."
  }
}

variable "capture" {
  description = "Where Capture writes to, and how often: after so many seconds or bytes, whichever comes first."
  type = object({
    archive_name_format = string
    container_name      = string
    storage_account_id  = string
    identity_id         = string
    interval_seconds    = number
    size_limit_bytes    = number
  })

  validation {
    condition     = var.capture.interval_seconds >= 60 && var.capture.interval_seconds <= 900
    error_message = "Capture writes every 60 to 900 seconds."
  }

  validation {
    condition     = var.capture.size_limit_bytes >= 10485760 && var.capture.size_limit_bytes <= 524288000
    error_message = "Capture writes after 10 to 500 MiB."
  }

  validation {
    condition = alltrue([
      for token in ["Namespace", "EventHub", "PartitionId", "Year", "Month", "Day", "Hour", "Minute", "Second"] :
      strcontains(var.capture.archive_name_format, "{${token}}")
    ])
    error_message = "The archive name format holds each of its nine tokens."
  }
}

variable "consumer_groups" {
  description = "Consumer groups besides $Default."
  type        = set(string)
  default     = []
}
