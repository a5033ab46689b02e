"""NPUEval: 102 kernels for AMD's NPU, bundled in our own words, or from the official file.

``--suite-path …/npueval.jsonl`` reads the official data set; without it the bundled tasks are used. A task's
`source` is the prompt that a model sees: what to compute, an example, sizes, and an empty function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernelopt.errors import ConfigError, TaskError, UnknownName, UsageError
from kernelopt.suites import SuiteOptions
from kernelopt.suites._select import Entry, choose, narrow
from kernelopt.task import Provenance, Task

if TYPE_CHECKING:
    from kernelopt.npu import Spec, Vectors
    from kernelopt.npu.spec import Entry as Bundled
    from kernelopt.suites._check import Report

NAME = "npueval"
SNAPSHOT = "0b5efc9"
"""Of AMDResearch/NPUEval; what the bundled tasks describe."""
_SHOWN = 8
"""Elements of a buffer in an example, as in NPUEval's own prompts."""


class NpuEval:
    """The suite `npueval`."""

    name = NAME

    def __init__(self, spec: str = NAME, options: SuiteOptions | None = None) -> None:
        self._options = options or SuiteOptions()

    def missing(self) -> str | None:
        """What keeps the suite from loading and how to mend it, or None."""
        try:
            return None if self._entries else "no tasks are installed; reinstall kernelopt"
        except (UsageError, FileNotFoundError) as error:
            return str(error)

    def provenance(self) -> Provenance:
        """Which task set this is, after selection."""
        from kernelopt.npu import official

        if self._file is None:
            return Provenance(NAME, False, len(self._tasks), f"bundled, revision {SNAPSHOT}")
        complete = len(self._entries) == official.COMPLETE
        detail = self._file.name if complete else f"{self._file.name}, incomplete"
        return Provenance(NAME, complete, len(self._tasks), detail)

    def tasks(self) -> Iterator[Task]:
        """The selected tasks, in the order of the file.

        Raises:
            TaskError: the official file cannot be read, or one of its lines is no kernel.
            UnknownName: a selected task or tag does not exist.
            ConfigError: sizes were asked for; kernels have one.
        """
        return iter(self._tasks)

    def notes(self) -> list[str]:
        """Nothing is ever left out."""
        return []

    def check(self, task: Task) -> Report:
        """Run a task's reference on its vectors, and say whether trivial answers would pass."""
        return _check(task)

    def describe(self, task: Task) -> dict[str, Any]:
        """What is known of a task without running it: ``inputs``, ``outputs``, ``params``, ``tolerance``."""
        from kernelopt.npu.problem import problem

        spec = problem(task).spec
        return {
            "inputs": [_shape(spec, buffer.name) for buffer in spec.inputs],
            "outputs": [_shape(spec, buffer.name) for buffer in spec.outputs],
            "params": {param.name: param.value for param in spec.params},
            "tolerance": {"atol": spec.atol, "rtol": spec.rtol},
        }

    @cached_property
    def _file(self) -> Path | None:
        """The official file, where the user named one.

        Raises:
            UnknownName: there is no such file.
        """
        path = self._options.path
        if path is None:
            return None
        path = path.expanduser()
        if path.is_dir():
            found = sorted(path.rglob("npueval.jsonl"))
            if not found:
                raise UnknownName(f"--suite-path {path} holds no npueval.jsonl; give NPUEval's own file")
            path = found[0]
        if not path.exists():
            raise UnknownName(f"--suite-path {path}: there is no such file")
        return path.resolve()

    @cached_property
    def _entries(self) -> list[Entry]:
        if self._file:
            from kernelopt.npu import official

            rows = official.read(self._file)
            origin = str(self._file)
            return [Entry(name, name, origin, partial(str, row.prompt)) for name, row in rows.items()]
        from kernelopt.npu.spec import bundled

        return [
            Entry(name, name, "", partial(prompt, entry), None, entry.spec.tags)
            for name, entry in bundled().items()
        ]

    @cached_property
    def _tasks(self) -> list[Task]:
        if self._options.size or (self._options.shrink or 1) > 1:
            raise ConfigError(f"{NAME} has one size of each kernel; leave --size and --shrink out")
        chosen = choose(self._entries, self._options, NAME)
        return narrow(map(_task, chosen), self._options, NAME)


