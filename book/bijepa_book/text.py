"""Results as aligned text."""

from collections.abc import Mapping, Sequence

from bijepa_book.names import words


def text_table(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells, the first row a header, as aligned columns."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]

    def line(row: Sequence[str]) -> str:
        cells = [
            row[0].ljust(widths[0]),
            *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True)),
        ]
        return "  ".join(cells).rstrip()

    rule = "  ".join("-" * width for width in widths)
    return "\n".join([line(rows[0]), rule, *map(line, rows[1:])])


def record_table(
    recorded: Mapping[str, Mapping[str, float]], columns: Sequence[str] | None = None
) -> str:
    """Numbers of a record under the names that a reader sees; all columns unless some are named."""
    columns = columns or list(next(iter(recorded.values())))
    cells = [["", *map(words, columns)]]
    cells += [
        [words(row), *(f"{values[c]:.4g}" for c in columns)] for row, values in recorded.items()
    ]
    return text_table(cells)


def a_digit(digit: int) -> str:
    """``a 3``, ``an 8``."""
    return f"{'an' if digit == 8 else 'a'} {digit}"


def findings(*statements: tuple[bool, str]) -> str:
    """Statements about a run, each with yes or no in front."""
    return "\n".join(f"{'yes' if true else 'no ':3}  {text}" for true, text in statements)


def beside(*numbers: tuple[str, float, float]) -> str:
    """What a solution reaches, beside what the book reached: a name, this run's, the book's.

    ``tests/nbval.cfg`` keeps the comparison of stored outputs from the first of the two, which
    differs between machines in its last digits.
    """
    width = max(len(name) for name, _, _ in numbers)
    return "\n".join(
        f"{name:{width}}  reached {reached:>8.2g}  book {book:>8.2g}"
        for name, reached, book in numbers
    )
