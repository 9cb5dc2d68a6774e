"""The portal's pages of what a studio sees of its games."""
