"""The players' pages of boards."""
