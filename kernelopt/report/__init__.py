"""Readers of the store: scores, tables."""
