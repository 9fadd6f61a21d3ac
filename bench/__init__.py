"""Benchmarks: what the product costs, measured beside well-written alternatives in one run."""
