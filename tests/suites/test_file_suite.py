"""The user's own tasks: a file, or a folder of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from kernelopt.errors import ConfigError, TaskError, UnknownName
from kernelopt.suites import SuiteOptions
from kernelopt.suites._open import names, open_suite
from kernelopt.suites.file import FileSuite
from kernelopt.suites.kernelbench import KernelBench


@pytest.fixture
def ops(tmp_path: Path, module: str) -> Path:
    folder = tmp_path / "ops"
    folder.mkdir()
    for name in ("softmax", "matmul"):
        (folder / f"{name}.py").write_text(module)
    return folder


def ids(path: Path, **options: object) -> list[str]:
    return [task.id for task in FileSuite(str(path), SuiteOptions(**options)).tasks()]  # type: ignore[arg-type]


def test_a_file_is_one_task_named_by_its_stem(ops: Path) -> None:
    suite = FileSuite(str(ops / "softmax.py"), SuiteOptions())
    (task,) = suite.tasks()
    assert (task.id, task.name, task.suite, task.level) == ("softmax", "softmax", "file", None)
    assert str(suite.provenance()) == "file (softmax.py, 1 task)"


def test_a_folder_holds_a_task_a_file(ops: Path) -> None:
    assert ids(ops) == ["matmul", "softmax"]
    assert ids(ops, tasks=("softmax",)) == ["softmax"]
    assert str(FileSuite(str(ops), SuiteOptions()).provenance()) == "file (ops, 2 tasks)"


def test_a_shrunk_file_says_so(ops: Path) -> None:
    suite = FileSuite(str(ops), SuiteOptions(shrink=8))
    assert str(suite.provenance()) == "file (ops, 2 tasks; shrunk 8×; not KernelBench scores)"


def test_files_that_are_no_tasks_are_reported_and_left_out(ops: Path) -> None:
    (ops / "helper.py").write_text("def relu(x): ...\n")
    (ops / "__init__.py").write_text("")
    (ops / "notes.txt").write_text("")
    suite = FileSuite(str(ops), SuiteOptions())
    assert [task.id for task in suite.tasks()] == ["matmul", "softmax"]
    (note,) = suite.notes()
    assert note.startswith(f"left out: {ops / 'helper.py'}:1: the module ends without")


def test_a_file_that_is_no_task_is_an_error_when_it_was_meant(ops: Path) -> None:
    (ops / "helper.py").write_text("x = 1\n")
    with pytest.raises(TaskError, match=r"helper\.py:1: "):
        ids(ops, tasks=("helper",))
    with pytest.raises(TaskError, match=r"helper\.py:1: "):
        ids(ops / "helper.py")


def test_a_folder_without_any_task_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match=r"holds no \.py file"):
        ids(tmp_path)
    for name in ("a", "b"):
        (tmp_path / f"{name}.py").write_text("x = 1\n")
    with pytest.raises(TaskError, match=r"no file in .* is a task: .*a\.py:1: .*\(and 1 more files\)"):
        ids(tmp_path)


def test_a_checkout_is_not_a_folder_of_tasks(tmp_path: Path, module: str) -> None:
    (tmp_path / "level1").mkdir()
    (tmp_path / "level1" / "1_Add.py").write_text(module)
    with pytest.raises(TaskError, match="use --suite kernelbench --suite-path"):
        ids(tmp_path)


def test_two_files_may_not_share_a_name_on_disk(ops: Path, module: str) -> None:
    for name in ("a b.py", "a-b.py"):
        (ops / name).write_text(module)
    with pytest.raises(TaskError, match="would both be called a-b; rename one"):
        ids(ops)


def test_a_name_is_a_suite_and_anything_else_a_path(ops: Path) -> None:
    assert isinstance(open_suite("kernelbench", SuiteOptions()), KernelBench)
    assert isinstance(open_suite("kernelbench-core", SuiteOptions()), KernelBench)
    assert isinstance(open_suite(str(ops), SuiteOptions()), FileSuite)
    assert {"file", "kernelbench", "kernelbench-core"} <= set(names())


def test_the_suite_file_takes_its_path_from_the_flag(ops: Path) -> None:
    suite = open_suite("file", SuiteOptions(path=ops))
    assert [task.id for task in suite.tasks()] == ["matmul", "softmax"]
    with pytest.raises(ConfigError, match="name the file or folder"):
        open_suite("file", SuiteOptions()).provenance()
    with pytest.raises(UnknownName, match=r"there is no file or folder"):
        open_suite("file", SuiteOptions(path=ops / "gone")).provenance()


def test_neither_suite_nor_path_lists_the_suites() -> None:
    with pytest.raises(
        UnknownName, match=r"no suite and no path 'kernelbnch'; suites: file, kernelbench, .* own"
    ):
        open_suite("kernelbnch", SuiteOptions())


def test_what_is_missing_is_said_before_any_task_is_read(ops: Path) -> None:
    assert FileSuite(str(ops), SuiteOptions()).missing() is None
    assert "there is no file" in (FileSuite(str(ops / "gone"), SuiteOptions()).missing() or "")
