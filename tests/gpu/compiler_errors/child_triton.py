"""Compile (or interpret) every job of ``jobs.json`` with Triton and leave what it printed beside the source.

Each job has a process of its own: some errors end it.
"""

import importlib.util
import json
import os
import sys
import traceback
from pathlib import Path

import torch  # noqa: F401 - once here, not in each child that interprets
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from triton.runtime.errors import OutOfResources

SHARED_BYTES = 232448
"""Shared memory that a block may have on sm_90: CUDA C++ Programming Guide, technical specifications."""


def compiled(module, job):
    source = ASTSource(fn=module.kernel, signature=job["signature"], constexprs=job.get("constexprs", {}))
    target = GPUTarget("cuda", 90, 32)
    shared = triton.compile(source, target=target, options=job.get("options_of_target", {})).metadata.shared
    # Without a driver nothing is launched; this is the check that a launch begins with.
    if shared > SHARED_BYTES:
        raise OutOfResources(shared, SHARED_BYTES, "shared memory")


def work(folder, job):
    log = os.open(folder / "log.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    try:
        if job.get("interpret"):
            os.environ["TRITON_INTERPRET"] = "1"
        spec = importlib.util.spec_from_file_location("k", folder / "k.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        module.main() if job.get("interpret") else compiled(module, job)
    except BaseException:
        sys.stdout.flush()
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


for name, job in json.loads(Path("jobs.json").read_text()).items():
    child = os.fork()
    if child == 0:
        work(Path.cwd() / name, job)
    os.waitpid(child, 0)
