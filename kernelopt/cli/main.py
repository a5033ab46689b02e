"""The `kernelopt` command: finds the command asked for, and turns errors into one line.

A command is a file ``kernelopt/cli/NAME.py`` with a click command in `command`, imported when it is
asked for. It ends with `ctx.exit(code)` or returns its exit code (None is 0).

Exit codes: 0 done, 1 not passed, 2 bad input or a full disk (one line on stderr), 130 interrupted.
"""

from __future__ import annotations

import errno
import importlib
import importlib.util
import sys
from collections.abc import Sequence
from typing import Any

import click

from kernelopt import __version__
from kernelopt.cli import _config
from kernelopt.errors import UsageError

COMMANDS = {
    "search": "Search for fast kernels and the prompts that write them.",
    "resume": "Go on with a run that was stopped, killed or finished.",
    "eval": "Evaluate one kernel on one task.",
    "bench": "Evaluate a folder of kernels.",
    "build": "Compile a GPU kernel, without a GPU, and tell what the compilers know of it.",
    "calibrate": "Measure how much times vary on this machine, for every later evaluation.",
    "suites": "List, show, check and fetch task suites.",
    "docs": "Search the manual notes; add, list and remove manuals of your own.",
    "lm": "Look after language models: pending requests of files:DIR.",
    "report": "Print a run's results and scores.",
    "list": "List runs.",
    "show": "Show one task of a run: attempts, evaluation, kernel.",
    "explain": "Tell what the model was told about its kernel for a task.",
    "export": "Write winners as a package of PyTorch operators.",
    "verify": "Measure an exported package again, and say whether its claims hold.",
    "score": "Score results in KernelBench's or NPUEval's own layout.",
    "completion": "Print the script that completes commands and flags in bash, zsh or fish.",
    "doctor": "Tell what is installed, what is missing and how to mend it.",
}
BAD_INPUT, INTERRUPTED = 2, 130
_DISK = {
    errno.ENOSPC: "the disk is full; free some space",
    errno.EDQUOT: "the disk quota is used up; free some space",
    errno.EFBIG: "the file size limit is reached; raise it (`ulimit -f`)",
    errno.EROFS: "the file system is read-only; choose another place",
    errno.EACCES: "permission denied; give it to this user or choose another place",
    errno.EPERM: "permission denied; give it to this user or choose another place",
}


class LazyGroup(click.Group):
    """Imports a command's module only when that command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Those commands whose file exists, in the order of `COMMANDS`."""
        return [name for name in COMMANDS if importlib.util.find_spec(f"kernelopt.cli.{name}")]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, with `--config` added; None when there is none of that name."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = importlib.import_module(f"kernelopt.cli.{cmd_name}").command
        return _config.attach(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing one."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name]) for name in self.list_commands(ctx)])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="kernelopt")
@_config.group_option
def cli() -> None:
    """Turn a language model into a kernel engineer.

    kernelopt evolves prompts until the kernels written from them are correct and fast, and keeps the
    best kernel of each task. Start with: kernelopt search --suite kernelbench
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line (``sys.argv`` by default) and return its exit code.

    An exception that is no one's input is a bug of ours and passes through with its traceback.
    """
    _print_anything()
    try:
        code: Any = cli.main(args=arguments, prog_name="kernelopt", standalone_mode=False)
    except click.Abort:  # what click makes of Ctrl-C
        return _complain("interrupted", INTERRUPTED)
    except click.ClickException as error:
        return _refuse(error)
    except UsageError as error:
        return _complain(str(error), BAD_INPUT)
    except OSError as error:
        if error.errno not in _DISK:
            raise
        return _complain(f"{error.filename or 'writing failed'}: {_DISK[error.errno]}", BAD_INPUT)
    return code if isinstance(code, int) else 0


def _refuse(error: click.ClickException) -> int:
    """One line for a command line that click cannot use; the whole help for an empty one."""
    if isinstance(error, getattr(click.exceptions, "NoArgsIsHelpError", ())):  # click >= 8.2
        error.show()
        return BAD_INPUT
    context = getattr(error, "ctx", None)
    help_hint = f" (see `{context.command_path} --help`)" if context else ""
    return _complain(error.format_message() + help_hint, BAD_INPUT)


def _complain(message: str, code: int) -> int:
    click.echo(f"kernelopt: {' '.join(message.split())}", err=True)
    return code


def _print_anything() -> None:
    """A character that the terminal's encoding lacks must not end a command."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(errors="backslashreplace")
