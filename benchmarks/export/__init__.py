"""What exporting costs, and whether what comes out works where nothing is known of kernelopt."""
