"""Every write of stats."""
