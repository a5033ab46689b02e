"""Nsight Compute: a short list of counters, read from its CSV, and told in words.

Not run on a GPU yet. Names of metrics: Nsight Compute documentation, "Metrics Reference".
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kernelopt.evaluation import Profile

METRICS = {
    "sm__throughput.avg.pct_of_peak_sustained_elapsed": "sm_pct",
    "gpu__compute_memory_throughput.avg.pct_of_peak_sustained_elapsed": "memory_pct",
    "dram__throughput.avg.pct_of_peak_sustained_elapsed": "dram_pct",
    "sm__warps_active.avg.pct_of_peak_sustained_active": "occupancy_pct",
    "lts__t_sector_hit_rate.pct": "l2_hit_pct",
    "sm__inst_executed_pipe_tensor.avg.pct_of_peak_sustained_active": "tensor_pct",
    "l1tex__data_bank_conflicts_pipe_lsu.sum": "bank_conflicts",
    "l1tex__average_t_sectors_per_request_pipe_lsu_mem_global_op_ld.ratio": "sectors_per_load",
    "smsp__average_warps_issue_stalled_long_scoreboard_per_issue_active.ratio": "stall_memory",
    "smsp__average_warps_issue_stalled_barrier_per_issue_active.ratio": "stall_barrier",
    "smsp__average_warps_issue_stalled_math_pipe_throttle_per_issue_active.ratio": "stall_math",
    "gpu__time_duration.sum": "ns",
}
"""NVIDIA's name to ours: shares in percent of the peak, stalls in warps for each issued instruction."""
LOCKED = "ERR_NVGPUCTRPERM"
"""What ncu says where the driver keeps its counters for administrators."""
COALESCED_SECTORS = 4.0
"""Sectors of 32 bytes that a warp's load of 32 consecutive floats takes (CUDA C++ Best Practices Guide,
section on coalesced access); wider loads take more, so only twice as many are remarked on."""
NEAR = 60.0
"""Percent of the peak from which a unit is what bounds a kernel (Nsight Compute's own threshold)."""


def command(
    program: Sequence[str], ncu: str = "ncu", skip: int = 2, count: int = 8, *, marked: bool = False
) -> list[str]:
    """How `program` is profiled: CSV on stdout, `count` launches behind the first `skip`.

    `marked`: only those between its own calls of ``cudaProfilerStart`` and ``cudaProfilerStop``.
    """
    return [
        ncu,
        "--csv",
        *(("--profile-from-start", "off") if marked else ()),
        "--metrics",
        ",".join(METRICS),
        "--target-processes",
        "all",
        "--launch-skip",
        str(skip),
        "--launch-count",
        str(count),
        *program,
    ]


@dataclass(frozen=True, slots=True)
class Launch:
    """One launch and its counters, by our names."""

    kernel: str
    metrics: Mapping[str, float]


def parse(text: str) -> list[Launch]:
    """Launches in order, out of what ncu printed; lines of ncu or of the program around it are passed over.

    Counters that this card or version does not have are left out.
    """
    lines = text.splitlines()
    start = next((n for n, line in enumerate(lines) if line.startswith('"ID"')), None)
    if start is None:
        return []
    found: dict[str, tuple[str, dict[str, float]]] = {}
    for row in csv.DictReader(io.StringIO("\n".join(lines[start:]))):
        name, value = METRICS.get(row.get("Metric Name") or ""), _number(row.get("Metric Value"))
        if name is None or value is None:
            continue
        _, metrics = found.setdefault(row["ID"], (row.get("Kernel Name") or "?", {}))
        metrics[name] = value * _UNITS.get(row.get("Metric Unit") or "", 1.0) if name == "ns" else value
    return [Launch(kernel, metrics) for kernel, metrics in found.values()]


_UNITS = {"nsecond": 1.0, "ns": 1.0, "usecond": 1e3, "us": 1e3, "msecond": 1e6, "ms": 1e6}


def profile(launches: Sequence[Launch]) -> Profile | None:
    """The launch that takes longest: its counters, and in words what bounds it. None without launches."""
    if not launches:
        return None
    slowest = max(launches, key=lambda launch: launch.metrics.get("ns", 0.0))
    return Profile(
        "ncu", dict(slowest.metrics), "\n".join([f"{slowest.kernel}: {_bound(slowest)}", *_notes(slowest)])
    )


def _bound(launch: Launch) -> str:
    compute, memory = launch.metrics.get("sm_pct", 0.0), launch.metrics.get("memory_pct", 0.0)
    figures = f"{compute:.0f}% of peak arithmetic, {memory:.0f}% of peak memory throughput"
    if max(compute, memory) < NEAR:
        return f"bound by latency: {figures}; more loads in flight help (wider ones, more warps, unrolling)"
    if memory >= compute:
        return f"bound by memory: {figures}; only fewer bytes make it faster (fuse, narrower types, reuse)"
    return f"bound by arithmetic: {figures}; cheaper operations or tensor cores make it faster"


def _notes(launch: Launch) -> list[str]:
    at, said = launch.metrics, []
    if (sectors := at.get("sectors_per_load", 0.0)) > 2 * COALESCED_SECTORS:
        said.append(f"a load touches {sectors:.1f} sectors on average: threads of a warp read far apart")
    if (conflicts := at.get("bank_conflicts", 0.0)) > 0:
        said.append(f"{conflicts:.0f} bank conflicts in shared memory: pad rows or swizzle")
    if 0 < (occupancy := at.get("occupancy_pct", 0.0)) < 35:
        said.append(
            f"{occupancy:.0f}% of the warps that fit were active: fewer registers or shared memory a block"
        )
    if at.get("tensor_pct", 0.0) > 0:
        said.append(f"tensor cores busy {at['tensor_pct']:.0f}% of the time")
    stalls = {name: at[name] for name in ("stall_memory", "stall_barrier", "stall_math") if name in at}
    if stalls and max(stalls.values()) > 1:
        worst = max(stalls, key=lambda name: stalls[name])
        said.append(f"warps wait most for {_WAITS[worst]} ({stalls[worst]:.1f} for each issued instruction)")
    return said


_WAITS = {
    "stall_memory": "global or local memory",
    "stall_barrier": "__syncthreads",
    "stall_math": "a busy arithmetic pipe",
}


def _number(text: str | None) -> float | None:
    try:
        return float((text or "").replace(",", ""))
    except ValueError:
        return None
