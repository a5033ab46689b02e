"""kernelopt: searches for fast kernels by evolving the prompts that write them."""

__version__ = "0.1.0"
