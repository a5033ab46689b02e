"""One HTML file that shows a whole run: every chart has its marks, nothing gets in, nothing is asked for."""

import base64
import dataclasses
import hashlib
import itertools
import re

import pytest
import sample_run as sample
from html_page import HOSTILE, Page, asi, big, hostile, page_of

from kernelopt.evaluation import Profile, Status, to_json
from kernelopt.report.fold import view
from kernelopt.report.html.render import render
from kernelopt.report.scores import fast_p
from kernelopt.store.run import create_run, open_run


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A run of 40 tasks, as it is read."""
    folder = big(tmp_path_factory.mktemp("many"))
    with open_run(folder) as run:
        return view(run), Page(render(run, asi))


@pytest.fixture
def small(tmp_path):
    return page_of(sample.make(tmp_path), asi)


def test_the_file_is_far_smaller_than_a_plotting_library(many):
    assert len(many[1].html) < 1_500_000


def test_it_needs_nothing_from_outside(many):
    page = many[1]
    assert page.find("link") == page.find("img") == page.find("iframe") == []
    loading = {"src", "srcset", "action", "data", "background", "poster"}
    assert [e for e in page.elements if loading & set(e.attributes)] == []
    targets = {e.attributes["href"] for e in page.elements if "href" in e.attributes}
    assert all(target.startswith("#") for target in targets)
    assert (
        "http://" not in page.html.replace("http://www.w3.org/2000/svg", "") and "https://" not in page.html
    )


def test_its_policy_lets_in_one_script_and_one_style_sheet_and_nothing_else(many):
    page = many[1]
    (policy,) = page.find("meta", **{"http-equiv": "Content-Security-Policy"})
    scripts = [e for e in page.find("script") if "type" not in e.attributes]
    (script,), (style,) = scripts, page.find("style")
    rules = dict(rule.strip().split(" ", 1) for rule in policy.attributes["content"].split(";"))
    for rule, element in (("script-src", script), ("style-src", style)):
        digest = base64.b64encode(hashlib.sha256(element.text.encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{digest}'"
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert page.html.index("Content-Security-Policy") < page.html.index("<style>")


def test_no_element_carries_code_or_style(many):
    carried = {name for e in many[1].elements for name in e.attributes if name.startswith("on")}
    assert carried == set()
    assert [e for e in many[1].elements if "style" in e.attributes] == []


def test_every_task_is_a_row_and_every_speedup_a_bar_with_its_interval_and_its_light(many):
    found, page = many
    timed = sum(task.speedup is not None for task in found.tasks)
    rows = page.find("tr", within="task-table")
    assert len(rows) == 1 + len(found.tasks) == 41
    bars = [e for e in page.find("rect", within="task-table") if "fill" in e.classes]
    assert len(bars) == timed > 20
    assert len(page.find("path", within="task-table", style="light")) == timed
    assert len([e for e in page.find("line", within="task-table") if "whisker" in e.classes]) == 3 * timed


def test_a_bar_reaches_from_parity_to_the_speedup(tmp_path):
    page = page_of(sample.make(tmp_path))
    (row,) = [e for e in page.find("tr", within="task-table") if "1_Softmax" in e.text]
    assert "2.20×" in row.text and "[2.05, 2.30]" in row.text
    inside = [e for e in page.elements if row in e.parents]
    (bar,) = [e for e in inside if e.tag == "rect"]
    (parity,) = [e for e in inside if "parity" in e.classes]
    assert bar.attributes["x"] == parity.attributes["x1"] and "faster" in bar.classes


def test_fast_p_has_two_lines_for_each_baseline_and_says_what_the_scores_say(many):
    found, page = many
    drawn = [e for e in page.find("path", within="fast-p-all") if {"c0", "c1", "muted"} & set(e.classes)]
    names = [row.text for row in page.find("li", within="fast-p-all")]
    assert names == ["eager, strict", "eager, point estimate", "compile, strict", "compile, point estimate",
                     "seed prompt, strict"]  # fmt: skip
    assert len([e for e in drawn if "key" not in e.classes]) == len(names)
    results = [task.speedup for task in found.tasks]
    cells = [e.text for e in page.find("td", within="fast-p-all")]
    assert cells[4] == f"{fast_p(results, 1.0):.2f}"


def test_progress_is_drawn_over_rollouts_dollars_and_time(many):
    for kind in ("rollouts", "dollars", "time"):
        assert len(many[1].find("li", within=f"progress-{kind}")) == 3, kind


def test_each_winner_is_a_dot_below_the_roof_that_leads_to_its_task(many):
    found, page = many
    dots = page.find("a", within="roofline")
    assert len(dots) == sum(task.speedup is not None for task in found.tasks)
    known = {f"#task/{task.slug}" for task in found.tasks}
    assert {dot.attributes["href"] for dot in dots} <= known
    assert len(page.find("path", within="roofline", style="roof")) == 1


def test_the_heat_map_has_a_cell_for_each_score(many):
    found, page = many
    paths = [e for e in page.find("path", within="heat") if re.fullmatch("h[0-9]", e.classes[0])]
    cells = sum(e.attributes["d"].count("z") for e in paths)
    assert cells == sum(len(candidate.scores) for candidate in found.candidates) > 40


def test_the_tree_has_a_node_for_each_prompt_and_an_edge_for_each_parent(many):
    found, page = many
    nodes = page.find("circle", within="lineage")
    edges = [e for e in page.find("path", within="lineage", style="edge") if e.attributes["d"] != "M1 5h24"]
    assert len(nodes) == len(found.candidates)
    assert len(edges) == sum(len(candidate.parents) for candidate in found.candidates)


def test_the_funnel_narrows_from_attempts_to_faster_kernels(many):
    counts = [
        int(cell.text.replace(",", "")) for cell in many[1].find("td", within="funnel")[::3] if cell.text
    ]
    assert counts == sorted(counts, reverse=True) and len(counts) == 6


def test_every_chart_has_words_and_a_table(many):
    page = many[1]
    for figure in page.find("figure", style="plot"):
        inside = [e for e in page.elements if figure in e.parents]
        assert any(e.tag == "h3" and e.text for e in inside)
        assert any(e.tag == "table" for e in inside)
    named = [e for e in page.find("svg") if e.attributes.get("role") in ("img", "group")]
    assert named and all(e.attributes["aria-label"].strip() for e in named)


def test_drawings_without_a_name_are_hidden_from_screen_readers(many):
    page = many[1]
    for drawing in page.find("svg"):
        hidden = [e for e in (*drawing.parents, drawing) if e.attributes.get("aria-hidden") == "true"]
        nested = any(parent.tag == "svg" for parent in drawing.parents)
        assert hidden or nested or drawing.attributes.get("aria-label"), drawing


def test_headings_go_down_one_level_at_a_time(many):
    levels = [int(e.tag[1]) for e in many[1].elements if re.fullmatch("h[1-6]", e.tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(b <= a + 1 for a, b in itertools.pairwise(levels))


def test_a_task_is_packed_with_its_attempts_kernels_feedback_logs_and_measurements(small):
    task = small.pack("task/1-1")
    assert [a["status"] for a in task["attempts"]] == ["NO_KERNEL", "PASSED", "PASSED", "PASSED"]
    kernel = task["kernels"]["k-fast"]
    assert kernel["source"] == sample.SOURCE
    assert kernel["asi"].startswith("feedback on k-fast")
    assert kernel["timing"]["speedup"] == [2.5, 2.3, 2.7]
    assert task["again"]["k-fast"]["timing"]["speedup"] == [2.2, 2.05, 2.3]
    assert kernel["checks"][0][:2] == ["given/1", "PASSED"]
    assert task["best"] == "k-fast"


def test_an_attempt_is_compared_with_the_best_before_it_in_its_rollout(small):
    attempts = small.pack("task/1-3")["attempts"]
    assert [(a["step"], a["parent"]) for a in attempts] == [
        ("generate", None),
        ("generate", None),
        ("refine-1", 1),
    ]


def test_prompts_are_packed_with_their_parents(small):
    prompts = small.pack("prompts")
    assert [(p["index"], p["parents"]) for p in prompts] == [(0, []), (1, [0]), (2, [0, 1])]
    assert prompts[1]["parts"] == {"generate": "Prompt 1."}


def test_the_first_words_say_which_task_set_it_is_and_what_it_is_not(small):
    (head,) = small.find("header")
    stamps = [e.text for e in small.find("p", style="stamp") if head in e.parents]
    assert stamps[0] == "kernelbench-core (bundled, 5 tasks; not the official set)"


def test_the_builtin_writer_is_not_taken_for_a_language_model(small):
    assert any("rule-based, for demonstration and tests" in e.text for e in small.find("li"))


def test_skipped_tasks_say_why(small):
    assert "2/1 skipped, not counted: its inputs would not fit into memory" in small.html


def test_what_the_attacker_wrote_is_text_everywhere(tmp_path):
    page = page_of(hostile(tmp_path), asi)
    assert page.find("img") == [] and page.find("svg", onload="window.hacked = 3") == []
    scripts = [
        e for e in page.find("script") if e.attributes.get("type") not in ("text/plain", "application/json")
    ]
    assert len(scripts) == 1
    assert not any(
        name.startswith("on") or name == "autofocus" for e in page.elements for name in e.attributes
    )
    assert "<script>window.hacked" not in page.html and "<img" not in page.html
    assert any(HOSTILE in e.text for e in page.find("th")), "it is shown, letter by letter"
    assert "{{ 7 * 7 }}" in HOSTILE and "49" not in page.find("h1")[0].text
    assert HOSTILE in page.pack("task/1-1")["kernels"]["k-good"]["source"]


def test_lone_surrogates_and_control_characters_do_not_break_the_file(tmp_path):
    with sample.begin(tmp_path) as run:
        stop = {"action": "stop", "reason": "bad \ud800 \x1b[31m\x00 end", "budget": {}}
        run.journal.append("session", "9", stop)
        folder = run.folder
    page = page_of(folder)
    page.html.encode("utf-8")
    assert "\x1b" not in page.html and "\x00" not in page.html


def test_a_run_that_has_just_begun_has_a_report(tmp_path):
    with create_run(tmp_path, "new", sample.MANIFEST) as run:
        page = Page(render(run))
    assert "PENDING" in page.html and page.find("figure", style="plot") == []


def test_a_run_under_way_says_so(tmp_path):
    with sample.begin(tmp_path) as run:
        page = Page(render(run))
    assert any("this run is running" in e.text for e in page.find("p", style="warn"))


def test_a_lost_source_costs_itself_and_not_the_report(tmp_path):
    folder = sample.make(tmp_path)
    for kept in (folder / "artifacts").glob("??/*"):
        kept.unlink()
    assert "missing" in page_of(folder).pack("task/1-1")["kernels"]["k-fast"]["source"]


def untimed(root, profiles=()):
    """A run on a device that has no clock."""
    note = "right on the CPU, in Triton's interpreter; not timed"
    with create_run(root, "no-clock", {**sample.MANIFEST, "device": "interpreter"}) as run:
        right = dataclasses.replace(
            sample.passed("1/1", "k", 1, 1, 1), timing=None, reason=note, profiles=profiles
        )
        source = run.artifacts.put("x = 1\n")
        run.journal.append("evaluation", "1-1:k", {**to_json(right), "source": source})
        sample.rollout(run.journal.append, sample.SEED, "1-1", [sample.attempt(right, score=0.25)])
        return run.folder, note


def test_a_run_without_a_clock_shows_its_stamp_and_no_speedups(tmp_path):
    folder, note = untimed(tmp_path)
    page = page_of(folder)
    assert f"not measured: {note}" in [e.text for e in page.find("p", style="stamp")]
    assert page.find("figure", within="fast-p-all") == page.find("figure", within="roofline") == []
    assert page.find("td", within="task-table", style="bars") == []
    assert "fast1" not in "".join(e.text for e in page.find("dl"))
    assert [e.text for e in page.find("th", within="funnel")][-1] == "correct"
    assert "1 of 5" in page.find("dl")[0].text


def test_npu_figures_that_no_hardware_measured_are_called_estimates(tmp_path):
    profile = Profile("npu_model", {"cycles": 12_345.0, "vector_score": 0.75}, "hot loop: 4 cycles")
    page = page_of(untimed(tmp_path, (profile,))[0])
    text = page.find("table", id="npu")[0].text
    assert "12,345" in text and "0.75" in text and "estimated (host model)" in text
    assert "hot loop: 4 cycles" in text
    assert page.find("td", within="task-table", style="bars") == [], "an estimate is no measured speedup"
    assert any("not measured on hardware" in e.text for e in page.find("p", style="warn"))


def test_a_run_that_has_nothing_to_do_with_npus_has_no_such_section(small):
    assert small.find("table", id="npu") == []


def test_train_val_and_test_tasks_have_curves_of_their_own(tmp_path):
    split = {"train": ["1-3"], "val": ["1-2"], "test": ["1-1"]}
    manifest = {**sample.MANIFEST, "mode": "generalize", "split": split}
    with sample.finish(sample.begin(tmp_path, "split", manifest)) as run:
        page = Page(render(run))
    assert {e.attributes["id"] for e in page.find("figure", style="plot")} >= {"fast-p-val", "fast-p-test"}
    assert "of the test tasks" in page.find("dl")[0].text


def test_statuses_to_choose_from_are_those_of_the_run(small):
    assert {e.text for e in small.find("option", within="tasks")} >= {
        str(Status.PASSED),
        "SKIPPED",
        "PENDING",
    }


def test_a_run_that_only_compiles_says_compiled_and_never_correct(tmp_path):
    note = "compiled for sm_90; not run"
    conditions = {"timed": False, "runs": False, "note": note}
    with create_run(tmp_path, "compiled", {**sample.MANIFEST, "conditions": conditions}) as run:
        failed = sample.attempt(sample.NO_BUILD)
        tried = [failed, {**failed, "kernel": "k", "status": "COMPILED"}]
        sample.rollout(run.journal.append, sample.SEED, "1-3", tried)
        page = Page(render(run))
    assert f"not measured: {note}" in [e.text for e in page.find("p", style="stamp")]
    assert [e.text for e in page.find("th", within="funnel")][-1] == "built"
    assert [e.text for e in page.find("td", within="funnel") if e.text][-2:] == ["1", "50.0 %"]
    assert {e.text for e in page.find("li", within="progress-rollouts")} == {"compiled"}
    assert "compiled1 of 5" in page.find("dl")[0].text and "correct" not in page.find("dl")[0].text
