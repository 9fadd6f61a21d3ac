"""What the demo promises: an honest verdict, and processes that end with it."""
