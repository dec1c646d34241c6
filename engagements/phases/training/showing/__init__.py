"""Pages of training and what they show."""
