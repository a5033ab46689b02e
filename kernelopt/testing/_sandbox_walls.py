"""What candidate code cannot reach: the network, other files, other processes."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

import kernelopt
from kernelopt.resources import folder as data_folder
from kernelopt.sandboxes import Sandbox
from kernelopt.testing import _attacks as attacks
from kernelopt.testing._job import Attempt, attempt, job, works

HARMLESS_VARIABLES = re.compile(
    r"PATH|HOME|TMPDIR|PWD|LANG|LC_\w+|TZ|HOSTNAME|LD_LIBRARY_PATH|(MALLOC|OMP|MKL|OPENBLAS|GOMP|KMP|PYTHON)_?\w*"
)
"""Names of variables that a worker may have: they say how to run, and nobody keeps a secret in them."""


class Promising:
    """Skips tests of what a sandbox does not promise."""

    stops: frozenset[str]

    def require(self, promise: str) -> None:
        """Skip the test unless `promise` is made."""
        if promise not in self.stops:
            pytest.skip(f"does not promise {promise!r}")


class Walls(Promising):
    """Network, files and processes."""

    @pytest.fixture
    def open_folder(self) -> Iterator[Path]:
        """A folder that every user of this machine may read and write."""
        with contextlib.ExitStack() as stack:
            yield _open_folder(stack, "/tmp")  # noqa: S108

    def test_it_reaches_no_network(self, sandbox: Sandbox) -> None:
        """Listeners of this machine, on every address it has, hear nothing."""
        self.require("network")
        hosts = [str(a.address) for found in psutil.net_if_addrs().values() for a in found]
        hosts = sorted({h for h in hosts if re.fullmatch(r"[\d.]+|::1", h)} | {"127.0.0.1", "localhost"})
        with (
            socket.create_server(("", 0)) as tcp,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        ):
            udp.bind(("", 0))
            source = attacks.text(
                attacks.NETWORK, hosts=hosts, tcp=tcp.getsockname()[1], udp=udp.getsockname()[1]
            )
            made = attempt(sandbox, source)
            assert not _hears(tcp) and not _hears(udp)
        achieved_nothing(made)
        assert works(sandbox)

    def test_it_reaches_no_socket_of_the_host(self, sandbox: Sandbox, open_folder: Path) -> None:
        """Neither by a name in the file system nor by an abstract one."""
        self.require("host-sockets")
        path, abstract = str(open_folder / "door"), f"\0kernelopt-{secrets.token_hex(8)}"
        with socket.socket(socket.AF_UNIX) as plain, socket.socket(socket.AF_UNIX) as hidden:
            for door, address in ((plain, path), (hidden, abstract)):
                door.bind(address)
                door.listen()
            Path(path).chmod(0o777)
            made = attempt(sandbox, attacks.text(attacks.HOST_SOCKETS, addresses=[path, abstract]))
            assert not _hears(plain) and not _hears(hidden)
        achieved_nothing(made)
        assert works(sandbox)

    def test_it_writes_nothing_outside_its_folder(self, sandbox: Sandbox, open_folder: Path) -> None:
        """Nothing appears anywhere on the host, in the folder of another job either."""
        self.require("write-outside")
        package, name = Path(kernelopt.__file__).parent, f"kernelopt-{secrets.token_hex(8)}"
        with job(sandbox) as (other, _):
            places = [Path(p) for p in ("/", "/tmp", "/var/tmp", "/dev/shm", "/run")]  # noqa: S108
            places += [Path.home(), Path.cwd(), open_folder, package, package.parent, data_folder("sandbox")]
            places += [Path(sys.prefix), Path(sys.base_prefix), Path(pytest.__file__).parent]
            places += [sandbox.room, other]
            folders = [str(place) for place in places]
            attempt(sandbox, attacks.text(attacks.WRITE_OUTSIDE, folders=folders, name=name))
            made = [place / (name + end) for place in set(places) for end in ("", ".d", ".l")]
            made = [path for path in made if path.exists() or path.is_symlink()]
            for path in made:
                path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
        assert made == []
        assert works(sandbox)

    def test_it_takes_over_no_file(self, sandbox: Sandbox, open_folder: Path) -> None:
        """Files that it can see cannot be opened for writing, removed or renamed; nor can its own folder."""
        self.require("write-outside")
        mine = _everybodys(open_folder)
        source = attacks.text(attacks.TAKE_OVER_FILES, files=[*_visible_files(), mine], mine=mine)
        achieved_nothing(attempt(sandbox, source))
        assert Path(mine).read_text() == "mine"
        assert works(sandbox)

    def test_it_alters_no_metadata(self, sandbox: Sandbox, open_folder: Path) -> None:
        """Permissions, owners and times of files and devices, though it may be their owner outside."""
        self.require("metadata")
        files = [*_visible_files(), _everybodys(open_folder)]
        achieved_nothing(attempt(sandbox, attacks.text(attacks.ALTER_METADATA, files=files)))
        assert works(sandbox)

    def test_it_reads_no_planted_secret(self, sandbox: Sandbox) -> None:
        """Files that everyone may read, in places that nobody showed to it."""
        self.require("read-files")
        secret = secrets.token_hex(16)
        with contextlib.ExitStack() as stack:
            files = [str(_plant(stack, place, secret)) for place in ("/tmp", "/dev/shm", "/var/tmp")]  # noqa: S108
            files += [
                "/etc/shadow",
                "/etc/machine-id",
                str(Path(kernelopt.__file__).parents[1] / "README.md"),
            ]
            made = attempt(sandbox, attacks.text(attacks.READ_SECRETS, files=files))
        achieved_nothing(made)
        assert secret not in made.log
        assert works(sandbox)

    def test_it_sees_no_secret_variable(self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
        """Not in its own environment, even if ours holds one when the worker starts."""
        secret = secrets.token_hex(16)
        for name in ("OPENAI_API_KEY", "HTTPS_PROXY", "SETTINGS"):
            monkeypatch.setenv(name, secret)
        fresh = type(sandbox)()
        try:
            made = attempt(fresh, attacks.text("print(*os.environ, sep='\\n')\nprint(os.environ)"))
        finally:
            fresh.close()
        names = made.log.partition("environ(")[0].split()
        assert secret not in made.log
        assert "PATH" in names
        assert [name for name in names if not HARMLESS_VARIABLES.fullmatch(name)] == []

    def test_it_sees_no_environment_of_another_process(self, sandbox: Sandbox) -> None:
        """A host process keeps a secret variable; no ``/proc/*/environ`` shows it."""
        self.require("look-at-processes")
        secret = secrets.token_hex(16)
        with _host_process({"SECRET": secret}):
            made = attempt(sandbox, attacks.text(attacks.READ_ENVIRONMENTS))
        assert "tried everything" in made.log
        assert secret not in made.log
        assert works(sandbox)

    def test_it_cannot_look_into_the_process_that_started_it(self, sandbox: Sandbox) -> None:
        """Nor write there: that process copies its outputs for the judge."""
        achieved_nothing(attempt(sandbox, attacks.text(attacks.LOOK_INTO_PARENT, pids=[])))
        assert works(sandbox)

    def test_it_cannot_look_into_processes_of_the_host(self, sandbox: Sandbox) -> None:
        """The judge, or any other."""
        self.require("look-at-processes")
        with _host_process({}) as pid:
            made = attempt(sandbox, attacks.text(attacks.LOOK_INTO_PARENT, pids=[pid, os.getpid()]))
        achieved_nothing(made)
        assert works(sandbox)

    def test_killing_everything_in_reach_harms_no_later_job(self, sandbox: Sandbox) -> None:
        """Whoever dies of it, host processes live and the next evaluation works."""
        self.require("signals")
        line = Path("/proc/self/cmdline").read_bytes()
        with _host_process({}) as pid:
            source = attacks.text(attacks.KILL_EVERYTHING, judge=line, judge_pid=os.getpid())
            made = attempt(sandbox, source)
            assert psutil.pid_exists(pid)
        assert "DID: reach the judge" not in made.log
        assert works(sandbox)


def achieved_nothing(made: Attempt) -> None:
    """The module tried all it had in mind, and none of it came off."""
    achieved = [line for line in made.log.splitlines() if line.startswith("DID:")]
    assert achieved == []
    assert "tried everything" in made.log, made


def _visible_files() -> list[str]:
    """Files that a sandbox shows, most of them."""
    files = [kernelopt.__file__, pytest.__file__, sys.executable, str(data_folder("sandbox") / "worker.py")]
    return [*files, os.path.realpath(sys.executable), "/bin/sh", "/etc/passwd"]


def _everybodys(folder: Path) -> str:
    """A new file that every user may write."""
    path = folder / "mine"
    path.write_text("mine")
    path.chmod(0o666)
    return str(path)


def _open_folder(stack: contextlib.ExitStack, place: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="kernelopt-open-", dir=place))
    stack.callback(shutil.rmtree, folder)
    folder.chmod(0o777)
    return folder


def _plant(stack: contextlib.ExitStack, place: str, secret: str) -> Path:
    path = _open_folder(stack, place) / "secret.txt"
    path.write_text(secret)
    path.chmod(0o644)
    return path


@contextlib.contextmanager
def _host_process(environment: dict[str, str]) -> Iterator[int]:
    process = subprocess.Popen(["/bin/sleep", "60"], env=environment)
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


def _hears(listener: socket.socket) -> bool:
    """Whether anybody connected, or sent anything."""
    listener.settimeout(0.2)
    try:
        if listener.type == socket.SOCK_DGRAM:
            listener.recv(64)
        else:
            listener.accept()[0].close()
    except TimeoutError:
        return False
    return True
