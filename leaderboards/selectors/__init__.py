"""What others ask leaderboards: what boards are declared, which periods they have, who stands where."""
