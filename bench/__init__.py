"""Measures Laurel on this machine; see README.md."""
