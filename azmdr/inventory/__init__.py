"""The inventory: customers, their subscriptions and resources, and what is known of them for sure."""
