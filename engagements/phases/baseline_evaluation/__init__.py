"""Phase 2: the bar that tuning has to clear."""
