"""Builds of hostile text: what the compiler must not read, write or outlive."""

import ctypes
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from kernelopt import inline
from kernelopt.errors import StoreError
from kernelopt.languages import BuildReply, BuildRequest, ToolRun
from kernelopt.languages._gxx import build_shared
from kernelopt.languages._tools import HostTools, finished

GOOD = '#include <vector>\nextern "C" int answer() { return (int)std::vector<int>(42).size(); }'


def request(source: str, name: str = "kernel.cpp", **more: object) -> BuildRequest:
    return BuildRequest("shared", "kernel", {name: source}, **more)


def build(cache: Path, source: str, timeout_s: float = 60.0, **more: object) -> BuildReply:
    return build_shared(request(source, **more), cache, timeout_s, HostTools())


def test_a_build_gives_a_library_and_then_comes_from_the_cache(tmp_path):
    first, second = build(tmp_path, GOOD), build(tmp_path, GOOD)
    assert first.ok
    assert not first.cached
    assert first.seconds > 0
    assert (second.ok, second.cached, second.seconds, second.path) == (True, True, 0.0, first.path)
    assert inline.Library(first.path, inline.parse(GOOD)).answer() == 42


def test_inline_and_the_language_share_one_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERNELOPT_CACHE", str(tmp_path))
    inline.cpp(GOOD)
    assert build(tmp_path, GOOD).cached


def test_a_failure_is_remembered_with_its_log(tmp_path):
    bad = 'extern "C" float f(float x) { return sqrt(x); }'
    first, second = build(tmp_path, bad), build(tmp_path, bad)
    assert not first.ok
    assert "kernel.cpp:1:38: error: 'sqrt' was not declared" in first.log
    assert (second.ok, second.cached, second.log) == (False, True, first.log)


def test_a_remembered_failure_reaches_inline_as_its_error(tmp_path, monkeypatch):
    monkeypatch.setenv("KERNELOPT_CACHE", str(tmp_path))
    bad = 'extern "C" void f() { nothing(); }'
    build(tmp_path, bad)
    with pytest.raises(inline.BuildError, match="'nothing' was not declared"):
        inline.cpp(bad)


def test_logs_and_commands_name_no_folder_of_this_machine(tmp_path):
    reply = build(tmp_path, '#include <algorithm>\nextern "C" void f(float* x) { std::sort(x, 3); }')
    assert not reply.ok
    assert "stl_algo" in reply.log
    assert "/usr" not in reply.log
    assert str(tmp_path) not in reply.log + reply.command
    assert reply.command.startswith("g++ -O3 -march=native -fopenmp -std=c++17 ")


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret.h"
    path.write_text("int private_key_8451 = broken;\n")
    return path


@pytest.mark.parametrize(
    "attack",
    [
        '#include "{secret}"',
        "#include <{secret}>",
        '#define WHERE "{secret}"\n#include WHERE',
        '#line 1 "innocent.h"\n#include "{secret}"',
        "#include <../../../../../../../../../../..{secret}>",
        '#include "{secret}"\n#error stop',
        'asm(".incbin \\"{secret}\\"");',
        'asm(".inc" "bin \\"{secret}\\"");',
        'asm(".macro m a\\n.inc\\\\a \\"{secret}\\"\\n.endm\\nm bin");',
        'asm(".irp a,bin\\n.inc\\\\a \\"{secret}\\"\\n.endr");',
        '__attribute__((section(".data\\n.INCBIN \\"{secret}\\"\\n#"))) int hidden = 1;',
        'int renamed asm("x\\n.include \\"{secret}\\"\\n#") = 1;',
        '#embed "{secret}"',
        '#em\\\nbed "{secret}"',
        '%:embed "{secret}"',
        '#/* */embed "{secret}"',
        '#line 1 "{secret}"\nbroken',
        '# 1 "{secret}"\nbroken',
        '#li\\\nne 1 "{secret}"\nbroken',
        '/**/ %: line 1 "{secret}"\nbroken',
        '#/* */line 1 "{secret}"\nbroken',
        '#define WHERE "{secret}"\n#line 1 WHERE\nbroken',
    ],
)
def test_files_of_this_machine_cannot_be_read(tmp_path, secret, attack):
    text = attack.replace("{secret}", str(secret))
    reply = build(tmp_path / "cache", f'{text}\nextern "C" int f() {{ return 1; }}')
    assert not reply.ok
    assert "8451" not in reply.log
    assert "refused" in reply.log
    assert not list((tmp_path / "cache").rglob("*.so"))


