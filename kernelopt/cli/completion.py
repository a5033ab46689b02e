"""`kernelopt completion SHELL`: the script that lets a shell complete our commands and flags."""

from __future__ import annotations

import click

VARIABLE = "_KERNELOPT_COMPLETE"
"""Set by the script; click then answers with completions instead of running a command."""


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script of SHELL.

    \b
    eval "$(kernelopt completion bash)"                                       # in ~/.bashrc
    eval "$(kernelopt completion zsh)"                                        # in ~/.zshrc
    kernelopt completion fish > ~/.config/fish/completions/kernelopt.fish
    """
    from click.shell_completion import get_completion_class

    from kernelopt.cli.main import cli

    found = get_completion_class(shell)
    assert found is not None  # the choices above are click's own
    # Not `.source()`: that runs bash to ask for its version, and warns where it cannot.
    complete = found(cli, {}, "kernelopt", VARIABLE)
    click.echo(complete.source_template % complete.source_vars())
