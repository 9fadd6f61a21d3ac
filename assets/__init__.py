"""Software-defined assets: thin. Each says what it is, calls the domain, and returns metadata."""
