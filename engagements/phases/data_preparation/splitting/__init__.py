"""Who goes to training, validation and test, and the proof that nobody leaked."""
