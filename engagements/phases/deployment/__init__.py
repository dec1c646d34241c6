"""Phase 5: into production, step by step, with a way back."""
