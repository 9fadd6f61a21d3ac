variable "account_name" {
  description = "The storage account's name, unique in all of Azure."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9]{3,24}$", var.account_name))
    error_message = "A storage account's name has 3 to 24 lower-case letters and digits."
  }
}

variable "location" {
  description = "The region. Capture writes into it from every region."
  type        = string
}

variable "resource_group_name" {
  description = "The resource group that takes the logs."
  type        = string
}

variable "replication" {
  description = "How the account replicates: ZRS where the region has zones."
  type        = string
  default     = "ZRS"

  validation {
    condition     = contains(["LRS", "ZRS", "GRS", "RAGRS", "GZRS", "RAGZRS"], var.replication)
    error_message = "The replication is LRS, ZRS, GRS, RAGRS, GZRS or RAGZRS."
  }
}

variable "container_name" {
  description = "The container Capture writes to; azmdr's setting capture_container ends with it."
  type        = string
  default     = "capture"

  validation {
    condition     = can(regex("^[a-z0-9](-?[a-z0-9]){2,49}$", var.container_name))
    error_message = "A container's name is lower-case letters, digits and single hyphens."
  }
}

variable "queue_name" {
  description = "The queue new files are announced on; azmdr's setting capture_queue ends with it."
  type        = string
  default     = "capture"

  validation {
    condition     = can(regex("^[a-z0-9](-?[a-z0-9]){2,55}$", var.queue_name))
    error_message = "A queue's name is lower-case letters, digits and single hyphens."
  }
}

variable "allowed_ip_masks" {
  description = "Address ranges azmdr reaches the account from."
  type        = set(string)
  default     = []
}

variable "allowed_subnet_ids" {
  description = "Subnets azmdr reaches the account from."
  type        = set(string)
  default     = []
}

variable "cool_after_days" {
  description = "After how many days a capture file moves to the cool tier: read once, kept for replays."
  type        = number
  default     = 30
}

variable "delete_after_days" {
  description = "After how many days a capture file is deleted. Backfills reach back no further."
  type        = number
  default     = 365

  validation {
    condition     = var.delete_after_days > var.cool_after_days
    error_message = "Files are deleted only after they have moved to the cool tier."
  }

  validation {
    condition     = var.delete_after_days >= 90
    error_message = "azmdr's backfills reach back 90 days; files stay at least as long."
  }
}

variable "deleted_files_days" {
  description = "For how many days a deleted file can be had back."
  type        = number
  default     = 14

  validation {
    condition     = var.deleted_files_days >= 1 && var.deleted_files_days <= 365
    error_message = "Deleted files can be had back for 1 to 365 days."
  }
}

variable "tags" {
  description = "Tags."
  type        = map(string)
  default     = {}
}
