"""One engagement record, from the first brief to the twelfth retraining."""

__version__ = "0.1.0"
