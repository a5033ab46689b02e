"""What the user selects, and what is said when it does not exist."""

from __future__ import annotations

import pytest

from kernelopt.errors import ConfigError, UnknownName
from kernelopt.suites import SuiteOptions
from kernelopt.suites._select import Entry, choose, narrow
from kernelopt.task import Task

ENTRIES = [
    Entry(f"{level}/{number}", f"{number}_{name}", "", str, level)
    for level in (1, 2)
    for number, name in enumerate(["Softmax", "Matmul", "Conv2d"], start=1)
] + [Entry("3/3", "3_Gelu", "", str, 3)]


def ids(**options: object) -> list[str]:
    return [entry.id for entry in choose(ENTRIES, SuiteOptions(**options), "suite")]  # type: ignore[arg-type]


def test_nothing_said_selects_everything_in_order() -> None:
    assert ids() == ["1/1", "1/2", "1/3", "2/1", "2/2", "2/3", "3/3"]


def test_levels_and_tasks_select_in_suite_order() -> None:
    assert ids(levels=(2,)) == ["2/1", "2/2", "2/3"]
    assert ids(tasks=("2/1", "1/3")) == ["1/3", "2/1"]
    assert ids(levels=(1,), tasks=("1/2", "1/2")) == ["1/2"]


def test_a_task_may_be_written_as_a_slug_or_by_name() -> None:
    assert ids(tasks=("1-3", "3_Gelu")) == ["1/3", "3/3"]


def test_a_name_that_several_tasks_have_is_no_selection() -> None:
    with pytest.raises(UnknownName, match="suite has several tasks '2_Matmul'; write 1/2 or 2/2"):
        ids(tasks=("2_Matmul",))


def test_an_unknown_level_lists_the_levels() -> None:
    with pytest.raises(UnknownName, match="suite has no level 4; it has level 1, 2, 3"):
        ids(levels=(1, 4))
    with pytest.raises(UnknownName, match="its tasks have no levels"):
        choose([Entry("a", "a", "", str)], SuiteOptions(levels=(1,)), "file")


def test_an_unknown_task_names_near_ones() -> None:
    with pytest.raises(UnknownName, match=r"suite has no task '1_Softmx'; did you mean 1/1, 2/1"):
        ids(tasks=("1_Softmx",))
    with pytest.raises(UnknownName, match="suite has no task 'xyz'; there are 1/1, 1/2"):
        ids(tasks=("xyz",))


def test_a_task_outside_the_levels_is_a_contradiction() -> None:
    with pytest.raises(UnknownName, match="task 2/1 is not in level 1; drop --levels or the task"):
        ids(levels=(1,), tasks=("2/1",))


def tasks(*tags: tuple[str, ...]) -> list[Task]:
    return [Task(str(number), "t", "", "suite", tags=each) for number, each in enumerate(tags)]


def test_a_subset_is_a_tag_and_the_limit_counts_what_carries_it() -> None:
    found = narrow(tasks(("a",), ("b",), ("a", "b"), ("a",)), SuiteOptions(subset="a", limit=2), "suite")
    assert [task.id for task in found] == ["0", "2"]


def test_an_unknown_subset_lists_the_tags() -> None:
    with pytest.raises(UnknownName, match="no selected task of suite is tagged 'c'; tags here: a, b"):
        narrow(tasks(("b",), ("a",)), SuiteOptions(subset="c"), "suite")
    with pytest.raises(UnknownName, match="carry no tags"):
        narrow(tasks(()), SuiteOptions(subset="c"), "suite")


def test_a_limit_below_one_is_refused() -> None:
    with pytest.raises(ConfigError, match="--limit must be 1 or more, not 0"):
        ids(limit=0)
