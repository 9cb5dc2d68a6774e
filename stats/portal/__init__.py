"""The portal's pages of stats."""
