"""A player's own settings: what is shown of him, who sees it, his games, his devices."""
