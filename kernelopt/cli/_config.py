"""`kernelopt.toml`: every flag of every command, by its own name, in a table named like the command.

    [search]
    suite = "kernelbench"
    tasks = ["1/23", "2/9"]      # the same as --tasks 1/23,2/9
    budget-evals = 200           # dashes or underscores

The command line wins over environment variables, those over the file, the file over defaults.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from kernelopt.errors import ConfigError

FILE = "kernelopt.toml"
_META = "kernelopt.config"
_HELP = f"Read flags from FILE instead of ./{FILE}."
_OURS = {"config", "help", "version"}
_NUMBERS: dict[type, tuple[type, ...]] = {
    click.types.IntParamType: (int,),
    click.types.FloatParamType: (int, float),
}


def attach(command: click.Command) -> click.Command:
    """Give `command` its `--config`; through it the file's values become defaults of all its flags."""
    if not any(param.name == "config" for param in command.params):
        command.params.append(
            click.Option(
                ["--config"], metavar="FILE", is_eager=True, expose_value=False, callback=_apply, help=_HELP
            )
        )
    return command


def _remember(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
    ctx.meta[_META] = value


group_option = click.option(
    "--config", metavar="FILE", expose_value=False, callback=_remember, help=f"{_HELP} Also after a command."
)
"""The same option before the command's name."""


def _apply(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
    """Runs before the other flags of a command are looked at."""
    if ctx.resilient_parsing:  # shell completion must not stumble over a broken file
        return
    named = value or ctx.meta.get(_META)
    if named or Path(FILE).exists():
        ctx.default_map = defaults(Path(named or FILE), str(ctx.info_name), ctx.command)


def defaults(path: Path, name: str, command: click.Command) -> dict[str, Any]:
    """What the file says for the command `name`, by parameter name, as click's ``default_map``.

    Raises:
        ConfigError: the file cannot be read, or a key or value in it does not fit the command.
    """
    document = _parsed(path)
    for table, content in document.items():
        if not isinstance(content, Mapping):
            raise ConfigError(f"{path}: {table!r} stands outside a table; put it under [{name}] for example")
        _demand_command(path, table)
    return _table(document.get(name, {}), command, f"{path}: [{name}]")


def _parsed(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConfigError(f"{path}: the configuration file cannot be read: {reason}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error


def _demand_command(path: Path, table: str) -> None:
    from kernelopt.cli.main import COMMANDS

    if table not in COMMANDS:
        raise ConfigError(f"{path}: no command named [{table}]{_hint(table, list(COMMANDS))}")


def _table(content: Mapping[str, Any], command: click.Command, where: str) -> dict[str, Any]:
    flags = _flags(command)
    subcommands = command.commands if isinstance(command, click.Group) else {}
    found: dict[str, Any] = {}
    for key, value in content.items():
        if key in subcommands:
            found[key] = _table(_mapping(value, where, key), subcommands[key], f"{where[:-1]}.{key}]")
            continue
        param = flags.get(key.replace("_", "-"))
        if param is None:
            raise ConfigError(f"{where}: no flag named {key!r}{_hint(key, [*flags, *subcommands])}")
        if param.name in found:
            raise ConfigError(f"{where}: {key!r} is set twice; keep one")
        found[str(param.name)] = _value(param, value, f"{where} {key}")
    return found


def _mapping(value: Any, where: str, key: str) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    raise ConfigError(f"{where}: {key!r} is a command; write it as a table with its flags")


def _flags(command: click.Command) -> dict[str, click.Option]:
    """Options by the names that people write: the long flags without dashes, and the parameter's."""
    options = [p for p in command.params if isinstance(p, click.Option) and p.name not in _OURS]
    named = {str(option.name).replace("_", "-"): option for option in options}
    return named | {
        flag.lstrip("-"): option for option in options for flag in option.opts if flag.startswith("--")
    }


def _hint(word: str, known: list[str]) -> str:
    near = difflib.get_close_matches(word.replace("_", "-"), known, n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else f"; there are: {', '.join(sorted(known))}"


def _value(option: click.Option, value: Any, where: str) -> Any:
    """The value if it fits the flag; a list for a flag that takes one text becomes ``a,b``."""
    several = option.multiple or option.nargs != 1
    if several != isinstance(value, list) and (several or not _takes_text(option)):
        raise ConfigError(f"{where}: {'a list' if several else _wanted(option)} is wanted, not {value!r}")
    for part in value if isinstance(value, list) else [value]:
        if not _fits(option, part):
            raise ConfigError(f"{where}: {_wanted(option)} is wanted, not {part!r}")
    plain = ",".join(map(str, value)) if isinstance(value, list) and not several else value
    try:
        option.type_cast_value(click.Context(click.Command(where)), plain)
    except click.BadParameter as error:
        raise ConfigError(f"{where}: {error.message}") from error
    return plain


def _fits(option: click.Option, value: Any) -> bool:
    """Stricter than click, which takes 2.5 for 2 and true for 1: in a file these are mistakes."""
    if option.is_flag and isinstance(option.type, click.types.BoolParamType):
        return isinstance(value, bool)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return False
    kinds = next((kinds for kind, kinds in _NUMBERS.items() if isinstance(option.type, kind)), None)
    return kinds is None or isinstance(value, kinds)


def _takes_text(option: click.Option) -> bool:
    """True for plain texts and types of ours, which read ``a,b`` lists themselves."""
    ours = type(option.type).__module__.partition(".")[0] != "click"
    return ours or isinstance(option.type, click.types.StringParamType)


def _wanted(option: click.Option) -> str:
    if option.is_flag:
        return "true or false"
    if isinstance(option.type, click.types.IntParamType):
        return "a whole number"
    return "a number" if isinstance(option.type, click.types.FloatParamType) else "a text"
