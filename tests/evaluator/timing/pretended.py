"""What a stopwatch is given where no process runs."""

CALL_MS, ASKING_MS = 0.2, 0.1


class Process:
    """Takes part in any order of precedence."""

    def precede(self, *, urgent):
        return True


class Inputs:
    """Room for input sets that nobody reads."""

    count = 64

    def pour(self, recipes, pool):
        pass
