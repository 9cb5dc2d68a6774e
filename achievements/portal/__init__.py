"""The portal's pages of achievements."""
