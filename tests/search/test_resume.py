"""A search that is killed at any moment, any number of times, ends as one that was not.

The builtin writer answers, and evaluations are those of one real run, replayed, so that two searches can
differ only by what resuming gets wrong.
"""

import json
import random
import signal
import sqlite3
import subprocess
import sys
import time

import pytest
from small_suite import MODULE

from kernelopt.store.run import open_run

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("resume")]
BUDGET = "18"
TASKS = {
    "chain": "torch.nn.functional.gelu(x + 1.0) * torch.tanh(x)",
    "rows": "torch.softmax(x * 2.0, dim=-1)",
    "sums": "(x * x).mean(dim=-1)",
    "norm": "x / (x.pow(2).mean(dim=-1, keepdim=True) + 1e-5).sqrt()",
}


def kernelopt(folder, *arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "kernelopt", *arguments, "-q"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process):
    out, errors = process.communicate(timeout=250)
    assert process.returncode == 0, errors
    return out


def search(folder, name, executor="local", budget=BUDGET):
    flags = ["--suite", "suite", "--run-name", name, "--executor", executor, "--budget-evals", budget]
    return kernelopt(folder, "search", *flags, "--minibatch", "2", "--seed", "3")


def story(folder, name):
    """All that must not depend on interruptions: candidates, proposals, rollouts, model calls."""
    with open_run(folder / "runs" / name) as run:
        kept = {kind: [] for kind in ("candidate", "proposal", "lm")}
        for event in run.journal.read():
            if event.kind in kept:
                kept[event.kind].append([event.key, event.data])
        rollouts = sorted((e.key, e.data["score"], e.data["kernel"]) for e in run.journal.read("rollout"))
        calls = sorted(key for key, _ in kept.pop("lm"))
        assert len(calls) == len(set(calls))
        transcript = (run.folder / "transcript.jsonl").read_text().splitlines()
        assert len(transcript) == len(calls)
        kernels = {path.name: path.read_text() for path in sorted((run.folder / "kernels").iterdir())}
    return json.dumps({**kept, "rollouts": rollouts, "calls": calls}, sort_keys=True), kernels


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """One real search, and the same search again on its evaluations, both uninterrupted."""
    folder = tmp_path_factory.mktemp("resume")
    (folder / "suite").mkdir()
    for task, expression in TASKS.items():
        text = MODULE.format(expression=expression).replace("300, 41", "600, 411")
        (folder / "suite" / f"{task}.py").write_text(text)
    finish(search(folder, "real"))
    finish(search(folder, "whole", "replay:runs/real"))
    return folder


def events(folder, name):
    try:
        with sqlite3.connect(f"file:{folder}/runs/{name}/journal.sqlite?mode=ro", uri=True) as database:
            return database.execute("SELECT count(*) FROM events").fetchone()[0]
    except sqlite3.Error:
        return 0


def kill_after(process, folder, name, count):
    """SIGKILL once the journal holds `count` events, if it gets that far."""
    while process.poll() is None and events(folder, name) < count:
        time.sleep(0.005)
    killed = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return killed


def test_replayed_evaluations_give_the_same_search(whole):
    assert story(whole, "real")[0] == story(whole, "whole")[0]


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_at_random_moments_it_ends_the_same(whole, seed):
    name, chance = f"killed-{seed}", random.Random(seed)
    total = events(whole, "whole")
    process = search(whole, name, "replay:runs/real")
    reached, killed = 0, []
    for _ in range(3):
        reached = chance.randint(reached + 1, max(reached + 2, total - 4))
        killed.append(kill_after(process, whole, name, reached))
        process = kernelopt(whole, "resume", name)
    finish(process)
    assert any(killed)
    assert story(whole, name) == story(whole, "whole")


@pytest.fixture
def heard():
    """SIGINT reaches what a test starts, also where the tests run in the background of a shell.

    A shell has what it puts there ignore Ctrl-C, and what that starts inherits it.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heard")
def test_interrupted_by_ctrl_c_it_says_how_to_go_on_and_does(whole):
    for attempt in range(8):  # on a busy machine a run may end before it is interrupted
        name = f"stopped-{attempt}"
        process = search(whole, name, "replay:runs/real")
        while process.poll() is None and events(whole, name) < 1:
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        if process.returncode:
            break
    assert process.returncode == 130, errors
    assert "kernelopt resume" in errors
    finish(kernelopt(whole, "resume", name))
    assert story(whole, name) == story(whole, "whole")


def test_a_finished_run_goes_on_with_a_larger_budget(whole):
    """Twelve evaluations and then six more are the same as eighteen."""
    finish(search(whole, "extended", "replay:runs/real", budget="12"))
    finish(kernelopt(whole, "resume", "extended", "--budget-evals", "+6"))
    assert story(whole, "extended")[0] == story(whole, "whole")[0]
