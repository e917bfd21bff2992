"""The paper's three tables beside this project's, as text."""

from typing import Any

from bijepa_book.text import text_table

NAMES = {
    "classic": "Classic JEPA",
    "unconstrained": "BiJEPA unconstrained",
    "expressive": "BiJEPA expressive",
    "restrictive": "BiJEPA restrictive (sphere)",
}
"""What a configuration is called."""


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
        "paper: as printed. replayed: the script's own random numbers. "
        "rerun: its protocol and seed.\n"
        "converged: ridge or softmax regression on standardized features, judged on held-out data."
    )
    return "\n\n".join(parts)


def _series(title: str, rows: list[dict[str, Any]]) -> str:
    header = ["", "loss: paper", "replayed"]
    for protocol in ("A", "B"):
        header += [f"{protocol}: paper", "replayed", "converged"]
    cells = [header]
    notes = []
    for row in rows:
        if "baseline" in row:
            notes.append(f"{row['baseline']}: {row['mse']:.4f}")
            continue
        line = [NAMES[row["configuration"]]]
        for column in ("train_loss", "protocol_a", "protocol_b"):
            line += [f"{value:.4f}" for value in row[column].values()]
        cells.append(line)
    return f"{title} (MSE)\n{text_table(cells)}\nSame target, no model: {'; '.join(notes)}"


def _images(rows: list[dict[str, Any]]) -> str:
    header = [
        "",
        "accuracy: paper",
        "rerun",
        "converged",
        "decoder MSE: paper",
        "rerun",
        "held out",
    ]
    cells = [header]
    for row in rows:
        line = [NAMES[row["configuration"]]]
        line += [f"{100 * value:.2f} %" for value in row["accuracy"].values()]
        line += [f"{value:.4f}" for value in row["decoder_mse"].values()]
        cells.append(line)
    return f"Table 2. MNIST, from the left half\n{text_table(cells)}"
