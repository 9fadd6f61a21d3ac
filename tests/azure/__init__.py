"""What the ways into Azure promise."""
