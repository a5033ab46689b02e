"""Kernels whose cycles were published, and how far the host model is from them."""
