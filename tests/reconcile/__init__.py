"""What reconciling is promised to be, whatever is found in Azure."""
