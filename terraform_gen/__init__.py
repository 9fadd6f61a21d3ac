"""The Event Hubs as code: from the regional mapping to Terraform, committed to GitHub."""
