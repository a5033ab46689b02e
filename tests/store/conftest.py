"""Disks that say no: a small one, a read-only one."""

import os
import shutil
import subprocess

import pytest


def _mount(folder, options):
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("mounting needs root")
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        pytest.skip("mounting is not permitted here")


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 512 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    _mount(folder, "size=512k")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def read_only_disk(tmp_path):
    """A function that makes a folder's file system read-only; fill `.folder` first."""
    folder = tmp_path / "disk"
    folder.mkdir()
    _mount(folder, "size=4m")
    yield folder, lambda: subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    subprocess.run(["umount", "-l", str(folder)], check=True)
