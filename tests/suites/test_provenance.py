"""One line that says which task set a result belongs to."""

from __future__ import annotations

from kernelopt.task import Provenance


def test_an_official_set_names_level_count_and_commit() -> None:
    said = str(Provenance("kernelbench", True, 100, "level 1, commit 423217d"))
    assert said == "kernelbench (official, level 1, 100 tasks, commit 423217d)"


def test_a_revision_stands_where_a_commit_would() -> None:
    said = str(Provenance("kernelbench", True, 100, "level 1, revision 1a2b3c4"))
    assert said == "kernelbench (official, level 1, 100 tasks, revision 1a2b3c4)"


def test_the_bundled_set_says_that_it_is_not_the_official_one() -> None:
    said = str(Provenance("kernelbench-core", False, 48, "bundled"))
    assert said == "kernelbench-core (bundled, 48 tasks; not the official set)"


def test_shrunk_tasks_give_no_kernelbench_scores() -> None:
    said = str(Provenance("kernelbench", False, 100, "level 1, commit 423217d", shrunk=64))
    assert said == "kernelbench (level 1, 100 tasks, commit 423217d; shrunk 64×; not KernelBench scores)"


def test_the_users_own_tasks_need_no_reservation() -> None:
    assert str(Provenance("file", False, 1, "softmax.py")) == "file (softmax.py, 1 task)"


def test_no_detail_leaves_no_gap() -> None:
    assert str(Provenance("npueval", False, 3)) == "npueval (3 tasks; not the official set)"
