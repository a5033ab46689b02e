"""The frame of the CLI: quick, lazy, and one line for everything that is not its fault."""

import errno
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from kernelopt import __version__
from kernelopt.cli import main as frame
from kernelopt.errors import ConfigError, EvaluatorFault, MissingTool, StoreError, TaskError, UnknownName

HEAVY = {"torch", "litellm", "gepa", "ray", "docker", "cupy", "triton", "numpy", "bm25s", "plotly"}
SCRIPT = Path(sys.executable).with_name("kernelopt")
PRESENT = frame.cli.list_commands(click.Context(frame.cli))


def kernelopt(*arguments, flags=(), **environment):
    """Run the command in a process of its own."""
    command = [sys.executable, *flags, "-m", "kernelopt", *arguments]
    env = {**os.environ, **environment}
    return subprocess.run(command, capture_output=True, text=True, env=env, check=False)


def run_failing(monkeypatch, capsys, error):
    """Exit code and stderr of a command that raises `error`."""

    @click.command()
    def command():
        raise error

    monkeypatch.setattr(frame.LazyGroup, "get_command", lambda *_: command)
    code = frame.main(["report"])
    captured = capsys.readouterr()
    assert captured.out == ""
    return code, captured.err


def imported(done):
    """Top-level packages that a run with `-X importtime` imported."""
    return {m.group(1) for m in re.finditer(r"\| +(\w+)[^|\n]*$", done.stderr, re.MULTILINE)}


def test_help_imports_nothing_heavy():
    done = kernelopt("--help", flags=("-X", "importtime"))
    assert done.returncode == 0 and "search" not in imported(done)
    assert "click" in imported(done)
    assert not imported(done) & (HEAVY | {"rich", "sqlite3"})


@pytest.mark.parametrize("command", PRESENT)
def test_help_of_a_command_imports_nothing_heavy(command):
    done = kernelopt(command, "--help", flags=("-X", "importtime"))
    assert done.returncode == 0, done.stderr
    assert "Usage: kernelopt" in done.stdout
    assert not imported(done) & HEAVY


def test_help_takes_less_than_0_4_seconds_of_processor_time():
    """Processor time, not wall-clock: the machine may be busy with other tests."""
    process = subprocess.Popen([sys.executable, "-m", "kernelopt", "--help"], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    assert usage.ru_utime + usage.ru_stime < 0.4


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_lists_the_commands_that_exist(flag, capsys):
    assert frame.main([flag]) == 0
    out = capsys.readouterr().out
    for name in frame.COMMANDS:
        assert bool(re.search(rf"^  {name}  ", out, re.MULTILINE)) == (name in PRESENT)
    assert {"report", "list", "show"} <= set(PRESENT)


def test_every_command_has_a_help_text():
    context = click.Context(frame.cli)
    for name in PRESENT:
        assert frame.cli.get_command(context, name).help


def test_version(capsys):
    assert frame.main(["--version"]) == 0
    assert capsys.readouterr().out == f"kernelopt, version {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sing"], "No such command 'sing'. (see `kernelopt --help`)"),
        (["list", "--loudly"], "No such option '--loudly'. (see `kernelopt list --help`)"),
        (["show", "latest"], "Missing argument 'TASK'. (see `kernelopt show --help`)"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_exit_code_2(arguments, message, capsys):
    assert frame.main(arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith("kernelopt: ") and said.count("\n") == 1
    assert re.sub(r"[:.]", "", said).split()[1:4] == re.sub(r"[:.]", "", message).split()[:3]
    assert said.endswith(f"{message[message.index('(') :]}\n")


def test_an_empty_command_line_shows_the_help(capsys):
    frame.main([])
    captured = capsys.readouterr()
    assert "Commands:" in captured.out + captured.err


@pytest.mark.parametrize("kind", [UnknownName, TaskError, ConfigError, MissingTool, StoreError])
def test_bad_input_is_one_line_and_exit_code_2(kind, monkeypatch, capsys):
    error = kind("no suite named 'kernelbank';\nthere are: kernelbench")
    assert run_failing(monkeypatch, capsys, error) == (
        2,
        "kernelopt: no suite named 'kernelbank'; there are: kernelbench\n",
    )


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full; free some space"),
        (errno.EACCES, "permission denied; give it to this user or choose another place"),
        (errno.EROFS, "the file system is read-only; choose another place"),
    ],
)
def test_a_disk_that_says_no_is_one_line_with_the_file(number, words, monkeypatch, capsys):
    error = OSError(number, os.strerror(number), "/data/out.json")
    assert run_failing(monkeypatch, capsys, error) == (2, f"kernelopt: /data/out.json: {words}\n")


@pytest.mark.parametrize("error", [RuntimeError("bug"), EvaluatorFault("ours"), OSError(errno.EBADF, "bug")])
def test_our_own_bugs_keep_their_traceback(error, monkeypatch, capsys):
    with pytest.raises(type(error)):
        run_failing(monkeypatch, capsys, error)


def test_ctrl_c_ends_with_130(monkeypatch, capsys):
    code, said = run_failing(monkeypatch, capsys, KeyboardInterrupt())
    assert code == 130
    assert said.strip() == "kernelopt: interrupted"


@pytest.mark.parametrize("code", [0, 1, 3])
def test_a_command_chooses_its_exit_code(code, monkeypatch):
    @click.command()
    @click.pass_context
    def by_exit(ctx):
        ctx.exit(code)

    @click.command()
    def by_return():
        return code

    for command in (by_exit, by_return):
        monkeypatch.setattr(frame.LazyGroup, "get_command", lambda *_, command=command: command)
        assert frame.main(["bench"]) == code


def test_the_console_script_and_the_module_are_the_same():
    by_module = kernelopt("--version")
    by_script = subprocess.run([SCRIPT, "--version"], capture_output=True, text=True, check=True)
    assert by_module.stdout == by_script.stdout == f"kernelopt, version {__version__}\n"


def test_an_output_encoding_without_our_characters_ends_no_command(tmp_path):
    done = kernelopt("report", "–", "--runs", str(tmp_path), PYTHONIOENCODING="latin-1")
    assert done.returncode == 2
    assert done.stderr.startswith("kernelopt: no run '\\u2013'")


def test_a_reader_that_goes_away_is_no_traceback():
    process = subprocess.Popen(
        [sys.executable, "-m", "kernelopt", "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    process.wait()
    assert b"Traceback" not in said


def completion(instruction, **environment):
    """What the installed command tells the shell."""
    env = {**os.environ, "_KERNELOPT_COMPLETE": instruction, **environment}
    return subprocess.run([SCRIPT], capture_output=True, text=True, env=env, check=False).stdout


@pytest.mark.parametrize(
    ("words", "offered"),
    [("kernelopt rep", "plain,report\n"), ("kernelopt report --js", "plain,--json\n")],
)
def test_shell_completion_knows_commands_and_flags(words, offered, tmp_path):
    position = str(len(words.split()) - 1)
    assert completion("bash_complete", COMP_WORDS=words, COMP_CWORD=position) == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shell_completion_is_offered_for_each_shell(shell):
    assert "_KERNELOPT_COMPLETE" in completion(f"{shell}_source")
