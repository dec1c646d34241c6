"""Phase 1: from raw material to a sealed, versioned dataset."""
