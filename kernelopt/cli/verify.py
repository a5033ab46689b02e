"""`kernelopt verify DIR`: an exported package, measured again on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kernelopt.cli import _console, _evaluate
from kernelopt.cli._options import sandbox_option
from kernelopt.languages._require import require_language
from kernelopt.sandboxes._choose import choose_sandbox


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@sandbox_option
@_console.quiet_option
@_console.json_option
@click.pass_context
def command(ctx: click.Context, /, folder: Path, sandbox: str, quiet: bool, as_json: bool) -> None:
    """Measure the package in DIR again, and say of each kernel whether its claim holds on this machine.

    Exit code 0 if all hold and no file of the package was altered, else 1.

    \b
    kernelopt verify kernels/
    """
    from kernelopt.export import verify
    from kernelopt.export.examine import Examiner

    package = verify.read(folder)
    changed = verify.altered(package)
    for language in sorted({claim["kernel"]["language"] for claim in package.claims}):
        require_language(language)
    rows: list[dict[str, Any]] = []
    say = lambda message: _evaluate.progress(message, quiet or as_json)  # noqa: E731
    with Examiner(choose_sandbox(sandbox).name, package.record["march"], say=say) as examiner:
        for claim in package.claims:
            kernel, task = verify.subject(package, claim)
            word, why = verify.verdict(claim, examiner.measure(kernel, task))
            rows.append(
                {"operator": claim["operator"], "task": claim["task"]["id"], "verdict": word, "why": why}
            )
    holds = not changed and all(row["verdict"] in (verify.HOLDS, verify.UNTIMED) for row in rows)
    if as_json:
        _console.print_json({"package": package.name, "holds": holds, "altered": changed, "kernels": rows})
    else:
        for row in rows:
            click.echo(f"{row['operator']}: {row['verdict']}: {row['why']}")
        click.echo(f"altered since the export: {', '.join(changed)}" if changed else "no file was altered")
    ctx.exit(0 if holds else 1)
