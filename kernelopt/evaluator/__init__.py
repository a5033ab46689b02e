"""The straight line: inspect, build, run, check, time."""
