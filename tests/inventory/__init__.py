"""The inventory: what is known of customers, for sure."""
