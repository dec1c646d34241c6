"""What the curves of a run say, what its checkpoints are worth, which is chosen, and how it is repeated. Pure."""
