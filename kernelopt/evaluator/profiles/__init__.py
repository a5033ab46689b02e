"""What bounds a kernel on this processor: compiler reports, loops, vectorization."""
