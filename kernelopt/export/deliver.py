"""Winners → a package on disk: what `kernelopt.export` and the command both do."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from kernelopt.errors import UsageError
from kernelopt.export import Examined, Winner
from kernelopt.export.examine import Examiner, portable
from kernelopt.export.naming import package_name
from kernelopt.export.package import Package, build, write

_MARCH = re.compile(r"[a-z0-9.+-]{1,40}")


def default_name(what: str) -> str:
    """Of a package: ``latest`` → ``kernels_latest``; a file's stem, made to a name."""
    stem = re.sub(r"[^a-z0-9]+", "_", Path(what).stem.lower()).strip("_")
    return package_name(f"kernels_{stem}"[:60])


def checked_march(march: str) -> str:
    """`march`, if it can be a processor's name; empty is the portable one.

    Raises:
        UsageError: it cannot.
    """
    if march and not _MARCH.fullmatch(march):
        raise UsageError(f"--march {march!r} is no processor; for example x86-64-v3 or native")
    return march


def examined(
    winners: Sequence[Winner],
    sandbox: str,
    *,
    march: str = "",
    archs: Sequence[str] = (),
    sweep: bool = True,
    say: Callable[[str], None] = lambda _: None,
) -> list[Examined]:
    """Each winner, judged again as it will be shipped; those with a `refusal` will not be.

    Raises:
        UsageError: g++ is missing, where C++ is to be judged, or there is no such architecture.
    """
    from kernelopt.languages._require import require_language

    if any(winner.kernel.language == "cpp" for winner in winners):
        require_language("cpp")  # GPU kernels are compiled where they cannot run
    with Examiner(sandbox, march, archs, say=say) as examiner:
        return [examiner.examine(winner, sweep=sweep) for winner in winners]


def shipped(
    found: Sequence[Examined],
    name: str,
    out: Path,
    *,
    march: str = "",
    archs: Sequence[str] = (),
    licence: str,
    force: bool = False,
) -> Package:
    """The package of those that are not refused, written to `out`.

    Raises:
        UsageError: nothing is left, or `out` cannot be used.
    """
    chosen = [one for one in found if not one.refusal]
    if not chosen:
        raise UsageError("nothing could be exported: " + "; ".join(one.refusal for one in found))
    package = build(chosen, name, march or portable(), licence, archs)
    write(package, out, force=force)
    return package
