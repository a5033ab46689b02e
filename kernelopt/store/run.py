"""One run: its folder, journal, artifacts and manifest."""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from kernelopt.errors import StoreError
from kernelopt.store import manifest as manifests
from kernelopt.store import names
from kernelopt.store._files import storing, sync_folder, write_text
from kernelopt.store._writer import WriterLock, writer_pid
from kernelopt.store.artifacts import Artifacts
from kernelopt.store.journal import Journal

__all__ = ["Run", "create_run", "open_run"]

JOURNAL = "journal.sqlite"
_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


class Run:
    """An open run. Use it as a context manager; it is safe to use from several threads."""

    def __init__(self, folder: Path, lock: WriterLock | None) -> None:
        """Open what is in `folder`; `create_run` and `open_run` are the ways to call this.

        Raises:
            StoreError: the manifest or the journal cannot be read.
        """
        self.folder = folder
        self.manifest = manifests.load(folder)
        self.journal = Journal(folder / JOURNAL, write=lock is not None)
        self.artifacts = Artifacts(folder / "artifacts")
        self._lock = lock
        self._changing = threading.Lock()

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.resolve().name

    @property
    def writable(self) -> bool:
        """True for the one process that may write the run."""
        return self._lock is not None

    @property
    def writer_pid(self) -> int | None:
        """Id of the process that writes the run now, on this machine; None when nobody does."""
        return writer_pid(self.folder)

    def write_kernel(self, task_slug: str, source: str, suffix: str = ".py") -> Path:
        """Put the best kernel of a task where people find it. Raises `StoreError` like every write."""
        return self._write(f"kernels/{task_slug}{suffix}", source)

    def write_prompt(self, name: str, text: str) -> Path:
        """Write ``prompts/NAME.md``; `name` may hold folders, such as ``best/generate``."""
        return self._write(f"prompts/{name}.md", text)

    def update_manifest(self, **fields: Any) -> None:
        """Set manifest fields, on disk before in memory."""
        self._demand_writer()
        with self._changing:
            changed = {**self.manifest, **fields}
            manifests.save(self.folder, changed)
            self.manifest = changed

    def close(self) -> None:
        """Close the journal, then let the next writer in. Safe to call twice."""
        self.journal.close()
        if self._lock:
            self._lock.release()
            self._lock = None

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _write(self, name: str, text: str) -> Path:
        self._demand_writer()
        if not all(_FILE_NAME.fullmatch(part) for part in name.split("/")):
            raise StoreError(f"{self.folder}: {name!r} cannot be a file name in a run")
        path = self.folder / name
        write_text(path, text)
        return path

    def _demand_writer(self) -> None:
        if not self.writable:
            raise StoreError(f"{self.folder}: this run was opened for reading only")


def create_run(root: Path, name: str | None, manifest: Mapping[str, Any]) -> Run:
    """Make a new run folder in `root` and open it for writing.

    Args:
        root: the folder of all runs; made where it is missing.
        name: the run's name; None takes ``date-suite-language-number``.
        manifest: the fields that `kernelopt.store.manifest` lists, without the first four.

    Raises:
        StoreError: the name is taken or impossible, or `root` cannot be written.
    """
    chosen = (names.checked(name),) if name else _numbered(names.default_stem(manifest))
    with storing(root):
        root.mkdir(parents=True, exist_ok=True)
        folder = _claimed(root, chosen)
        sync_folder(root)
    lock = WriterLock(folder)
    try:
        Journal(folder / JOURNAL).close()
        manifests.save(folder, manifests.stamped(folder.name, manifest))  # last: it makes it a run
        return Run(folder, lock)
    except BaseException:
        lock.release()
        raise


def open_run(path_or_name: str | Path, root: str | Path = "runs", *, write: bool = False) -> Run:
    """Open the run of that name in `root`, the newest one (``latest``), or the one at that path.

    Readers may open a run that is being written; only one process at a time may write.

    Raises:
        UnknownName: there is no such run.
        StoreError: it is damaged as a whole, or another process writes it and so would this one.
    """
    folder = names.find(path_or_name, Path(root))
    lock = WriterLock(folder) if write else None
    try:
        _demand_journal(folder)
        return Run(folder, lock)
    except BaseException:
        if lock:
            lock.release()
        raise


def _numbered(stem: str) -> Iterator[str]:
    return (f"{stem}-{number}" for number in itertools.count(1))


def _claimed(root: Path, candidates: Iterator[str] | tuple[str, ...]) -> Path:
    """Make the first folder that does not exist yet; making it is what claims the name."""
    for candidate in candidates:
        folder = root / candidate
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
    raise StoreError(f"{folder}: this run exists; choose another name, or go on with `kernelopt resume`")


def _demand_journal(folder: Path) -> None:
    """A journal that vanished must not be taken for a run in which nothing happened yet."""
    path = folder / JOURNAL
    with storing(path):
        if not path.is_file() or not path.stat().st_size:
            raise StoreError(f"{path}: the journal is missing or empty; restore it from a copy")
