"""Names of C++ text that are followed by a parenthesis and are no calls: members and variables.

``Smoother(const float* samples) : signal(samples) {}`` and ``std::vector<float> signal(n);`` call nothing.
What `_artifact` sees a build import it calls all the same, should macros make a call of one of these.
"""

from __future__ import annotations

import re

_ELEMENT = r"\w{1,80}\s*(?:\([^;{}()]{0,300}(?:\([^;{}()]{0,300}\)[^;{}()]{0,300}){0,4}\)|\{[^;{}]{0,300}\})"
_LIST = re.compile(rf"\)\s*(?:noexcept\s*)?:\s*({_ELEMENT}(?:\s*,\s*{_ELEMENT}){{0,40}})\s*\{{")
"""Initialisers between a constructor's parameters and its body. After those of ``a ? (b) : f(c), g(d)``
no brace can stand."""
_ONE = re.compile(_ELEMENT)
_NOT_TYPES = r"(?!(?:return|else|do|throw|case|goto|new|delete|sizeof|not|and|or|xor|bitand|bitor|co_\w+)\b)"
_BUILT_IN = r"(?:float|double|int|long|short|char|bool|void|auto|size_t|u?int\d{1,2}_t|__m\d{3}[di]?)"
_DECLARATOR = re.compile(
    rf"(?:^|[;{{}}(])\s*(?:(?:const|static|constexpr|inline|virtual)\s+){{0,4}}"
    rf"(?:{_BUILT_IN}[\s*&]*[\s*&]|std::\w+\s*<[\w\s:,*&]{{0,60}}>[\s&]*\s|{_NOT_TYPES}[A-Za-z_]\w*(?:::\w+)*\s)\s*$"
)
"""A statement or parameter up to the name that it declares."""


def initialised(code: str) -> set[int]:
    """Where members are named in initialiser lists."""
    return {one.start() for each in _LIST.finditer(code) for one in _ONE.finditer(code, *each.span(1))}


def declares(code: str, place: int) -> bool:
    """Whether nothing but a type stands before the name at a place, back to the statement's beginning.

    Not so in ``extern "C" int fork();``, which makes the system's own function known, to be called.
    """
    before = re.split(r"(?<=[;{}(])", code[max(0, place - 120) : place])[-1]
    return _DECLARATOR.search(before) is not None
