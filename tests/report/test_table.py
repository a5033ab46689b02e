"""What people read: provenance first, honest marks, and nothing that drives their terminal."""

import dataclasses
import io
import re

import pytest
import sample_run as sample
from rich.console import Console

from kernelopt.errors import UnknownName
from kernelopt.report.detail import find_task, task_page
from kernelopt.report.fold import view
from kernelopt.report.page import Grid, clean, plain, styled
from kernelopt.report.table import list_page, report_page, speedup_text
from kernelopt.store.run import open_run


@pytest.fixture
def found(tmp_path):
    with open_run(sample.make(tmp_path)) as run:
        yield view(run)


def rows(text, start):
    """Words of the plain-text line that begins with `start`."""
    (line,) = [line for line in text.splitlines() if line.startswith(start)]
    return re.split(r"\s{2,}", line)


def test_the_first_line_says_which_task_set_it_is(found):
    for page in (report_page(found), task_page(found, found.tasks[0])):
        assert plain(page).splitlines()[0] == "kernelbench-core (bundled, 5 tasks; not the official set)"


def test_the_report_shows_each_tasks_result_and_who_wrote_it(found):
    text = plain(report_page(found))
    assert rows(text, "1/1") == ["1/1", "1_Softmax", "PASSED", "2.20× [2.05, 2.30]", "0.50×", "#1"]
    assert rows(text, "1/2")[2:] == [
        "PASSED",
        "~1.05× [0.95, 1.15]",
        "NO_KERNEL",
        "rejected proposal bad0bad0",
    ]
    assert rows(text, "1/3")[2:] == ["WRONG_VALUE", "–", "BUILD_FAILED", "–"]
    assert "~ measured during the search only" in text
    assert "2/1 skipped, not counted: its inputs would not fit into memory (17.2 GB)" in text


def test_the_report_gives_both_readings_of_fast_p_for_winners_and_seed(found):
    text = plain(report_page(found))
    assert rows(text, "best kernels")[1:] == [
        "4",
        "1",
        "2",
        "0.50 / 0.50",
        "0.25 / 0.50",
        "0.25 / 0.25",
        "1.52×",
    ]
    assert rows(text, "seed prompt")[1:] == [
        "4",
        "1",
        "1",
        "0.25 / 0.25",
        "0.00 / 0.00",
        "0.00 / 0.00",
        "0.50×",
    ]


def test_the_report_says_where_and_how_it_was_measured(found):
    text = plain(report_page(found))
    assert "isolation: process" in text and "machine: 2 cores, g++ 12" in text
    assert "lm: builtin writer: rule-based, for demonstration and tests" in text
    assert f"kernels: {found.folder / 'kernels'}" in text
    assert "(300 tokens), $0.75" in text


def test_bare_figures_of_a_machine_are_named(found):
    facts = {"model": "EPYC", "cores": "2", "simd_bytes": "64", "isolation": "bwrap", "python": "3.11.7"}
    manifest = {**found.manifest, "machine": facts}
    text = plain(report_page(dataclasses.replace(found, manifest=manifest)))
    assert "machine: EPYC, 2 cores, 64-byte vectors, Python 3.11.7" in text


def test_no_mark_and_no_note_where_everything_was_measured_again(tmp_path):
    with open_run(sample.make(tmp_path), write=True) as run:
        run.journal.append("remeasure", f"1-2:{sample.MATMUL.kernel_hash}", sample.to_json(sample.MATMUL))
        assert "~" not in plain(report_page(view(run)))


def test_damage_is_told_in_the_report(tmp_path):
    folder = sample.make(tmp_path)
    journal = folder / "journal.sqlite"
    journal.write_bytes(journal.read_bytes().replace(b"spent", b"SPENT"))
    with open_run(folder) as run:
        text = plain(report_page(view(run)))
    assert re.search(r"^damaged: event \d+ \(session 2\): its checksum does not match$", text, re.MULTILINE)


def test_a_task_page_shows_checks_and_every_attempt(found):
    text = plain(task_page(found, find_task(found, "1/1")))
    assert "speedup: 2.20× [2.05, 2.30] over eager, measured again at the end" in text
    assert rows(text, "given/1") == ["given/1", "PASSED", "1e-06", "1e-05"]
    assert [line.split()[:2] for line in text.splitlines() if line.startswith("#")] == [
        ["#0", "generate"],
        ["#0", "refine-1"],
        ["#1", "generate"],
        ["#1", "refine-1"],
    ]


