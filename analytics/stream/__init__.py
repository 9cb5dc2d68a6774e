"""The raw facts of a game, as its studio reads them (docs/facts.md, ADR 0043)."""
