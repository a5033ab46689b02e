"""Shells complete our commands and flags."""

import os
import subprocess
import sys

import pytest

from kernelopt.cli.main import main


def completed(words, cword):
    """What a bash that sourced the script would be offered."""
    environment = {
        **os.environ,
        "_KERNELOPT_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": cword,
    }
    command = [sys.executable, "-m", "kernelopt"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return [line.partition(",")[2] for line in done.stdout.splitlines()]


def test_commands_are_completed():
    assert completed("kernelopt se", "1") == ["search"]


def test_flags_are_completed():
    assert "--budget-usd" in completed("kernelopt search --budget", "2")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_names_the_command_and_the_variable(shell, capsys):
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert "kernelopt" in script and "_KERNELOPT_COMPLETE" in script


def test_an_unknown_shell_is_one_line(capsys):
    assert main(["completion", "tcsh"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
