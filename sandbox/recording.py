"""What a kernel module builds and launches, written down instead of done."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

MOST = 200
"""Builds, and different launches, that are kept."""


class Records:
    """Everything that was seen; `data()` is what is handed back."""

    def __init__(self, most_configs: int):
        self.launches: list[dict] = []
        """Launches of Triton functions, one for each specialisation and grid."""
        self.compilable: list[tuple[Any, dict, dict, list, Any]] = []
        """For each launch: function, signature, constants, attributes, options."""
        self.builds: list[dict] = []
        self.most_configs = most_configs
        self._seen: dict[Any, dict] = {}

    def build(self, kind: str, name: str, source: str, options: Any = ()) -> dict:
        """Note a source that is compiled; the record, to which launches are added."""
        entry = {
            "kind": kind,
            "name": str(name)[:80],
            "source": str(source),
            "options": [str(one) for one in options or ()],
            "launches": [],
        }
        if len(self.builds) < MOST:
            self.builds.append(entry)
        return entry

    def launch(self, build: dict, kernel: str, grid: Any, block: Any, shared: Any, args: Any) -> None:
        """Note a launch of a kernel that was built from CUDA text."""
        entry = {
            "kernel": str(kernel),
            "grid": three(grid),
            "block": three(block),
            "shared_bytes": int(shared or 0),
            "arguments": [kind(arg) for arg in args],
        }
        key = (id(build), str(entry))
        if key in self._seen:
            self._seen[key]["times"] += 1
        elif len(build["launches"]) < MOST:
            build["launches"].append(entry)
            self._seen[key] = entry
            entry["times"] = 1

    def triton(self, key: Any, entry: dict, parts: tuple) -> None:
        """Note a launch of a Triton function."""
        if key in self._seen:
            self._seen[key]["times"] += 1
        elif len(self.launches) < MOST:
            self._seen[key] = entry
            self.launches.append(entry)
            self.compilable.append(parts)


def three(size: Any) -> list[int]:
    """A grid or block as three numbers."""
    parts = [size] if not hasattr(size, "__len__") else list(size)
    return [int(part) for part in (*parts, 1, 1, 1)[:3]]


def kind(value: Any) -> str:
    """What an argument is: ``*float32`` for a tensor, else its Python or numpy type."""
    dtype = getattr(value, "dtype", None)
    if dtype is not None and hasattr(value, "shape") and not isinstance(value, (int, float)):
        name = str(dtype).removeprefix("torch.")
        return f"*{name}" if getattr(value, "ndim", 0) or hasattr(value, "data_ptr") else name
    return type(value).__name__


# kernelopt.inline.cuda and torch.utils.cpp_extension ------------------------------------------


class Library:
    """What `kernelopt.inline.cuda` returns: any attribute is a kernel."""

    def __init__(self, records: Records, build: dict):
        self._records, self._build = records, build

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        records, build = self._records, self._build

        class Kernel:
            def __getitem__(self, where: tuple) -> Callable[..., None]:
                grid, block, shared = (*where, 0)[:3]
                return lambda *args: records.launch(build, name, grid, block, shared, args)

        return Kernel()


def record_inline(records: Records) -> None:
    """Replace `kernelopt.inline.cuda`."""
    inline = import_inline()

    def cuda(source: str, *, options: Any = (), name: str = "kernel", **_: Any) -> Library:
        return Library(records, records.build("inline.cuda", name, source, options))

    inline.cuda = cuda
    if module := sys.modules.get("kernelopt.inline_cuda"):
        module.cuda = cuda


def import_inline() -> Any:
    """`kernelopt.inline`, also where the folder above it may not be listed, as a checkout's in a sandbox."""
    try:
        from kernelopt import inline
    except ImportError:
        package = Path(__file__).resolve().parent.parent / "kernelopt"
        places = [str(package)]
        spec = importlib.util.spec_from_file_location(
            "kernelopt", package / "__init__.py", submodule_search_locations=places
        )
        assert spec and spec.loader
        module = sys.modules["kernelopt"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        from kernelopt import inline
    return inline


class Extension:
    """What `load_inline` returns: any attribute is a function, which gives back something like its input."""

    def __init__(self, records: Records, build: dict):
        self._records, self._build = records, build

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)

        def call(*args: Any, **kwargs: Any) -> Any:
            import torch

            self._build.setdefault("calls", []).append(name)
            tensors = [arg for arg in (*args, *kwargs.values()) if isinstance(arg, torch.Tensor)]
            return torch.empty_like(tensors[0]) if tensors else None

        return call


def record_extensions(records: Records) -> None:
    """Replace `torch.utils.cpp_extension.load_inline` and `load`."""
    from torch.utils import cpp_extension

    def texts(value: Any) -> list[str]:
        return [value] if isinstance(value, str) else [str(part) for part in value or ()]

    def load_inline(name: str, cpp_sources: Any = (), cuda_sources: Any = (), **options: Any) -> Extension:
        source = "\n".join(texts(cuda_sources)) or "\n".join(texts(cpp_sources))
        kind = "load_inline.cuda" if texts(cuda_sources) else "load_inline.cpp"
        return Extension(records, records.build(kind, name, source, options.get("extra_cuda_cflags")))

    def load(name: str, sources: Any = (), **options: Any) -> Extension:
        found = "\n".join(Path(path).read_text() for path in texts(sources) if path.endswith(".cu"))
        return Extension(records, records.build("load.cuda", name, found, options.get("extra_cuda_cflags")))

    cpp_extension.load_inline, cpp_extension.load = load_inline, load
