"""What Hugging Face's cache holds is found and read; nothing is downloaded unasked."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kernelopt import resources
from kernelopt.errors import TaskError, UsageError
from kernelopt.suites import SuiteOptions, _hub
from kernelopt.suites.kernelbench import KernelBench
from kernelopt.task import Task

needs_pyarrow = pytest.mark.skipif(
    importlib.util.find_spec("pyarrow") is None, reason="pyarrow comes with the extra 'hub' only"
)
REVISION = "0123456789abcdef"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    return tmp_path / "hub"


@pytest.fixture
def snapshot(cache: Path) -> Path:
    """A cached data set whose files are not written yet."""
    repository = cache / "datasets--ScalingIntelligence--KernelBench"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(REVISION)
    folder = repository / "snapshots" / REVISION / "data"
    folder.mkdir(parents=True)
    return folder


def test_the_cache_is_where_hugging_face_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    assert _hub.cache_folder() == tmp_path / "home" / "hub"
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "own"))
    assert _hub.cache_folder() == tmp_path / "own"
    monkeypatch.delenv("HF_HUB_CACHE")
    monkeypatch.delenv("HF_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert _hub.cache_folder() == tmp_path / "xdg" / "huggingface" / "hub"


def test_a_data_set_without_its_files_is_not_cached(snapshot: Path) -> None:
    assert _hub.cached() is None
    (snapshot / "level_1.parquet").write_text("")
    assert _hub.cached() == snapshot.parent


@needs_pyarrow
def test_a_cached_copy_is_an_official_set(snapshot: Path, module: str) -> None:
    import pyarrow
    import pyarrow.parquet

    rows = [
        {"code": module, "level": 2, "name": f"{number}_Add.py", "problem_id": number, "more": None}
        for number in range(100, 0, -1)
    ]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), snapshot / "level_2.parquet")
    suite = KernelBench("kernelbench", SuiteOptions())
    assert str(suite.provenance()) == "kernelbench (official, level 2, 100 tasks, revision 0123456)"
    first = next(suite.tasks())
    assert (first.id, first.name, first.source) == ("2/1", "1_Add", module)


@needs_pyarrow
def test_a_damaged_copy_is_named(snapshot: Path) -> None:
    (snapshot / "level_1.parquet").write_text("no table")
    with pytest.raises(TaskError, match=r"level_1\.parquet: is no readable KernelBench table"):
        KernelBench("kernelbench", SuiteOptions()).provenance()


@pytest.mark.skipif(_hub.readable(), reason="pyarrow is installed")
def test_a_copy_that_cannot_be_read_is_mentioned_and_the_bundled_set_used(snapshot: Path) -> None:
    (snapshot / "level_1.parquet").write_text("")
    suite = KernelBench("kernelbench", SuiteOptions(limit=1))
    assert suite.provenance().suite == "kernelbench-core"
    assert any(resources.pip_install("hub") in note for note in suite.notes())


def test_fetching_without_network_or_packages_is_one_line(tmp_path: Path) -> None:
    """In a process of its own, because huggingface_hub reads its environment when imported."""
    nobody = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "kernelopt", "suites", "fetch", "kernelbench"]
    ended = subprocess.run(
        command, env={**os.environ, **nobody}, capture_output=True, text=True, check=False, timeout=120
    )
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert len(ended.stderr.strip().splitlines()) == 1
    wanted = (
        "could not download ScalingIntelligence/KernelBench"
        if _hub.readable()
        else resources.pip_install("hub")
    )
    assert wanted in ended.stderr


def test_a_download_that_fails_gives_the_reason(tmp_path: Path) -> None:
    pytest.importorskip("huggingface_hub")
    code = "from kernelopt.suites import _hub; _hub._download()"
    nobody = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **nobody},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    last = ended.stderr.strip().splitlines()[-1]
    assert last.startswith(
        f"{UsageError.__module__}.UsageError: could not download ScalingIntelligence/KernelBench ("
    )
    assert last.endswith("check the network, or give an official checkout with --suite-path")


LEVEL4 = "import torch\nfrom transformers import AutoModelForCausalLM\nmodel_name = 'org/tiny'\n"


def test_a_task_that_needs_a_model_says_what_is_missing(cache: Path) -> None:
    reason = _hub.unavailable(Task("4/1", "t", LEVEL4, "kernelbench"))
    if importlib.util.find_spec("transformers") is None:
        assert reason == "needs the package transformers: pip install transformers"
    else:
        assert reason is not None
        assert "org/tiny" in reason
        (cache / "models--org--tiny").mkdir(parents=True)
        assert _hub.unavailable(Task("4/1", "t", LEVEL4, "kernelbench")) is None


def test_an_ordinary_task_needs_no_model(module: str) -> None:
    assert _hub.unavailable(Task("1/1", "t", module, "kernelbench")) is None
