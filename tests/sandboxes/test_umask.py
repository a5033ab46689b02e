"""A judge that opens its files to nobody but itself (umask 077, as root often has) still has sandboxes."""

import os
import sysconfig
from contextlib import closing

import pytest

from kernelopt.registry import get
from kernelopt.sandboxes import Limits, _confinement
from kernelopt.testing._job import attempt, works

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("engine")]


@pytest.fixture
def closed_umask():
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.fixture(params=["bwrap", "docker"])
def sandbox(request, tmp_path, closed_umask):
    made = get("sandboxes", request.param)([tmp_path / "shown"])
    with closing(made):
        if problem := made.missing():
            pytest.skip(problem)
        yield made


def test_jobs_read_their_files_and_the_folders_shown_to_them(sandbox):
    assert works(sandbox)
    assert "[]" in attempt(sandbox, f"import os\nprint(os.listdir({str(sandbox.readable[0])!r}))").log


def test_tools_read_what_they_are_given(sandbox):
    folder = sandbox.room / "job-tool"
    folder.mkdir(mode=0o700)
    done = sandbox.execute(["/bin/sh", "-c", "echo written > out"], folder, Limits(), 30.0, {"PATH": "/bin"})
    assert done.code == 0
    assert (folder / "out").read_text() == "written\n"


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A Python and kernelopt's folder for sandboxes, read by everyone."""
    files = [tmp_path / "sandbox" / "worker.py", tmp_path / "env" / "bin" / "python"]
    for file in files:
        file.parent.mkdir(parents=True)
        file.touch()
        file.chmod(0o755)
    packages = tmp_path / "env" / "lib" / "site-packages"
    packages.mkdir(parents=True)
    for folder in tmp_path.rglob("*/"):
        folder.chmod(0o755)
    monkeypatch.setattr(_confinement.resources, "folder", lambda name: tmp_path / name)
    monkeypatch.setattr(_confinement.sys, "executable", str(files[1]))
    monkeypatch.setattr(_confinement.sys, "prefix", str(tmp_path / "env"))
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(packages))
    return tmp_path


def test_where_nobody_can_read_what_it_needs_there_is_no_complaint(installed):
    installed.chmod(0o700)  # above what is shown
    assert _confinement.closed_to_nobody() is None


@pytest.mark.parametrize("name", ["sandbox/worker.py", "sandbox", "env/bin", "env/lib/site-packages", "env"])
def test_what_nobody_cannot_read_is_named_with_the_way_to_open_it(installed, name):
    (installed / name).chmod(0o700)
    assert f"chmod -R go+rX {installed / name}" in _confinement.closed_to_nobody()


def test_a_sandbox_that_runs_as_nobody_says_so(installed, monkeypatch):
    (installed / "sandbox").chmod(0o700)
    made = get("sandboxes", "bwrap")()
    with closing(made):
        made.user = _confinement.NOBODY  # as for root
        monkeypatch.setattr("shutil.which", lambda _: "/usr/bin/bwrap")
        assert "chmod" in made.missing()
