"""Which sources are tried, and which options of NVRTC and nvcc a candidate may ask for.

As in `languages._flags`: an option is refused unless it is known to change nothing but the code that is
generated. None names a file, starts a program, or chooses what the code is made for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kernelopt.languages._flags import MOST_FLAGS, split
from kernelopt.languages._gxx import SOURCE_CHARACTERS

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
  | (?:-Xptxas|--ptxas-options)={_PTXAS}
"""
_NVCC = rf"""{_SHARED}
  | -O[0-3]
  | --?(?:expt-relaxed-constexpr|expt-extended-lambda|extended-lambda)"""
_HOST = (
    r"(?:-Xcompiler|--compiler-options)=(-fPIC|-O[0-3]|-fopenmp|-ffast-math|-march=native|-W(?:all|extra)|-w)"
)
_ALLOWED = {
    "nvrtc": re.compile(
        rf"""{_SHARED}
  | --?(?:device-as-default-execution-space|default-device|device-int128|device-float128|minimal)
  | --?(?:builtin-move-forward|builtin-initializer-list)=(?:true|false)
  | --?(?:fno-signed-zeros|ffinite-math-only)""",
        re.VERBOSE,
    ),
    "nvcc": re.compile(_NVCC, re.VERBOSE),
    "extension": re.compile(rf"{_NVCC} | {_HOST}", re.VERBOSE),
}
_TARGET = re.compile(
    r"--?(?:gpu-architecture|arch|gpu-code|code|generate-code|gencode)="
    r"(?:arch=)?(?:(?:sm|compute|lto)_(?P<number>\d{2,3})(?P<letter>[af]?)|native|all|all-major)(?:,code=[\w,\[\]]{1,80})?"
)
_LIST = re.compile(r"(-Xptxas|--ptxas-options|-Xcompiler|--compiler-options)=([^,]*,.*)")
_WITH_VALUE = re.compile(
    r"-Xptxas|--ptxas-options|-Xcompiler|--compiler-options|--?(?:maxrregcount|std|diag-suppress|define-macro)"
    r"|--?(?:gpu-architecture|arch|gpu-code|code|generate-code|gencode)|-[DU]"
)


def tidy(options: Sequence[str]) -> list[str]:
    """Options one by one, each with one value: ``-Xptxas -O3,-v`` is ``-Xptxas=-O3`` and ``-Xptxas=-v``."""
    tidied: list[str] = []
    words = iter(split(options))
    for word in words:
        whole = word
        if _WITH_VALUE.fullmatch(word):
            value = next(words, "")
            whole = f"{word}{value}" if word in ("-D", "-U") else f"{word}={value}"
        # NVRTC takes one of ptxas's options at a time.
        several = _LIST.fullmatch(whole)
        tidied += [f"{several[1]}={part}" for part in several[2].split(",")] if several else [whole]
    return tidied


def targeted(options: Sequence[str], present: str) -> tuple[list[str], str]:
    """Tidied options of nvcc without those that choose architectures, and the one that is built for.

    That is the `present` one (``sm_90``), with the features (``sm_90a``) that an option asks for.
    """
    kept, arch = [], present
    for option in options:
        target = _TARGET.fullmatch(option)
        if target is None:
            kept.append(option)
        elif target["letter"] and present == f"sm_{target['number']}":
            arch = f"{present}{target['letter']}"
    return kept, arch


def of_host(options: Sequence[str]) -> list[str]:
    """Those of g++ among tidied and allowed options of an extension."""
    return [found[1] for option in options if (found := re.fullmatch(_HOST, option))]


def of_device(options: Sequence[str], present: str) -> tuple[list[str], str]:
    """As `targeted`, of an author's options, and without those for g++: where only kernels are compiled."""
    kept, arch = targeted(tidy(options), present)
    return [option for option in kept if not re.fullmatch(_HOST, option)], arch


def objection(text: str) -> str | None:
    """Why a source is not even tried, in one sentence, or None."""
    if len(text) > SOURCE_CHARACTERS:
        return f"refused: more than {SOURCE_CHARACTERS} characters of source"
    if "\0" in text:
        return "refused: the source holds a NUL character, behind which a compiler may see nothing"
    return None


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
