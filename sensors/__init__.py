"""Sensors and schedules: thin. Each asks the domain what is to be done and requests runs for it."""
