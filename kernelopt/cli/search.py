"""`kernelopt search`: from a suite and a model to fast kernels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kernelopt.cli import _console, _evaluate
from kernelopt.cli._budget import budget_options, make_budget
from kernelopt.cli._options import (
    compile_options,
    devices_option,
    language_option,
    rules_options,
    sandbox_option,
    suite_option,
)
from kernelopt.cli._selection import selection_options
from kernelopt.devices.compiler import NOTE
from kernelopt.errors import ConfigError
from kernelopt.executors._open import executor_spec, first_gpu, places
from kernelopt.languages._require import require_language
from kernelopt.sandboxes._choose import choose_sandbox
from kernelopt.suites import SuiteOptions

if TYPE_CHECKING:
    from kernelopt.search.plan import Plan
    from kernelopt.search.watch import Watch
    from kernelopt.suites._fit import Selection

_AT_LEAST_ONE = click.IntRange(min=1)
_AS_GIVEN = (
    *("language", "lm", "sandbox", "rules", "executor", "mode"),
    *("refinements", "minibatch", "concurrency", "seed", "merge", "feedback"),
)
"""Flags that are fields of `search.plan.Plan`."""


@click.command()
@suite_option
@selection_options
@language_option
@compile_options
@click.option(
    "--lm",
    default="builtin",
    show_default=True,
    help="Task model: builtin, files:DIR, replay:FILE or a litellm model.",
)
@click.option("--reflection-lm", default=None, help="Reflection model; the task model by default.")
@click.option("--lm-base-url", metavar="URL", help="An OpenAI-compatible server.")
@click.option("--lm-temperature", type=click.FloatRange(0, 2), metavar="T", help="Sampling temperature.")
@click.option("--lm-seed", type=int, metavar="N", help="Sampling seed, where the provider has one.")
@click.option("--lm-max-tokens", type=_AT_LEAST_ONE, default=8192, show_default=True, help="Longest reply.")
@click.option(
    "--lm-timeout",
    type=click.FloatRange(min=0.1),
    default=300.0,
    show_default=True,
    help="Seconds for one reply.",
)
@click.option(
    "--concurrency", type=_AT_LEAST_ONE, default=4, show_default=True, help="Rollouts side by side."
)
@click.option(
    "--mode",
    type=click.Choice(["search", "generalize"]),
    default="search",
    show_default=True,
    help="Kernels for these tasks, or prompts for others (train/val/test).",
)
@click.option(
    "--budget",
    type=click.Choice(["light", "medium", "heavy"]),
    default="light",
    show_default=True,
    help="Sized from the number of tasks; the three flags below replace it.",
)
@budget_options
@click.option(
    "--refinements",
    type=click.IntRange(min=0),
    default=2,
    show_default=True,
    help="Refinements of a kernel within a rollout.",
)
@click.option(
    "--minibatch",
    type=_AT_LEAST_ONE,
    default=4,
    show_default=True,
    help="Tasks that a new prompt is tried on first.",
)
@click.option("--merge/--no-merge", default=True, show_default=True, help="Merge prompts of the frontier.")
@click.option(
    "--feedback",
    type=click.Choice(["score", "errors", "profile", "manuals"]),
    default="manuals",
    show_default=True,
    help="How much models are told, each with all before it; less than all is for ablations.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the search.")
@sandbox_option
@rules_options
@click.option(
    "--executor",
    default="local",
    show_default=True,
    metavar="NAME",
    help="Where evaluations run: local, or replay:RUN for those that another run made.",
)
@devices_option
@_console.runs_option
@click.option("--run-name", metavar="NAME", help="Name of the run; by date, suite and language by default.")
@click.option("--dry-run", is_flag=True, help="Print the plan and a cost estimate; call nothing.")
@_console.quiet_option
def command(
    suite: str,
    selection: SuiteOptions,
    runs: Path,
    run_name: str | None,
    dry_run: bool,
    quiet: bool,
    compile_for: str,
    devices: tuple[str, ...],
    **flags: Any,
) -> None:
    """Search for fast kernels and for the prompts that write them.

    \b
    kernelopt search --suite kernelbench                   # offline, with the builtin writer
    kernelopt search --suite ops/ --lm openai/gpt-5 --budget-usd 5
    kernelopt search --suite kernelbench --lm files:inbox  # you are the model
    kernelopt search --suite kernelbench --target cuda --compile-only
    """
    from kernelopt.suites._fit import select

    require_language(flags["language"], compile_for)
    chosen = select(suite, selection, narrow=True)
    executor = _executor(flags["executor"], compile_for, flags["language"], devices)
    sandbox = choose_sandbox(flags["sandbox"], first_gpu(executor))
    side_by_side = max(flags["concurrency"], places(executor))
    changed = {"sandbox": sandbox.name, "executor": executor, "concurrency": side_by_side}
    plan = _plan(chosen, {**flags, **changed})
    if dry_run:
        _console.print_page(_dry(plan, chosen))
        return
    noise = NOTE if compile_for else _evaluate.noise_note()
    notes = (*chosen.notes, sandbox.note, noise)
    run_and_show(lambda watch: _start(plan, runs, run_name, watch), quiet, notes)


def _executor(name: str, compile_for: str, language: str, devices: tuple[str, ...]) -> str:
    """Where evaluations run: with ``--compile-only`` in the executor `compile`."""
    if not compile_for:
        return executor_spec(language, devices, name)
    if name != "local" or devices:
        flag = "--devices" if devices else f"--executor {name}"
        raise ConfigError(f"{flag}: --compile-only compiles here; leave one of the two out")
    return f"compile:{compile_for}"


def _start(plan: Plan, runs: Path, name: str | None, watch: Watch) -> Any:
    from kernelopt.search.run import start

    return start(plan, runs, name, watch)


def run_and_show(begin: Any, quiet: bool, notes: tuple[str, ...] = ()) -> None:
    """Run a search with its live view, then print the table; Ctrl-C says how to go on.

    The notes are said when the search has begun: what is refused is refused in one line.
    """
    from kernelopt.cli._live import watching
    from kernelopt.report.fold import view
    from kernelopt.report.table import report_page
    from kernelopt.search.watch import Watch

    def begun() -> None:
        for note in notes:
            _evaluate.progress(note, quiet)

    watch = Watch(begun)
    try:
        with watching(watch, quiet):
            run = begin(watch)
    except KeyboardInterrupt:
        if watch.run_folder:
            click.echo(f"\nkernelopt: interrupted; go on with: kernelopt resume {watch.run_folder}", err=True)
        raise
    with run:
        _console.print_page(report_page(view(run)))


def _plan(chosen: Selection, flags: dict[str, Any]) -> Plan:
    from kernelopt import api
    from kernelopt.lms import LMOptions
    from kernelopt.search.budget import Budget

    budget = make_budget(flags["budget_evals"], flags["budget_usd"], flags["budget_seconds"])
    options = LMOptions(
        base_url=flags["lm_base_url"],
        temperature=flags["lm_temperature"],
        seed=flags["lm_seed"],
        max_tokens=flags["lm_max_tokens"],
        timeout_s=flags["lm_timeout"],
        max_concurrency=flags["concurrency"],
    )
    same = {name: flags[name] for name in _AS_GIVEN}
    return api.make_plan(
        chosen,
        budget=budget if budget.limited else Budget.preset(flags["budget"], len(chosen.tasks)),
        reflection_lm=flags["reflection_lm"] or flags["lm"],
        lm_options=options,
        **same,
    )


def _dry(plan: Plan, chosen: Selection) -> list[Any]:
    """The plan and what it may cost, without asking anyone."""
    from kernelopt.report.page import Grid
    from kernelopt.search.estimate import estimate

    plan.splits()
    guess = estimate(plan)
    rows = [
        ("tasks", str(plan.provenance)),
        ("skipped", str(len(plan.skipped)) if plan.skipped else "none"),
        ("language", plan.language),
        ("models", f"{plan.lm}; reflection: {plan.reflection_lm}"),
        ("mode", plan.mode),
        ("sandbox", plan.sandbox),
        ("executor", plan.executor),
        ("rules", plan.rules.text() or "the usual"),
        ("budget", ", ".join(f"{k} {v:g}" for k, v in plan.budget.to_json().items())),
        ("model calls", f"up to {guess.calls}"),
        ("tokens (estimate)", f"up to {guess.tokens_in} in, {guess.tokens_out} out"),
        ("cost (estimate)", guess.cost),
    ]
    return [Grid(("plan", ""), [list(row) for row in rows]), *chosen.notes]
