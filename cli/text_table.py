"""Tables of text, as commands print them."""

from collections.abc import Iterable, Sequence


def text_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A header and one line per row; each column is as wide as its longest cell.

    What is not printable is escaped: a path or a reason that a caller wrote could otherwise forge a
    line, or steer the terminal.
    """
    lines = [header, *(tuple(map(_printable, row)) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(_padded(line, widths) for line in lines)


def _printable(cell: str) -> str:
    if cell.isprintable():
        return cell
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cell)


def _padded(line: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(map(str.ljust, line, widths)).rstrip()
