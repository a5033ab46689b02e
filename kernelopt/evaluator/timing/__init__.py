"""Which of the two is faster: clocks, rounds, audits, intervals."""
