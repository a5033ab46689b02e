"""A language that builds kernels as a package will."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from kernelopt.kernel import Kernel
from kernelopt.languages import BuildReply, BuildRequest, Finding, Language, Toolbox
from kernelopt.task import Task


class Shipping:
    """A language whose builds get the package's flags, and which remembers them."""

    def __init__(self, language: Language, march: str) -> None:
        self._language, self._march = language, march
        self.name, self.device = language.name, language.device
        self.requests: list[BuildRequest] = []

    def missing(self) -> str | None:
        """As the language says."""
        return self._language.missing()

    def guide(self, task: Task) -> str:
        """As the language says."""
        return self._language.guide(task)

    def inspect(self, kernel: Kernel, *, allow_libraries: bool = False) -> list[Finding]:
        """As the language does."""
        return self._language.inspect(kernel, allow_libraries=allow_libraries)

    def inspect_artifact(self, path: Path, *, allow_libraries: bool = False) -> list[Finding]:
        """As the language does."""
        return self._language.inspect_artifact(path, allow_libraries=allow_libraries)

    def build(self, request: BuildRequest, cache: Path, timeout_s: float, tools: Toolbox) -> BuildReply:
        """With the package's ``-march`` behind all other flags."""
        if request not in self.requests:
            self.requests.append(request)
        if request.kind == "cubin":
            return self._language.build(request, cache, timeout_s, tools)
        flags = dataclasses.replace(request, cflags=[*request.cflags, f"-march={self._march}"])
        return self._language.build(flags, cache, timeout_s, tools)
