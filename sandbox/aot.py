"""Compiles what was launched of Triton's functions, ahead of time, each in a process of its own.

A compiler may abort; so each specialisation is compiled in a fork of the process that executed the module.
It leaves ``aot-<launch>-<target>.bin`` (cubin or hsaco), ``.json`` (what Triton says of it, or the error)
and ``.log`` (what was printed, ptxas's figures among it).
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

FACTS = ("name", "shared", "num_warps", "num_stages", "num_ctas", "maxnreg", "tmem_size", "triton_version")
"""Parts of Triton's metadata that are handed back, where it has them."""
AMD = re.compile(r"\.(vgpr_count|vgpr_spill_count|private_segment_fixed_size):\s+(\d+)")
"""The same for AMD's assembler, which writes it at the end of its text."""
GIVEN = ("num_warps", "num_stages", "num_ctas", "maxnreg", "enable_fp_fusion")
"""Options of a launch that mean the same on another target."""


def compile_all(compilable: list[tuple], targets: list[str], own: str, deadline: float) -> list[dict]:
    """One entry for each launch and target: how it ended. `own` is the target that launches were seen on."""
    done: dict[Any, dict] = {}
    found = []
    for index, parts in enumerate(compilable):
        function, signature, constants, attrs, options = parts
        for target in targets:
            key = (id(function), str(signature), str(constants), str(attrs), str(options), target)
            if key not in done:
                name = f"aot-{index}-{target}"
                ended = in_child(name, parts, target, target == own, deadline)
                done[key] = {"file": name, **ended}
            found.append({"launch": index, "target": target, **done[key]})
    return found


def in_child(name: str, parts: tuple, target: str, own: bool, deadline: float) -> dict:
    """Compile in a fork; how that ended."""
    began = time.monotonic()
    if began >= deadline:
        return {"code": None, "seconds": 0.0}
    pid = os.fork()
    if pid == 0:
        try:
            compile_one(name, parts, target, own)
        finally:
            os._exit(0)
    code = waited(pid, deadline)
    return {"code": code, "seconds": time.monotonic() - began}


def waited(pid: int, deadline: float) -> int | None:
    """The exit code, or None when it was stopped at the deadline."""
    late = False
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return None if late else os.waitstatus_to_exitcode(status)
        if time.monotonic() > deadline and not late:
            os.kill(pid, signal.SIGKILL)
            late = True
        time.sleep(0.005)


def compile_one(name: str, parts: tuple, target: str, own: bool) -> None:
    """The child's part."""
    log = os.open(f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ["TRITON_DUMP_PTXAS_LOG"] = "1"
    os.environ["TRITON_ALWAYS_COMPILE"] = "1"
    os.environ.setdefault("TRITON_DEFAULT_FP_FUSION", "1")  # the default, without a warning in the log
    function, signature, constants, attrs, options = parts
    try:
        import triton
        from triton.compiler import ASTSource

        given = options.__dict__ if own else {k: getattr(options, k) for k in GIVEN if hasattr(options, k)}
        source = ASTSource(function, signature, constants, attrs)
        made = triton.compile(source, target=gpu_target(target), options=dict(given))
        binary = made.asm["cubin" if target.startswith("sm_") else "hsaco"]
        Path(f"{name}.bin").write_bytes(binary)
        answer = {key: getattr(made.metadata, key, None) for key in FACTS}
        if assembly := made.asm.get("amdgcn"):
            answer["amd"] = {key: int(value) for key, value in AMD.findall(str(assembly))}
    except BaseException as error:
        text = "".join(traceback.format_exception(error))
        answer = {"error": type(error).__name__, "text": text[-20_000:]}
    sys.stdout.flush()
    sys.stderr.flush()
    Path(f"{name}.json").write_text(json.dumps(answer))


def gpu_target(target: str) -> Any:
    """``sm_90`` or ``gfx942`` as Triton has it."""
    from triton.backends.compiler import GPUTarget

    if number := re.fullmatch(r"sm_(\d+)[af]?", target):
        return GPUTarget("cuda", int(number[1]), 32)
    return GPUTarget("hip", target, 64 if target.startswith("gfx9") else 32)
