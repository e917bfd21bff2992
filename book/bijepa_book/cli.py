"""The command line: parse, call, print.

Nothing large is imported until a command line is known to make sense.
"""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bijepa_book.arguments import Parser, Version, check_writable, jobs, path, place, whole
from bijepa_book.names import words
from bijepa_book.process import NobodyReads, hear, heedless_errors, leave, leaving_at_once, put
from bijepa_book.text import text_table

EXPERIMENTS = ("sine", "lorenz", "mnist")
CONFIGURATIONS = ("classic", "unconstrained", "expressive", "restrictive")
PREDICTORS = ("deterministic", "energy", "gaussian", "mixture")
TIMES = "Times are for two CPU cores; a GPU is faster with many seeds or images."
MOST_STEPS, MOST_SEEDS, LAST_SEED = 10**8, 10**4, 2**64 - 1
STATUS_OF_STOPS, STATUS_OF_ERRORS = 128, 2  # the first is a shell's: 128 and the signal's number
OF_SAMPLES = """\
Forward are samples of the future, backward of the past, in the embedding, on
held-out pairs. The energy score is how far they miss the true embedding, less
what being several explains; compare it with the distance of their mean, which
is the score of one point. Low is good. Their spread is in units of the target's
variance; 0: noise changes nothing. Spread over error: 1 is right; below it
samples are too sure, above it too unsure."""
Result = tuple[dict[str, Any], str]
"""What ``--json`` writes, and what is printed."""
Commands = Any
"""What ``add_subparsers`` gives; its class is argparse's own."""


def _dataset(parser: argparse.ArgumentParser, explanation: str) -> None:
    parser.add_argument("--dataset", choices=["mnist", "digits"], default="mnist", help=explanation)


def _device(parser: argparse.ArgumentParser, default: str = "auto") -> None:
    parser.add_argument(
        "--device", type=place, default=default, metavar="D",
        help=f"auto, cpu, cuda or mps (default: {default})",
    )  # fmt: skip


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", type=path, metavar="FILE", help="write the result here as well")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _computing_on(device: str) -> None:
    """Say what is about to be used."""
    import torch

    from bijepa_core._support.devices import resolve_device

    _say(f"computing on {resolve_device(device)}, {torch.get_num_threads()} thread(s)")


# --- run ----------------------------------------------------------------------------------------


def _add_run(commands: Commands) -> None:
    parser: argparse.ArgumentParser = commands.add_parser(
        "run",
        help="train one experiment, for one seed or many, and measure it",
        description="Train one experiment with generators of this package, then measure it with "
        "the paper's probe and a fair one. Seed s gets the same data and starting weights alone or "
        "in company; what is rounded differently then parts its losses, by about 1e-7 after 100 "
        "steps and a tenth after 2,000. "
        "One seed takes about 10 s (sine), 20 s (lorenz) or 5 minutes (mnist); 32 seeds of "
        "sine or lorenz a few minutes. " + TIMES,
    )
    parser.set_defaults(execute=_run)
    parser.add_argument("experiment", choices=EXPERIMENTS)
    parser.add_argument(
        "--configuration",
        default="expressive",
        metavar="NAME",
        help=f"{', '.join(CONFIGURATIONS)} (default: expressive)",
    )
    parser.add_argument(
        "--alpha",
        type=float,
        metavar="A",
        help="weight of the forward term, 0 to 1 (default: the configuration's)",
    )
    parser.add_argument(
        "--predictor",
        choices=PREDICTORS,
        default="deterministic",
        help="deterministic is the paper's (the default); the others sample many futures and "
        "pasts: from noise z, by the energy score (about twice the time), or from a normal "
        "distribution or a mixture of them, by their likelihood",
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--num-seeds", type=whole(1, MOST_SEEDS), metavar="N",
        help="train seeds 0 to N-1 together",
    )  # fmt: skip
    # no default here: argparse does not see two rivals where one of them is at its default
    which.add_argument(
        "--seed", type=whole(0, LAST_SEED), metavar="S", help="one seed (default: 42)"
    )
    parser.add_argument(
        "--steps", type=whole(1, MOST_STEPS), metavar="K",
        help="optimizer steps (default: the paper's)",
    )  # fmt: skip
    _dataset(parser, "for mnist: digits is scikit-learn's small set, which needs no download")
    _device(parser)
    parser.add_argument("--checkpoint", type=path, metavar="DIR", help="write checkpoints here")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in DIR")
    _json(parser)


