"""A page is lines and grids; it prints as plain text, or with rich where a person looks at it.

Cells and lines may come from candidates and language models, which are not to be trusted: characters
that a terminal would obey are replaced, and nothing is read as markup.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of texts, every row as long as `columns`."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    title: str = ""
    right: frozenset[str] = field(default=frozenset())
    """Columns of figures, aligned to the right."""


Page = Sequence[str | Grid]


def clean(text: str) -> str:
    """`text` without the control characters that could drive a terminal; newlines and tabs stay."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)


def plain(page: Page) -> str:
    """The page as text without boxes or colours, for pipes, files and logs."""
    return "\n".join(_plain_grid(part) if isinstance(part, Grid) else clean(part) for part in page)


def styled(page: Page) -> Group:
    """The page for a terminal; rich leaves out colours where ``NO_COLOR`` is set."""
    from rich.console import Group  # noqa: PLC0415 (rich takes 50 ms to import)
    from rich.text import Text  # noqa: PLC0415

    return Group(*(_table(part) if isinstance(part, Grid) else Text(clean(part)) for part in page))


def _plain_grid(grid: Grid) -> str:
    rows = [[_one_line(cell) for cell in row] for row in (grid.columns, *grid.rows)]
    widths = [max(len(row[index]) for row in rows) for index in range(len(grid.columns))]
    lines = ["  ".join(_aligned(grid, row, widths)).rstrip() for row in rows]
    return "\n".join([*([clean(grid.title)] if grid.title else []), *lines])


def _aligned(grid: Grid, row: Sequence[str], widths: Sequence[int]) -> list[str]:
    cells = zip(grid.columns, row, widths, strict=True)
    return [cell.rjust(width) if name in grid.right else cell.ljust(width) for name, cell, width in cells]


def _table(grid: Grid) -> Table:
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    title = Text(clean(grid.title)) if grid.title else None
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    for name in grid.columns:
        table.add_column(Text(name), justify="right" if name in grid.right else "left", overflow="fold")
    for row in grid.rows:
        table.add_row(*(Text(_one_line(cell), style=_style(cell)) for cell in row))
    return table


def _one_line(cell: str) -> str:
    return " ".join(clean(cell).split())


def _style(cell: str) -> str:
    """Colour of a status word; every other cell keeps the terminal's own."""
    if cell.isupper() and cell.replace("_", "").isalpha():
        return {"PASSED": "green", "SKIPPED": "dim", "PENDING": "dim"}.get(cell, "red")
    return ""
