"""The portal's pages of players."""
