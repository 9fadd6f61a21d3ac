"""What the state store promises, on each database it may live in."""
