"""What a worker says of the operators that its calls ran, as far as it makes sense."""

from __future__ import annotations

import re
from dataclasses import replace

from kernelopt.languages import Ran

MOST_OPERATORS = 1024
_OPERATOR = re.compile(r"[a-z_]{1,40}(::|\.)\w{1,80}(/[a-z_]{1,40}::\w{1,80}){0,5}")


def also(ran: Ran, said: object) -> Ran:
    """`ran`, and the operators of one more call; names are words, sizes and times are numbers."""
    listed = [one for one in said if isinstance(one, list)] if isinstance(said, list) else []
    triples = [one for one in listed[:MOST_OPERATORS] if _is_sound(one)]
    sizes = dict(ran.operators)
    for name, size, _ in triples:
        sizes[name] = max(size, sizes.get(name, 0))
    return replace(ran, operators=sizes, took_us={name: float(us) for name, _, us in triples})


def _is_sound(one: list[object]) -> bool:
    """Name, elements of the largest argument, and microseconds."""
    if len(one) != 3 or not isinstance(one[0], str) or not _OPERATOR.fullmatch(one[0]):
        return False
    return type(one[1]) is int and type(one[2]) in (int, float)
