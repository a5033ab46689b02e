"""Where the data folders live: inside the wheel, or beside the package in a checkout."""

from __future__ import annotations

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def folder(name: str) -> Path:
    """Path of a data folder: ``benchmarks``, ``docs_index`` or ``sandbox``.

    Raises:
        FileNotFoundError: the installation lacks the folder (a broken package).
    """
    for base in (_PACKAGE / "_data", _PACKAGE.parent):
        if (base / name).is_dir():
            return base / name
    raise FileNotFoundError(f"kernelopt was installed without its data folder {name!r}; reinstall it")


def pip_install(extra: str) -> str:
    """The command that adds an extra of kernelopt, such as ``compile``: for a checkout, or for a package.

    The name alone works only where a package index has kernelopt.
    """
    checkout = _PACKAGE.parent
    if not (checkout / "pyproject.toml").is_file():
        return f"pip install 'kernelopt[{extra}]'"
    place = "." if Path.cwd() == checkout else str(checkout)
    return f"pip install '{place}[{extra}]'"


def cache_dir() -> Path:
    """Where builds and indexes are cached: ``$KERNELOPT_CACHE``, else the user's cache folder."""
    chosen = os.environ.get("KERNELOPT_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(chosen) if chosen else Path(base) / "kernelopt"


def data_dir() -> Path:
    """Where the user's manuals are kept: ``$KERNELOPT_DATA``, else the user's data folder."""
    chosen = os.environ.get("KERNELOPT_DATA")
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(chosen) if chosen else Path(base) / "kernelopt"
