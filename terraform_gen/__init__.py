"""Event Hubs as code: from what is needed, over placements that stay, to Terraform."""
