"""A language that builds kernels as a package will."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from kernelopt.export import STABLE
from kernelopt.export.stable import converted
from kernelopt.kernel import Kernel
from kernelopt.languages import BuildReply, BuildRequest, Finding, Language, Ran, Toolbox
from kernelopt.task import Task

_OF_THE_HEADER = re.compile(r"what was built imports (?:aoti_)?torch_\w+,")


class Shipping:
    """A language whose builds get the package's flags, and which remembers them."""

    def __init__(self, language: Language, march: str) -> None:
        self._language, self._march = language, march
        self.name, self.device = language.name, language.device
        self.requests: list[BuildRequest] = []
        self.unstable = ""
        """Why some build is not on PyTorch's stable interface, in a sentence."""
        self._stable: list[BuildRequest] = []
        self._paths: set[str] = set()

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
        found = self._language.inspect_artifact(path, allow_libraries=allow_libraries)
        if str(path) not in self._paths:
            return found
        # What it imports of the stable interface comes from our own header: `stable` saw to that.
        return [one for one in found if not _OF_THE_HEADER.search(one.message)]

    def inspect_run(self, ran: Ran, *, allow_libraries: bool = False) -> list[Finding]:
        """As the language does."""
        return self._language.inspect_run(ran, allow_libraries=allow_libraries)

    def build(self, request: BuildRequest, cache: Path, timeout_s: float, tools: Toolbox) -> BuildReply:
        """With the package's ``-march`` behind all other flags."""
        if request not in self.requests:
            self.requests.append(request)
        if request.kind == "cubin":
            return self._language.build(request, cache, timeout_s, tools)
        flagged = dataclasses.replace(request, cflags=[*request.cflags, f"-march={self._march}"])
        if request.kind == "torch_extension":
            made = converted(flagged)
            reply = None if isinstance(made, str) else self._language.build(made, cache, timeout_s, tools)
            if reply and reply.ok:
                self._stable.append(request)
                self._paths.add(str(reply.path))
                return reply
            self.unstable = made if isinstance(made, str) else _first_error(reply.log if reply else "")
        return self._language.build(flagged, cache, timeout_s, tools)

    def shipped(self) -> tuple[BuildRequest, ...]:
        """What was asked for so far, in order; `STABLE` where PyTorch's stable interface is enough."""
        return tuple(
            dataclasses.replace(one, kind=STABLE) if one in self._stable else one for one in self.requests
        )

    def forget(self) -> None:
        """What was asked for: another kernel comes."""
        self.requests.clear()
        self.unstable = ""


def _first_error(log: str) -> str:
    found = re.search(r"error: (.{1,200})", log)
    return f"the stable interface lacks something: {found[1]}" if found else "it does not build there"