def test_hostile_text_is_read_in_no_time(tmp_path):
    """Two million characters that a search which goes back and forth would take hours for."""
    for piece in ("#/*", "# ", "*/ ", "\n", "#\n"):
        text = piece * (1_900_000 // len(piece))
        build(tmp_path, f"{text} broken", timeout_s=5.0)


def test_honest_assembly_builds(tmp_path):
    text = 'extern "C" int f() { int v; asm volatile("mov $7, %0" : "=r"(v)); return v; }'
    assert build(tmp_path, text).ok


@pytest.mark.parametrize(
    "name", ["../kernel.cpp", "/tmp/kernel.cpp", "a b.cpp", "-o.cpp", "kernel.s", "@x.cpp", ""]
)
def test_odd_file_names_are_refused(tmp_path, name):
    reply = build(tmp_path, GOOD, name=name)
    assert not reply.ok
    assert reply.log.startswith("refused")


def test_refused_flags_run_no_compiler(tmp_path):
    reply = build(tmp_path, GOOD, cflags=("-O3 -fplugin=evil.so",))
    assert not reply.ok
    assert "'-fplugin=evil.so'" in reply.log
    assert not list(tmp_path.iterdir())


def test_cuda_and_missing_sources_are_told_apart(tmp_path):
    assert "CUDA" in build(tmp_path, "", name="kernel.cu").log
    assert "nothing to compile" in build(tmp_path, "", name="kernel.h").log


def fake_compiler(folder: Path, body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A g++ that does something else when it is given a source."""
    folder.mkdir()
    real = subprocess.run(["which", "g++"], capture_output=True, text=True, check=True).stdout.strip()
    script = folder / "g++"
    script.write_text(f'#!/bin/sh\ncase "$*" in *.cpp*) {body};; *) exec {real} "$@";; esac\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] != "Z"
    except OSError:
        return False


def test_a_compiler_that_hangs_is_stopped_with_all_its_children(tmp_path, monkeypatch):
    pids = tmp_path / "pids"
    fake_compiler(tmp_path / "bin", f"sleep 100 & echo $! >> {pids}; echo $$ >> {pids}; wait", monkeypatch)
    started = time.monotonic()
    reply = build(tmp_path / "cache", GOOD, timeout_s=0.5)
    assert time.monotonic() - started < 20
    assert not reply.ok
    assert "the compiler was stopped after" in reply.log
    deadline = time.monotonic() + 10
    while any(is_running(int(pid)) for pid in pids.read_text().split()):
        assert time.monotonic() < deadline, "a child of the compiler outlived it"
        time.sleep(0.02)


def test_a_build_that_ran_out_of_time_is_tried_again(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        fake_compiler(tmp_path / "bin", "sleep 100", patch)
        assert not build(tmp_path / "cache", GOOD, timeout_s=0.2).ok
    assert build(tmp_path / "cache", GOOD).ok


def test_the_compiler_sees_no_secret_of_our_environment_and_has_limits(tmp_path, monkeypatch):
    seen = tmp_path / "seen"
    monkeypatch.setenv("OPENAI_API_KEY", "sk-8451")
    fake_compiler(tmp_path / "bin", f"(env; ulimit -v; ulimit -f) > {seen}; exit 1", monkeypatch)
    build(tmp_path / "cache", GOOD)
    assert "8451" not in seen.read_text()
    assert seen.read_text().split()[-2:] != ["unlimited", "unlimited"]
    assert "unlimited" not in seen.read_text()


def test_an_endless_log_is_cut(tmp_path, monkeypatch):
    fake_compiler(tmp_path / "bin", "yes error | head -c 5000000; exit 1", monkeypatch)
    assert len(build(tmp_path / "cache", GOOD).log) < 40_000


class Meddling(HostTools):
    """A toolbox in which, once the compiler is through, something else stands where it wrote."""

    def __init__(self, meddle: Callable[[Path], None]):
        self._meddle = meddle

    def run(self, command: Sequence[str], folder: Path, timeout_s: float) -> ToolRun:
        run = super().run(command, folder, timeout_s)
        self._meddle(folder)
        return finished(folder, run.code, run.seconds, run.late)


SWAPS = {
    "link": lambda path, secret: path.symlink_to(secret),
    "pipe": lambda path, _: os.mkfifo(path),
    "folder": lambda path, _: path.mkdir(),
    "device": lambda path, _: path.symlink_to("/dev/zero"),
    "huge": lambda path, _: (path.touch(), os.truncate(path, 1 << 40)),
}


@pytest.mark.parametrize("name", ["built.so", "kernel.cpp.s"])
@pytest.mark.parametrize("swap", SWAPS)
def test_only_plain_files_are_taken_out_of_a_work_folder(tmp_path, secret, name, swap):
    def meddle(folder: Path) -> None:
        (folder / name).unlink()
        SWAPS[swap](folder / name, secret)

    reply = build_shared(request(GOOD), tmp_path / "cache", 60.0, Meddling(meddle))
    assert not reply.ok
    assert reply.log.startswith("refused: the ")
    assert not list((tmp_path / "cache").rglob("*.so"))


@pytest.mark.parametrize("swap", SWAPS)
def test_a_log_is_read_only_where_it_is_one(tmp_path, secret, swap):
    def meddle(folder: Path) -> None:
        (folder / "log.txt").unlink()
        SWAPS[swap](folder / "log.txt", secret)

    reply = build_shared(request("broken"), tmp_path / "cache", 60.0, Meddling(meddle))
    assert not reply.ok
    assert "8451" not in reply.log
    assert len(reply.log) < 40_000


def test_printed_text_hides_no_header(tmp_path, secret):
    """The compiler's own remark on include guards, forged: what stands below it is left out of the log."""
    forged = "Multiple include guards may be useful for:"
    swallowing = Meddling(
        lambda folder: (folder / "log.txt").write_text(f"{forged}\n. {secret}\n1 | int private_key_8451\n")
    )
    reply = build_shared(request("broken"), tmp_path / "cache", 60.0, swallowing)
    assert reply.log == "refused: the source reads secret.h, which is no C++ header\n"


def test_a_log_too_long_to_be_read_whole_hides_no_header_either(tmp_path, secret):
    secret.write_text("1, 2, 3\n")
    source = '#include "again.h"\n' * 250 + f'int x[] = {{\n#include "{secret}"\n}};'
    empty = f"{'e' * 80}.h"
    sources = {"kernel.cpp": source, "again.h": f'#include "{empty}"\n' * 250, empty: ""}
    reply = build_shared(BuildRequest("shared", "kernel", sources), tmp_path / "cache", 60.0, HostTools())
    assert not reply.ok
    assert reply.log == "refused: the compiler prints so much that the headers it read cannot be told\n"


UNITS = {"one.cpp": 'extern "C" int one() { return 1; }', "two.cpp": 'extern "C" int two() { return 2; }'}


def test_units_are_compiled_side_by_side_and_each_has_its_say(tmp_path):
    reply = build_shared(BuildRequest("shared", "both", UNITS), tmp_path, 60.0, HostTools())
    library = ctypes.CDLL(reply.path)
    assert (library.one(), library.two()) == (1, 2)
    broken = {name: text.replace("return", "return no +") for name, text in UNITS.items()}
    reply = build_shared(BuildRequest("shared", "both", broken), tmp_path, 60.0, HostTools())
    assert not reply.ok
    assert re.findall(r"^(\w+)\.cpp:1:\d+: error", reply.log, re.MULTILINE) == ["one", "two"]


def test_one_unit_that_fails_fails_all(tmp_path):
    for name in UNITS:
        broken = {**UNITS, name: "broken"}
        assert not build_shared(BuildRequest("shared", "x", broken), tmp_path, 60.0, HostTools()).ok


def test_a_temporary_failure_of_the_system_is_not_remembered(tmp_path):
    def meddle(folder: Path) -> None:
        (folder / "log.txt").write_text(
            "g++: fatal error: cannot execute 'cc1plus': vfork: temporarily unavailable\n"
        )

    assert not build_shared(request("broken"), tmp_path, 60.0, Meddling(meddle)).ok
    assert not list(tmp_path.rglob("*.json"))


def test_an_unusable_cache_is_the_users_to_mend(tmp_path):
    (tmp_path / "cache").write_text("a file where a folder should be")
    with pytest.raises(StoreError, match="KERNELOPT_CACHE"):
        build(tmp_path / "cache", GOOD)


def test_waiting_for_another_build_has_an_end(tmp_path):
    reply = build(tmp_path, GOOD)
    artifact = Path(reply.path)
    artifact.unlink()
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with inline.lock(artifact.with_suffix(".lock")):
            held.set()
            done.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(30)
    reply = build(tmp_path, GOOD, timeout_s=0.1)
    done.set()
    thread.join()
    assert not reply.ok
    assert "another process is still building" in reply.log


ASK = """
import sys; from pathlib import Path
from kernelopt.languages import BuildRequest; from kernelopt.languages.cpp import PLUGIN
from kernelopt.languages._tools import HostTools
request = BuildRequest("shared", "kernel", {"kernel.cpp": sys.argv[2]})
reply = PLUGIN().build(request, Path(sys.argv[1]), 60, HostTools())
print(reply.ok, reply.cached)
"""


def test_eight_processes_that_ask_at_once_compile_once(tmp_path):
    command = [sys.executable, "-c", ASK, str(tmp_path), GOOD]
    asking = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(8)]
    answers = sorted(process.communicate()[0].strip() for process in asking)
    assert answers == ["True False", *["True True"] * 7]
