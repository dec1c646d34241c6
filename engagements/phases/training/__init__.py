"""Phase 3: experiments, and a reason for the chosen candidate."""
