"""Our kernels on this machine's GPU; without one, what the compilers say of them.

    python -m benchmarks.gpu.run [--size gpu aligned] [--tasks softmax ...] [--languages triton cuda cupy]
    python -m benchmarks.gpu.run --compile-only --arch sm_90 [--arch sm_80]

Needs torch (which brings filelock), triton, cupy, numpy and cuda-bindings, nothing else of kernelopt's
dependencies and no network. Where nvidia-ml-py is there as well, clocks and temperature are kept with each
row, and what was measured on a throttled card is measured again. --profile asks Nsight Compute, too.
For each task and language: status, speedup over eager, torch.compile and CUDA graphs with 95% intervals,
sol_fraction (1 is the roof: bytes over measured copy bandwidth, or FLOPs over the measured bfloat16 rate),
registers, and seconds of the whole evaluation.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.gpu.catalogue import BY_NAME, LANGUAGES, SIZES
from benchmarks.gpu.compiled import Compiled, compile_answer
from benchmarks.gpu.once import profiled
from benchmarks.gpu.workers import rows
from kernelopt.gpu.lease import lease
from kernelopt.gpu.nvml import Meter, unthrottled

PACKAGES = ("torch", "triton", "cupy-cuda13x", "cupy-cuda12x", "numpy", "cuda-bindings", "nvidia-cuda-nvrtc")


def versions() -> dict[str, str]:
    """Of what the figures depend on."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def head(**more: Any) -> dict[str, Any]:
    """Date and versions; nothing that tells whose machine it is."""
    return {"date": datetime.now(UTC).date().isoformat(), "versions": versions(), **more}


# --- With a GPU ----------------------------------------------------------------------------------------


def device() -> dict[str, Any]:
    """The GPU and its measured roofs; runs in a process of its own, so that this one holds no context."""
    import torch  # noqa: PLC0415 - compiling needs no torch in this process

    from kernelopt.devices import _cuda_ceilings  # noqa: PLC0415

    about = torch.cuda.get_device_properties(0)
    roofs = _cuda_ceilings.measure()
    return {
        "gpu": about.name,
        "uuid": str(getattr(about, "uuid", "")),
        "capability": f"{about.major}.{about.minor}",
        "multiprocessors": about.multi_processor_count,
        "memory_bytes": about.total_memory,
        "l2_bytes": about.L2_cache_size,
        "cuda": torch.version.cuda,
        "copy_bytes_per_s": roofs.bytes_per_s,
        "flops_per_s": dict(roofs.flops_per_s),
    }


def measured(task: str, languages: Sequence[str], settings: Any) -> Any:
    """What `workers` runs for the device itself."""
    yield {"language": languages[0], "device": device()}


def evaluated(task: str, languages: Sequence[str], settings: Mapping[str, Any]) -> Any:
    """What `workers` runs for a task."""
    from benchmarks.gpu.evaluate import Settings, evaluate  # noqa: PLC0415 - only where a GPU is

    yield from evaluate(task, languages, Settings(**settings))


def card(about: Mapping[str, Any]) -> str:
    """What stands for this GPU among those who share a machine: its UUID, or its model."""
    return str(about.get("uuid") or about["gpu"])


