"""Compile every job of ``jobs.json`` with NVRTC and leave its log beside the source."""

import json
from pathlib import Path

from cuda.bindings import nvrtc

for name, job in json.loads(Path("jobs.json").read_text()).items():
    source = Path(name, "k.cu").read_bytes()
    _, program = nvrtc.nvrtcCreateProgram(source, b"k.cu", 0, None, None)
    options = [option.encode() for option in job["options"]]
    nvrtc.nvrtcCompileProgram(program, len(options), options)
    _, size = nvrtc.nvrtcGetProgramLogSize(program)
    log = b" " * size
    nvrtc.nvrtcGetProgramLog(program, log)
    Path(name, "log.txt").write_bytes(log.rstrip(b"\0 "))
    nvrtc.nvrtcDestroyProgram(program)
