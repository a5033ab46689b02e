"""kernelopt: searches for fast kernels by evolving the prompts that write them.

    import kernelopt

    if __name__ == "__main__":
        run = kernelopt.search("softmul.py", lm="openai/gpt-5", budget_usd=5)
        print(run.tasks[0].speedup)

`search`, `evaluate`, `load_run` and `export` do what the commands of these names do; see `kernelopt.api`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kernelopt.api import evaluate, export, load_run, search

__version__ = "0.1.0"
__all__ = ["__version__", "evaluate", "export", "load_run", "search"]


def __getattr__(name: str) -> Any:
    """The functions of the API, imported when they are asked for: a kernel imports this package, too."""
    if name in __all__:
        from kernelopt import api  # noqa: PLC0415 - see above

        return getattr(api, name)
    raise AttributeError(f"module 'kernelopt' has no attribute {name!r}")
