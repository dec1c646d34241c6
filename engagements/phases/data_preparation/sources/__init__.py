"""Raw material as it came in."""
