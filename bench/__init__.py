"""Benchmarks: what the product costs, measured; beside well-written alternatives where there are some."""
