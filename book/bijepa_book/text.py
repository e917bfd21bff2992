"""Results as text. Reads results, computes no science."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from statistics import median
from textwrap import wrap
from typing import Any

from bijepa_book.evidence.claims import Criterion
from bijepa_book.evidence.grid import BASELINES, Length, Name, conditions
from bijepa_book.evidence.verdicts import Finding, Records, Verdict, shown
from bijepa_book.names import words

NAMES = {
    "classic": "Classic JEPA",
    "unconstrained": "BiJEPA unconstrained",
    "expressive": "BiJEPA expressive",
    "restrictive": "BiJEPA restrictive (sphere)",
    "protocol_a": "Protocol A (encoder)",
    "protocol_b": "Protocol B (predictor)",
    "untrained_encoder": "untrained encoder",
    "raw_input": "raw input",
    "copy_last": "copy the last value",
    "extrapolate": "extrapolate linearly",
    "script_decoder": "decoder as in the script",
    "mean_image": "mean image",
}


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


def run_summary(plain: dict[str, Any]) -> str:
    """Scores of :meth:`bijepa_core.runs.Run.plain`: mean over seeds, and the range."""
    cells = [["features", "measure", "mean", "lowest", "highest"]]
    for features, measures in plain["scores"].items():
        for measure, values in measures.items():
            numbers = (sum(values) / len(values), min(values), max(values))
            shown = [f"{number:.4f}" for number in numbers]
            cells.append([NAMES[features], measure.replace("_", " "), *shown])
    seeds, experiment = plain["seeds"], plain["experiment"]
    title = f"{experiment['name']}, {experiment['steps']} steps, {len(seeds)} seed(s)"
    return f"{title}, {plain['provenance']['seconds']:.0f} s\n{text_table(cells)}"


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


def condition_table(
    records: Records, experiment: Name, length: Length, measures: Mapping[str, str]
) -> str:
    """Every condition of an experiment, medians over its seeds.

    Args:
        records: the study's.
        experiment: ``sine``, ``lorenz`` or ``mnist``.
        length: of the training; ``paper`` or ``long``.
        measures: columns and the measures they show; ``-`` where a model has no such thing.

    Returns:
        A table, rows in the order of the study.
    """
    cells = [["", *measures]]
    for condition in conditions(experiment)[1:]:  # the first is the baselines
        record = records.get(f"{experiment}-{condition.name}-{length}")
        if record is None:
            continue
        row = [condition.name]
        for measure in measures.values():
            found = [v for v in record["measures"].get(measure, []) if v is not None]
            row.append(f"{median(found):.3g}" if found else "-")
        cells.append(row)
    return text_table(cells)


def findings(*statements: tuple[bool, str]) -> str:
    """Statements about a run, each with yes or no in front."""
    return "\n".join(f"{'yes' if true else 'no ':3}  {text}" for true, text in statements)


MEASURES = {
    "paper_a": "error A, paper's probe",
    "paper_b": "error B, paper's probe",
    "fair_a": "error A, converged",
    "fair_b": "error B, converged",
    "whole_a": "error A, whole target",
    "whole_b": "error B, whole target",
    "past_a": "error of the past, from the embedding",
    "past_b": "error of the past",
    "knn_a": "error A, neighbors",
    "knn_b": "error B, neighbors",
    "norm": "norm at the end",
    "norm_growth": "norm, last over first",
    "late_growth": "norm, last tenth over the one before",
    "rebound": "loss, last over lowest",
    "relative_rebound": "relative loss, last over lowest",
    "relative_loss": "relative loss",
    "train_loss": "training loss",
    "roughness": "roughness of the loss",
    "roughness_forward": "roughness, forward term",
    "rises": "share of rising means",
    "radius_growing": "largest eigenvalue",
    "rank": "effective rank",
    "weight_b": "probe's weights",
    "gain_hidden": "gain that cannot be read",
    "gain_drift": "drift under gain",
    "gain_error": "error under gain",
    "swing_paper_b": "swing B, paper's probe",
    "swing_fair_b": "swing B, converged",
    "missed_past": "past missed",
    "missed_loop": "missed there and back",
    "violation": "AUROC of violations",
    "paper_accuracy": "accuracy, paper's probe",
    "fair_accuracy_a": "accuracy, converged",
    "knn_accuracy": "accuracy, neighbors",
    "paper_decoder": "decoder error, paper's",
    "fair_decoder": "decoder error, held out",
    "paper_sharpness": "sharpness, paper's decoder",
    "fair_sharpness": "sharpness, held out",
    "fair_true": "true digit seen",
}
"""What a measure is called."""
OTHERS = {
    "copy_last": "copying",
    "extrapolate": "a straight line",
    "raw": "the raw window",
    "raw_whole": "the raw window",
    "raw_past": "the raw window",
    "distance": "plain distance",
}


def named(criterion: Criterion) -> str:
    """A criterion in a few words, in two lines."""
    c = criterion
    what = MEASURES.get(c.measure, c.measure)
    place = "" if c.experiment == "sine" else {"lorenz": "Lorenz ", "mnist": "MNIST "}[c.experiment]
    long = ", 10x longer" if c.length == "long" else ""
    if not isinstance(c.than, str):
        return f"{place}{what}{long}\n{c.condition}"
    other = OTHERS.get(c.of or "", c.of or "") if c.than == BASELINES else c.than
    sign = "-" if c.difference else "/"
    return f"{place}{what}{long}\n{c.condition} {sign} {other}"


def plain_verdicts(verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    """Verdicts as plain data, for JSON."""
    return [
        {
            "id": v.claim.id,
            "section": v.claim.section,
            "quote": v.claim.quote,
            "claim": v.claim.claim,
            "verdict": v.word,
            **{
                kind: [
                    {**asdict(f.criterion), "says": f.says, "missing": f.missing, "p": f.p}
                    | ({} if f.effect is None else asdict(f.effect) | {"p": f.p})
                    for f in findings
                ]
                for kind, findings in (("fair", v.fair), ("paper", v.paper))
            },
        }
        for v in verdicts
    ]


def measured(finding: Finding) -> str:
    """A finding in one line: the mean with its interval, what was asked, and the share of seeds.

    The share is the probability of improvement: of the pairs, so many are on the claimed side of
    no difference at all.
    """
    if finding.effect is None:
        return finding.missing
    found = shown(finding)
    side = ">" if finding.criterion.expects == "higher" else "<"
    return (
        f"{found.mean:.3g} [{found.low:.3g}, {found.high:.3g}], asked {side} {found.demand:.3g}; "
        f"{found.improvement:.0%} of {len(found.values)}"
    )


def verdict_table(verdicts: Sequence[Verdict]) -> str:
    """Each claim with its place, its verdict and how many of its criteria are met."""

    def met(findings: Sequence[Finding]) -> str:
        return f"{sum(f.says == 'met' for f in findings)} of {len(findings)}" if findings else "-"

    header = ["claim", "section", "verdict", "fair", "paper's own"]
    rows = [[v.claim.id, v.claim.section, v.word, met(v.fair), met(v.paper)] for v in verdicts]
    return text_table([header, *rows])


def claim_text(verdicts: Sequence[Verdict], width: int = 78) -> str:
    """Each claim in words with its verdict, and each of its criteria with what was measured.

    An open criterion shows its corrected p.
    """
    lines: list[str] = []

    def put(text: str, first: str = "  ", rest: str = "  ") -> None:
        lines.extend(wrap(text, width, initial_indent=first, subsequent_indent=rest))

    for v in verdicts:
        section = v.claim.section
        place = {"abstract": "abstract", "A": "appendix A"}.get(section, f"section {section}")
        put(f"{v.claim.id}: {v.word}", "")
        put(v.claim.claim)
        put(f'"{v.claim.quote}" ({place})')
        for kind, findings in (("fair", v.fair), ("paper", v.paper)):
            for f in findings:
                what = named(f.criterion).replace("\n", ", ")
                # a reader wants to know how far an open question is from an answer
                says = f"open (p {f.p:.3g})" if f.says == "open" and f.effect else f.says
                put(f"{kind}, {says}: {what}: {measured(f)}", "  - ", "    ")
        lines.append("")
    return "\n".join(lines).rstrip()


def deciding(verdict: Verdict) -> Finding | None:
    """What a verdict hangs on: the first fair finding that is not met, or open, or the first."""
    unmet = [f for f in verdict.fair if f.says == "not met"]
    open_ones = [f for f in verdict.fair if f.says == "open"]
    return next(iter([*unmet, *open_ones, *verdict.fair]), None)


def verdict_markdown(verdicts: Sequence[Verdict]) -> str:
    """The summary table of README and welcome page, in Markdown."""
    lines = ["| The paper says | Section | Verdict | What decides |", "| --- | --- | --- | --- |"]
    for v in verdicts:
        found = deciding(v)
        what = "not tested"
        if found is not None:
            what = f"{named(found.criterion)}: {measured(found)}"
        cells = [v.claim.claim.rstrip("."), v.claim.section, f"**{v.word}**", what]
        lines.append("| " + " | ".join(cell.replace("\n", ", ") for cell in cells) + " |")
    return "\n".join(lines)