def test_a_task_is_found_by_id_slug_or_name(found):
    assert {find_task(found, wanted).id for wanted in ("1/1", "1-1", "1_Softmax")} == {"1/1"}
    with pytest.raises(UnknownName, match="has no task '1_Softmaxx'; there are for example: 1_Softmax"):
        find_task(found, "1_Softmaxx")


def test_the_list_shows_readable_and_unreadable_runs(found):
    text = plain(list_page([found, ("broken", "manifest.json: damaged")]))
    assert rows(text, "sample")[:7] == ["sample", "finished", "4", "2", "0.25", "6", "$0.75"]
    assert rows(text, "broken") == ["broken", "unreadable", *["–"] * 5, "manifest.json: damaged"]


def test_the_styled_page_holds_the_same_cells(found):
    out = io.StringIO()
    Console(file=out, width=160, no_color=True, highlight=False).print(styled(report_page(found)))
    for cell in ("1_Softmax", "2.20× [2.05, 2.30]", "WRONG_VALUE", "0.25 / 0.50", str(found.folder)):
        assert cell in out.getvalue()


HOSTILE = "ok\x1b]0;owned\x07\x1b[2J\r\x9b31m[bold red]not markup[/]"


def test_texts_from_candidates_cannot_drive_the_terminal():
    page = [HOSTILE, Grid(("column",), [(HOSTILE,)], title=HOSTILE)]
    out = io.StringIO()
    Console(file=out, width=200, color_system=None, highlight=False).print(styled(page))
    for text in (plain(page), out.getvalue()):
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text)
        assert text.count("[bold red]not markup[/]") == 3


def test_cleaning_keeps_lines_and_letters():
    assert clean("a\n\tb é × 漢") == "a\n\tb é × 漢"


def test_a_cell_of_several_lines_stays_in_its_row():
    assert plain([Grid(("a", "b"), [("one\ntwo", "x")])]).splitlines() == ["a        b", "one two  x"]


def test_no_speedup_is_a_dash():
    assert speedup_text(None) == "–"


def untimed_view(tmp_path, conditions=None):
    found = [sample.untimed("1/1", "k1"), sample.untimed("1/2", "k2"), sample.WRONG]
    with open_run(sample.small(tmp_path, found, "interpreter", conditions)) as run:
        return view(run)


INTERPRETED = {"timed": False, "runs": True, "note": "right in the interpreter; not timed"}


@pytest.mark.parametrize("conditions", [None, INTERPRETED])
def test_what_passed_untimed_is_correct_and_fast_p_is_absent(tmp_path, conditions):
    found = untimed_view(tmp_path, conditions)
    text = plain(report_page(found))
    assert "NOT MEASURED: right " in text and "; there is no speedup and no fast_p" in text
    assert rows(text, "best kernels") == ["best kernels", "5", "0", "2"]
    assert "fast_1 " not in text.replace("no fast_p", "")
    assert rows(plain(list_page([found])), "small")[2:5] == ["5", "2", "–"]


ONLY_COMPILED = {"timed": False, "runs": False, "note": sample.COMPILE_ONLY}


def test_a_compile_only_run_is_stamped_and_counts_nothing_as_correct(tmp_path):
    kernels = [sample.compiled("1/1", "k1", 0, 1.0), sample.compiled("1/2", "k2", 1, 0.5), sample.NO_BUILD]
    with open_run(sample.small(tmp_path, kernels, "compiler", ONLY_COMPILED)) as run:
        found = view(run)
    text = plain(report_page(found))
    assert "NOT MEASURED: compile only: not run, not checked, not timed" in text
    assert rows(text, "1/1")[2:] == ["COMPILED", "1", "40", "0", "none", "COMPILED", "#0 (seed)"]
    assert rows(text, "1/2")[2:7] == ["COMPILED", "1", "40", "8", "spills"]
    assert re.search(r"scores +tasks +skipped +compiled$", text, re.MULTILINE)
    assert rows(text, "best kernels") == ["best kernels", "5", "0", "2"]
    assert "speedup [" not in text and "×" not in text
    assert rows(plain(list_page([found])), "small")[3:5] == ["2 (compiled)", "–"]
    page = plain(task_page(found, find_task(found, "1/1")))
    assert "winner: #0 (seed)" in page and sample.COMPILE_ONLY in page


def test_a_run_that_is_timed_has_no_stamp(found):
    assert "NOT MEASURED" not in plain(report_page(found))
