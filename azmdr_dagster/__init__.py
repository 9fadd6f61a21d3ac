"""The Dagster code location: what Dagster loads, the resources, partitions and jobs behind it."""
