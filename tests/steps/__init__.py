"""The reconciling steps, against the lab's Azure."""
