"""Phase 4: proof on data the model has never seen."""
