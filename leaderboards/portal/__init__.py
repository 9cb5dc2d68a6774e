"""The portal's pages of leaderboards."""