def _run(options: argparse.Namespace) -> Result:
    from bijepa_book import stochastic
    from bijepa_core import experiments
    from bijepa_core.checkpoints import Checkpoint

    if options.resume and options.checkpoint is None:
        raise ValueError("--resume needs the folder to resume from: add --checkpoint DIR.")
    experiment = experiments.EXPERIMENTS[options.experiment]
    if options.dataset == "digits":
        if options.experiment != "mnist":
            raise ValueError(
                f"--dataset digits stands in for MNIST; received {options.experiment}, which has "
                "no images. Leave it out, or run mnist."
            )
        experiment = experiments.DIGITS
    if options.steps is not None:
        experiment = replace(experiment, steps=options.steps)
    kept = None
    if options.checkpoint is not None:
        kept = Checkpoint(options.checkpoint, resume=options.resume)
    seeds: int | range = 42 if options.seed is None else options.seed
    if options.num_seeds is not None:
        seeds = range(options.num_seeds)
    configuration = experiments.configuration_named(options.configuration, options.alpha)
    _computing_on(options.device)
    run = experiments.run if options.predictor == "deterministic" else stochastic.run
    result = run(
        experiment,
        replace(configuration, predictor=options.predictor),
        seeds,
        device=options.device,
        checkpoint=kept,
    ).plain()
    return result, run_summary(result)


def run_summary(plain: dict[str, Any]) -> str:
    """Scores of :meth:`bijepa_core.experiments.Run.plain`: mean over seeds, and the range.

    Those of a predictor that samples are explained.
    """
    cells = [["", "mean", "lowest", "highest"]]
    for name, values in plain["scores"].items():
        numbers = (sum(values) / len(values), min(values), max(values))
        cells.append([words(name), *(f"{number:.4f}" for number in numbers)])
    seeds, experiment = plain["seeds"], plain["experiment"]
    predictor = plain["configuration"].get("predictor")
    who = "" if predictor is None else f", predictor {predictor}"
    title = f"{experiment['name']}{who}, {experiment['steps']} steps, {len(seeds)} seed(s)"
    table = f"{title}, {plain['provenance']['seconds']:.0f} s\n{text_table(cells)}"
    return table if predictor is None else f"{table}\n\n{OF_SAMPLES}"


# --- replay -------------------------------------------------------------------------------------


def _add_replay(commands: Commands) -> None:
    parser: argparse.ArgumentParser = commands.add_parser(
        "replay",
        help="the paper's own run, number by number",
        description="Follow the paper's script draw by draw, on the CPU. The JSON holds loss "
        "([forward, backward], or [forward] for classic, a step), paper_a, paper_b, "
        "fair_a and fair_b. Takes about 10 s (sine) or 15 s (lorenz). " + TIMES,
    )
    parser.set_defaults(execute=_replay)
    parser.add_argument("experiment", choices=["sine", "lorenz"])
    parser.add_argument(
        "--configuration",
        required=True,
        metavar="NAME",
        help="classic, unconstrained, expressive or restrictive; for lorenz, classic or expressive",
    )
    _json(parser)


def _replay(options: argparse.Namespace) -> Result:
    from bijepa_book.paper.replay import replay

    _computing_on("cpu")
    result = replay(options.experiment, options.configuration).plain()
    last = ", ".join(f"{term:.4f}" for term in result["loss"][-1])
    scores = f"A {result['paper_a']:.5f}, B {result['paper_b']:.5f}"
    title = f"{options.experiment} {options.configuration}"
    return result, f"{title}: last loss {last}; probe MSE {scores}"


# --- reproduce ----------------------------------------------------------------------------------


