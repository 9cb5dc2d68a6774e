"""Every write of achievements."""
