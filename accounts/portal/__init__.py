"""The portal's pages of what accounts knows: studios, members, games, keys, the audit log."""
