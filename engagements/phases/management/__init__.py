"""Phase 6: a model that stays good while the world changes."""