def _add_reproduce(commands: Commands) -> None:
    parser: argparse.ArgumentParser = commands.add_parser(
        "reproduce",
        help="the paper's three tables beside this project's",
        description="Print Tables 1, 2 and 3: the paper's value, the replayed or rerun value, and "
        "the same under a fair probe on held-out data. Takes about 12 minutes; --quick, "
        "a tenth of the training, about 2. " + TIMES,
    )
    parser.set_defaults(execute=_reproduce)
    parser.add_argument("--quick", action="store_true", help="a tenth of the training")
    _dataset(parser, "digits stands in for MNIST where there is no network")
    _device(parser)
    _json(parser)


def _reproduce(options: argparse.Namespace) -> Result:
    from bijepa_book.paper.report import reproduction
    from bijepa_book.paper.tables import reproduce

    _computing_on(options.device)
    result = reproduce(quick=options.quick, dataset=options.dataset, device=options.device)
    return result, reproduction(result)


# --- evidence -----------------------------------------------------------------------------------


def _add_evidence(commands: Commands) -> None:
    parser: argparse.ArgumentParser = commands.add_parser(
        "evidence",
        help="the referee's study: every condition, many seeds, on all cores or a cluster",
        description="Train and measure every condition of the study and write one JSON a "
        "condition. Results appear as they finish; after a stop of any kind, --resume does only "
        "what is missing, with the same numbers. On two cores everything takes about five hours, a "
        "single condition at the paper's length half a minute (sine), two minutes (lorenz) or "
        "20 minutes (mnist).",
    )
    parser.set_defaults(execute=_evidence)
    parser.add_argument("--experiment", choices=EXPERIMENTS, help="one alone")
    parser.add_argument(
        "--condition", action="append", metavar="NAME", help="one alone; may be repeated"
    )
    parser.add_argument(
        "--length", choices=["paper", "long"], help="one alone; long is ten times the paper's"
    )
    parser.add_argument(
        "--num-seeds", type=whole(1, MOST_SEEDS), metavar="N",
        help="seeds 0 to N-1 (default: 32; 8 for mnist)",
    )  # fmt: skip
    parser.add_argument(
        "--jobs", type=jobs, default=-1, metavar="J",
        help="processes of one thread (default: one a core)",
    )  # fmt: skip
    parser.add_argument("--dask", metavar="ADDRESS", help="a Dask scheduler to send the work to")
    _device(parser, "cpu")
    parser.add_argument("--resume", action="store_true", help="do only what is missing")
    parser.add_argument(
        "--results", type=path, default=Path("evidence"), metavar="DIR", help="default: evidence"
    )


def _evidence(options: argparse.Namespace) -> Result:
    from bijepa_book.evidence.grid import all_conditions
    from bijepa_book.evidence.runner import SEEDS, run_study
    from bijepa_core._support.devices import resolve_device

    wanted = [
        c
        for c in all_conditions()
        if options.experiment in (None, c.experiment.name)
        and options.length in (None, c.length)
        and (options.condition is None or c.name in options.condition)
    ]
    unknown = set(options.condition or []) - {c.name for c in wanted}
    if unknown or not wanted:
        known = ", ".join(dict.fromkeys(c.name for c in all_conditions()))
        raise ValueError(
            f"no such condition here: {', '.join(sorted(unknown)) or 'none is left'}. "
            f"The study has: {known} (mnist: the first eight, at the paper's length)."
        )
    if options.dask is None:
        resolve_device(options.device)
    files = run_study(
        wanted,
        SEEDS if options.num_seeds is None else dict.fromkeys(SEEDS, options.num_seeds),
        options.results,
        jobs=options.jobs,
        resume=options.resume,
        dask=options.dask,
        device=options.device,
        say=_say,
    )
    folder = options.results
    verdicts = f"bijepa claims --edition first --results {folder}"
    return {}, f"{len(files)} conditions in {folder}; verdicts: {verdicts}"


# --- claims -------------------------------------------------------------------------------------


def _add_claims(commands: Commands) -> None:
    parser: argparse.ArgumentParser = commands.add_parser(
        "claims",
        help="the verdict on every claim of the paper, from recorded results",
        description="Print each claim with its labels, direction and size, and what was found. The "
        "first edition asked otherwise, on other seeds; --edition first prints its verdicts.",
    )
    parser.set_defaults(execute=_claims)
    parser.add_argument(
        "--edition", choices=["first", "second"], default="second", help="default: second"
    )
    parser.add_argument(
        "--results", type=path, metavar="DIR", help="default: the results recorded in the book"
    )
    _json(parser)


