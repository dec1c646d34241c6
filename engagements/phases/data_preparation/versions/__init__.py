"""Datasets that are sealed."""
