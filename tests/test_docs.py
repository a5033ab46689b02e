"""What the documents say can be typed: commands exist, take those flags, and run where they can run here."""

import re
import shlex
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import click
import pytest

from kernelopt.cli.main import COMMANDS, cli, main
from kernelopt.suites import SuiteOptions
from kernelopt.suites._load import load

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("benchmarks/*/README.md"),
    ]
)
_INLINE = re.compile(r"`([^`\n]+)`")
_TOOLS = ("kernelopt", "python", "pytest", "make")
NOT_RUN = {
    r"--lm (anthropic|openai)": "a key for a paid model",
    r"--lm files:": "a person, or an agent, who answers",
    r"^kernelopt search": "minutes; .ci/run makes the README's first search",
    r"^kernelopt resume": "minutes",
    r"^kernelopt docs (list|remove)": "a manual that was added",
    r"--open": "a browser",
    r"^kernelopt (docs add|export|verify|score)": "files of the reader's own; tests of their own run these",
    r"^kernelopt (eval|build) (softmax|mine)\.py": "a kernel of the reader's own",
    r"^kernelopt suites \w+ softmul\.py": "an operator of the reader's own",
    r"--target npu|--suite npueval": "minutes; tests of their own run it at a smaller size",
    r"^make (search|test|check|setup|lint)": ".ci/run makes it",
    r"^python -m (benchmarks|venv|build|pip)": "minutes; figures in the documents come from it",
}
"""Commands of code blocks that are not run here, and what they need."""


@dataclass(frozen=True)
class Typed:
    """A command in a document."""

    place: str
    text: str
    block: bool
    """In a block of its own, not in a sentence."""

    @property
    def words(self):
        return shlex.split(self.text, comments=True)


def typed(page, root=ROOT):
    """Every command of a page that begins with one of `_TOOLS`."""
    block = False
    for number, line in enumerate(page.read_text().splitlines(), start=1):
        if line.startswith("```"):
            block = not block
            continue
        for text in [line.strip()] if block else _INLINE.findall(line):
            found = re.split(r"\s{3,}", text.removeprefix("$ "))[0]  # what it does stands to the right
            if found.split(" ")[0] in _TOOLS and " " in found:
                yield Typed(f"{page.relative_to(root)}:{number}", found, block)


EVERY = [command for page in PAGES for command in typed(page)]
OURS = [command for command in EVERY if command.words[0] == "kernelopt"]


def label(command):
    return f"{command.place} {command.text}"


def resolved(words):
    """The click command that the words name, and what is left of them."""
    context = click.Context(cli)
    found, left = cli, list(words)
    while isinstance(found, click.Group) and left and not left[0].startswith("-"):
        found, left = found.get_command(context, left[0]), left[1:]
    return found, left


@pytest.mark.parametrize("command", OURS, ids=label)
def test_a_command_of_ours_exists_and_takes_its_flags(command):
    found, left = resolved(command.words[1:])
    assert found is not None, f"there is no such command; there are {', '.join(COMMANDS)}"
    known = {
        "--help",
        "--version",
        *(name for param in found.params for name in param.opts + param.secondary_opts),
    }
    flags = {word.strip("[]").split("=")[0] for word in left if word.strip("[]").startswith("--")}
    assert flags <= known


@pytest.mark.parametrize("command", [c for c in EVERY if c.text.startswith("python -m")], ids=label)
def test_a_module_that_is_to_be_run_exists_and_knows_its_flags(command):
    _, _, module, *left = command.words
    if module == "pip":  # to look for it would import its old friend distutils
        return
    spec = find_spec(module)
    assert spec is not None
    if module.startswith("benchmarks."):
        source = "".join(path.read_text() for path in Path(spec.origin).parent.glob("*.py"))
        assert [word for word in left if word.startswith("--") and f'"{word}"' not in source] == []


@pytest.mark.parametrize("command", [c for c in EVERY if c.words[0] == "pytest"], ids=label)
def test_tests_that_are_named_exist(command):
    paths = [word.split("::")[0] for word in command.words if "/" in word]
    assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("command", [c for c in EVERY if c.words[0] == "make"], ids=label)
def test_what_is_to_be_made_is_in_the_makefile(command):
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert command.words[1] in targets


def python_blocks(page):
    return re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)


@pytest.mark.parametrize("page", [page for page in PAGES if python_blocks(page)], ids=lambda page: page.name)
def test_python_in_documents_is_python(page):
    for block in python_blocks(page):
        compile(block, page.name, "exec")


def test_the_suite_that_is_shown_as_a_plugin_is_one():
    (text,) = [block for block in python_blocks(ROOT / "docs" / "plugins.md") if "PLUGIN" in block]
    names = {}
    exec(compile(text, "ours.py", "exec"), names)
    suite = names["PLUGIN"]("ours", SuiteOptions())
    tasks = list(suite.tasks())
    assert suite.missing() is None and suite.provenance().tasks == len(tasks) == 2
    assert load(tasks[0]).Model


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with what a reader has by then: one run of one task."""
    folder = tmp_path_factory.mktemp("reader")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("KERNELOPT_CACHE", str(folder / "cache"))
        flags = ["--tasks", "1/23", "--budget-evals", "1", "--refinements", "0", "--sandbox", "process"]
        assert main(["search", "--suite", "kernelbench", *flags, "--quiet"]) == 0
        yield folder


RUN = [
    command
    for command in OURS
    if command.block and not any(re.search(pattern, command.text) for pattern in NOT_RUN)
]


@pytest.mark.slow
@pytest.mark.parametrize("command", RUN, ids=label)
def test_what_can_be_run_here_runs(place, command, capsys):
    code = main(command.words[1:])
    told = capsys.readouterr()
    assert code in (0, 1), told.err  # `doctor` and `eval` answer with 1 as well
    assert told.out


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_within_the_project_lead_somewhere(page):
    links = re.findall(r"\]\((?!https?:|mailto:)([^)\s]+)\)", page.read_text())
    assert [link for link in links if not leads_somewhere(page, link)] == []


def test_the_operator_that_is_shown_as_ones_own_is_a_task_that_tells_right_from_wrong(
    tmp_path, monkeypatch, capsys
):
    (text,) = python_blocks(ROOT / "docs" / "own-operator.md")
    (tmp_path / "softmul.py").write_text(text.replace("ROWS = 4096", "ROWS = 64"))
    monkeypatch.chdir(tmp_path)
    assert main(["suites", "check", "softmul.py"]) == 0
    assert "OK" in capsys.readouterr().out


def leads_somewhere(page, link):
    path, _, anchor = link.partition("#")
    target = (page.parent / path) if path else page
    if not target.exists():
        return False
    return not anchor or anchor in {anchor_of(line) for line in target.read_text().splitlines()}


def anchor_of(line):
    """The name that a heading is linked by on the usual hosts."""
    title = re.sub(r"^#+ +", "", line).replace("`", "").lower() if line.startswith("#") else ""
    return re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", title))


def test_these_rules_catch_what_they_forbid(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "`kernelopt serach --suite x`, `make`\n```\nkernelopt search --sweet x      does it\n```\n[a](b.md)\n"
    )
    wrong, right = list(typed(page, tmp_path))
    assert wrong.text == "kernelopt serach --suite x" and resolved(wrong.words[1:])[0] is None
    assert right.words == ["kernelopt", "search", "--sweet", "x"] and right.block
    assert not leads_somewhere(page, "b.md")
