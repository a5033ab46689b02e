"""GPU code that was compiled when the package was built; NVRTC's where that does not fit the present GPU."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kernelopt import inline_cuda


def device_library(record: dict[str, Any], root: Path) -> Any:
    """The kernels of ``csrc/NAME.cu`` for the present GPU.

    Args:
        record: of ``builds.json``.
        root: the package's folder.

    Raises:
        BuildError: they were not compiled for this GPU, and NVRTC is missing or refuses the text.
        RuntimeError: there is no GPU.
    """
    import torch

    text = (root / "csrc" / record["sources"][0]).read_text(encoding="utf-8")
    path, built = root / "lib" / f"{record['name']}.fatbin", root / "lib" / "built.json"
    archs = json.loads(built.read_text(encoding="utf-8")).get("archs", []) if built.exists() else []
    if path.exists() and torch.cuda.is_available() and runs_on(torch.cuda.get_device_capability(), archs):
        return inline_cuda.Module(path.read_bytes(), inline_cuda.signatures(text))
    return inline_cuda.cuda(text, options=record["cflags"], name=record["name"])


def runs_on(capability: tuple[int, int], archs: Sequence[str]) -> bool:
    """Whether code for these architectures runs on a GPU of this compute capability.

    Machine code (``sm_80``) runs on its own generation from its own number on, with a feature letter on
    just that one; PTX (``compute_80``) on all from its number on (CUDA C++ Programming Guide, "Application
    Compatibility").
    """
    return any(_runs_on(capability, arch) for arch in archs)


def _runs_on(capability: tuple[int, int], arch: str) -> bool:
    found = re.fullmatch(r"(sm|compute)_(\d+)(\d)([af]?)", arch)
    if found is None:
        return False
    made = int(found[2]), int(found[3])
    if found[4] == "a":
        return made == capability
    same = (found[1] == "compute" and not found[4]) or made[0] == capability[0]
    return same and made <= capability
