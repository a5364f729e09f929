"""Tables that are the same on every machine: strings in, Markdown and plain text out."""

from collections.abc import Mapping, Sequence

from lookback.figures.style import span


class Table:
    """Named columns of strings; a notebook shows it as a table, a terminal as text."""

    def __init__(self, columns: Mapping[str, Sequence]):
        self.columns = {str(name): [str(v) for v in col] for name, col in columns.items()}
        lengths = {name: len(column) for name, column in self.columns.items()}
        if len(set(lengths.values())) != 1:
            raise ValueError(
                f"the columns differ in length: {lengths or 'there are none'}"
            )

    def _rows(self) -> list[tuple[str, ...]]:
        return [tuple(self.columns), *zip(*self.columns.values(), strict=True)]

    def _repr_markdown_(self) -> str:
        head, *body = [[_escape(cell) for cell in row] for row in self._rows()]
        rule = ["---:" if _numeric(col) else ":---" for col in self.columns.values()]
        return "\n".join(f"| {' | '.join(row)} |" for row in [head, rule, *body])

    def __repr__(self) -> str:
        widths = [max(map(span, [n, *col])) for n, col in self.columns.items()]
        right = [_numeric(column) for column in self.columns.values()]
        return "\n".join(
            "  ".join(map(_pad, row, widths, right)).rstrip() for row in self._rows()
        )


def table(columns: Mapping[str, Sequence]) -> Table:
    """A table from {heading: cells}. Numbers are given as strings, rounded already.

    Raises `ValueError` if the columns differ in length or there are none.
    """
    return Table(columns)


def _numeric(column: list[str]) -> bool:
    """Whether every cell that holds something starts like a number."""
    return all(
        cell.lstrip("-−+±~<>≈$ ")[:1].isdigit() for cell in column if cell.strip("–— ")
    )


def _escape(cell: str) -> str:
    for mark in "\\|*_`<[$~":
        cell = cell.replace(mark, "\\" + mark)
    return cell.replace("\n", " ")


def _pad(text: str, width: int, right: bool) -> str:
    space = " " * (width - span(text))
    return space + text if right else text + space
