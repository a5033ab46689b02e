"""What the judge needs of a sandbox besides walls."""

from __future__ import annotations

import contextlib
import os
import secrets
import struct
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kernelopt.sandboxes import Limits, Sandbox
from kernelopt.testing import _attacks as attacks
from kernelopt.testing._job import HARMLESS, eventually, job, load, named, read_log, works
from kernelopt.testing._sandbox_walls import Promising

FLOATS = struct.pack("4f", 1.0, 2.0, 3.0, 4.0)
SET = {"offset": 0, "bytes": 16, "dtype": "float32", "shape": [4], "stride": [1]}

BUSY = """
import time
class ModelNew:
    def __call__(self, x):
        until = time.process_time() + 0.05
        while time.process_time() < until:
            sum(range(100_000))
        return x
"""


class Service(Promising):
    """Pausing, reading, sharing memory, running tools."""

    def test_it_says_what_it_is(self, sandbox: Sandbox) -> None:
        """Nothing is missing, and the level begins with the name."""
        assert sandbox.missing() is None
        assert works(sandbox)
        assert sandbox.level.startswith(sandbox.name)

    def test_warming_up_is_no_hurry(self, sandbox: Sandbox) -> None:
        """A second one can be warmed beside it, more than once; unused, it can be closed at once."""
        other = type(sandbox)()
        try:
            other.warm()
            other.warm()
            assert works(sandbox)
        finally:
            other.close()
        assert not other.room.exists()
        sandbox.warm()
        assert works(sandbox)

    def test_a_paused_job_gets_no_processor_time(self, sandbox: Sandbox) -> None:
        """Its threads and its orphans neither."""
        name = f"ko{secrets.token_hex(5)}"
        with job(sandbox) as (folder, started):
            load(folder, started, attacks.text(attacks.SPIN, name=name), 30.0)
            assert eventually(lambda: named(name) > 0)
            for _ in range(3):
                before = started.pause()
                time.sleep(0.1)
                assert started.resume() - before <= 1_000_000  # ns; spinning, it would be 100 ms or more
                time.sleep(0.05)
            assert started.pause() > before
        assert eventually(lambda: named(name) == 0)
        assert works(sandbox)

    def test_memory_of_a_paused_job_can_be_read(self, sandbox: Sandbox) -> None:
        """At addresses that it told; where nothing is mapped, None comes back."""
        source = attacks.text(
            "block = ctypes.create_string_buffer(b'kernel', 6)\nprint(ctypes.addressof(block))"
        )
        with job(sandbox) as (folder, started):
            load(folder, started, source, 30.0)
            address = int(read_log(folder).split()[0])
            started.pause()
            assert started.read([(address, 6), (address + 1, 2)]) == b"kernel" + b"er"
            assert started.read([(address, 6), (8, 16)]) is None
            started.resume()

    def test_where_a_job_is_while_it_answers_can_be_seen(self, sandbox: Sandbox) -> None:
        """In the interpreter, in whose loop this module is; and it answers as if nobody had looked."""
        with job(sandbox) as (folder, started), _memory(FLOATS) as into:
            load(folder, started, BUSY, 30.0)
            started.send({"do": "map", "with": {"sets": [[SET]], "timed": True}}, fds=(into,))
            assert started.receive(30.0) is not None
            started.pause()
            for _ in range(2):
                started.send({"do": "batch", "with": {"calls": [0, 0]}, "stays": True})
                started.resume(sample=8, within_ms=5.0)
                reply = started.receive(30.0)
                assert reply is not None and reply.get("ok") is True, reply
                inside = sum(looks for path, _, looks in started.places if "python" in path)
                assert started.looks >= 4
                assert inside > started.looks / 2, started.places
                started.pause()
            started.resume()
            assert not started.places and not started.looks

    def test_shared_memory_goes_in_and_comes_back(self, sandbox: Sandbox) -> None:
        """As descriptors beside a message, mapped by a worker that may be another user."""
        with job(sandbox) as (folder, started), _memory(FLOATS) as into, _memory(bytes(64)) as out:
            load(folder, started, HARMLESS, 30.0)
            started.send({"do": "map", "with": {"sets": [[SET]]}}, fds=(into, out))
            mapped = started.receive(30.0)
            assert mapped is not None and mapped.get("ok") is True, mapped
            started.send({"do": "run", "with": {"which": 0}})
            reply = started.receive(30.0)
            assert reply is not None and reply.get("ok") is True, reply
            offset = int(reply["outputs"][0]["offset"])
            assert struct.unpack("4f", os.pread(out, 16, offset)) == (2.0, 4.0, 6.0, 8.0)

    def test_two_jobs_live_side_by_side(self, sandbox: Sandbox) -> None:
        """The end of one leaves the other at work."""
        with job(sandbox) as (folder, started):
            assert works(sandbox)
            reply = load(folder, started, HARMLESS, 30.0)
            assert reply is not None and reply.get("ok") is True

    def test_several_threads_may_drive_it(self, sandbox: Sandbox) -> None:
        """Each hears the answer to its own orders, whatever ends meanwhile."""

        def drive(number: int) -> tuple[bool, int]:
            loaded = [works(sandbox) for _ in range(3)]
            with _folder(sandbox) as folder:
                done = sandbox.execute(["/bin/sh", "-c", f"exit {number}"], folder, Limits(), 30.0, {})
            return all(loaded), done.code

        with ThreadPoolExecutor(3) as pool:
            assert list(pool.map(drive, range(3))) == [(True, number) for number in range(3)]

    def test_a_killed_job_does_nothing_beside_what_comes_next(self, sandbox: Sandbox) -> None:
        """Nor do its orphans, though nobody waited for its end."""
        with job(sandbox) as (killed, started), _folder(sandbox) as folder:
            load(killed, started, attacks.text(attacks.TICKS), 30.0)
            ticks = killed / "ticks"
            assert eventually(ticks.exists)
            started.kill()
            assert sandbox.execute(["/bin/true"], folder, Limits(), 30.0, {}).code == 0
            before = ticks.stat().st_size
            time.sleep(0.1)
            assert ticks.stat().st_size == before > 0
            assert "SIGKILL" in started.close()
        assert works(sandbox)

    def test_a_tool_runs_with_just_the_given_environment(self, sandbox: Sandbox) -> None:
        """In its folder, with its output in ``log.txt`` there."""
        with _folder(sandbox) as folder:
            command = ["/bin/sh", "-c", "/usr/bin/env; pwd; echo made > made.txt; exit 5"]
            done = sandbox.execute(command, folder, Limits(), 30.0, {"WORD": "yes"})
            lines = set(read_log(folder).split()) - {"PWD=" + str(folder), "SHLVL=0", "_=/usr/bin/env"}
            assert (done.code, done.late) == (5, False)
            assert lines == {"WORD=yes", str(folder)}
            assert (folder / "made.txt").read_text() == "made\n"

    def test_a_tool_is_bounded(self, sandbox: Sandbox) -> None:
        """In time, memory and file sizes."""
        limits = Limits(memory_bytes=2 << 30, file_bytes=1 << 20)
        with _folder(sandbox) as folder:
            late = sandbox.execute(["/bin/sleep", "60"], folder, limits, 0.5, {})
            assert late.late and late.code < 0
            sandbox.execute(["/bin/sh", "-c", "ulimit -v"], folder, limits, 30.0, {})
            assert read_log(folder).split() == [str(2 << 20)]
            command = ["/bin/sh", "-c", "exec cat /dev/zero > big"]
            assert sandbox.execute(command, folder, limits, 30.0, {}).code != 0
            assert (folder / "big").stat().st_size <= 1 << 20

    def test_a_tool_that_is_not_there_is_an_exit_code(self, sandbox: Sandbox) -> None:
        """127, as a shell has it."""
        with _folder(sandbox) as folder:
            assert sandbox.execute(["no-such-tool"], folder, Limits(), 30.0, {}).code == 127
            assert "no-such-tool" in read_log(folder)


@contextlib.contextmanager
def _memory(content: bytes) -> Iterator[int]:
    fd = os.memfd_create("kernelopt", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(fd, content)
    try:
        yield fd
    finally:
        os.close(fd)


@contextlib.contextmanager
def _folder(sandbox: Sandbox) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tool-", dir=sandbox.room) as made:
        yield Path(made)
