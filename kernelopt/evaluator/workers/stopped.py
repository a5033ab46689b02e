"""How a candidate ends its own evaluation before the end of the line."""

from __future__ import annotations

from kernelopt.evaluation import Stage, Status


class Stopped(Exception):
    """Control flow inside the evaluator: the candidate ended the line: how, where, and what it said."""

    def __init__(self, status: Status, stage: Stage, reason: str, log: str = ""):
        super().__init__(reason)
        self.status, self.stage, self.reason, self.log = status, stage, reason, log


def refuse(doubt: str) -> None:
    """What raises doubts while timed is the candidate's doing, whoever's batch it is."""
    if doubt:
        raise Stopped(Status.SUSPECT, Stage.TIME, doubt)
