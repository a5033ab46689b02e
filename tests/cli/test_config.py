"""kernelopt.toml sets every flag by its own name; the command line wins; mistakes are one line."""

import click
import pytest

from kernelopt.cli import main as frame
from kernelopt.cli._config import attach, defaults
from kernelopt.errors import ConfigError


class Levels(click.ParamType):
    """A type of ours: whole numbers between commas."""

    name = "levels"

    def convert(self, value, param, ctx):
        return value if isinstance(value, tuple) else tuple(int(part) for part in value.split(","))


@click.command()
@click.option("--budget-evals", type=click.IntRange(1), default=10)
@click.option("--margin", type=float, default=0.5)
@click.option("--suite", default="kernelbench")
@click.option("--levels", type=Levels())
@click.option("--size", type=click.Choice(["cpu", "gpu"]))
@click.option("--merge/--no-merge", default=True)
@click.option("--flag", "flags", multiple=True)
@click.option("--json", "as_json", is_flag=True)
@click.option("--runs", default="runs", envvar="TEST_CONFIG_RUNS")
@click.option("-q", "--quiet", is_flag=True)
@click.argument("words", nargs=-1)
def search(**settings):
    search.seen = settings


@click.group()
def suites():
    pass


@suites.command("check")
@click.option("--shrink", type=int)
def check(**settings):
    search.seen = settings


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Write kernelopt.toml, run a command line, return the settings that the command saw."""
    commands = {"search": search, "suites": suites}
    monkeypatch.setattr(frame.LazyGroup, "get_command", lambda _, __, name: attach(commands[name]))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TEST_CONFIG_RUNS", raising=False)

    def run(text, *arguments, file="kernelopt.toml"):
        if text is not None:
            (tmp_path / file).write_text(text)
        search.seen = None
        code = frame.main(list(arguments))
        assert code == (0 if search.seen is not None else 2)
        return search.seen

    return run


def test_without_a_file_the_defaults_hold(run):
    seen = run(None, "search")
    assert (seen["budget_evals"], seen["suite"], seen["merge"]) == (10, "kernelbench", True)


def test_every_kind_of_flag_can_be_set(run):
    seen = run(
        """
        [search]
        budget-evals = 200
        margin = 1
        suite = "ops/"
        levels = [1, 2]
        size = "gpu"
        merge = false
        flag = ["a", "b"]
        json = true
        quiet = true
        """,
        "search",
    )
    assert seen == {
        "budget_evals": 200,
        "margin": 1.0,
        "suite": "ops/",
        "levels": (1, 2),
        "size": "gpu",
        "merge": False,
        "flags": ("a", "b"),
        "as_json": True,
        "runs": "runs",
        "quiet": True,
        "words": (),
    }


@pytest.mark.parametrize("key", ["budget-evals", "budget_evals"])
def test_dashes_and_underscores_are_the_same(run, key):
    assert run(f"[search]\n{key} = 7", "search")["budget_evals"] == 7


def test_a_list_for_one_text_is_joined_by_commas(run):
    assert run('[search]\nsuite = ["1/23", "2/9"]', "search")["suite"] == "1/23,2/9"


def test_the_command_line_wins_over_the_file(run):
    seen = run("[search]\nbudget-evals = 7\nmerge = false", "search", "--budget-evals", "3", "--merge")
    assert (seen["budget_evals"], seen["merge"]) == (3, True)


def test_the_environment_wins_over_the_file(run, monkeypatch):
    assert run('[search]\nruns = "file"', "search")["runs"] == "file"
    monkeypatch.setenv("TEST_CONFIG_RUNS", "environment")
    assert run('[search]\nruns = "file"', "search")["runs"] == "environment"


@pytest.mark.parametrize(
    "arguments", [("--config", "other.toml", "search"), ("search", "--config", "other.toml")]
)
def test_another_file_may_be_named_before_or_after_the_command(run, arguments):
    run("[search]\nbudget-evals = 7", "search")
    assert run("[search]\nbudget-evals = 8", *arguments, file="other.toml")["budget_evals"] == 8


def test_tables_of_other_commands_are_left_alone(run):
    assert run("[report]\nruns = 'x'\n[search]\nbudget-evals = 7", "search")["budget_evals"] == 7


def test_commands_of_a_group_have_tables_of_their_own(run):
    assert run("[suites.check]\nshrink = 16", "suites", "check") == {"shrink": 16}


def test_help_works_beside_a_broken_file(run, tmp_path, capsys):
    (tmp_path / "kernelopt.toml").write_text("[")
    assert frame.main(["search", "--help"]) == 0
    assert "--budget-evals" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[search]\nbudget-eval = 7", "[search]: no flag named 'budget-eval'; did you mean 'budget-evals'?"),
        ("[search]\nxyz = 7", "kernelopt.toml: [search]: no flag named 'xyz'; there are: "),
        ("[serach]\nsuite = 'a'", "kernelopt.toml: no command named [serach]; did you mean 'search'?"),
        ("suite = 'a'", "kernelopt.toml: 'suite' stands outside a table; put it under [search]"),
        ("[search]\nbudget-evals = '7'", "[search] budget-evals: a whole number is wanted, not '7'"),
        ("[search]\nbudget-evals = 2.5", "[search] budget-evals: a whole number is wanted, not 2.5"),
        ("[search]\nbudget-evals = true", "[search] budget-evals: a whole number is wanted, not True"),
        ("[search]\nbudget-evals = [7]", "[search] budget-evals: a whole number is wanted, not [7]"),
        ("[search]\nbudget-evals = 0", "[search] budget-evals: 0 is not in the range x>=1."),
        ("[search]\nmargin = 'wide'", "[search] margin: a number is wanted, not 'wide'"),
        ("[search]\nmerge = 'yes'", "[search] merge: true or false is wanted, not 'yes'"),
        ("[search]\nsuite = true", "[search] suite: a text is wanted, not True"),
        ("[search]\nsuite = {a = 1}", "[search] suite: a text is wanted, not {'a': 1}"),
        ("[search]\nflag = 'a'", "[search] flag: a list is wanted, not 'a'"),
        ("[search]\nsize = 'tpu'", "[search] size: 'tpu' is not one of 'cpu', 'gpu'."),
        ("[search]\nwords = 'a'", "no flag named 'words'"),
        ("[search]\nconfig = 'a'", "no flag named 'config'"),
        ("[search]\nbudget-evals = 1\nbudget_evals = 2", "'budget_evals' is set twice"),
        ("[search", "kernelopt.toml: not valid TOML: "),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_that_names_file_and_key(run, capsys, text, words):
    assert run(text, "search") is None
    said = capsys.readouterr().err
    assert words in said and "kernelopt.toml" in said and said.count("\n") == 1


def test_a_file_that_was_named_must_exist(run, capsys):
    assert run(None, "search", "--config", "nowhere.toml") is None
    said = capsys.readouterr().err
    assert (
        said == "kernelopt: nowhere.toml: the configuration file cannot be read: no such file or directory\n"
    )


def test_a_file_that_is_not_text_is_one_line(tmp_path):
    (tmp_path / "kernelopt.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not valid TOML"):
        defaults(tmp_path / "kernelopt.toml", "search", search)


def test_every_flag_of_every_command_can_stand_in_the_file():
    context = click.Context(frame.cli)
    for name in frame.cli.list_commands(context):
        command = frame.cli.get_command(context, name)
        assert command.params[-1].name == "config"
