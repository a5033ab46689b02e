"""Builds inside each sandbox: hostile text meets the real g++, and what it left meets the judge."""

import contextlib
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kernelopt import inline, registry
from kernelopt.errors import EvaluatorFault, MissingTool
from kernelopt.evaluator.workers.stopped import Stopped
from kernelopt.evaluator.workers.tools import SandboxTools, readable, sealed
from kernelopt.evaluator.workers.worker import Setup, Worker
from kernelopt.languages import BuildReply, BuildRequest
from kernelopt.languages.cpp import PLUGIN
from kernelopt.sandboxes import Limits, Sandbox

GOOD = '#include <vector>\nextern "C" int answer() { return (int)std::vector<int>(42).size(); }'
NAMES = [
    pytest.param(name, marks=pytest.mark.engine if name == "docker" else ())
    for name in registry.names("sandboxes")
]


@pytest.fixture(scope="module", params=NAMES)
def sandbox(request: pytest.FixtureRequest, torch_cache: Path) -> Iterator[Sandbox]:
    made = registry.get("sandboxes", request.param)(readable(torch_cache))
    if problem := made.missing():
        made.close()
        pytest.skip(problem)
    yield made
    made.close()


@pytest.fixture
def tools(sandbox: Sandbox) -> SandboxTools:
    return SandboxTools(sandbox, Limits())


def build(
    tools: SandboxTools, cache: Path, source: str, timeout_s: float = 60.0, **more: object
) -> BuildReply:
    return PLUGIN().build(
        BuildRequest("shared", "kernel", {"kernel.cpp": source}, **more), cache, timeout_s, tools
    )


def folders(sandbox: Sandbox) -> list[str]:
    return [path.name for path in sandbox.room.iterdir() if path.name.startswith("build-")]


def test_a_build_gives_a_library_that_nobody_can_write(tools, tmp_path, sandbox):
    reply = build(tools, tmp_path, GOOD)
    assert reply.ok, reply.log
    assert inline.Library(reply.path, inline.parse(GOOD)).answer() == 42
    assert stat.S_IMODE(Path(reply.path).stat().st_mode) == 0o444
    assert build(tools, tmp_path, GOOD).cached
    assert folders(sandbox) == []


def test_errors_come_back(tools, tmp_path):
    reply = build(tools, tmp_path, 'extern "C" float f(float x) { return sqrt(x); }')
    assert "kernel.cpp:1:38: error: 'sqrt' was not declared" in reply.log
    assert str(tmp_path) not in reply.log


ENDLESS = """
template <unsigned long A, unsigned long B>
struct F { static const unsigned long v = F<A - 1, 2 * B>::v + F<A - 1, 2 * B + 1>::v; };
template <unsigned long B> struct F<0, B> { static const unsigned long v = B; };
extern "C" unsigned long f() { return F<40, 1>::v; }
"""


