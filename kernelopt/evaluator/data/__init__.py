"""Input sets: in shared memory, laid out and made anew for each timed call."""
