"""What a measurement says and what it cannot: criteria decided by intervals, samples large enough to show a gain."""
