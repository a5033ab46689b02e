"""The judge once more, on what will be shipped: its flags, other weights, a sweep of sizes."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import platform
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from kernelopt.errors import TaskError, UsageError
from kernelopt.evaluation import Evaluation
from kernelopt.export import Examined, Variant, Winner
from kernelopt.export.outline import outline
from kernelopt.export.sweep import variants
from kernelopt.kernel import Kernel
from kernelopt.languages import BuildReply, BuildRequest, Finding, Language, Toolbox
from kernelopt.task import Task

if TYPE_CHECKING:
    from kernelopt.evaluator.judge import Judge
    from kernelopt.sandboxes import Sandbox

PORTABLE = {"x86_64": "x86-64-v3", "aarch64": "armv8.2-a"}
"""Machine to what packages are built for: AVX2 and FMA, which x86 processors of the last ten years have."""
NATIVE = "native"
HOPELESS = 3
"""Failures without a pass after which no further size is tried."""
ARCH = "sm_90"
"""What GPU kernels are compiled for where there is no GPU."""

_OTHER_WEIGHTS = """

def _with_other_weights(make):
    def init(self, *args, **named):
        make(self, *args, **named)
        with torch.no_grad():
            for value in [*self.parameters(), *self.buffers()]:
                if value.is_floating_point():
                    value.mul_(1.0625).add_(0.03125)
    return init


Model.__init__ = _with_other_weights(Model.__init__)
"""
"""Behind a task's text: weights that no constructor of a kernel can have seen."""


def portable() -> str:
    """What ``-march`` is by default on this machine."""
    return PORTABLE.get(platform.machine(), NATIVE)


class Shipping:
    """A language whose builds get the package's flags, and which remembers them."""

    def __init__(self, language: Language, march: str) -> None:
        self._language, self._march = language, march
        self.name, self.device = language.name, language.device
        self.requests: list[BuildRequest] = []

    def missing(self) -> str | None:
        """As the language says."""
        return self._language.missing()

    def guide(self, task: Task) -> str:
        """As the language says."""
        return self._language.guide(task)

    def inspect(self, kernel: Kernel, *, allow_libraries: bool = False) -> list[Finding]:
        """As the language does."""
        return self._language.inspect(kernel, allow_libraries=allow_libraries)

    def inspect_artifact(self, path: Path, *, allow_libraries: bool = False) -> list[Finding]:
        """As the language does."""
        return self._language.inspect_artifact(path, allow_libraries=allow_libraries)

    def build(self, request: BuildRequest, cache: Path, timeout_s: float, tools: Toolbox) -> BuildReply:
        """With the package's ``-march`` behind all other flags."""
        if request not in self.requests:
            self.requests.append(request)
        if request.kind == "cubin":
            return self._language.build(request, cache, timeout_s, tools)
        flags = dataclasses.replace(request, cflags=[*request.cflags, f"-march={self._march}"])
        return self._language.build(flags, cache, timeout_s, tools)


