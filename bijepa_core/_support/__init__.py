"""What the rooms of the core share, and no user needs by name."""
