"""What Hugging Face holds: a cached copy of KernelBench, and the models of level 4.

Looking is done on the local cache folder only, without importing `huggingface_hub`; nothing is
downloaded except by `fetch`, which the user has to ask for.
"""

from __future__ import annotations

import ast
import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kernelopt._syntax import parse
from kernelopt.errors import MissingTool, TaskError, UsageError
from kernelopt.resources import pip_install
from kernelopt.suites._constants import constants
from kernelopt.suites._official import representative
from kernelopt.suites._select import Entry
from kernelopt.task import Task

DATASET = "ScalingIntelligence/KernelBench"
_COLUMNS = ("level", "problem_id", "name", "code")


def cache_folder() -> Path:
    """Hugging Face's cache, as its documentation says: HF_HUB_CACHE, else HF_HOME/hub, else the default."""
    if chosen := os.environ.get("HF_HUB_CACHE"):
        return Path(chosen).expanduser()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(os.environ.get("HF_HOME") or f"{base}/huggingface").expanduser() / "hub"


def cached() -> Path | None:
    """The snapshot folder of a cached KernelBench data set, or None."""
    repository = cache_folder() / f"datasets--{DATASET.replace('/', '--')}"
    reference = repository / "refs" / "main"
    if not reference.is_file():
        return None
    snapshot = repository / "snapshots" / reference.read_text(errors="replace").strip()
    return snapshot if any(snapshot.rglob("*.parquet")) else None


def readable() -> bool:
    """Whether the package that reads the data set's files is installed."""
    return importlib.util.find_spec("pyarrow") is not None


def unread_note(snapshot: Path) -> str:
    """Says that a cached copy is there but cannot be read."""
    return f"a cached copy of {DATASET} is at {snapshot}, but reading it needs pyarrow: {pip_install('hub')}"


def entries(snapshot: Path) -> list[Entry]:
    """The tasks of a cached copy, by level and number.

    Raises:
        TaskError: the files do not hold what the data set is known to hold.
    """
    found = {}
    for path in sorted(snapshot.rglob("*.parquet")):
        for row in _rows(path):
            level, number = int(row["level"]), int(row["problem_id"])
            found[level, number] = _entry(level, number, row, f"{DATASET}/{path.name}")
    return [found[key] for key in sorted(found)]


def fetch() -> Path:
    """Download the data set into Hugging Face's cache and return the snapshot folder.

    Raises:
        MissingTool: a package of the `hub` extra is not installed.
        UsageError: the download failed; the message holds the reason.
    """
    if importlib.util.find_spec("huggingface_hub") is None or not readable():
        raise MissingTool(f"fetching kernelbench needs huggingface_hub and pyarrow: {pip_install('hub')}")
    return _download()


def _download() -> Path:
    from httpx import HTTPError
    from huggingface_hub import snapshot_download

    try:
        return Path(
            str(snapshot_download(DATASET, repo_type="dataset", allow_patterns=["*.parquet", "*.md"]))
        )
    except (OSError, HTTPError, ValueError) as error:
        reason = " ".join(str(error).split("\n", maxsplit=1)[0].split()) or type(error).__name__
        mend = "check the network, or give an official checkout with --suite-path"
        raise UsageError(f"could not download {DATASET} ({reason}); {mend}") from error


def unavailable(task: Task) -> str | None:
    """Why a task that needs a Hugging Face model cannot run here, or None.

    Decided from the text and the cache alone: neither transformers nor the module is imported.
    """
    modules = _imports(task.source)
    if "transformers" not in modules:
        return None
    if importlib.util.find_spec("transformers") is None:
        return "needs the package transformers: pip install transformers"
    model = constants(task.source).get("model_name")
    if isinstance(model, str) and not (cache_folder() / f"models--{model.replace('/', '--')}").is_dir():
        return f"needs the Hugging Face model {model}, which is not in the local cache: hf download {model}"
    return None


def _imports(source: str) -> set[str]:
    """Top-level names of every package that the text imports anywhere."""
    nodes = list(ast.walk(parse(source)))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return {
        name.partition(".")[0]
        for name in plain | {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    }


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    import pyarrow  # type: ignore[import-not-found,unused-ignore]
    import pyarrow.parquet  # type: ignore[import-not-found,unused-ignore]

    try:
        yield from pyarrow.parquet.read_table(path, columns=list(_COLUMNS)).to_pylist()
    except (OSError, pyarrow.ArrowException) as error:
        raise TaskError(f"{path}: is no readable KernelBench table: {error}") from error


def _entry(level: int, number: int, row: dict[str, Any], origin: str) -> Entry:
    name, code = str(row["name"]).removesuffix(".py"), str(row["code"])
    tags = representative(level, number)
    return Entry(f"{level}/{number}", name, f"{origin}:{name}", lambda: code, level, tags)
