"""The examples of an engagement, as they stand."""
