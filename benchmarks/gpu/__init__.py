"""Kernels for NVIDIA GPUs in three languages, and what it takes to judge and time them."""
