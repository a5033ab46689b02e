"""How long `pip wheel` takes for one kernel on each interface that exported C++ is built on.

    python -m benchmarks.export.wheel_times [--repeats 3] [--output FILE]

The same loop as plain C functions, as a `load_inline` answer on PyTorch's stable interface, and as one on
``torch/extension.h``; medians of whole builds without build isolation, of which g++ is the part that differs.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from benchmarks.perf.build_times import EXTENSION, PLAIN_C
from kernelopt.export import STABLE, Examined, Winner, package
from kernelopt.kernel import Kernel
from kernelopt.languages import BuildRequest
from kernelopt.task import Task

TASK = """
import torch
from torch import nn
class Model(nn.Module):
    def forward(self, x):
        return x.amax(1) - x.amin(1)
def get_inputs():
    return [torch.randn(64, 1000)]
def get_init_inputs():
    return []
"""
MODEL = """
import torch
class ModelNew(torch.nn.Module):
    def forward(self, x):
        y = torch.empty(x.shape[0])
        CALL
        return y
"""
INLINE = f'from kernelopt.inline import cpp\nlib = cpp(r"""{PLAIN_C}""")\n' + MODEL.replace(
    "CALL", "lib.ranges(x, y, x.shape[0], x.shape[1])"
)
LOADED = (
    f'from torch.utils.cpp_extension import load_inline\nlib = load_inline("ranges", r"""{EXTENSION}""", '
    'functions=["ranges"])\n' + MODEL.replace("CALL", "y = lib.ranges(x)")
)
BOUND = (
    f"#include <torch/extension.h>\n{EXTENSION}\nPYBIND11_MODULE(TORCH_EXTENSION_NAME, m) {{\n"
    'm.def("ranges", torch::wrap_pybind_function(ranges), "ranges");\n}'
)
FLAGS = ["-O3", "-fopenmp"]
WAYS = {
    "plain C functions": (INLINE, BuildRequest("shared", "kernel", {"kernel.cpp": PLAIN_C}, FLAGS)),
    "stable interface": (LOADED, BuildRequest(STABLE, "ranges", {"main.cpp": BOUND}, FLAGS)),
    "torch/extension.h": (LOADED, BuildRequest("torch_extension", "ranges", {"main.cpp": BOUND}, FLAGS)),
}


def wheel(folder: Path) -> tuple[float, str, int]:
    """Seconds of a build, the wheel's name and its bytes."""
    out = folder / "wheels"
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-build-isolation", "--no-deps", "-w", str(out)]
    started = time.perf_counter()
    subprocess.run([*build, str(folder / "source")], check=True)
    seconds = time.perf_counter() - started
    (found,) = out.glob("*.whl")
    return seconds, found.name, found.stat().st_size


def measured(way: str, repeats: int) -> dict[str, object]:
    """The median over `repeats` builds of one package."""
    source, request = WAYS[way]
    task = Task("ranges", "ranges", TASK, "bench")
    made = package.build(
        [Examined(Winner(task, Kernel.from_source(source, "cpp")), None, (request,))],
        "ranges_of",
        "x86-64-v3",
    )
    runs = []
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            package.write(made, Path(folder) / "source")
            runs.append(wheel(Path(folder)))
    print(f"{way}: {statistics.median(run[0] for run in runs):.1f} s, {runs[0][1]}", flush=True)
    return {"seconds": [round(run[0], 2) for run in runs], "wheel": runs[0][1], "bytes": runs[0][2]}


def main() -> None:
    """Measure, print, and write the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    found = {
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": version("torch"),
        "ways": {way: measured(way, options.repeats) for way in WAYS},
    }
    if options.output:
        options.output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
