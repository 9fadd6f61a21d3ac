"""Terraform in the lab: its real engine, and an azurerm provider that knows schemas but no Azure."""
