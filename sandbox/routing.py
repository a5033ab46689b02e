"""Sends the native builds of a kernel to the judge: the worker's side of `kernelopt.languages`.

`install(ask)` makes `torch.utils.cpp_extension.load_inline` and `load`, and `kernelopt.inline.cpp`,
ask for a build instead of running a compiler. ``ask(request)`` gets the fields of a `BuildRequest` as
a dict and returns those of a `BuildReply`. A build that fails raises `BuildFailed`, a RuntimeError
with the compiler's log, as PyTorch's own functions do.
"""

from __future__ import annotations

import functools
import importlib.machinery
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

Ask = Callable[[dict[str, Any]], dict[str, Any]]
CUDA_HEADERS = ("#include <torch/types.h>", "#include <cuda.h>", "#include <cuda_runtime.h>")
"""What PyTorch puts at the head of CUDA sources."""


class BuildFailed(RuntimeError):
    """A native build that did not succeed; the message holds the compiler's log."""

    is_build_error = True


def prepare() -> None:
    """Import what `install` needs."""
    import kernelopt.inline  # noqa: F401


def install(ask: Ask) -> None:
    """Route every later native build of this process through `ask`."""
    from torch.utils import cpp_extension

    from kernelopt import inline

    inline.set_builder(ask)
    for name, translate in (("load_inline", inline_request), ("load", files_request)):
        original = getattr(cpp_extension, name)
        original = getattr(original, "__wrapped__", original)
        setattr(cpp_extension, name, _routed(original, translate, ask))


def _routed(original: Callable[..., Any], translate: Callable[[dict], dict], ask: Ask) -> Callable[..., Any]:
    signature = inspect.signature(original)

    @functools.wraps(original)
    def load(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        request = translate(bound.arguments)
        reply = ask(request)
        if not reply.get("ok"):
            raise BuildFailed(f"Error building extension '{request['name']}': {reply.get('log', '')}")
        return import_built(request["name"], reply["path"], bound.arguments)

    return load


def inline_request(options: dict[str, Any]) -> dict[str, Any]:
    """What `load_inline` asks for: one ``main.cpp`` with header, sources and bindings; and ``cuda.cu``."""
    parts = _texts(options["cpp_sources"])
    if not options.get("no_implicit_headers"):
        parts.insert(0, "#include <torch/extension.h>")
    if options.get("functions") is not None:
        parts += bindings(options["functions"], options.get("with_pytorch_error_handling", True))
    sources = {"main.cpp": "\n".join(parts)}
    if cuda := _texts(options.get("cuda_sources")):
        implicit = [] if options.get("no_implicit_headers") else CUDA_HEADERS
        sources["cuda.cu"] = "\n".join([*implicit, *cuda])
    return _request(options, sources)


def files_request(options: dict[str, Any]) -> dict[str, Any]:
    """What `load` asks for: the texts of its source files and of the headers beside them."""
    paths = [Path(path) for path in _texts(options["sources"])]
    if len({path.name for path in paths}) < len(paths):
        raise ValueError("load: two source files have the same name")
    folders = {path.parent for path in paths}
    endings = ["*.h", "*.hpp", *(["*.cuh"] if any(path.suffix == ".cu" for path in paths) else [])]
    paths += [path for folder in folders for ending in endings for path in folder.glob(ending)]
    return _request(options, {path.name: path.read_text() for path in paths})


def bindings(functions: str | Iterable[str] | dict[str, str], guarded: bool) -> list[str]:
    """C++ lines that make `functions` callable from Python; `guarded` turns C++ errors into torch's."""
    if isinstance(functions, str):
        functions = [functions]
    documented = functions if isinstance(functions, dict) else {name: name for name in functions}
    lines = ["PYBIND11_MODULE(TORCH_EXTENSION_NAME, m) {"]
    for name, text in documented.items():
        target = f"torch::wrap_pybind_function({name})" if guarded else name
        quoted = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        lines.append(f'm.def("{name}", {target}, "{quoted}");')
    return [*lines, "}"]


def import_built(name: str, path: str, options: dict[str, Any]) -> ModuleType | str:
    """Load a built extension the way that the caller of `load_inline` or `load` expects."""
    if not options.get("is_python_module", True):
        import ctypes

        ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL)  # as torch.ops.load_library does, but by this very path
        return path
    loader = importlib.machinery.ExtensionFileLoader(name, path)
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def _request(options: dict[str, Any], sources: dict[str, str]) -> dict[str, Any]:
    if options.get("is_standalone"):
        raise BuildFailed("a standalone executable is no kernel; build a Python module")
    if foreign := [path for path in _texts(options.get("extra_include_paths")) if not _is_known(path)]:
        raise BuildFailed(f"extra_include_paths is not supported: {foreign[0]}; put the code into the source")
    request = {
        "kind": "torch_extension",
        "name": options["name"],
        "sources": sources,
        "cflags": _texts(options.get("extra_cflags")),
        "ldflags": _texts(options.get("extra_ldflags")),
    }
    if any(name.endswith(".cu") for name in sources):
        request["device_cflags"] = [*_architecture(), *_texts(options.get("extra_cuda_cflags"))]
    return request


def _architecture() -> list[str]:
    """The one that the present GPU has; nothing where there is none, which the judge has words for."""
    import torch

    if not torch.cuda.is_available():
        return []
    return ["--gpu-architecture=sm_{}{}".format(*torch.cuda.get_device_capability())]


def _is_known(path: str) -> bool:
    """Whether a folder of headers is on the search path anyway."""
    import torch
    from torch.utils.cpp_extension import CUDA_HOME

    places = (str(Path(torch.__file__).parent), sys.base_prefix, "/usr", *filter(None, [CUDA_HOME]))
    return "/torch/" in path or path.startswith(places)


def _texts(value: str | Iterable[str] | None) -> list[str]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else [str(part) for part in value]