def compilers(source: str) -> list[str]:
    """Command lines, on this whole machine, that name a source file."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found += [line for line in [place.read_bytes()] if source.encode() in line]
    return found


def test_a_source_that_never_ends_is_stopped_and_leaves_nothing(tools, tmp_path, sandbox):
    name = f"endless_{os.getpid()}_{sandbox.name}.cpp"
    reply = PLUGIN().build(BuildRequest("shared", "kernel", {name: ENDLESS}), tmp_path, 1.0, tools)
    assert not reply.ok
    assert "the compiler was stopped after" in reply.log
    deadline = time.monotonic() + 10
    while compilers(name):
        assert time.monotonic() < deadline, "a compiler outlived its build"
        time.sleep(0.05)
    assert folders(sandbox) == []
    assert build(tools, tmp_path, GOOD).ok


MEMORY_BOMB = """
#include <utility>
extern "C" int f() { return (int)decltype(std::make_integer_sequence<long, 200000000>())::size(); }
"""
DISK_BOMB = 'char big[1ul << 33] = {1};\nextern "C" int f() { return big[0]; }'


def test_memory_and_files_of_a_compiler_are_limited(sandbox, tmp_path):
    small = SandboxTools(sandbox, Limits(memory_bytes=1 << 29, file_bytes=16 << 20))
    for bomb in (MEMORY_BOMB, DISK_BOMB):
        assert not build(small, tmp_path, bomb).ok
    assert not list(tmp_path.rglob("*.json")), "what may work another day is not remembered as a failure"
    assert build(small, tmp_path, GOOD).ok


@pytest.mark.parametrize(
    "attack",
    [
        '#include "{file}"',
        '#line 1 "innocent.h"\n#include "{file}"',
        'asm(".incbin \\"{file}\\"");',
        'int renamed asm("x\\n.include \\"{file}\\"\\n#") = 1;',
    ],
)
def test_no_file_of_this_machine_comes_into_a_library(tools, tmp_path, attack):
    secret = tmp_path / "secret.h"
    secret.write_text("int private_key_8451 = broken;\n")
    secret.chmod(0o644)
    for file in (secret, Path("/etc/passwd"), Path("/proc/self/environ")):
        reply = build(tools, tmp_path / "cache", attack.replace("{file}", str(file)) + "\n" + GOOD)
        assert not reply.ok
        assert "8451" not in reply.log
        assert "root:" not in reply.log
        assert "PATH=" not in reply.log
    assert not list((tmp_path / "cache").rglob("*.so"))


def test_the_profilers_compiler_runs_inside_too(tools):
    source = 'extern "C" void f(float* x) { for (int i = 0; i < 64; ++i) x[i] += 1; }'
    command = ["g++", "-O3", "-fopt-info-vec-optimized", "-S", "-o", "/dev/null", "k.cpp"]
    code, output = tools.notes({"k.cpp": source}, command, 30.0)
    assert code == 0
    assert "k.cpp:1:" in output
    assert tools.notes({"k.cpp": ENDLESS}, command, 0.5)[0] == 124


def test_a_compiler_that_the_sandbox_does_not_show_is_told(sandbox, tools, tmp_path, monkeypatch):
    monkeypatch.setattr("kernelopt.languages._gxx.find", lambda: "/nowhere/bin/g++")
    monkeypatch.setattr("kernelopt.languages._gxx.machine_identity", lambda _: "none")
    with pytest.raises(MissingTool, match="does not show g"):
        build(tools, tmp_path, GOOD)


# From the candidate's side ------------------------------------------------------------------------

ASK = """
import os, sys
from kernelopt.inline import cpp
library = cpp('extern "C" int answer() { return 42; }')
assert library.answer() == 42
"""


@contextlib.contextmanager
def worker(sandbox: Sandbox) -> Iterator[Worker]:
    made = Worker(sandbox, Limits())
    try:
        yield made
    finally:
        made.close()


def load(made: Worker, source: str, build: object) -> None:
    setup = Setup("ModelNew", [], {}, 0, 1)
    made.load({"kernel.py": source + "\nModelNew = int\n"}, "kernel.py", setup, build, timeout_s=60.0)


def builder(tools: SandboxTools, cache: Path):
    def serve(message: dict) -> dict:
        reply = PLUGIN().build(BuildRequest(**message), cache, 60.0, tools)
        return {name: getattr(reply, name) for name in BuildReply.__slots__}

    return serve


def test_a_candidate_gets_what_it_asked_for(sandbox, tools, tmp_path):
    with worker(sandbox) as made:
        load(made, ASK, builder(tools, tmp_path))


def test_a_candidate_can_alter_neither_its_library_nor_the_cache(sandbox, tools, tmp_path):
    """Its library is sealed, and the cache it does not even see (where the kernel can hide files)."""
    source = f"""{ASK}
links = ['/proc/self/fd/' + name for name in os.listdir('/proc/self/fd')]
(own,) = [link for link in links if 'kernel.so' in os.path.realpath(link)]
for attack in (
    lambda: os.write(os.open(own, os.O_RDWR), b'x'),
    lambda: os.ftruncate(os.open(own, os.O_RDWR), 0),
):
    try:
        attack()
    except OSError as error:
        print('refused', error.errno)
for attack in (lambda: os.listdir({str(tmp_path / "native")!r}), lambda: open({str(tmp_path / "x")!r}, 'w')):
    try:
        attack()
    except OSError as error:
        print('hidden')
"""
    with worker(sandbox) as made:
        load(made, source, builder(tools, tmp_path))
        words = made.log().split()
    assert words.count("refused") == 2
    if sandbox.name != "process":  # it claims nothing
        assert words.count("hidden") == 2


def test_a_candidate_stands_still_while_it_is_built_for(sandbox, tmp_path):
    """Threads and processes that it started too: none can tamper with what the compiler writes."""
    source = """
import itertools, os, threading, time
def count(name):
    with open(name, 'w') as file:
        for n in itertools.count():
            os.pwrite(file.fileno(), b'%12d' % n, 0)
if not os.fork():
    count('process.txt')
threading.Thread(target=count, args=['thread.txt'], daemon=True).start()
while not (os.path.exists('thread.txt') and os.path.exists('process.txt')):
    time.sleep(0.01)
from kernelopt.inline import cpp
cpp('extern "C" int answer() { return 42; }')
"""
    seen = []

    def serve(_: dict) -> dict:
        for _ in range(2):
            seen.append([(made.folder / f"{name}.txt").read_bytes() for name in ("thread", "process")])
            time.sleep(0.1)
        return {"ok": False, "log": "refused"}

    with worker(sandbox) as made, pytest.raises(Stopped, match="refused"):
        load(made, source, serve)
    assert seen[0] == seen[1]


def test_a_library_that_is_gone_is_our_fault(tmp_path):
    with pytest.raises(EvaluatorFault, match="cannot be handed on"), sealed(tmp_path / "gone.so"):
        pass


EXTENSION = """
import torch
from torch.utils.cpp_extension import load_inline
text = "torch::Tensor twice(torch::Tensor x) { return x + x; }"
module = load_inline("twice_ext", [text], functions=["twice"], extra_cflags=["-O1"])
assert module.twice(torch.ones(3)).tolist() == [2.0, 2.0, 2.0]
"""


@pytest.mark.slow
def test_load_inline_works_inside(sandbox, tools, torch_cache):
    """With PyTorch's headers precompiled outside, by text of our own."""
    with worker(sandbox) as made:
        load(made, EXTENSION, builder(tools, torch_cache))
