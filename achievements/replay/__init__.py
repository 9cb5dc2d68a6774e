"""Sends real games' definitions and unlocks through the HTTP API, and compares the answers with the files."""
