variable "namespaces" {
  description = <<-TEXT
    The namespaces, by region and shard: "eastus+01". The tier of one can't be changed later: Terraform would
    destroy it, and all event hubs in it. Units are processing units of Premium, of no meaning in Standard.
  TEXT
  type = map(object({
    name   = string
    region = string
    sku    = string
    units  = number
  }))

  validation {
    condition     = alltrue([for each in var.namespaces : can(regex("^[a-z][a-z0-9-]{4,48}[a-z0-9]$", each.name))])
    error_message = "A namespace's name has 6 to 50 letters, digits and hyphens, and begins with a letter."
  }

  validation {
    condition     = alltrue([for each in var.namespaces : can(regex("^[a-z0-9]+$", each.region))])
    error_message = "A region is named in lower case without blanks: eastus."
  }

  validation {
    condition     = alltrue([for each in var.namespaces : contains(["Standard", "Premium"], each.sku)])
    error_message = "The tier is Standard or Premium: Basic knows no Capture."
  }

  validation {
    condition     = alltrue([for each in var.namespaces : each.units >= 1 && each.units <= 16])
    error_message = "A Premium namespace has 1 to 16 processing units."
  }
}

variable "resource_group_name" {
  description = "The resource group that takes the logs."
  type        = string
}

variable "throughput_units" {
  description = "Throughput units a Standard namespace begins with: 1 MB/s in each."
  type        = number
  default     = 1

  validation {
    condition     = var.throughput_units >= 1 && var.throughput_units <= 40
    error_message = "A Standard namespace has 1 to 40 throughput units."
  }
}

variable "maximum_throughput_units" {
  description = "How far a Standard namespace inflates by itself. Azure never deflates it."
  type        = number
  default     = 20

  validation {
    condition     = var.maximum_throughput_units >= 1 && var.maximum_throughput_units <= 40
    error_message = "A Standard namespace inflates to at most 40 throughput units."
  }
}

variable "send_rule" {
  description = "The authorization rule diagnostic settings send with; azmdr's setting send_rule."
  type        = string
}

variable "send_rule_has_all_rights" {
  description = <<-TEXT
    Whether the rule may also listen and manage. Microsoft's page on diagnostic settings asks for all three
    rights; a setting that names its event hub, as all of azmdr's do, works with Send alone
    (github.com/Azure/azure-cli/issues/24425), and a key that can only send can't read other customers' logs.
  TEXT
  type        = bool
  default     = false
}

variable "capture_identity_id" {
  description = "The user-assigned identity Capture writes with."
  type        = string
}

variable "allowed_ip_masks" {
  description = "Address ranges from which the namespace is reached besides by Azure's services."
  type        = set(string)
  default     = []
}

variable "tags" {
  description = "Tags."
  type        = map(string)
  default     = {}
}
