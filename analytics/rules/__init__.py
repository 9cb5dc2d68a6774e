"""What is counted of players' days: pure functions."""
