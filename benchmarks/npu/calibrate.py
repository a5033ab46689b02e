"""Modelled against published cycles: ``python -m benchmarks.npu.calibrate [--no-write]``.

Prints a table, writes ``benchmarks/results/npu_calibration.json``. Fitted constants are fitted again for each
row without that row (leave one out), so that the last column is an error that no constant has seen.
"""

from __future__ import annotations

import argparse
import copy
import json
import platform
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.npu.rows import ROWS, Row
from kernelopt.inline import machine_identity
from kernelopt.languages._tools import HostTools
from kernelopt.npu import LABEL, Cycles, Vectors, functional, numpy_dtype
from kernelopt.npu.cycles import machine as machines
from kernelopt.npu.cycles import profile
from kernelopt.npu.cycles.estimate import price

RESULTS = Path(__file__).resolve().parents[1] / "results" / "npu_calibration.json"
GOAL_MEDIAN, GOAL_WORST = 15.0, 40.0
"""Percent."""
FITTED = {
    "drain": ("abs_int8/scalar", "add_offset_int8/scalar"),
    "entry": ("abs_int8/scalar", "add_offset_int8/scalar"),
}
"""Constant of the compiler ``peano`` to the rows that it was fitted on. All others are published latencies,
the compiler's own limits, or assumptions that no row decides (the machine files say which)."""
CHOICES: Mapping[str, Sequence[int]] = {
    "drain": (0, 1, 2, 3, 4, 5),
    "entry": (0, 2, 4, 6, 8, 10, 12),
}
"""What a fit may choose from; the first that is best is taken, 0 where no row decides."""


@dataclass(frozen=True, slots=True)
class Counted:
    """One row's kernel, built and run once."""

    row: Row
    profile: profile.Profile


def vectors(row: Row) -> Vectors:
    """One call with values from a seed."""
    rng = np.random.default_rng(0)
    inputs = {
        buffer.name: rng.normal(0, 30, buffer.shape).astype(numpy_dtype(buffer.dtype))
        for buffer in row.spec.inputs
    }
    return Vectors("seed/0", inputs, {param.name: param.value for param in row.spec.params})


def count(row: Row) -> Counted:
    """Build and run it; a kernel of ours that fails is our fault."""
    arch = functional.ARCHITECTURES["aie2"]
    run, counted = profile.profiled(row.text(), row.spec, [vectors(row)], arch, HostTools(), 60.0)
    if run.failure is not None or counted is None:
        sys.exit(f"{row.name}: {run.failure}\n{run.log}")
    return Counted(row, counted)


def modelled(counted: Counted, machine: machines.Machine) -> Cycles:
    """Its cycles on a machine; the blocks are copied, since the account works on them."""
    functions = copy.deepcopy(counted.profile.functions)
    return price(counted.row.text(), functions, counted.profile.calls, machine, counted.row.compiler)


def seen(row: Row, cycles: Cycles) -> tuple[float, float]:
    """Total and vector cycles as the published figure counts them."""
    if row.decoder == "pinned":
        return cycles.total_legacy, cycles.vector_legacy
    return cycles.total, cycles.vector


def error(counted: Counted, machine: machines.Machine) -> float:
    """Percent that the modelled total is off; signed."""
    total, _ = seen(counted.row, modelled(counted, machine))
    return 100 * (total - counted.row.total) / counted.row.total


def with_constants(machine: machines.Machine, constants: Mapping[str, int]) -> machines.Machine:
    """The machine with other constants of its compiler ``peano``."""
    data = copy.deepcopy(dict(machine.data))
    peano = data["compilers"]["peano"]
    peano.update(constants)
    return replace(machine, data=data)


def fit(rows: Sequence[Counted], machine: machines.Machine) -> dict[str, int]:
    """Each constant in turn on its own rows, as far as those are in `rows`."""
    found = {name: values[0] for name, values in CHOICES.items()}
    for _ in range(2):
        for name, values in CHOICES.items():
            mine = [counted for counted in rows if counted.row.name in FITTED[name]]
            if mine:
                found[name] = min(
                    values, key=lambda value, n=name, m=mine: _loss(m, machine, {**found, n: value})
                )
    return found


