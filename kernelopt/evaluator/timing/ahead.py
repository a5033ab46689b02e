"""A reference that is loaded while something else goes on, for the kernel that is timed next."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from kernelopt.errors import EvaluatorFault
from kernelopt.evaluator.workers.endings import Endings
from kernelopt.evaluator.workers.worker import Worker


class Ahead:
    """At most one loaded worker that has done nothing yet.

    Of references only. A candidate's process beside another of the same candidate could touch what is
    compiled for that one, which all of its processes have to stand still for.
    """

    def __init__(self, endings: Endings):
        self._endings, self._pool = endings, ThreadPoolExecutor(1)
        self._key = ""
        self._loading: Future[Worker] | None = None

    def begin(self, key: str, start: Callable[[], Worker]) -> None:
        """Load what `start` loads, unless it is there under this key; another one is ended."""
        if self._loading and self._key == key:
            return
        self.drop()
        self._key, self._loading = key, self._pool.submit(start)

    def take(self, key: str) -> Worker | None:
        """The worker of this key, to be used once; None where there is none.

        Raises:
            EvaluatorFault: it did not load.
        """
        if self._loading is None or self._key != key:
            return None
        loading, self._loading = self._loading, None
        return loading.result()

    def drop(self) -> None:
        """End what is there, if anything is."""
        loading, self._loading = self._loading, None
        if loading:
            with contextlib.suppress(EvaluatorFault):  # nobody asked for it
                self._endings.add(loading.result())
