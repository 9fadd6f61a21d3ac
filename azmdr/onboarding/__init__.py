"""Onboarding: the package a customer's administrator deploys, and whether what it sets up is there."""
