"""Benchmarks: what the product costs, measured; ``make bench``."""
