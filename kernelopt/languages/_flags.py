"""Which compiler and linker flags a candidate may ask for.

Candidates are hostile and the compiler runs on our side of the wall. A flag is refused unless it is
known to change nothing but the code that is generated: no plugins, no files read or written, no
programs started, no arguments handed on to assembler or linker.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

MOST_FLAGS = 64
"""Flags that one request may carry, and characters that one flag may have times two."""

_ALLOWED = re.compile(
    r"""-O([0-3sgz]|fast)?
      | -f(?!(no-)?(plugin|dump|profile|module|lto|pch|preprocessed|save|stack-usage|callgraph|test-cov
             |coverage|auto-profile|compare-debug|sanitize|opt-info|use-l|working|syntax|self-test|wpa
             |ltrans|resolution|record|time-trace|ada|go-|rtl|checking|directives|debug))
        [a-z][a-z0-9-]*(=[a-z0-9-]+)?
      | -m[a-z0-9][a-z0-9.-]*(=[a-z0-9.,+-]+)?
      | -[DU][A-Za-z_]\w*(=[\w.+-]*)?
      | -std=(c|gnu)\+\+\w{2}
      | -g(gdb)?[0-3]?
      | -W(?!([lap]|rapper)\b)[a-z][a-z0-9+-]*(=[a-z0-9-]+)?
      | -(w|pthread|pipe|pedantic|shared|fPIC|fPIE|s)""",
    re.VERBOSE,
)
_LIBRARIES = re.compile(r"-l(gomp|m|mvec|pthread|stdc\+\+|atomic)")


def split(flags: Sequence[str]) -> list[str]:
    """Flags one by one, as a shell would part ``["-O3 -march=native"]``."""
    return [flag for text in flags for flag in text.split()]


def refusal(cflags: Sequence[str], ldflags: Sequence[str]) -> str | None:
    """Why these flags (already parted) are not used, in one sentence; None when all are fine."""
    if len(cflags) + len(ldflags) > MOST_FLAGS:
        return f"refused: more than {MOST_FLAGS} compiler flags"
    for flag in (*cflags, *ldflags):
        fine = _ALLOWED.fullmatch(flag) or _LIBRARIES.fullmatch(flag)
        if not fine or len(flag) > 2 * MOST_FLAGS:
            return (
                f"refused: the flag {flag[:80]!r} is not allowed; allowed are -O, -f, -m, -D, -U, -std=, "
                "-g and -W flags that name no file, and -lm, -lmvec, -lgomp, -lpthread, -lstdc++, -latomic"
            )
    return None
