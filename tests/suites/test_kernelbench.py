"""Where KernelBench's tasks come from, in which order, and what is said about them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kernelopt.errors import ConfigError, TaskError, UnknownName
from kernelopt.suites import SuiteOptions
from kernelopt.suites._official import COUNTS, REPRESENTATIVE, commit
from kernelopt.suites.kernelbench import KernelBench

Checkout = Callable[..., Path]


def suite(path: Path | None = None, **options: object) -> KernelBench:
    return KernelBench("kernelbench", SuiteOptions(path=path, **options))  # type: ignore[arg-type]


def ids(found: KernelBench) -> list[str]:
    return [task.id for task in found.tasks()]


def test_a_checkout_is_the_official_set(checkout: Checkout) -> None:
    found = suite(checkout({1: 100}))
    assert found.missing() is None
    assert str(found.provenance()) == "kernelbench (official, level 1, 100 tasks, commit 423217d)"
    assert ids(found)[:11] == ["1/1", "1/2", "1/3", "1/4", "1/5", "1/6", "1/7", "1/8", "1/9", "1/10", "1/11"]
    assert {task.suite for task in found.tasks()} == {"kernelbench"}


def test_several_levels_are_named(checkout: Checkout) -> None:
    found = suite(checkout({1: 100, 3: 50, 4: 20}))
    assert str(found.provenance()) == "kernelbench (official, levels 1+3+4, 170 tasks, commit 423217d)"


def test_a_selection_is_counted(checkout: Checkout) -> None:
    found = suite(checkout({1: 100, 2: 100}), tasks=("1/23", "2/9"), levels=(1, 2))
    assert str(found.provenance()) == "kernelbench (official, levels 1+2, 2 tasks, commit 423217d)"
    assert [task.name for task in found.tasks()] == ["23_Add_23", "9_Add_9"]


def test_the_folder_that_holds_the_levels_will_do(checkout: Checkout) -> None:
    found = suite(checkout({1: 100}) / "KernelBench")
    assert str(found.provenance()) == "kernelbench (official, level 1, 100 tasks, commit 423217d)"


def test_an_incomplete_checkout_is_not_the_official_set(checkout: Checkout) -> None:
    said = "kernelbench (level 1, incomplete, 3 tasks, commit 423217d; not the official set)"
    assert str(suite(checkout({1: 3})).provenance()) == said


def test_a_shrunk_set_gives_no_kernelbench_scores(checkout: Checkout) -> None:
    found = suite(checkout({1: 100}), shrink=64)
    said = "kernelbench (level 1, 100 tasks, commit 423217d; shrunk 64×; not KernelBench scores)"
    assert str(found.provenance()) == said
    assert found.provenance().official is False
    assert "batch_size = 2\n" in next(found.tasks()).source


def test_the_environment_names_a_checkout(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERNELBENCH_ROOT", str(checkout({2: 100}, name="env")))
    assert suite().provenance().detail == "level 2, commit 423217d"
    told = suite(checkout({1: 100}, name="told"))
    assert told.provenance().detail == "level 1, commit 423217d"


def test_the_bundled_set_stands_in_and_says_so() -> None:
    found = suite(limit=3)
    assert str(found.provenance()) == "kernelbench-core (bundled, 3 tasks; not the official set)"
    assert {task.suite for task in found.tasks()} == {"kernelbench-core"}
    assert {task.size for task in found.tasks()} == {"cpu"}
    assert suite(limit=1, size="gpu").provenance().suite == "kernelbench-core"


def test_the_bundled_set_can_be_asked_for_by_name(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERNELBENCH_ROOT", str(checkout({1: 100})))
    found = KernelBench("kernelbench-core", SuiteOptions(limit=1))
    assert found.provenance().suite == "kernelbench-core"


def test_the_bundled_set_has_sizes_instead_of_shrinking() -> None:
    with pytest.raises(ConfigError, match="use --size instead of --shrink"):
        suite(shrink=8, limit=1).provenance()


@pytest.mark.parametrize("source", ["path", "environment"])
def test_a_folder_that_is_no_checkout_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    if source == "environment":
        monkeypatch.setenv("KERNELBENCH_ROOT", str(tmp_path))
    found = suite(tmp_path if source == "path" else None)
    said = {"path": "--suite-path", "environment": "KERNELBENCH_ROOT"}[source]
    with pytest.raises(UnknownName, match=f"{said} .* holds no KernelBench/level1"):
        found.provenance()
    assert said in (found.missing() or "")


def test_a_broken_official_task_stops_only_those_who_want_it(checkout: Checkout) -> None:
    root = checkout({1: 3})
    (root / "KernelBench" / "level1" / "2_Add_2.py").write_text("import torch\n")
    with pytest.raises(TaskError, match=r"2_Add_2\.py:1: the module ends without"):
        ids(suite(root))
    assert ids(suite(root, tasks=("1/3",))) == ["1/3"]


def test_files_without_a_number_are_no_tasks_and_a_second_number_is_noted(checkout: Checkout) -> None:
    root = checkout({1: 2})
    folder = root / "KernelBench" / "level1"
    for name in ("__init__.py", "helper.py", "2_Add_2_OLD.py", "3_Add.txt"):
        (folder / name).write_text("raise SystemExit")
    found = suite(root)
    assert ids(found) == ["1/1", "1/2"]
    assert found.notes() == [f"{folder / '2_Add_2_OLD.py'}: left out, 2_Add_2 already has the number 1/2"]


def test_official_tasks_know_the_representative_ones(checkout: Checkout) -> None:
    found = suite(checkout({1: 100, 2: 100, 3: 50}), subset="representative")
    assert len(ids(found)) == sum(map(len, REPRESENTATIVE.values()))
    assert "1/23" in ids(found)
    assert all(number <= COUNTS[level] for level, numbers in REPRESENTATIVE.items() for number in numbers)


def test_the_official_counts_are_known() -> None:
    assert COUNTS == {1: 100, 2: 100, 3: 50, 4: 20}
    assert sum(COUNTS.values()) == 270


def test_the_commit_is_read_however_git_keeps_it(checkout: Checkout, tmp_path: Path) -> None:
    root = checkout({1: 1})
    assert commit(root / "KernelBench") == "423217d"
    (root / ".git" / "refs" / "heads" / "main").unlink()
    assert commit(root) is None
    (root / ".git" / "packed-refs").write_text(
        f"# pack-refs\n{'a1b2c3d4' * 5} refs/heads/main\n^{'0' * 40}\n"
    )
    assert commit(root) == "a1b2c3d"
    (root / ".git" / "HEAD").write_text(f"{'0f' * 20}\n")
    assert commit(root) == "0f0f0f0"
    worktree = tmp_path / "worktree"
    worktree.mkdir()
    (worktree / ".git").write_text(f"gitdir: {root / '.git'}\n")
    assert commit(worktree) == "0f0f0f0"
    assert commit(tmp_path / "elsewhere" / "deep") is None


def test_without_git_the_commit_is_unknown(checkout: Checkout) -> None:
    root = checkout({1: 100})
    (root / ".git" / "HEAD").unlink()
    assert str(suite(root).provenance()) == "kernelbench (official, level 1, 100 tasks, commit unknown)"
