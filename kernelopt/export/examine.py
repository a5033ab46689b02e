"""The judge once more, on what will be shipped: its flags, other weights, a sweep of sizes."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import platform
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from kernelopt.errors import TaskError, UsageError
from kernelopt.evaluation import Evaluation
from kernelopt.export import OWN, UNTRIED, Examined, Variant, Winner
from kernelopt.export.ahead import ARCH, architectures, compiled, objection, plain
from kernelopt.export.backward import has_backward, verdict
from kernelopt.export.outline import outline
from kernelopt.export.shipping import Shipping
from kernelopt.export.sweep import variants
from kernelopt.kernel import Kernel
from kernelopt.languages import BuildRequest, Language, Toolbox
from kernelopt.task import Task

if TYPE_CHECKING:
    from kernelopt.evaluator.judge import Judge
    from kernelopt.sandboxes import Sandbox

PORTABLE = {"x86_64": "x86-64-v3", "aarch64": "armv8.2-a"}
"""Machine to what packages are built for: AVX2 and FMA, which x86 processors of the last ten years have."""
NATIVE = "native"
HOPELESS = 3
"""Failures without a pass after which no further size is tried."""

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


class Examiner:
    """Judges winners as they will be shipped. A context manager; not for several threads."""

    def __init__(
        self,
        sandbox: str,
        march: str = "",
        archs: Sequence[str] = (),
        *,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Args:
        sandbox: name of the plugin.
        march: ``x86-64-v3`` or another; empty for the portable one.
        archs: GPUs that CUDA C++ is compiled for when the package is built; none leaves it to NVRTC.
        say: is told of progress.
        """
        self._sandbox, self.march, self._say = sandbox, march or portable(), say
        self.archs = architectures(archs)
        self._languages: dict[str, Shipping] = {}
        self._judges: dict[tuple[bool, bool], Judge] = {}
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
        own = has_backward(kernel.source)
        if self._has_no_device(kernel.language):
            refusal, texts = self._compiled(kernel, task)
            ahead = self._ahead(kernel, task, texts)
            return Examined(winner, None, ahead, backward=UNTRIED if own else "", refusal=refusal)
        evaluation = self.measure(kernel, task)
        if refusal := self._unusable(kernel, task, evaluation):
            return Examined(winner, evaluation, refusal=refusal)
        backward = self._backward(kernel, task) if own else ""
        shipping = self._languages[kernel.language]
        requests, unstable = shipping.shipped(), shipping.unstable
        requests = requests if kernel.language == "cpp" else self._ahead(kernel, task, plain(requests))
        tried = tuple(self._tried(kernel, task, backward=backward == OWN)) if sweep else ()
        return Examined(winner, evaluation, requests, tried, backward, unstable)

    def _unusable(self, kernel: Kernel, task: Task, found: Evaluation) -> str:
        """Why a kernel that was measured cannot be shipped; empty where it can."""
        if not found.correct:
            return f"with the package's flags it is {found.status}: {found.reason}"
        try:
            base = outline(task)
        except UsageError as problem:
            return str(problem)
        return self._ignores_weights(kernel, task) if base.state else ""

    def _has_no_device(self, language: str) -> bool:
        from kernelopt.registry import get

        return get("devices", self._language(language).device)().missing() is not None

    def _compiled(self, kernel: Kernel, task: Task) -> tuple[str, list[BuildRequest]]:
        """Why a GPU kernel does not even compile, empty where it does; and its CUDA texts."""
        named = ", ".join(self.archs) or ARCH
        self._say(f"{task.id}: compiling for {named}; there is no device to run it on")
        suspect = [one.message for one in self._language(kernel.language).inspect(kernel) if one.suspect]
        if suspect:
            return f"SUSPECT: {suspect[0]}", []
        with self._toolbox() as tools:
            return compiled(kernel, task, self.archs, tools)

    def _ahead(self, kernel: Kernel, task: Task, texts: Sequence[BuildRequest]) -> tuple[BuildRequest, ...]:
        """What the package's build compiles for the architectures that are named."""
        if not self.archs or not texts:
            return ()
        if reason := objection(texts, self.archs, self._toolbox()):
            self._say(f"{task.id}: left to NVRTC, when it is first used: {reason}")
            return ()
        return tuple(texts)

    @contextlib.contextmanager
    def _toolbox(self) -> Iterator[Toolbox]:
        from kernelopt.evaluator.settings import Settings
        from kernelopt.evaluator.workers.tools import SandboxTools
        from kernelopt.registry import get

        with contextlib.closing(get("sandboxes", self._sandbox)()) as room:
            yield SandboxTools(room, Settings().limits)

    def measure(self, kernel: Kernel, task: Task) -> Evaluation:
        """A full evaluation, with the package's flags."""
        if kernel.language in self._languages:
            self._languages[kernel.language].forget()
        self._language(kernel.language)  # known before there is a judge: its device is the judge's
        self._say(f"{task.id}: measuring")
        return self._judge(quick=False).evaluate(kernel, task)

    def _ignores_weights(self, kernel: Kernel, task: Task) -> str:
        changed = dataclasses.replace(task, source=f"{task.source}\nimport torch\n{_OTHER_WEIGHTS}")
        found = self._judge(quick=True).evaluate(kernel, changed)
        if found.correct:
            return ""
        return f"it does not follow its weights (they are packed in the constructor, perhaps): {found.reason}"

    def _backward(self, kernel: Kernel, task: Task) -> str:
        """`OWN` where the kernel's own gradients are right; else why they are not used."""
        self._say(f"{task.id}: its own backward pass")
        return verdict(self._judge(quick=True, gradients=True).evaluate(kernel, task)) or OWN

    def _tried(self, kernel: Kernel, task: Task, *, backward: bool) -> Iterable[Variant]:
        """The sweep; cut short for a kernel that knows its one size, as nothing of it would be let in."""
        counts: Counter[bool] = Counter()
        for variant, varied in variants(task):
            tried = self._try(kernel, variant, varied, backward=backward)
            self._say(f"{task.id}: {dict(variant.sizes)} {tried.status}")
            yield tried
            counts[tried.status == "PASSED"] += tried.status != "SKIPPED"
            if counts[False] >= HOPELESS and not counts[True]:
                return

    def _try(self, kernel: Kernel, variant: Variant, task: Task, *, backward: bool) -> Variant:
        """One other size. A text that the kernel has built for it alone is not the one that is shipped."""
        requests = self._languages[kernel.language].requests
        built = len(requests)
        try:
            own = backward and not verdict(self._judge(quick=True, gradients=True).evaluate(kernel, task))
            found = self._judge(quick=True).evaluate(kernel, task)
        except TaskError as problem:
            return dataclasses.replace(variant, status="SKIPPED", reason=str(problem))
        if len(requests) > built:
            return dataclasses.replace(variant, status="OTHER_TEXT", reason="it builds another text there")
        status = "SKIPPED" if found.reason.startswith("the task cannot tell") else str(found.status)
        reason = found.reason if status != "PASSED" else ""
        return dataclasses.replace(variant, status=status, reason=reason, backward=own)

    def _judge(self, *, quick: bool, gradients: bool = False) -> Judge:
        """The judge for figures, or one that only checks, `gradients` too."""
        from kernelopt.evaluator.judge import Judge
        from kernelopt.evaluator.settings import Settings
        from kernelopt.evaluator.workers.tools import readable
        from kernelopt.executors import calibration
        from kernelopt.export._checker import Checker
        from kernelopt.resources import cache_dir

        if (quick, gradients) not in self._judges:
            settings = calibration.apply(Settings())
            if quick:
                few = ("given", "mixed", "constant")
                settings = dataclasses.replace(settings, seeds=1, distributions=few, check_backward=gradients)
            kind = Checker if quick else Judge
            plugin, cache = self._plugin(), cache_dir()
            self._judges[quick, gradients] = kind(
                plugin(readable(cache)), plugin(), self._language, cache, settings
            )
        return self._judges[quick, gradients]

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
