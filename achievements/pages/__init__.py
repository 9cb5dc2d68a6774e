"""Pages of games and achievements for players, and the pictures on them."""