def _loss(rows: Sequence[Counted], machine: machines.Machine, constants: Mapping[str, int]) -> float:
    changed = with_constants(machine, constants)
    return sum(abs(error(counted, changed)) for counted in rows)


def left_out(every: Sequence[Counted], machine: machines.Machine) -> dict[str, float]:
    """Row to its error with constants that were fitted without it."""
    errors = {}
    fitted = {name for names in FITTED.values() for name in names}
    for counted in every:
        if counted.row.name in fitted:
            constants = fit([other for other in every if other is not counted], machine)
            errors[counted.row.name] = error(counted, with_constants(machine, constants))
        else:
            errors[counted.row.name] = error(counted, machine)
    return errors


def report(every: Sequence[Counted], machine: machines.Machine) -> dict[str, Any]:
    """All figures, as they are written."""
    without = left_out(every, machine)
    rows = []
    for counted in every:
        row, cycles = counted.row, modelled(counted, machine)
        total, vector = seen(row, cycles)
        rows.append(
            {
                "row": row.name,
                "compiler": row.compiler,
                "decoder": row.decoder,
                "published": {"total": row.total, "vector": row.vector, "source": row.source},
                LABEL: {
                    "total": total,
                    "vector": vector,
                    "exact_total": cycles.total,
                    "exact_vector": cycles.vector,
                },
                "error_percent": round(100 * (total - row.total) / row.total, 1),
                "left_out_error_percent": round(without[row.name], 1),
                "fitted_on_it": [name for name, names in FITTED.items() if row.name in names],
            }
        )
    errors = [abs(row["error_percent"]) for row in rows]
    outside = [abs(row["left_out_error_percent"]) for row in rows]
    return {
        "label": LABEL,
        "machine": machine.name,
        "date": datetime.now(UTC).date().isoformat(),
        "host": {"processor": platform.machine(), "compiler": machine_identity("g++").splitlines()[0]},
        "rows": rows,
        "median_error_percent": round(statistics.median(errors), 1),
        "worst_error_percent": max(errors),
        "left_out_median_error_percent": round(statistics.median(outside), 1),
        "left_out_worst_error_percent": max(outside),
        "goal": {"median": GOAL_MEDIAN, "worst": GOAL_WORST},
        "fitted": {
            name: {"value": machine.compiler("peano")[name], "rows": list(names)}
            for name, names in FITTED.items()
        },
    }  # fmt: skip


def show(found: Mapping[str, Any]) -> str:
    """The table that is printed."""
    head = f"{'kernel':26} {'compiler':8} {'published':>12} {LABEL:>24} {'error':>7} {'left out':>9}"
    lines = [head, "-" * len(head)]
    for row in found["rows"]:
        published, model = row["published"], row[LABEL]
        vector = "" if published["vector"] is None else f"/{published['vector']:g}"
        lines.append(
            f"{row['row']:26} {row['compiler']:8} {published['total']:>9g}{vector:<4}"
            f"{model['total']:>15g}/{model['vector']:<8g} "
            f"{row['error_percent']:>+6.1f}% {row['left_out_error_percent']:>+8.1f}%"
        )
    middle, outside = found["median_error_percent"], found["left_out_median_error_percent"]
    worst, worst_outside = found["worst_error_percent"], found["left_out_worst_error_percent"]
    lines.append(f"median error {middle}% (left out {outside}%), worst {worst}% (left out {worst_outside}%)")
    for name, fitted in found["fitted"].items():
        lines.append(f"fitted: {name} = {fitted['value']} on {', '.join(fitted['rows'])}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print, and write unless told not to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--machine", default="aie2")
    parser.add_argument("--no-write", action="store_true")
    chosen = parser.parse_args(arguments)
    found = report([count(row) for row in ROWS], machines.load(chosen.machine))
    print(show(found))
    if not chosen.no_write:
        RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return (
        0
        if found["median_error_percent"] <= GOAL_MEDIAN and found["worst_error_percent"] <= GOAL_WORST
        else 1
    )


if __name__ == "__main__":
    sys.exit(main())
