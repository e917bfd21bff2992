"""The paper's three tables beside this project's, as text."""

from typing import Any

from bijepa_book.names import words
from bijepa_book.text import text_table


def reproduction(result: dict[str, Any]) -> str:
    """The three tables of :func:`bijepa_book.paper.tables.reproduce` as text."""
    parts = []
    if result["quick"]:
        parts.append("Quick: a tenth of the training. These numbers are not the paper's protocol.")
    if result["dataset"] != "mnist":
        parts.append(f"Table 2 used {result['dataset']!r} in place of MNIST, another data set.")
    parts.append(_series("Table 1. Lorenz attractor", result["table_1"]))
    parts.append(_images(result["table_2"]))
    parts.append(_series("Table 3. Sine waves", result["table_3"]))
    parts.append(
        "printed: in the paper. replayed: the script's own random numbers. rerun: its protocol and "
        "seed.\nfair: ridge or softmax regression on standardized features, converged, judged on "
        "held-out data."
    )
    return "\n\n".join(parts)


def _series(title: str, table: dict[str, Any]) -> str:
    cells = [
        [
            "",
            "loss: printed",
            "replayed",
            *("A: printed", "replayed", "fair"),
            *("B: printed", "replayed", "fair"),
        ]
    ]
    for name, printed in table["printed"].items():
        run = table["replayed"][name]
        numbers = [printed["train_loss"], run["train_loss"]]
        for letter in "ab":
            paper = f"paper_{letter}"
            numbers += [printed[paper], run[paper], run[f"fair_{letter}"]]
        cells.append([name, *(f"{number:.4f}" for number in numbers)])
    notes = "; ".join(f"{words(rule)}: {error:.4f}" for rule, error in table["baselines"].items())
    return f"{title} (MSE)\n{text_table(cells)}\nSame target, no model: {notes}"


def _images(table: dict[str, Any]) -> str:
    cells = [
        ["", "accuracy: printed", "rerun", "fair", "decoder MSE: printed", "rerun", "held out"]
    ]
    for name, printed in table["printed"].items():
        run = table["rerun"][name]
        shares = (printed["paper_accuracy"], run["paper_accuracy"], run["fair_accuracy_a"])
        errors = (printed["paper_decoder"], run["paper_decoder"], run["fair_decoder"])
        row = [*(f"{100 * share:.2f} %" for share in shares), *(f"{error:.4f}" for error in errors)]
        cells.append([name, *row])
    return f"Table 2. MNIST, from the left half\n{text_table(cells)}"
