"""Reconciling: what decides."""
