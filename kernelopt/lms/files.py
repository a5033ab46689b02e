"""A person, or any agent, as the model: requests and replies are files in a directory.

Each prompt becomes ``DIR/requests/NAME.md``, where NAME is the prompt's hash, with ``-2``, ``-3`` … for
further requests of the same prompt. The answer is read from ``DIR/replies/NAME.md``. Names depend on the
prompts alone, so a restarted run finds its pending requests, and replies given meanwhile, again.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kernelopt.errors import LMError
from kernelopt.lms import Completion, LMOptions, Prompt

_TASK = "Task: "


class Files:
    """The directory DIR as a model; each `complete` waits, without limit, until its reply is there.

    A reply counts once it has not changed for `settle_s` seconds, and an empty one for `settle_empty_s`:
    a shell redirection creates the file long before the first word arrives.

    Raises:
        LMError: no directory is named.
    """

    def __init__(
        self,
        argument: str,
        options: LMOptions,
        *,
        poll_s: float = 0.2,
        settle_s: float = 1.0,
        settle_empty_s: float = 30.0,
    ) -> None:
        if not argument:
            raise LMError("files needs a directory: files:DIR")
        self.name = f"files:{argument}"
        self._directory = Path(argument).expanduser()
        self._poll_s = poll_s
        self._settle_s = settle_s
        self._settle_empty_s = settle_empty_s
        self._asked: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._stop = threading.Event()

    def missing(self) -> str | None:
        """Why requests cannot be written, or None. Creates the directory."""
        try:
            self._make_directories()
        except LMError as error:
            return str(error)
        return None

    def complete(self, prompt: Prompt) -> Completion:
        """Write the request, wait for its reply, and return it. Costs nothing, counts no tokens.

        An empty reply file is an empty completion. The request and the reply stay where they are.

        Raises:
            LMError: the directory cannot be written, the reply cannot be read, or `interrupt()` was called.
        """
        started = time.monotonic()
        with self._lock:
            self._asked[prompt.hash] += 1
            name = _name(prompt.hash, self._asked[prompt.hash])
            self._request(name, prompt)
        text = self._reply(self._directory / "replies" / name)
        return Completion(
            text,
            model="files",
            finish_reason="stop" if text.strip() else "empty",
            seconds=time.monotonic() - started,
        )

    def interrupt(self) -> None:
        """Make every waiting `complete`, and each later one, raise LMError. Requests stay pending."""
        self._stop.set()

    def already_answered(self, prompt_hashes: Iterable[str]) -> None:
        """Count these prompts as asked: a resumed run read their replies before it was stopped.

        A hash that occurs several times counts as often, so that the next request gets the next name.
        """
        with self._lock:
            self._asked.update(prompt_hashes)

    def _make_directories(self) -> None:
        for part in ("requests", "replies"):
            directory = self._directory / part
            try:
                directory.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise LMError(f"{self.name}: cannot make {directory}: {error.strerror}") from error
            if not os.access(directory, os.R_OK | os.W_OK | os.X_OK):
                raise LMError(f"{self.name}: no permission to read and write {directory}")

    def _request(self, name: str, prompt: Prompt) -> None:
        self._make_directories()
        path = self._directory / "requests" / name
        if path.exists():
            return  # Written before a restart; its age tells how long it has been waiting.
        part = path.with_name(f".{name}.part")
        try:
            part.write_bytes(_text(name, prompt).encode("utf-8", errors="replace"))
            part.replace(path)
        except OSError as error:
            raise LMError(f"{self.name}: cannot write the request {path}: {error.strerror}") from error

    def _reply(self, path: Path) -> str:
        watch = _Watch(path, self._settle_s, self._settle_empty_s)
        while not self._stop.is_set():
            try:
                if watch.settled():
                    return path.read_bytes().decode("utf-8-sig", errors="replace")
            except FileNotFoundError:
                pass  # Some editors replace a file by removing it first; the next look finds it.
            except OSError as error:
                raise LMError(f"{self.name}: cannot read the reply {path}: {error.strerror}") from error
            self._stop.wait(self._poll_s)
        raise LMError(f"{self.name}: interrupted; the request {path.name} is found again on resuming")


class _Watch:
    """Looks at one reply file until it has come to rest."""

    def __init__(self, path: Path, settle_s: float, settle_empty_s: float) -> None:
        self._path = path
        self._settle_s = settle_s
        self._settle_empty_s = settle_empty_s
        self._seen: tuple[int, int] | None = None
        self._since = 0.0

    def settled(self) -> bool:
        """Whether the file exists and has been the same for long enough."""
        if not self._path.is_file():
            return False
        status = self._path.stat()
        look = (status.st_size, status.st_mtime_ns)
        if look != self._seen:
            self._seen, self._since = look, time.monotonic()
        # The age by the file's own clock serves after a restart; a copied or skewed time stamp, which
        # may lie in the future, must not keep a reply waiting, so the time of watching counts as well.
        rest_s = max(time.monotonic() - self._since, time.time() - status.st_mtime)
        return rest_s >= (self._settle_s if status.st_size else self._settle_empty_s)


@dataclass(frozen=True, slots=True)
class Pending:
    """A request that has no reply yet."""

    name: str
    """File name, the same under ``requests`` and ``replies``."""
    task: str
    """First line of what is asked."""
    age_s: float
    """Seconds since the request was written."""
    request: Path
    reply: Path


def pending(directory: Path) -> list[Pending]:
    """The requests under `directory` that wait for a reply, the oldest first.

    Raises:
        LMError: `directory` is no directory that `files:DIR` writes to.
    """
    requests = directory / "requests"
    if not requests.is_dir():
        raise LMError(f"{directory} holds no requests; name the DIR of a run with --lm files:DIR")
    now = time.time()
    found = [_pending(path, directory / "replies" / path.name, now) for path in _request_files(requests)]
    return sorted((each for each in found if not each.reply.is_file()), key=lambda each: -each.age_s)


def _request_files(requests: Path) -> Iterator[Path]:
    for path in sorted(requests.glob("*.md")):
        if not path.name.startswith("."):
            yield path


def _pending(request: Path, reply: Path, now: float) -> Pending:
    lines = request.read_text(encoding="utf-8", errors="replace").splitlines()
    task = next((line.removeprefix(_TASK) for line in lines if line.startswith(_TASK)), "")
    return Pending(request.name, task, max(0.0, now - request.stat().st_mtime), request, reply)


def _name(prompt_hash: str, number: int) -> str:
    return f"{prompt_hash}.md" if number == 1 else f"{prompt_hash}-{number}.md"


def _text(name: str, prompt: Prompt) -> str:
    # The header repeats the first line: prompts may hold headings that look like those below.
    task = next((line.strip() for line in prompt.user.splitlines() if line.strip()), "")
    return (
        f"# Request {name.removesuffix('.md')}\n\n"
        f"{_TASK}{task}\n\n"
        f"Answer what stands under User, keeping to what stands under System. Write the whole answer, and "
        f"nothing else, to `replies/{name}`.\n\n"
        f"## System\n\n{prompt.system}\n\n## User\n\n{prompt.user}\n"
    )


PLUGIN = Files
