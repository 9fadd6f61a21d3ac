"""The condenser's promises: what a body, a record, an operation, a capture file and a whole step come to."""
