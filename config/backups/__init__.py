"""Backups of PostgreSQL as files: taken by its own tools, kept for some days, laid out for a restore (docs/adr)."""