def watched(meter: Meter | None, measure: Callable[[], list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Rows of one task, with what the card was doing; measured again where it was throttled."""
    if meter is None:
        return measure()
    found, before, after, redone = unthrottled(measure, meter.read)
    state = {"before": before.to_json(), "after": after.to_json(), "redone": redone}
    return [{**row, "card": state, "throttled": before.throttled or after.throttled} for row in found]


def on_gpu(options: argparse.Namespace) -> dict[str, Any]:
    """Evaluate everything that was asked for, alone on the GPU; print as it comes."""
    first = next(rows(measured, "device", ("device",), None, 120.0))
    if "device" not in first:
        raise SystemExit(f"no GPU to measure on ({first['reason']}); --compile-only needs none")
    with lease(card(first["device"]), timeout_s=options.wait), contextlib.ExitStack() as stack:
        return _on_leased(options, first["device"], _meter(stack))


def _meter(stack: contextlib.ExitStack) -> Meter | None:
    try:
        return stack.enter_context(Meter())
    except (ImportError, RuntimeError) as error:
        print(f"clocks and temperature are not watched: {error}")
        return None


def _profile(options: argparse.Namespace, row: Mapping[str, Any], size: str) -> dict[str, str]:
    if not options.profile or row["status"] != "PASSED":
        return {}
    return {"profile": profiled(row["task"], row["language"], size)}


def _on_leased(options: argparse.Namespace, about: Mapping[str, Any], meter: Meter | None) -> dict[str, Any]:
    rate, products = about["copy_bytes_per_s"], about["flops_per_s"]
    print(f"{about['gpu']}: copy {rate / 1e12:.2f} TB/s, bfloat16 {products['bfloat16'] / 1e12:.0f} TFLOP/s")
    found, shown = [], {name: value for name, value in about.items() if name != "uuid"}
    for size in options.size:
        settings = {"size": size, "bytes_per_s": rate, "flops_per_s": products, "budget_s": options.budget}
        print(TITLES)
        for task in options.tasks:
            every = partial(rows, evaluated, task, options.languages, settings, options.timeout)
            for row in watched(meter, lambda every=every: list(every())):
                found.append({"size": size, **row, **_profile(options, row, size)})
                print(line(found[-1]), flush=True)
            save(options.json, head(machine=shown, results=found))
    return head(machine=shown, results=found)


TITLES = (
    f"{'task':20}{'language':9}{'status':9}{'ms':>8}  {'eager':20}{'torch.compile':20}{'cuda graphs':20}"
    f"{'sol':>6}{'regs':>6}{'s':>7}"
)


def line(row: Mapping[str, Any]) -> str:
    """A row of the table, remarks below it."""
    start = f"{row['task']:20}{row['language']:9}{row['status']:9}"
    if row["status"] != "PASSED":
        return f"{start}{row['reason']}"
    speedups = "".join(f"{_interval(row.get(name)):20}" for name in ("eager", "torch.compile", "cuda graphs"))
    registers = row["registers"] if row["registers"] is not None else "?"
    end = f"{row['sol_fraction']:6.2f}{registers:>6}{row['seconds']:7.1f}"
    remarks = [
        *row["remarks"],
        *row.get("profile", "").splitlines(),
        *(["the card was throttled all the same"] if row.get("throttled") else []),
    ]
    notes = "".join(f"\n{'':29}{remark}" for remark in remarks)
    return f"{start}{row['kernel_ms']:8.3f}  {speedups}{end}{notes}"


def _interval(one: Mapping[str, Any] | None) -> str:
    if one is None:
        return "-"
    low, high = one["ci95"]
    return f"{one['speedup']:.2f} [{low:.2f}, {high:.2f}]"


# --- Without one ---------------------------------------------------------------------------------------


def compile_only(options: argparse.Namespace) -> dict[str, Any]:
    """Compile everything for every architecture; print as it comes."""
    from kernelopt.languages._tools import HostTools  # noqa: PLC0415

    found = []
    print(
        f"{'task':20}{'language':9}{'arch':8}{'kernel':22}{'regs':>5}{'spill':>6}{'stack':>6}{'shared':>7}"
        f"{'occ':>6}{'ld128':>9}{'tensor':>7}{'local':>6}"
    )
    for size in options.size:
        for task in options.tasks:
            for language in options.languages:
                made = compile_answer(BY_NAME[task], language, size, options.arch, HostTools())
                found += made
                print("\n".join(compiled_line(one) for one in made), flush=True)
                save(options.json, head(compiled=[report(one) for one in found]))
    return head(compiled=[report(one) for one in found])


def compiled_line(one: Compiled) -> str:
    """A row for each kernel of one answer, or why there is none."""
    start = f"{one.task:20}{one.language:9}{one.arch:8}"
    lines = [f"{start}FAILED: {problem}" for problem in one.problems]
    for kernel in one.kernels:
        spill, mix = kernel.spill_store_bytes + kernel.spill_load_bytes, kernel.mix
        figures = f"{kernel.registers:5}{spill:6}{kernel.stack_bytes:6}{kernel.shared_bytes:7}"
        room = f"{kernel.occupancy.fraction:6.0%}" if kernel.occupancy else f"{'?':>6}"
        loads = f"{mix.global_load_128}/{mix.global_load}" if mix else "?"
        rest = f"{loads:>9}{mix.tensor:7}{mix.local:6}" if mix else f"{loads:>9}"
        lines.append(f"{start}{kernel.name:22}{figures}{room}{rest}")
    return "\n".join(lines)


def report(one: Compiled) -> dict[str, Any]:
    """For JSON."""
    return asdict(one)


# --- Both ----------------------------------------------------------------------------------------------


def save(path: Path | None, result: Mapping[str, Any]) -> None:
    """Write what is known so far: a run may end at any time."""
    if path:
        path.write_text(json.dumps(result, indent=1) + "\n")


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--compile-only", action="store_true")
    parser.add_argument("--arch", action="append", help="of --compile-only; several times for several")
    parser.add_argument("--tasks", nargs="+", choices=sorted(BY_NAME), default=list(BY_NAME))
    parser.add_argument("--languages", nargs="+", choices=LANGUAGES, default=list(LANGUAGES))
    parser.add_argument("--size", nargs="+", choices=SIZES, default=["gpu"])
    parser.add_argument("--budget", type=float, default=1.0, help="seconds of a comparison (default 1)")
    parser.add_argument("--timeout", type=float, default=300.0, help="seconds of one kernel (default 300)")
    parser.add_argument("--profile", action="store_true", help="by Nsight Compute, after timing")
    parser.add_argument(
        "--wait", type=float, default=0.0, help="seconds to wait for others on the GPU (none)"
    )
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    options.arch = options.arch or ["sm_90"]
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """0 if every kernel compiled, or passed."""
    options = parsed(sys.argv[1:] if arguments is None else arguments)
    result = compile_only(options) if options.compile_only else on_gpu(options)
    save(options.json, result)
    bad = [one for one in result.get("compiled", []) if one["problems"]]
    bad += [row for row in result.get("results", []) if row["status"] != "PASSED"]
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
