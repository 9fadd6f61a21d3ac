"""The lake: Parquet by customer, table, date and hour, in a local directory or in Azure Blob Storage."""
