"""The report in headless Chromium: it draws, it opens, it stays harmless, it fits a phone, it prints."""

import os
import random
import shutil

import pytest
import sample_run as sample
from html_page import asi, big, hostile

from kernelopt.report.html.render import render
from kernelopt.store.run import open_run

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("chromium")]

NAMES = ("chromium", "chromium-browser", "google-chrome")
DESKTOP, PHONE = (1280, 900), (375, 812)


@pytest.fixture(scope="module")
def chromium():
    """A headless browser, shared by the tests of this file."""
    program = next((path for name in NAMES if (path := shutil.which(name))), None)
    if program is None:
        pytest.skip(f"no Chromium is installed (none of {', '.join(NAMES)} is on PATH)")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    # Chromium's own sandbox refuses to start as root, which CI is.
    flags = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=flags)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Report files by name, each made once."""
    root, made = tmp_path_factory.mktemp("reports"), {}
    makers = {
        "many": lambda: big(root, 40, 160),
        "small": lambda: sample.make(root),
        "bad": lambda: hostile(root),
    }

    def file(name):
        if name not in made:
            with open_run(makers[name]()) as run:
                made[name] = root / f"{name}.html"
                made[name].write_text(render(run, asi), encoding="utf-8")
        return made[name]

    return file


class Visit:
    """A page with everything that it complained about or asked for."""

    def __init__(self, browser, file, size=DESKTOP, scheme="light"):
        self.context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, offline=True
        )
        self.page, self.faults, self.requests, self.dialogs = self.context.new_page(), [], [], []
        self.refused = []
        self.page.on("console", lambda message: self.faults.append(message.text))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("requestfailed", lambda one: self.refused.append(f"{one.url} {one.failure}"))
        self.page.on("dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss()))
        self.page.goto(file.as_uri())

    def count(self, selector):
        return self.page.locator(selector).count()

    def look_at(self, slug):
        """Follow the row of a task; returns the text of its kernel."""
        self.page.click(f'#task-table a[href="#task/{slug}"]')
        return self.page.locator("dialog[open] pre code").inner_text()

    def widths(self):
        """How wide the content is, and the window."""
        return self.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")


@pytest.fixture
def visit(chromium, written):
    made = []

    def go(name, *more, **changes):
        made.append(Visit(chromium, written(name), *more, **changes))
        return made[-1]

    yield go
    for one in made:
        one.context.close()


def drawn(visit, selector):
    """Marks that take room on the page."""
    seen = "one => { const box = one.getBoundingClientRect(); return box.width + box.height > 0 }"
    return visit.page.eval_on_selector_all(selector, f"all => all.filter({seen}).length")


def test_each_chart_shows_its_marks_and_nothing_complains(visit):
    seen = visit("many")
    assert drawn(seen, "#fast-p-all > svg path.c0") == 2
    assert drawn(seen, "#fast-p-all > svg path.c1") == 2
    for kind in ("rollouts", "dollars", "time"):
        assert drawn(seen, f"#progress-{kind} > svg path.c2") == 1
    assert drawn(seen, "#roofline circle.dot") > 20
    assert drawn(seen, "#task-table tbody tr") == 40
    assert drawn(seen, "#task-table rect.fill") > 20
    assert drawn(seen, "#heat .heat path") > 5
    assert drawn(seen, "#lineage circle.node") > 3
    assert drawn(seen, "#funnel rect") == 12
    assert drawn(seen, "#funnel-time > svg path.area") > 3
    assert drawn(seen, "#about .stack rect") > 3
    assert seen.faults == []


def test_the_only_request_is_for_the_file_itself(visit, written):
    seen = visit("many")
    seen.look_at("1-1")
    assert seen.requests == [written("many").as_uri()]


def test_clicking_a_task_opens_its_best_kernel_in_colour(visit):
    seen = visit("small")
    assert "the winner of 1/1" in seen.look_at("1-1")
    assert seen.page.locator("dialog h2").inner_text() == "1/1 1_Softmax"
    assert seen.count("dialog pre .k") == 1, "`class` is a keyword"
    assert seen.count("dialog pre .c") == 1, "the comment"
    assert seen.faults == []


def test_an_attempt_shows_diff_feedback_build_log_and_measurements(visit):
    seen = visit("small")
    seen.look_at("1-3")
    tab = seen.page.get_by_role("tab")
    tab.filter(has_text="Diff to attempt 2").click()
    assert seen.page.locator("dialog .ins").inner_text().strip() == "# k-wrong"
    assert seen.page.locator("dialog .del").inner_text().strip() == "# k-nobuild"
    tab.filter(has_text="Feedback").click()
    assert "feedback on k-wrong" in seen.page.locator("dialog [role=tabpanel]").inner_text()
    tab.filter(has_text="Build log").click()
    assert "built in 0.4 s" in seen.page.locator("dialog [role=tabpanel]").inner_text()
    seen.page.evaluate("location.hash = '#task/1-1'")
    tab.filter(has_text="Measurements").click()
    assert "2.20× [2.05, 2.30]" in seen.page.locator("dialog [role=tabpanel]").inner_text()
    assert seen.faults == []


def test_measured_samples_are_drawn(visit):
    seen = visit("many")
    seen.page.click("#task-table tbody tr:first-child a")
    seen.page.get_by_role("tab").filter(has_text="Measurements").click()
    assert seen.page.locator("dialog svg.strip path.sample").count() >= 2


def test_an_edge_of_the_lineage_shows_what_changed_in_the_prompt(visit):
    seen = visit("small")
    seen.page.evaluate("location.hash = '#prompt/2/1'")
    seen.page.wait_for_selector("dialog[open] .ins")
    assert seen.page.locator("dialog [aria-selected=true]").inner_text() == "Diff to #1"
    assert seen.page.locator("dialog .del").inner_text().strip() == "Prompt 1."
    assert seen.page.locator("dialog .ins").inner_text().strip() == "Prompt 2."


def test_a_cell_of_the_heat_map_leads_to_what_that_prompt_did_there(visit):
    seen = visit("small")
    seen.page.locator(".heat").click(position={"x": 44 + 5, "y": 8 + 25})
    seen.page.wait_for_selector("dialog[open] [aria-current=true]")
    assert seen.page.url.endswith("#task/1-1/by/1")
    assert "#1, generate" in seen.page.locator("dialog [aria-current=true]").inner_text()


def test_escape_closes_what_was_opened_and_back_does_too(visit):
    seen = visit("small")
    seen.look_at("1-1")
    seen.page.keyboard.press("Escape")
    seen.page.wait_for_selector("dialog:not([open])", state="hidden")
    seen.look_at("1-2")
    seen.page.go_back()
    seen.page.wait_for_selector("dialog:not([open])", state="hidden")


def test_an_address_with_a_task_opens_it_and_one_without_sense_says_so(visit, written):
    seen = visit("small")
    seen.page.goto(written("small").as_uri() + "#task/1-1/3")
    seen.page.reload()
    seen.page.wait_for_selector("dialog[open] pre")
    assert "Attempt 3" in seen.page.locator("dialog h3").first.inner_text()
    seen.page.evaluate("location.hash = '#task/no-such-task'")
    seen.page.wait_for_selector("dialog >> text=this report has no task/no-such-task")
    seen.page.evaluate("location.hash = '#task/%'")
    seen.page.wait_for_selector("dialog >> text=Cannot be shown")
    assert seen.faults == []


def test_the_keyboard_reaches_tasks_attempts_and_tabs(visit):
    seen = visit("small")
    seen.page.focus('#task-table a[href="#task/1-1"]')
    seen.page.keyboard.press("Enter")
    seen.page.wait_for_selector("dialog[open] pre")
    seen.page.focus("dialog [aria-selected=true]")
    seen.page.keyboard.press("ArrowRight")
    assert seen.page.evaluate("document.activeElement.getAttribute('aria-selected')") == "true"
    assert seen.page.locator("dialog [aria-selected=true]").inner_text() != "Kernel"


def test_tasks_can_be_found_by_name_and_by_status(visit):
    seen = visit("small")
    seen.page.fill("#find", "soft")
    assert drawn(seen, "#task-table tbody tr") == 1
    seen.page.fill("#find", "")
    seen.page.select_option("#only", "SKIPPED")
    assert seen.page.locator("#shown").inner_text() == "1 of 5 tasks"


def test_a_hostile_run_is_shown_and_does_nothing(visit, written):
    seen = visit("bad")
    page = seen.page
    assert "</script></style>" in seen.look_at("1-1")
    for index in range(seen.count("dialog [role=tab]")):
        page.locator("dialog [role=tab]").nth(index).click()
        page.locator("dialog [role=tabpanel]").inner_text()
    page.locator("dialog .pick").first.click()
    page.evaluate("location.hash = '#prompt/1/0'")
    page.wait_for_selector("dialog[open] >> text=Prompt #1")
    page.wait_for_timeout(200)
    assert page.evaluate("window.hacked") is None
    assert seen.count("img, iframe, object, embed, [onerror], [onload], [onfocus]") == 0
    assert seen.requests == [written("bad").as_uri()]
    assert seen.dialogs == seen.faults == []


def test_text_that_runs_backwards_is_named_instead_of_obeyed(visit):
    seen = visit("bad")
    assert "U+202e" in seen.look_at("1-1")


def test_even_markup_that_got_in_could_not_run_or_reach_the_network(visit):
    """The policy is the second wall; here the first one is opened from outside."""
    seen = visit("bad")
    seen.page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.hacked = 5";
            document.body.append(script);
            const holder = document.createElement("div");
            holder.innerHTML = "<img src='https://example.com/x.png' onerror='window.hacked = 6'>";
            document.body.append(holder);
        }"""
    )
    seen.page.wait_for_timeout(200)
    assert seen.page.evaluate("window.hacked") is None
    assert all("Content Security Policy" in fault for fault in seen.faults) and len(seen.faults) >= 2
    assert set(seen.refused) == {"https://example.com/x.png csp"}, "it was never sent"


