"""How much candidate code can use up."""

from __future__ import annotations

import secrets
from pathlib import Path

from kernelopt.sandboxes import Job, Limits, Sandbox
from kernelopt.testing import _attacks as attacks
from kernelopt.testing._job import attempt, eventually, named, works
from kernelopt.testing._sandbox_walls import Promising

GIB = 1 << 30
MIB = 1 << 20


class Bounds(Promising):
    """Memory, processes, files, time."""

    def test_one_process_cannot_take_more_memory_than_allowed(self, sandbox: Sandbox) -> None:
        """It gets a MemoryError, or is killed."""
        made = attempt(sandbox, f"block = b'x' * {6 * GIB}", limits=Limits(memory_bytes=4 * GIB))
        assert not made.loaded
        assert made.reply is None or made.reply.get("memory") is True
        assert works(sandbox)

    def test_many_processes_cannot_take_more_memory_than_allowed(self, sandbox: Sandbox) -> None:
        """Six of them with a GiB each do not fit into 3 GiB."""
        self.require("memory-bomb")
        source = attacks.text(attacks.MANY_EATERS, count=6, each=GIB)
        made = attempt(sandbox, source, timeout_s=60.0, limits=Limits(memory_bytes=3 * GIB))
        assert "full 6" not in made.log
        assert works(sandbox)

    def test_a_fork_bomb_is_contained_and_cleared_away(self, sandbox: Sandbox) -> None:
        """It reaches its limit, and nothing is left of it afterwards."""
        self.require("fork-bomb")
        name, seen = f"ko{secrets.token_hex(5)}", []

        def count(_: Path, __: Job) -> None:
            seen.append(named(name))

        attempt(
            sandbox,
            attacks.text(attacks.FORK_BOMB, name=name),
            timeout_s=2.0,
            limits=Limits(processes=60),
            before_close=count,
        )
        assert 1 < seen[0] <= 80  # the warm worker's own threads are allowed for
        assert eventually(lambda: named(name) == 0)
        assert works(sandbox)

    def test_a_file_grows_no_larger_than_allowed(self, sandbox: Sandbox) -> None:
        """However much is written to it."""
        made = attempt(sandbox, attacks.text(attacks.ONE_BIG_FILE), limits=Limits(file_bytes=8 * MIB))
        assert "wrote" in made.log
        assert int(made.log.split()[1]) <= 8 * MIB
        assert works(sandbox)

    def test_many_files_do_not_fill_the_disk(self, sandbox: Sandbox) -> None:
        """Neither in its folder nor in the places for temporary files."""
        self.require("disk-fill")
        folders = [".", "/tmp", "/dev/shm", "/var/tmp", "/run"]  # noqa: S108
        source = attacks.text(attacks.FILL_DISK, folders=folders, files=24, each=256 * MIB)
        limits = Limits(memory_bytes=3 * GIB, file_bytes=256 * MIB)
        made = attempt(sandbox, source, timeout_s=60.0, limits=limits)
        written = sum(int(line.split()[2]) for line in made.log.splitlines() if line.startswith("wrote"))
        assert written <= 4 * GIB
        assert works(sandbox)

    def test_whatever_it_puts_into_its_folder_can_be_removed(self, sandbox: Sandbox) -> None:
        """Folders in folders, deeper than Python's own recursion goes, and one that lets nobody in."""
        made = attempt(sandbox, attacks.text(attacks.NESTED_FOLDERS))
        assert made.loaded
        assert not any(path.name.startswith("job-") for path in sandbox.room.iterdir())
        assert works(sandbox)

    def test_output_without_end_stays_bounded(self, sandbox: Sandbox) -> None:
        """``log.txt`` takes no more than a file may."""
        sizes = []

        def measure(folder: Path, _: Job) -> None:
            sizes.append((folder / "log.txt").stat().st_size)

        attempt(
            sandbox,
            attacks.text(attacks.ENDLESS_OUTPUT),
            limits=Limits(file_bytes=MIB),
            before_close=measure,
        )
        assert 0 < sizes[0] <= MIB
        assert works(sandbox)

    def test_an_endless_loop_is_ended(self, sandbox: Sandbox) -> None:
        """By the judge, when it has waited long enough."""
        made = attempt(sandbox, "while True: pass", timeout_s=1.0)
        assert made.late
        assert "SIGKILL" in made.ended
        assert works(sandbox)

    def test_ignored_signals_do_not_help(self, sandbox: Sandbox) -> None:
        """Blocked ones neither."""
        made = attempt(sandbox, attacks.text(attacks.IGNORE_SIGNALS), timeout_s=1.0)
        assert made.late
        assert "SIGKILL" in made.ended
        assert works(sandbox)
