"""What a kernel would cost on the chip: see `estimate.estimate`."""
