"""The reconciler's promises: what is wanted of which target, and what becomes of it."""
