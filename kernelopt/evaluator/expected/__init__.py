"""What a task's outputs should be: the reference in fp64, on inputs that bite."""
