"""The reconciling steps. Each can run at any time, twice, half, in any order; the next run repairs."""
