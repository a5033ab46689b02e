"""The whole error tree.

    KernelOptError
    ├── UsageError              the user can mend it: one line, exit code 2
    │   ├── UnknownName         no such suite, task, model, run, plugin
    │   ├── TaskError           a task file that does not keep the contract
    │   ├── ConfigError         a setting that cannot be read or does not fit
    │   ├── MissingTool         a compiler, package or device that is not there
    │   ├── StoreError          a run directory or journal that cannot be used
    │   └── LMError             a language model that cannot be reached or used
    ├── BudgetExhausted         control flow: the run's budget is spent
    └── EvaluatorFault          our own machinery broke; never a candidate's doing

A candidate's failure is never an exception: it is an `Evaluation` with a `Status`.
"""

from __future__ import annotations


class KernelOptError(Exception):
    """Root of every error that kernelopt raises on purpose."""


class UsageError(KernelOptError):
    """Something the user can mend; the message says what, where and what to do."""


class UnknownName(UsageError):
    """A name that nothing answers to; the message lists what exists."""


class TaskError(UsageError):
    """A task module that does not load or does not keep the contract."""


class ConfigError(UsageError):
    """A flag or configuration value that cannot be used."""


class MissingTool(UsageError):
    """A compiler, package, engine or device that is absent."""


class StoreError(UsageError):
    """A run directory, journal or artifact that cannot be read or written."""


class LMError(UsageError):
    """A language model that is unknown, unreachable or misconfigured."""


class BudgetExhausted(KernelOptError):
    """Raised inside a search to end it cleanly once a budget is spent."""


class EvaluatorFault(KernelOptError):
    """Our own machinery failed (not the candidate's code)."""
