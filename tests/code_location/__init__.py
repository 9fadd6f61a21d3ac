"""What Dagster is promised: assets, checks, sensors and schedules, and what a real instance makes of them."""
