"""However candidate code ends or lies, it is data."""

from __future__ import annotations

import secrets

import pytest

from kernelopt.sandboxes import Sandbox
from kernelopt.testing import _attacks as attacks
from kernelopt.testing._job import HARMLESS, attempt, eventually, named, works
from kernelopt.testing._sandbox_walls import Promising, achieved_nothing


class Endings(Promising):
    """Ends, orphans and forgeries."""

    def test_an_honest_module_loads(self, sandbox: Sandbox) -> None:
        """And its process ends well."""
        made = attempt(sandbox, HARMLESS)
        assert made.loaded
        assert made.ended == "exit 0"

    @pytest.mark.parametrize(
        ("source", "ended"),
        [
            ("import os; os._exit(0)", "exit 0"),
            ("import os; os._exit(7)", "exit 7"),
            ("import os; os.abort()", "SIGABRT"),
            ("import ctypes; ctypes.string_at(8)", "SIGSEGV"),
            ("import os, signal; os.kill(os.getpid(), signal.SIGSTOP)", "SIGKILL"),
        ],
    )
    def test_a_process_that_ends_is_seen_to_end(self, sandbox: Sandbox, source: str, ended: str) -> None:
        """Without an answer, whatever its exit code says."""
        made = attempt(sandbox, source, timeout_s=2.0)
        assert made.reply is None
        assert ended in made.ended
        assert works(sandbox)

    @pytest.mark.parametrize("error", ["ValueError('mine')", "KeyboardInterrupt", "SystemExit(0)"])
    def test_an_exception_is_told(self, sandbox: Sandbox, error: str) -> None:
        """By its name, whichever it is."""
        made = attempt(sandbox, f"raise {error}")
        assert made.reply is not None
        assert str(made.reply["error"]) == error.partition("(")[0]
        assert works(sandbox)

    def test_orphans_are_ended(self, sandbox: Sandbox) -> None:
        """Daemons with all signals blocked, in sessions of their own."""
        name = f"ko{secrets.token_hex(5)}"
        seen = []
        made = attempt(
            sandbox,
            attacks.text(attacks.ORPHANS, name=name),
            before_close=lambda _, __: seen.append(named(name)),
        )
        assert made.log.strip() == "tried everything"
        assert seen[0] > 0
        assert eventually(lambda: named(name) == 0)
        assert works(sandbox)

    def test_forged_reports_on_every_descriptor_are_not_believed(self, sandbox: Sandbox) -> None:
        """It holds one descriptor that leads out, its own link; how it ended is known all the same."""
        made = attempt(sandbox, attacks.text(attacks.FORGE))
        assert made.reply is None
        assert made.ended == "exit 3"
        assert "links: 1" in made.log
        assert "DID:" not in made.log
        assert works(sandbox)

    @pytest.mark.parametrize("payload", [b"\xff\xff\xff\xffhello", b"\0\0\0\4nope", b"\0\0\0\2[]"])
    def test_nonsense_on_the_link_is_no_answer(self, sandbox: Sandbox, payload: bytes) -> None:
        """Impossible lengths, broken JSON, JSON that is no object."""
        made = attempt(sandbox, attacks.text(attacks.NONSENSE, payload=payload))
        assert made.reply is None
        assert works(sandbox)

    def test_nothing_of_ours_is_open_in_it(self, sandbox: Sandbox) -> None:
        """Neither pipes of the judge nor handles on other processes."""
        source = "for fd in os.listdir('/proc/self/fd'):\n    attempt(fd, lambda: check(fd))\n"
        check = (
            "def check(fd):\n"
            "    target = os.readlink('/proc/self/fd/' + fd)\n"
            "    if not target.startswith(('pipe:', 'anon_inode:[pidfd]', '/memfd')): raise ValueError\n"
        )
        achieved_nothing(attempt(sandbox, attacks.text(check + source)))
