"""What the whole package shares."""
