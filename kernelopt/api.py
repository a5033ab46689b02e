"""The Python API: what the commands do, as functions. `kernelopt.search` is `kernelopt.api.search`.

Evaluations run in a process of their own that Python starts anew (``spawn``), so a script that calls
`search` or `evaluate` has to guard its main part with ``if __name__ == "__main__":``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernelopt.errors import ConfigError
from kernelopt.executors import Rules
from kernelopt.lms import LMOptions
from kernelopt.suites import SuiteOptions

if TYPE_CHECKING:
    from kernelopt.evaluation import Evaluation
    from kernelopt.export import Examined
    from kernelopt.report.view import RunView
    from kernelopt.search.plan import Plan
    from kernelopt.suites._fit import Selection

_PLANNED = (
    "refinements",
    "minibatch",
    "concurrency",
    "seed",
    "merge",
    "feedback",
    "mode",
    "executor",
    "reflection_lm",
)
"""Fields of `search.plan.Plan` that `search` takes as they are."""


def search(
    suite: str | Path = "kernelbench",
    *,
    options: SuiteOptions | None = None,
    language: str = "cpp",
    lm: str = "builtin",
    lm_options: LMOptions | None = None,
    budget: str = "light",
    budget_evals: int | None = None,
    budget_usd: float | None = None,
    budget_seconds: float | None = None,
    sandbox: str = "auto",
    rules: Rules | None = None,
    devices: Sequence[int | str] = (),
    runs: str | Path = "runs",
    name: str | None = None,
    on_note: Callable[[str], None] = lambda _: None,
    **planned: Any,
) -> RunView:
    """Search for fast kernels and for the prompts that write them, like `kernelopt search`.

    Args:
        suite: name of a suite, or the path of a module or a folder of modules.
        options: which of its tasks; the representative ones by default, where the suite has such.
        language: of the kernels, for example ``cpp``.
        lm: task model: ``builtin``, ``files:DIR``, ``replay:FILE`` or a litellm model.
        lm_options: server, temperature, time limit (s) and so on, for both models.
        budget: ``light``, ``medium`` or ``heavy``, sized from the number of tasks.
        budget_evals: most rollouts; this and the next two replace `budget`.
        budget_usd: most US dollars, both models together.
        budget_seconds: most seconds at work.
        sandbox: ``auto``, ``docker``, ``bwrap`` or ``process``.
        rules: what is asked of kernels beyond the usual, or less.
        devices: GPUs to evaluate on side by side, by number or UUID; the first one by default.
        runs: folder in which the run's own folder is made.
        name: of the run; by date, suite and language by default.
        on_note: is told what a person should know, a line at a time.
        **planned: `reflection_lm` (the task model by default), `refinements` (2), `minibatch` (4),
            `concurrency` (4 rollouts side by side), `seed` (0), `merge` (True), `feedback` (``manuals``),
            `mode` (``search``), `executor` (``local``).

    Returns:
        The finished run as readers see it: tasks with winners and speedups (reference time over kernel time),
        candidates, scores, what was used.

    Raises:
        UsageError: something that was asked for does not exist or cannot be used; nothing was spent.
        TypeError: `planned` holds a name that is not in the list above.
    """
    from kernelopt.executors._open import executor_spec, first_gpu, places
    from kernelopt.languages._require import require_language
    from kernelopt.report.fold import view
    from kernelopt.sandboxes._choose import choose_sandbox
    from kernelopt.search.run import start
    from kernelopt.search.watch import Watch

    if unknown := sorted(set(planned) - set(_PLANNED)):
        raise TypeError(f"search() has no argument {unknown[0]!r}; there are also: {', '.join(_PLANNED)}")
    require_language(language)
    chosen = _select(suite, options or SuiteOptions(), narrow=True)
    executor = executor_spec(language, [str(name) for name in devices], planned.get("executor", "local"))
    side_by_side = max(planned.get("concurrency", 4), places(executor))
    where = choose_sandbox(sandbox, first_gpu(executor))
    plan = make_plan(
        chosen,
        budget=_budget(budget, budget_evals, budget_usd, budget_seconds, len(chosen.tasks)),
        language=language,
        lm=lm,
        lm_options=lm_options or LMOptions(),
        sandbox=where.name,
        rules=rules or Rules(),
        **{"reflection_lm": lm, **planned, "executor": executor, "concurrency": side_by_side},
    )

    def begun() -> None:
        for note in filter(None, (*chosen.notes, where.note)):
            on_note(note)

    with start(plan, Path(runs), name, Watch(begun)) as run:
        return view(run)


def make_plan(chosen: Selection, **fields: Any) -> Plan:
    """The plan of a search over these tasks; `fields` are others of `search.plan.Plan`.

    Kernels are timed quickly unless the rules say how: a search measures its winners once more.
    """
    from kernelopt.search.plan import Plan

    rules = fields.pop("rules", Rules())
    return Plan(
        rules=dataclasses.replace(rules, precision=rules.precision or "quick"),
        tasks=chosen.tasks,
        provenance=chosen.provenance,
        skipped=chosen.reasons,
        skipped_tasks=chosen.skipped,
        **fields,
    )


def evaluate(
    kernel: str | Path,
    *,
    task: str | None = None,
    suite: str | Path = "kernelbench",
    options: SuiteOptions | None = None,
    language: str = "cpp",
    sandbox: str = "auto",
    rules: Rules | None = None,
    baselines: bool = False,
    device: int | str | None = None,
) -> Evaluation:
    """Judge one kernel on one task, like `kernelopt eval`.

    Args:
        kernel: the module's text, or (a `Path`) the file that holds it; it defines `ModelNew`.
        task: id or name in the suite; not needed where it has one task only.
        suite: name of a suite, or the path of a module.
        options: size, official checkout and so on.
        language: of the kernel.
        sandbox: ``auto``, ``docker``, ``bwrap`` or ``process``.
        rules: what is asked of kernels beyond the usual, or less.
        baselines: compare with ``torch.compile`` (on a GPU, CUDA graphs) as well; takes a minute or more.
        device: which GPU, by number or UUID; the first one by default.

    Returns:
        Status, checks (errors in units of the output), timing (ms) and profiles. A kernel that fails is data.

    Raises:
        UsageError: the file, suite, task or language cannot be used.
        TaskError: the reference does not load or run.
    """
    from kernelopt._gather import read_text
    from kernelopt.executors._open import executor_spec, first_gpu, open_executor
    from kernelopt.kernel import Kernel
    from kernelopt.languages._require import require_language
    from kernelopt.sandboxes._choose import choose_sandbox

    require_language(language)
    wanted = options or SuiteOptions()
    tasks = _select(suite, dataclasses.replace(wanted, tasks=(task,)) if task else wanted).tasks
    if len(tasks) != 1:
        raise ConfigError(
            f"{suite} has {len(tasks)} tasks; say which with task=, for example {tasks[0].id!r}"
        )
    source = read_text(kernel) if isinstance(kernel, Path) else kernel
    spec = executor_spec(language, () if device is None else (str(device),))
    where = choose_sandbox(sandbox, first_gpu(spec))
    executor = open_executor(spec, where.name, rules, baselines=baselines)
    try:
        return executor.evaluate(Kernel.from_source(source, language), tasks[0])
    finally:
        executor.close()


def load_run(run: str | Path = "latest", runs: str | Path = "runs") -> RunView:
    """A run as it is now, under way or finished, like `kernelopt report`.

    Args:
        run: its name, its path, or ``latest``.
        runs: the folder of all runs.

    Raises:
        UnknownName: there is no such run.
        StoreError: its manifest or journal cannot be read.
    """
    from kernelopt.report.fold import view
    from kernelopt.store.run import open_run

    with open_run(run, runs) as opened:
        return view(opened)


def export(
    what: str | Path = "latest",
    *,
    out: str | Path,
    tasks: Sequence[str] = (),
    suite: str | Path = "kernelbench",
    options: SuiteOptions | None = None,
    language: str = "cpp",
    name: str | None = None,
    march: str = "",
    archs: Sequence[str] = (),
    licence: str = "Apache-2.0",
    sandbox: str = "auto",
    sweep: bool = True,
    force: bool = False,
    runs: str | Path = "runs",
    on_note: Callable[[str], None] = lambda _: None,
) -> list[Examined]:
    """Write winners as an installable package of PyTorch operators, like `kernelopt export`.

    Args:
        what: name or path of a run, ``latest``, or the file of a kernel.
        out: folder to write the package to.
        tasks: ids of those to export; all with a winner by default. For a file, its task.
        suite: of the kernel in a file.
        options: of that suite.
        language: of the kernel in a file.
        name: of the package; by the run's or the file's name by default.
        march: processor to build for, as g++ names it; ``x86-64-v3`` on x86 by default.
        archs: GPUs that the package's build compiles CUDA C++ for, ``sm_90`` say; at first use by default.
        licence: SPDX name that the package states.
        sandbox: ``auto``, ``docker``, ``bwrap`` or ``process``.
        sweep: try other sizes; otherwise the package is for the measured ones only.
        force: write over an older package.
        runs: the folder of all runs.
        on_note: is told of progress, a line at a time.

    Returns:
        Each winner as it was judged again; those with a `refusal` are not in the package.

    Raises:
        UsageError: there is no such run or task, nothing could be exported, or `out` cannot be used.
    """
    from kernelopt._gather import gather
    from kernelopt.export import deliver
    from kernelopt.export.naming import package_name
    from kernelopt.sandboxes._choose import choose_sandbox

    processor = deliver.checked_march(march)
    gathered = gather(what, tasks, suite, options or SuiteOptions(), language, runs)
    chosen = package_name(name) if name else deliver.default_name(gathered.name)
    place = choose_sandbox(sandbox).name
    found = deliver.examined(gathered.winners, place, march=processor, archs=archs, sweep=sweep, say=on_note)
    deliver.shipped(found, chosen, Path(out), march=processor, archs=archs, licence=licence, force=force)
    return found


def _select(suite: str | Path, options: SuiteOptions, *, narrow: bool = False) -> Selection:
    from kernelopt.suites._fit import select

    return select(str(suite), options, narrow=narrow)


def _budget(preset: str, evals: int | None, usd: float | None, seconds: float | None, tasks: int) -> Any:
    from kernelopt.search.budget import Budget

    asked = Budget(evaluations=evals, usd=usd, seconds=seconds)
    return asked if asked.limited else Budget.preset(preset, tasks)
