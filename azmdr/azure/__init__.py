"""Azure's services as azmdr reaches them, through the real SDK clients."""