def prompt(entry: Bundled) -> str:
    """What a model sees of a bundled kernel."""
    spec = entry.spec
    buffers = [f"  {_shape(spec, b.name)} {b.name} ({b.role})" for b in spec.buffers]
    params = [f"  {p.dtype} {p.name} = {p.value:g}" for p in spec.params]
    parts = [spec.maths, "", *_example(entry), "", "Buffers:", *buffers]
    if params:
        parts += ["Parameters, set at run time (these values are the ones that are used):", *params]
    close = f"An element passes when |out - ref| <= {spec.atol:g} + {spec.rtol:g} * |out|."
    lines = "\n".join(f" * {line}".rstrip() for line in [*parts, "", close])
    return (
        f'/*\n{lines}\n */\n#include <aie_api/aie.hpp>\n#include "aie_kernel_utils.h"\n\n'
        f"{spec.signature} {{\n    // Write the kernel here.\n}}\n"
    )


def _task(entry: Entry) -> Task:
    return Task(entry.id, entry.name, entry.read(), NAME, origin=entry.origin, tags=entry.tags)


def _shape(spec: Spec, name: str) -> str:
    (buffer,) = (buffer for buffer in spec.buffers if buffer.name == name)
    return f"{buffer.dtype}[{', '.join(map(str, buffer.shape)) or '1'}]"


def _example(entry: Bundled) -> list[str]:
    """One call: the first elements of what goes in and comes out."""
    from kernelopt.npu.spec import vectors

    spec, one = entry.spec, vectors(entry)[0]
    given = [f"{buffer.name}={_slice(one.inputs[buffer.name])}" for buffer in spec.inputs]
    given += [f"{param.name}={param.value:g}" for param in spec.params]
    (out,) = spec.outputs
    return [f">>> {spec.kernel}({', '.join(given)})", f"{out.name}={_slice(one.outputs[out.name])}"]


def _slice(array: Any) -> str:
    flat = array.reshape(-1)
    values = ", ".join(f"{float(value):.7g}" for value in flat[:_SHOWN])
    return f"[{values}{', ...' if flat.size > _SHOWN else ''}]"


def _check(task: Task) -> Report:
    """The task's reference on its vectors, and whether zeros or the first input would pass."""
    import time

    import numpy as np

    from kernelopt.npu.problem import problem
    from kernelopt.suites._check import Outcome, Report

    started = time.perf_counter()
    try:
        about = problem(task)
        vectors = about.vectors("check")
    except TaskError as error:
        return Report(task.id, Outcome.FAILED, str(error))
    (out,) = about.spec.outputs[:1]
    trivial = {"zeros would pass": lambda one: np.zeros_like(one.outputs[out.name])}
    first = about.spec.inputs[0]
    if (first.shape, first.dtype) == (out.shape, out.dtype):
        trivial["the input would pass"] = lambda one: one.inputs[first.name]
    warnings = [said for said, answer in trivial.items() if _passes(about.spec, vectors, out.name, answer)]
    return Report(task.id, Outcome.OK, warnings=tuple(warnings), seconds=time.perf_counter() - started)


def _passes(spec: Spec, vectors: Sequence[Vectors], name: str, answer: Callable[[Vectors], Any]) -> bool:
    from kernelopt.evaluation import Status
    from kernelopt.npu.verdict import compare

    found = [compare(spec, one, {**one.outputs, name: answer(one)}, strict=False) for one in vectors]
    return all(check.status is Status.PASSED for check in found)


PLUGIN = NpuEval
