"""The condenser: from the body of a captured event to one record per operation, with its outcome."""
