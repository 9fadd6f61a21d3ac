"""Reconciling: observe what stands in Azure, plan what should, apply the difference; one verdict a target."""
