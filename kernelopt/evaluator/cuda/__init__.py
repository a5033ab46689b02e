"""Tensors of workers on NVIDIA GPUs."""
