"""Rooms go with their judge, whatever ended it: they may hold memory."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from kernelopt.sandboxes import _rooms
from kernelopt.sandboxes._rooms import make_room, remove_tree


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """Where rooms are made, here and in processes of `judge`."""
    monkeypatch.setattr(_rooms.os, "access", lambda *_: False)  # no /dev/shm
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def judge(place, ending):
    code = (
        "import os, tempfile\nfrom kernelopt.sandboxes import _rooms\n"
        f"_rooms.os.access, tempfile.tempdir = (lambda *_: False), {str(place)!r}\n"
        f"room = _rooms.make_room()\n(room / 'full').write_text('x')\n{ending}"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def test_a_room_is_private_and_removed(place):
    room = make_room()
    assert room.parent == place
    assert room.stat().st_mode & 0o777 == 0o700
    (room / "file").write_text("x")
    remove_tree(room)
    remove_tree(room)
    assert list(place.iterdir()) == []


def test_rooms_of_killed_judges_are_removed_with_the_next(place):
    judge(place, "os.kill(os.getpid(), 9)").communicate()
    assert len(list(place.iterdir())) == 1
    room = make_room()
    assert list(place.iterdir()) == [room]


def test_rooms_in_use_stay(place):
    with judge(place, "print(room, flush=True)\ninput()") as other:
        theirs = Path(other.stdout.readline().strip())
        ours = make_room()
        assert make_room() not in (ours, theirs)
        assert ours.exists() and theirs.exists()
        other.communicate("\n")


def test_folders_too_deep_for_python_are_removed(place):
    room = make_room()
    script = "i=0; while [ $i -lt 1500 ]; do mkdir d && cd -P d || exit 1; i=$((i+1)); done"
    subprocess.run(["/bin/sh", "-c", script], cwd=room, check=True)
    remove_tree(room)
    assert not room.exists()


def test_little_memory_is_no_place_for_a_room(place, tmp_path_factory, monkeypatch):
    """Containers often have a /dev/shm of 64 MiB: less than a compiler writes."""
    small = tmp_path_factory.mktemp("shm")
    monkeypatch.setattr(_rooms, "SHM", small)
    monkeypatch.setattr(_rooms.os, "access", lambda *_: True)
    used = shutil.disk_usage(small)
    monkeypatch.setattr(_rooms.shutil, "disk_usage", lambda _: used._replace(free=64 << 20))
    assert make_room().parent == place
    monkeypatch.setattr(_rooms.shutil, "disk_usage", lambda _: used._replace(free=8 << 30))
    assert make_room().parent == small
