"""Which options of NVRTC and nvcc a candidate may ask for, after the manner of `languages._flags`.

An option is refused unless it is known to change nothing but the code that is generated: none names a
file, starts a program, or chooses what the code is made for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kernelopt.languages._flags import MOST_FLAGS, split

_PTXAS = (
    r"(?:-?O[0-4]|-?v|-?d(?:lcm|scm)=(?:ca|cg|cs|cv|wb|wt)|--?allow-expensive-optimizations=(?:true|false))"
)
_SHARED = rf"""
    --?(?:define-macro=|D)[A-Za-z_]\w*(?:=[\w.+()*/-]*)?
  | --?(?:undefine-macro=|U)[A-Za-z_]\w*
  | --?std=c\+\+\d\d
  | --?(?:ftz|prec-div|prec-sqrt|fmad)=(?:true|false)
  | --?(?:use_fast_math|extra-device-vectorization|restrict|generate-line-info|lineinfo)
  | --?maxrregcount=\d{{1,3}}
  | --?(?:disable-warnings|w)
  | --?diag-suppress=[\d,]{{1,60}}
  | (?:-Xptxas|--ptxas-options)={_PTXAS}(?:,{_PTXAS}){{0,7}}
"""
_ALLOWED = {
    "nvrtc": re.compile(
        rf"""{_SHARED}
  | --?(?:device-as-default-execution-space|default-device|device-int128|device-float128|minimal)
  | --?(?:builtin-move-forward|builtin-initializer-list)=(?:true|false)
  | --?(?:fno-signed-zeros|ffinite-math-only)""",
        re.VERBOSE,
    ),
    "nvcc": re.compile(
        rf"""{_SHARED}
  | -O[0-3]
  | --?(?:expt-relaxed-constexpr|expt-extended-lambda|extended-lambda)""",
        re.VERBOSE,
    ),
}
_WITH_VALUE = re.compile(r"-Xptxas|--ptxas-options|--?(?:maxrregcount|std|diag-suppress|define-macro)|-[DU]")


def tidy(options: Sequence[str]) -> list[str]:
    """Options one by one, each joined with its value: ``["-Xptxas -O3"]`` is ``["-Xptxas=-O3"]``."""
    tidied: list[str] = []
    words = iter(split(options))
    for word in words:
        if _WITH_VALUE.fullmatch(word):
            value = next(words, "")
            tidied.append(f"{word}{value}" if word in ("-D", "-U") else f"{word}={value}")
        else:
            tidied.append(word)
    return tidied


def refusal(tool: str, options: Sequence[str]) -> str | None:
    """Why these options (already tidied) are not used, in one sentence; None when all are fine."""
    if len(options) > MOST_FLAGS:
        return f"refused: more than {MOST_FLAGS} options"
    for option in options:
        if len(option) > 2 * MOST_FLAGS or not _ALLOWED[tool].fullmatch(option):
            return (
                f"refused: the option {option[:80]!r} is not allowed; allowed are --std=, -D, -U, "
                "--use_fast_math, --fmad=, --ftz=, --prec-div=, --prec-sqrt=, -maxrregcount=, -Xptxas -O3 "
                "and others that change nothing but the code"
            )
    return None
