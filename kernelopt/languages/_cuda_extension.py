"""Builds of `torch.utils.cpp_extension` kernels with CUDA sources, for the present GPU only.

nvcc makes kernels and what launches them; all other code is g++'s, with precompiled headers (see
`_torch_extension`). Functions for the host that speak of PyTorch are taken out of a CUDA text first: its
headers cost nvcc a minute. Where that cannot be done, or does not build, nvcc gets the text as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from kernelopt.errors import MissingTool, UsageError
from kernelopt.gpu import _cudart, _options, _torch, nvcc, nvcc_host
from kernelopt.gpu._device_half import device_half
from kernelopt.gpu._host_half import host_half
from kernelopt.gpu.arch import parse
from kernelopt.inline import build_key
from kernelopt.languages import BuildReply, BuildRequest, Toolbox
from kernelopt.languages._cache import Outcome, build_once
from kernelopt.languages._flags import split
from kernelopt.languages._gxx import MISSING, find, hazard
from kernelopt.languages._torch_extension import Builder, More, misnamed, standard

WHOLE_SHARE = 3
"""Time limit of texts that nvcc compiles with PyTorch's headers, over that of others."""
MOST_CHARACTERS = 50_000
"""Of CUDA text that is taken apart: that is Python's work, in the judge, on text that nobody trusts."""

_FILE_NAME = re.compile(r"[A-Za-z_][\w-]{0,80}\.(cpp|cc|cxx|h|hpp|cu|cuh)")
_PRESENT = re.compile(r"--gpu-architecture=(sm_\d+[af]?)")
_OVER_HALVES = re.compile(r"\.cu:\d|undefined reference|multiple definition|cannot open|No such file")
_UNDEFINED = re.compile(r'identifier "(\w+)" is undefined')
"""In the log of a failure that the halves may be to blame for, and not the author."""
_IMPLIED = ("algorithm", "cmath", "cstdint", "cstdio", "limits", "string", "tuple", "utility", "vector")
"""Headers of the C++ library that PyTorch's bring along, and authors therefore forget."""


