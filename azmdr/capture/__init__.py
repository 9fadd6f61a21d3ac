"""Capture files: what they are called, how they are read, how they are announced, which we know."""
