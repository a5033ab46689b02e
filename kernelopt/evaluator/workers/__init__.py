"""Processes that hold a kernel or the reference, and what is said to them and by them."""