class Examiner:
    """Judges winners as they will be shipped. A context manager; not for several threads."""

    def __init__(self, sandbox: str, march: str = "", *, say: Callable[[str], None] = lambda _: None) -> None:
        """`sandbox`: name of the plugin; `march`: ``x86-64-v3`` or another; empty for the portable one."""
        self._sandbox, self.march, self._say = sandbox, march or portable(), say
        self._languages: dict[str, Shipping] = {}
        self._judges: dict[bool, Judge] = {}
        self._lease = contextlib.ExitStack()

    def __enter__(self) -> Examiner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all sandboxes, and give the GPU back."""
        for judge in self._judges.values():
            judge.close()
        self._judges.clear()
        self._lease.close()

    def examine(self, winner: Winner, *, sweep: bool = True) -> Examined:
        """Measure a winner and try it around its sizes. What it fails at is data, or its `refusal`.

        Raises:
            TaskError: the task's reference does not load or run.
            EvaluatorFault: our own machinery broke.
        """
        task, kernel = winner.task, winner.kernel
        if self._has_no_device(kernel.language):
            return Examined(winner, None, refusal=self._uncompiled(kernel, task))
        evaluation = self.measure(kernel, task)
        requests = tuple(self._languages[kernel.language].requests)
        if not evaluation.correct:
            reason = f"{evaluation.status}: {evaluation.reason}"
            return Examined(winner, evaluation, requests, refusal=f"with the package's flags it is {reason}")
        try:
            base = outline(task)
        except UsageError as problem:
            return Examined(winner, evaluation, requests, refusal=str(problem))
        if base.state and (reason := self._ignores_weights(kernel, task)):
            return Examined(winner, evaluation, requests, refusal=reason)
        tried = tuple(self._tried(kernel, task)) if sweep else ()
        return Examined(winner, evaluation, requests, tried)

    def _has_no_device(self, language: str) -> bool:
        from kernelopt.registry import get

        return get("devices", self._language(language).device)().missing() is not None

    def _uncompiled(self, kernel: Kernel, task: Task) -> str:
        """Why a GPU kernel does not even compile; empty where it does."""
        from kernelopt.evaluator.settings import Settings
        from kernelopt.evaluator.tools import SandboxTools
        from kernelopt.gpu.compile import compile_answer
        from kernelopt.registry import get

        self._say(f"{task.id}: compiling for {ARCH}; there is no device to run it on")
        suspect = [one.message for one in self._language(kernel.language).inspect(kernel) if one.suspect]
        if suspect:
            return f"SUSPECT: {suspect[0]}"
        with contextlib.closing(get("sandboxes", self._sandbox)()) as room:
            compiled = compile_answer(kernel, task, ARCH, SandboxTools(room, Settings().limits))
        if compiled.ok:
            return ""
        if compiled.failure:
            return f"it does not run to its end: {compiled.failure.text.strip().splitlines()[-1]}"
        return f"it does not compile for {ARCH}"

    def measure(self, kernel: Kernel, task: Task) -> Evaluation:
        """A full evaluation, with the package's flags."""
        if kernel.language in self._languages:
            self._languages[kernel.language].requests.clear()
        self._language(kernel.language)  # known before there is a judge: its device is the judge's
        self._say(f"{task.id}: measuring")
        return self._judge(quick=False).evaluate(kernel, task)

    def _ignores_weights(self, kernel: Kernel, task: Task) -> str:
        changed = dataclasses.replace(task, source=f"{task.source}\nimport torch\n{_OTHER_WEIGHTS}")
        found = self._judge(quick=True).evaluate(kernel, changed)
        if found.correct:
            return ""
        return f"it does not follow its weights (they are packed in the constructor, perhaps): {found.reason}"

    def _tried(self, kernel: Kernel, task: Task) -> Iterable[Variant]:
        """The sweep; cut short for a kernel that knows its one size, as nothing of it would be let in."""
        counts: Counter[bool] = Counter()
        for variant, varied in variants(task):
            try:
                found = self._judge(quick=True).evaluate(kernel, varied)
            except TaskError as problem:
                yield dataclasses.replace(variant, status="SKIPPED", reason=str(problem))
                continue
            undecided = found.reason.startswith("the task cannot tell")
            status = "SKIPPED" if undecided else str(found.status)
            self._say(f"{task.id}: {dict(variant.sizes)} {status}")
            reason = found.reason if status != "PASSED" else ""
            yield dataclasses.replace(variant, status=status, reason=reason)
            counts[found.correct] += not undecided
            if counts[False] >= HOPELESS and not counts[True]:
                return

    def _judge(self, *, quick: bool) -> Judge:
        """The judge for figures, or one that only checks."""
        from kernelopt.evaluator.judge import Judge
        from kernelopt.evaluator.settings import Settings
        from kernelopt.evaluator.tools import readable
        from kernelopt.executors import calibration
        from kernelopt.export._checker import Checker
        from kernelopt.resources import cache_dir

        if quick not in self._judges:
            settings = calibration.apply(Settings())
            if quick:
                few = ("given", "mixed", "constant")
                settings = dataclasses.replace(settings, seeds=1, distributions=few)
            kind = Checker if quick else Judge
            plugin, cache = self._plugin(), cache_dir()
            self._judges[quick] = kind(plugin(readable(cache)), plugin(), self._language, cache, settings)
        return self._judges[quick]

    def _plugin(self) -> Callable[..., Sandbox]:
        """The sandbox; for kernels of a GPU one that passes on the first, which is leased by then."""
        from kernelopt.gpu import choice
        from kernelopt.registry import get

        plugin: Callable[..., Sandbox] = get("sandboxes", self._sandbox)
        if all(language.device != "cuda" for language in self._languages.values()):
            return plugin
        (card,) = choice.chosen(["0"])
        if not self._judges:
            self._lease.enter_context(choice.held(card, threading.Event(), self._say))
        return functools.partial(plugin, gpu=card)

    def _language(self, name: str) -> Language:
        from kernelopt.registry import get

        if name not in self._languages:
            self._languages[name] = Shipping(get("languages", name)(), self.march)
        return self._languages[name]
