"""What stats and their values may be, and how values are weighed: pure functions."""
