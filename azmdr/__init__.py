"""azmdr's domain: everything the product decides and does, importable and testable without Dagster."""
