"""What others ask stats."""
