"""Looks at where a stopped process is: what each of them counts for."""

import struct
import subprocess
import sys
from pathlib import Path

import pytest

from kernelopt.resources import folder

sys.path.insert(0, str(folder("sandbox")))

import sampling

LIBRARY, OWN = ("/lib/libtorch_cpu.so", 1), ("/memfd:kernel.so (deleted)", 3)


def test_a_look_counts_in_full_for_each_file_whatever_other_threads_do():
    assert sampling.shares([LIBRARY, *[OWN] * 9]) == {LIBRARY: 1.0, OWN: 1.0}


def test_places_of_a_file_share_a_look():
    assert sampling.shares([OWN, OWN, (OWN[0], 7), LIBRARY]) == {OWN: 2 / 3, (OWN[0], 7): 1 / 3, LIBRARY: 1.0}


class Places:
    """Memory in which some addresses are of files."""

    def __init__(self, places):
        self.places = places

    def place(self, address):
        return self.places.get(address, ("", 0))


def stack_of(monkeypatch, *words):
    def read(pid, address, into):
        into[: 8 * len(words)] = struct.pack(f"{len(words)}Q", *words)
        return 8 * len(words)

    monkeypatch.setattr(sampling, "read_memory", read)


def test_code_made_at_run_time_is_of_all_that_its_stack_names(monkeypatch):
    """Own code may have planted its address; the library's is there as well."""
    stack_of(monkeypatch, 30, 5, 10, 31)
    here = Places({10: LIBRARY, 30: OWN, 31: (OWN[0], 9)})
    assert [path for path, _ in sampling.callers(1, here, 0, 99)] == [OWN[0], LIBRARY[0]]


def test_code_of_a_file_needs_no_stack(monkeypatch):
    stack_of(monkeypatch, 10)
    assert sampling.callers(1, Places({10: LIBRARY, 30: OWN}), 0, 30) == [OWN]


def test_code_that_nobody_called_is_in_no_file(monkeypatch):
    stack_of(monkeypatch, 5, 6)
    assert sampling.callers(1, Places({}), 0, 99) == [("", 0)]


def test_who_may_not_be_looked_at_is_somewhere(monkeypatch):
    def registers(pid):
        raise PermissionError

    monkeypatch.setattr(sampling, "registers", registers)
    assert sampling.looked_at([1], {}) == ([(sampling.HIDDEN, 0)], False)


def test_who_is_gone_is_nowhere():
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    assert sampling.looked_at([process.pid], {}) == ([], False)


@pytest.mark.skipif(not Path("/proc/self/syscall").exists(), reason="this system has no /proc/PID/syscall")
def test_a_child_that_turns_round_is_seen_in_the_interpreter_until_it_is_done():
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        had_ns = sampling.main_ns(process.pid)
        looks, places = sampling.sampled(process.pid, lambda: [process.pid], had_ns, 4, 0.2)
        process.kill()
    assert looks == 4
    assert sum(share for _, _, share in places) >= 4.0