@pytest.mark.parametrize("name", ["many", "small", "bad"])
def test_nothing_scrolls_sideways_on_a_phone(visit, name):
    seen = visit(name, PHONE)
    wide, window = seen.widths()
    assert wide <= window
    seen.look_at("1-1")
    pane = seen.page.locator("dialog .pane").bounding_box()
    assert pane["x"] >= 0 and pane["x"] + pane["width"] <= PHONE[0]
    assert seen.faults == []


def contrast(seen, selector):
    """WCAG's contrast of an element's text with the page."""
    words = seen.page.evaluate(
        """selector => [getComputedStyle(document.querySelector(selector)).color,
                        getComputedStyle(document.body).backgroundColor]""",
        selector,
    )
    light = []
    for word in words:
        parts = [int(part) / 255 for part in word[word.index("(") + 1 : -1].split(",")[:3]]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        light.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])
    return (max(light) + 0.05) / (min(light) + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_light_and_dark(visit, scheme):
    seen = visit("many", scheme=scheme)
    back = seen.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (back == "rgb(255, 255, 255)") == (scheme == "light")
    for selector in ("h1", "p.note", "#task-table a", ".badge.good", ".conditions"):
        assert contrast(seen, selector) >= 4.5, selector


def test_paper_is_white_and_holds_every_chart_but_no_controls(visit):
    seen = visit("many", scheme="dark")
    seen.page.emulate_media(media="print", color_scheme="dark")
    assert seen.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert drawn(seen, ".tools, nav, dialog") == 0
    assert drawn(seen, "figure.plot > svg") >= 6
    pdf = seen.page.pdf(format="A4")
    assert pdf.startswith(b"%PDF") and len(pdf) > 20_000


def least_edits(a, b):
    """Lines to add and remove, by the textbook's table: the definition to hold the page's own against."""
    row = list(range(len(b) + 1))
    for i, one in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(b, 1):
            before, row[j] = row[j], before if one == other else 1 + min(row[j], row[j - 1])
    return row[-1]


def test_the_difference_of_two_texts_is_right_and_as_short_as_can_be(visit):
    rng = random.Random(7)
    pairs = [["\n".join(rng.choices("abc", k=rng.randint(1, 12))) for _ in range(2)] for _ in range(200)]
    found = visit("small").page.evaluate("pairs => pairs.map(([a, b]) => diffLines(a, b))", pairs)
    for (a, b), lines in zip(pairs, found, strict=True):
        assert [text for sign, text in lines if sign != "+"] == a.split("\n")
        assert [text for sign, text in lines if sign != "-"] == b.split("\n")
        assert sum(sign != " " for sign, _ in lines) == least_edits(a.split("\n"), b.split("\n"))


def test_colouring_loses_no_letter_of_any_source(visit):
    rng = random.Random(8)
    pieces = [
        "#",
        '"',
        "'",
        '"""',
        "\\",
        "\n",
        "/*",
        "*/",
        "//",
        "#include <x>",
        "for",
        "0x1f",
        "é",
        " ",
        "@a",
        "r'",
    ]
    texts = ["".join(rng.choices(pieces, k=rng.randint(1, 60))) for _ in range(200)]
    script = """texts => texts.map(text => colouredLines(text).map(
        nodes => nodes.map(node => node.textContent ?? node).join("")).join("\\n"))"""
    assert visit("small").page.evaluate(script, texts) == texts


def test_a_source_made_to_be_slow_to_colour_is_not(visit):
    """A pattern that went back and forth over these would not end within the test's time limit."""
    texts = [piece * (700_000 // len(piece)) for piece in ("/*", "'''", "'", '"\\', "#include", "_0")]
    texts.append('"""\n#include <x>\n' + "/*" * 60_000)
    assert (
        visit("small").page.evaluate("texts => texts.map(text => tokens(text, PYTHON).length > 0)", texts)
        == [True] * 7
    )


@pytest.mark.parametrize(("size", "shown"), [(DESKTOP, "td .badge"), (PHONE, "th .badge")])
def test_each_status_is_shown_once_at_any_width(visit, size, shown):
    seen = visit("small", size)
    row = '#task-table tr[data-status="WRONG_VALUE"]'
    assert drawn(seen, f"{row} .badge") == drawn(seen, f"{row} {shown}") == 1


def test_without_scripts_charts_and_tables_are_there_all_the_same(chromium, written):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(written("many").as_uri())
    assert page.locator("#task-table tbody tr").count() == 40
    assert page.locator("#fast-p-all > svg path.c0").count() == 2
    assert "need JavaScript" in page.locator("noscript").inner_text()
    context.close()
