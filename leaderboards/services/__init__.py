"""Every write of leaderboards: definitions, scores, periods, and bringing what happened to the boards."""
