"""Erasing a person: asked for in one transaction, finished by steps until nothing is found (ADR 0047)."""
