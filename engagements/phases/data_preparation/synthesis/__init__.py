"""Examples that a larger model writes."""