def build_cuda_extension(request: BuildRequest, cache: Path, timeout_s: float, tools: Toolbox) -> BuildReply:
    """Build a request of kind ``torch_extension`` with CUDA sources; see `Language.build`.

    A text that nvcc has to compile with PyTorch's headers may take `WHOLE_SHARE` times `timeout_s`.

    Raises:
        StoreError: `cache` cannot be written.
        MissingTool: the sandbox does not show a compiler.
    """
    try:
        wanted = _wanted(request)
        linking = wanted if isinstance(wanted, str) else _cudart.linking()
    except MissingTool as missing:  # not every answer needs it: data, so that a search goes on
        return BuildReply(ok=False, log=str(missing))
    compiler = find()
    if isinstance(wanted, str) or isinstance(linking, str) or compiler is None:
        return BuildReply(ok=False, log=linking if isinstance(linking, str) else MISSING)
    build = _Build(request, wanted, linking, cache, compiler, timeout_s, tools)
    return build_once(cache, build.key(), WHOLE_SHARE * timeout_s, build.build)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What nvcc is asked for."""

    arch: str
    options: tuple[str, ...]

    @property
    def standard(self) -> str:
        """Of C++."""
        named = [word.partition("=")[2] for word in self.options if word.lstrip("-").startswith("std=")]
        return f"-std={named[-1]}" if named else standard()


def _wanted(request: BuildRequest) -> _Wanted | str:
    """Architecture and options, or why the request is not even tried, in one sentence."""
    present, *given = split(request.device_cflags) or [""]
    named = _PRESENT.fullmatch(present)
    if named is None:
        return "no GPU was found to build for; `kernelopt build` compiles without one"
    options, arch = _options.targeted(_options.tidy(given), named[1])
    try:
        arch = parse(arch)[1]
    except UsageError as unknown:
        return f"refused: {unknown}"
    for name in request.sources:
        if not _FILE_NAME.fullmatch(name):
            return f"refused: {name[:80]!r} is no plain name of a C++ or CUDA file"
    objections = (_options.objection(text) for text in request.sources.values())
    problem = _options.refusal("extension", options) or next(filter(None, objections), None)
    return problem or misnamed(request) or hazard(_for_gxx(request)) or _Wanted(arch, tuple(options))


def _for_gxx(request: BuildRequest) -> BuildRequest:
    """The request without what is linked with in any case."""
    rest = [flag for flag in split(request.ldflags) if flag not in ("-lcudart", "-lc10_cuda", "-ltorch_cuda")]
    return replace(request, ldflags=rest)


def _left_out(text: str) -> set[str]:
    """Words of the lines that nvcc does not get to see."""
    lines = zip(text.splitlines(), (device_half(text) or "").splitlines(), strict=False)
    return {word for line, kept in lines if line != kept for word in re.findall(r"\w+", line)}


class _Build:
    """One extension that is not in the cache."""

    def __init__(
        self,
        request: BuildRequest,
        wanted: _Wanted,
        linking: _cudart.Linking,
        cache: Path,
        compiler: str,
        timeout_s: float,
        tools: Toolbox,
    ):
        self._request, self._wanted, self._tools = _for_gxx(request), wanted, tools
        self._cache, self._compiler, self._timeout_s = cache, compiler, timeout_s
        host = (wanted.standard, *_options.of_host(wanted.options), "-w")
        self._more = More(_torch.macros(), linking.includes, linking.flags, host)
        named = request.sources.items()
        self._units = {name: text for name, text in named if name.endswith(".cu")}
        self._beside = {name: text for name, text in named if name not in self._units}

    def key(self) -> str:
        """What tells this build from all others."""
        identity = f"nvcc {nvcc.version(nvcc.program())}"
        flags = [self._wanted.arch, *self._wanted.options, *self._more.link, identity]
        return build_key("cuda_extension", {}, flags, self._builder(self._request.sources, 0.0).key())

    def build(self) -> Outcome:
        """In halves, and where that fails for it, as a whole."""
        if halves := self._halves():
            device, host = halves
            outcome = self._attempt(device, host, self._timeout_s, torch=False)
            if outcome.artifact is not None or not outcome.final or not self._may_differ(outcome.log):
                return outcome
        return self._attempt(self._units, {}, WHOLE_SHARE * self._timeout_s, torch=True)

    def _halves(self) -> tuple[dict[str, str], dict[str, str]] | None:
        """What nvcc is to compile without PyTorch's headers, and what g++ is to compile with them."""
        headers = (text for name, text in self._beside.items() if name.endswith((".h", ".hpp", ".cuh")))
        if any("torch" in text for text in headers) or sum(map(len, self._units.values())) > MOST_CHARACTERS:
            return None
        device = {name: device_half(text) for name, text in self._units.items()}
        host = {f"{name}.cpp": host_half(text, name) for name, text in self._units.items()}
        if None in device.values() or None in host.values():
            return None
        implied = "".join(f"#include <{name}>\n" for name in _IMPLIED)
        return (
            {name: f'{implied}#line 1 "{name}"\n{text}' for name, text in device.items()},
            {name: text for name, text in host.items() if text},
        )

    def _may_differ(self, log: str) -> bool:
        """Whether the text as a whole could build, though it does not in halves."""
        unknown = set(_UNDEFINED.findall(log))
        left_out = (word for text in self._units.values() for word in _left_out(text))
        return bool(_OVER_HALVES.search(log)) or not unknown.isdisjoint(left_out)

    def _attempt(
        self, units: Mapping[str, str], host: Mapping[str, str], timeout_s: float, *, torch: bool
    ) -> Outcome:
        """One way to build it; the log is nvcc's and then g++'s."""
        options = [*self._named(), *self._wanted.options]
        done: dict[str, str] = {}
        log, seconds = "", 0.0
        sources = {**self._beside, **units}
        for name in units:
            left_s = timeout_s - seconds
            made = nvcc_host.translate(
                name, sources, self._wanted.arch, options, self._tools, left_s, torch=torch
            )
            log, seconds = log + made.log, seconds + made.seconds
            if not made.text:
                lacking = _torch.lacking(made.log) if torch else ""
                return Outcome(None, f"{log}{lacking}", self._shown(), seconds, made.final)
            done[f"{name}.ii"] = made.text
        built = self._builder({**self._beside, **host, **done}, timeout_s - seconds).build()
        command = f"{self._shown()}; {built.command}"
        return replace(built, log=log + built.log, seconds=seconds + built.seconds, command=command)

    def _named(self) -> list[str]:
        plain = [f"-DTORCH_EXTENSION_NAME={self._request.name}", "-DTORCH_API_INCLUDE_EXTENSION_H"]
        chosen = any(word.lstrip("-").startswith("std=") for word in self._wanted.options)
        return plain if chosen else [*plain, self._wanted.standard]

    def _shown(self) -> str:
        """The command line of nvcc for people."""
        always = ("-lineinfo", "-Xptxas=-v")
        return " ".join(["nvcc", f"-arch={self._wanted.arch}", *always, *self._wanted.options, *self._units])

    def _builder(self, sources: Mapping[str, str], timeout_s: float) -> Builder:
        request = replace(self._request, sources=sources)
        return Builder(request, self._cache, self._compiler, timeout_s, self._tools, self._more)
