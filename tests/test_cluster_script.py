"""The job script of docs/cluster.md, with a stand-in for kernelopt: it saves, and goes on."""

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "cluster.md"
STAND_IN = """#!/bin/bash
echo "$@" >> "$CALLS"
while [ $# -gt 0 ]; do
    case $1 in --runs) runs=$2 ;; --run-name) name=$2 ;; resume) name=$2 ;; esac
    shift
done
mkdir -p "$runs/$name"
echo "$KERNELOPT_CACHE" >> "$runs/$name/journal.sqlite"
[ -e "$HANG" ] && exec sleep 60
exit "$CODE"
"""
pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="bash was not found")


@pytest.fixture
def job(tmp_path):
    """Starts the script; its submit directory is the test's."""
    (script,) = re.findall(r"```bash\n(#!/bin/bash.*?)```", PAGE.read_text(), re.DOTALL)
    (tmp_path / "job.sh").write_text(script)
    program = tmp_path / "bin" / "kernelopt"
    program.parent.mkdir()
    program.write_text(STAND_IN)
    program.chmod(0o755)
    place = {
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "SLURM_SUBMIT_DIR": str(tmp_path),
        "SLURM_ARRAY_TASK_ID": "2",
        "SLURM_JOB_ID": "77",
        "SLURM_TMPDIR": str(tmp_path / "node"),
        "CALLS": str(tmp_path / "calls"),
        "HANG": str(tmp_path / "hang"),
    }

    def start(code=0):
        return subprocess.Popen(["bash", str(tmp_path / "job.sh")], env={**place, "CODE": str(code)})

    return start


def calls(folder):
    return [line.split()[0] for line in (folder / "calls").read_text().splitlines()]


def kept(folder):
    return (folder / "runs" / "sweep-2" / "journal.sqlite").read_text().splitlines()


def test_a_search_is_kept_and_the_next_job_goes_on_from_it(job, tmp_path):
    assert job().wait(20) == 0
    assert job(code=1).wait(20) == 1  # what kernelopt says is what the job says
    assert calls(tmp_path) == ["search", "resume"] and len(kept(tmp_path)) == 2
    assert kept(tmp_path)[0] == str(tmp_path / "node" / "kernelopt-77" / "cache")
    assert "--seed 2" in (tmp_path / "calls").read_text()
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["sweep-2"]
    assert list((tmp_path / "node").iterdir()) == []


def test_a_job_that_is_told_to_end_keeps_what_it_has(job, tmp_path):
    (tmp_path / "hang").touch()
    running = job()
    for _ in range(200):
        if (tmp_path / "node/kernelopt-77/runs/sweep-2/journal.sqlite").exists():
            break
        time.sleep(0.05)
    running.send_signal(signal.SIGTERM)
    assert running.wait(20) == 0 and len(kept(tmp_path)) == 1
    (tmp_path / "hang").unlink()
    assert job().wait(20) == 0 and calls(tmp_path) == ["search", "resume"]
