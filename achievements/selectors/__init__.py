"""Every read of achievements, and all its caching."""
