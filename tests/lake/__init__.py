"""What the lake promises, in a directory and in Azure Blob Storage."""
