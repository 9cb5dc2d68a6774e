"""What templates of the portal ask accounts."""
