variable "resource_group_name" {
  description = "The resource group that takes the logs; azmdr's setting ingest_resource_group."
  type        = string
  default     = "azure-log-ingest"
}

variable "location" {
  description = "The region of the resource group and of the storage account."
  type        = string
}

variable "storage_account_name" {
  description = "The storage account Capture writes to; unique in all of Azure."
  type        = string
}

variable "storage_replication" {
  description = "How it replicates: ZRS where the region has zones."
  type        = string
  default     = "ZRS"
}

variable "allowed_ip_masks" {
  description = "Address ranges azmdr reaches the storage account from."
  type        = set(string)
  default     = []
}

variable "allowed_subnet_ids" {
  description = "Subnets azmdr reaches the storage account from."
  type        = set(string)
  default     = []
}

variable "send_rule_has_all_rights" {
  description = "Whether the rule diagnostic settings send with may also listen and manage."
  type        = bool
  default     = false
}

variable "maximum_throughput_units" {
  description = "How far a Standard namespace inflates by itself."
  type        = number
  default     = 20
}

variable "capture_interval_seconds" {
  description = "After how many seconds Capture writes a file: what a detection waits for."
  type        = number
  default     = 60
}

variable "capture_size_limit_bytes" {
  description = "After how many bytes Capture writes a file, if that comes first."
  type        = number
  default     = 104857600
}

variable "cool_after_days" {
  description = "After how many days a capture file moves to the cool tier."
  type        = number
  default     = 30
}

variable "delete_after_days" {
  description = "After how many days a capture file is deleted."
  type        = number
  default     = 365
}

variable "tags" {
  description = "Tags of everything that takes tags."
  type        = map(string)
  default     = { managed-by = "azmdr" }
}
