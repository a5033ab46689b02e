"""`render`: a run → one HTML file that needs nothing else, and lets nothing in."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from kernelopt import __version__
from kernelopt.report.fold import view as fold
from kernelopt.report.history import History, history
from kernelopt.report.html.bars import bars
from kernelopt.report.html.costs import costs, seconds_text
from kernelopt.report.html.curves import fast_p_plots, progress_plots
from kernelopt.report.html.funnel import levels, over_time
from kernelopt.report.html.heatmap import heat
from kernelopt.report.html.kind import GOOD, Kind, kind
from kernelopt.report.html.lineage import lineage
from kernelopt.report.html.npu import HARDWARE, tiles, vectorization
from kernelopt.report.html.plot import Plot
from kernelopt.report.html.roofline import roofline_plot
from kernelopt.report.html.scale import number
from kernelopt.report.html.trove import Explain, prompts_pack, task_pack
from kernelopt.report.page import clean
from kernelopt.report.table import conditions, footnotes
from kernelopt.report.view import RunView, seed_scores, winner_scores
from kernelopt.store.run import Run

TEMPLATES = Path(__file__).parents[1] / "templates"
_SCRIPTS = ("dom", "code", "diff", "charts", "task", "prompt", "main")


def render(run: Run, explain: Explain | None = None) -> str:
    """The report of `run` as it stands now, ready to be written as UTF-8.

    Args:
        run: open for reading; may be under way.
        explain: tells the ASI of an evaluation; without it, the report shows none.

    Everything that a model or a kernel wrote is escaped. The page's Content-Security-Policy allows
    its one script and its one style sheet, by hash, and no request of any kind.
    """
    view, past = fold(run), history(run)
    style, script = _style(), _script()
    what = kind(view)
    speed, cost = _plots(view, past, what)
    npu = tiles(view)
    page = (
        _environment()
        .get_template("report.html.j2")
        .render(
            view=view,
            past=past,
            style=style,
            script=script,
            policy=policy(style, script),
            version=__version__,
            conditions=conditions(view),
            footnotes=footnotes(view),
            stamps=_stamps(view, what, any(tile.label != HARDWARE for tile in npu)),
            timed=what.timed,
            solved=what.solved,
            good=GOOD,
            headline=_headline(view),
            speed_plots=speed,
            cost_plots=cost,
            bars=bars(view),
            npu=npu,
            heat=heat(view),
            lineage=lineage(view),
            levels=levels(past, what.stages),
            funnel=over_time(past, what.stages),
            costs=costs(view, past),
            prompts=prompts_pack(view),
            packs={task.slug: task_pack(task, run.artifacts, explain) for task in view.tasks},
        )
    )
    # Lone surrogates, which language models do send, cannot be written as UTF-8.
    return page.encode("utf-8", "replace").decode()


def policy(style: str, script: str) -> str:
    """Content-Security-Policy that lets in this style sheet and this script, and nothing else."""
    return (
        f"default-src 'none'; script-src '{_digest(script)}'; style-src '{_digest(style)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: clean(value) if type(value) is str else value,
    )
    environment.filters["number"] = number
    environment.filters["seconds"] = seconds_text
    return environment


def _style() -> str:
    return (TEMPLATES / "style.css").read_text(encoding="utf-8")


def _script() -> str:
    parts = [(TEMPLATES / "js" / f"{name}.js").read_text(encoding="utf-8") for name in _SCRIPTS]
    return '"use strict";\n' + "\n".join(parts)


def _plots(view: RunView, past: History, what: Kind) -> tuple[list[Plot], list[Plot]]:
    """Charts in pairs; the one that is left over, progress over time, stands beside the costs."""
    roof = roofline_plot(view)
    plots = [*fast_p_plots(view), *([roof] if roof else []), *progress_plots(view, past, what)]
    return (plots[:-1], plots[-1:]) if len(plots) % 2 else (plots, [])


def _headline(view: RunView) -> dict[str, Any]:
    """The figures on top: of the test tasks where there are some, else of all."""
    groups = view.groups
    group = "test" if "test" in groups else next(iter(groups))
    tasks = groups[group]
    # Correct kernels count even where nothing could be timed, which the scores' own figure leaves out.
    correct = sum(task.status in GOOD for task in tasks)
    return {
        "group": group,
        "best": winner_scores(tasks),
        "seed": seed_scores(tasks),
        "correct": correct,
        "vectorization": vectorization(tasks),
    }


def _stamps(view: RunView, what: Kind, estimated: bool) -> list[str]:
    """What the results must not be taken for, each a short line."""
    found = []
    if not what.timed and not estimated:
        notes = what.notes or ("nothing was timed yet",)
        found += [f"not measured: {note}" for note in notes]
    if estimated:
        found.append("NPU figures are estimated (host model), not measured on hardware")
    if view.state != "finished":
        found.append(f"this run is {view.state}" + (f": {view.reason}" if view.reason else ""))
    return found + [f"damaged: {line}" for line in view.damaged]
