"""Every write of analytics."""
