"""Outputs against what is wanted, and in words what is wrong with them."""