def _claims(options: argparse.Namespace) -> Result:
    if options.edition == "first":
        return _first_claims(options.results)
    from bijepa_book.evidence.second.recording import fresh, load
    from bijepa_book.evidence.second.report import plain_verdicts, verdict_text
    from bijepa_book.evidence.second.verdicts import judge

    verdicts = judge(fresh(load(options.results)))
    return {"verdicts": plain_verdicts(verdicts)}, verdict_text(verdicts)


def _first_claims(results: Path | None) -> Result:
    from bijepa_book.evidence.post_hoc import LATER
    from bijepa_book.evidence.report import plain_verdicts, verdict_table
    from bijepa_book.evidence.runner import load
    from bijepa_book.evidence.verdicts import judge

    records = load(results)
    verdicts, later = judge(records), judge(records, LATER)
    text = f"{verdict_table(verdicts)}\n\nAsked after the runs:\n\n{verdict_table(later)}"
    return {"verdicts": plain_verdicts(verdicts), "later": plain_verdicts(later)}, text


# --- all of them --------------------------------------------------------------------------------


def parser() -> argparse.ArgumentParser:
    """The parser of ``bijepa`` and ``python -m bijepa_book``."""
    top = Parser(
        prog="bijepa", description="BiJEPA: run, replay and reproduce the paper's experiments."
    )
    top.add_argument("--version", action=Version, nargs=0, help="show the version, and exit")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in (_add_run, _add_replay, _add_reproduce, _add_evidence, _add_claims):
        add(commands)
    top.set_defaults(json=None, checkpoint=None)  # where a command has no such option
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: without the program's name; by default those of the process, which then ends
            with this call.

    Returns:
        The exit status: 0; 2 after a plain error; after Ctrl-C, SIGTERM or SIGHUP 128 and the
        signal's number, as in a shell.
    """
    # Threads that wait for each other by spinning take the cores from everybody else's.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    with heedless_errors():
        status = _status(arguments)
        if arguments is None:
            hear(leave)
        return status


def _status(arguments: Sequence[str] | None) -> int:
    options = None
    try:
        with leaving_at_once():
            options = parser().parse_args(arguments)
            if options.json is not None:
                check_writable(options.json)
            from bijepa_core._support.interrupts import handling_stops
        with handling_stops():
            result, text = options.execute(options)
            try:
                put(text)  # first: whatever becomes of the file, the result is seen
            finally:
                if options.json is not None:
                    _write(options.json, result)
    except KeyboardInterrupt as stop:
        with leaving_at_once():  # for who is impatient
            _say(f"bijepa: {str(stop) or 'stopped'}{'' if options is None else _advice(options)}")
        return STATUS_OF_STOPS + getattr(stop, "signal", signal.SIGINT)
    except NobodyReads:
        return STATUS_OF_STOPS + 13  # SIGPIPE's number: what any program gives whose reader left
    except Exception as error:
        sentence = _sentence(error)
        if not sentence:
            raise
        _say(f"bijepa: {' '.join(sentence.split())}")
        return STATUS_OF_ERRORS
    return 0


def _advice(options: argparse.Namespace) -> str:
    if options.checkpoint is not None:
        return f"; go on with --checkpoint {options.checkpoint} --resume"
    return "; go on with --resume" if options.command == "evidence" else ""


def _write(file: Path, result: dict[str, Any]) -> None:
    from bijepa_book.records import encoded
    from bijepa_core._support.files import atomic_write

    atomic_write(file, encoded(result))


def _sentence(error: Exception) -> str:
    """What a user needs to know of an error; empty where it is a fault of the program."""
    if isinstance(error, ValueError | OSError | FloatingPointError | ModuleNotFoundError):
        return str(error)
    if isinstance(error, MemoryError) or "allocate" in str(error):  # PyTorch has several classes
        return f"there is not enough memory. Ask for fewer seeds or steps. ({_first_line(error)})"
    from bijepa_core._support.errors import CheckpointError, CorruptDataError

    return str(error) if isinstance(error, CheckpointError | CorruptDataError) else ""


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
