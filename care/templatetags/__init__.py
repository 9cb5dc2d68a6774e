"""How pages of players write things."""
