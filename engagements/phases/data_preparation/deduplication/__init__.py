"""Which records are the same, and which are nearly."""
