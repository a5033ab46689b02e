"""What the user wrote after ``--suite`` → a suite."""

from __future__ import annotations

from pathlib import Path

from kernelopt import registry
from kernelopt.errors import UnknownName
from kernelopt.suites import Suite, SuiteOptions

_ALIASES = {"kernelbench-core": "kernelbench"}
"""Names under which results appear → the plugin that serves them."""


def names() -> list[str]:
    """Every name that `open_suite` knows, paths aside."""
    return sorted({*registry.names("suites"), *_ALIASES})


def open_suite(spec: str, options: SuiteOptions) -> Suite:
    """The suite of that name, or the user's own file or folder at that path.

    Nothing is read yet: a suite that cannot load says so when it is asked for tasks.

    Raises:
        UnknownName: neither a suite nor a path; the message lists the suites.
    """
    plugin = _ALIASES.get(spec, spec)
    if plugin in registry.names("suites"):
        suite: Suite = registry.get("suites", plugin)(spec, options)
        return suite
    if Path(spec).expanduser().exists():
        own: Suite = registry.get("suites", "file")(spec, options)
        return own
    known = ", ".join(names())
    raise UnknownName(f"no suite and no path {spec!r}; suites: {known}; or give your own .py file or folder")
