"""`kernelopt bench FOLDER --suite npueval --json` on stdin → the figures worth keeping, in a file.

    kernelopt bench benchmarks/npueval/vector --suite npueval --json | \\
        python -m benchmarks.npu.keep benchmarks/results/npu_vector.json

Every figure of cycles is the model's and is labelled so; date, compiler and versions stand beside them.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from kernelopt.inline import machine_identity

COMMAND = "kernelopt bench benchmarks/npueval/vector --suite npueval --json"


def condensed(found: Mapping[str, Any]) -> dict[str, Any]:
    """Aggregates, and for each kernel its verdict and its estimate."""
    return {
        "label": found["npu"]["label"],
        "command": COMMAND,
        "date": datetime.now(UTC).date().isoformat(),
        "host": {
            "processor": platform.machine(),
            "compiler": machine_identity("g++").splitlines()[1].strip(),
            "python": platform.python_version(),
            "kernelopt": version("kernelopt"),
        },
        "suite": found["suite"],
        "aggregate": found["npu"],
        "kernels": {kernel["task"]: _row(kernel) for kernel in found["kernels"]},
    }


def _row(kernel: Mapping[str, Any]) -> dict[str, Any]:
    estimate = kernel["estimate"] or {}
    figures = ("cycles", "vector_cycles", "vector_score", "vector_score_legacy", "baseline_cycles")
    kept = {name: round(estimate[name], 4) for name in figures if estimate.get(name) is not None}
    return {"status": kernel["status"], **kept}


def main() -> None:
    """Read stdin, write the file that the first argument names."""
    target = Path(sys.argv[1])
    target.write_text(json.dumps(condensed(json.load(sys.stdin)), indent=1) + "\n", encoding="utf-8")
    print(f"wrote {target}")


if __name__ == "__main__":
    main()
