"""The command line: parse, call, print."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bijepa_core._support.errors import CheckpointError, CorruptDataError, NonFiniteLossError
from bijepa_core._support.files import atomic_write
from bijepa_core.experiments import CONFIGURATIONS, EXPERIMENTS, configuration_named

TIMES = "Times are for two CPU cores; a GPU is faster with many seeds or images."


def parser() -> argparse.ArgumentParser:
    """The parser of ``bijepa`` and ``python -m bijepa_core``."""
    top = argparse.ArgumentParser(
        prog="bijepa", description="BiJEPA: run, replay and reproduce the paper's experiments."
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    run = commands.add_parser(
        "run",
        help="train one experiment, for one seed or many, and measure it",
        description="Train one experiment with generators of this package (seed s is the same "
        "alone or in company), then measure it with the paper's probe and a converged one. "
        "One seed takes about 10 s (sine), 20 s (lorenz) or 5 minutes (mnist); 32 seeds of "
        "sine or lorenz a few minutes. " + TIMES,
    )
    run.add_argument("experiment", choices=list(EXPERIMENTS))
    run.add_argument(
        "--config",
        default="expressive",
        metavar="NAME",
        help=f"{', '.join(CONFIGURATIONS)} (default: expressive)",
    )
    run.add_argument(
        "--alpha",
        type=float,
        metavar="A",
        help="weight of the forward term, 0 to 1 (default: the configuration's)",
    )
    which = run.add_mutually_exclusive_group()
    which.add_argument("--seeds", type=int, metavar="N", help="train seeds 0 to N-1 together")
    which.add_argument("--seed", type=int, default=42, metavar="S", help="one seed (default: 42)")
    run.add_argument(
        "--steps", type=int, metavar="K", help="optimizer steps (default: the paper's)"
    )
    run.add_argument(
        "--dataset",
        choices=["mnist", "digits"],
        default="mnist",
        help="for mnist: digits is scikit-learn's small set, which needs no download",
    )
    run.add_argument("--device", default="auto", metavar="D", help="auto, cpu, cuda or mps")
    run.add_argument("--checkpoint", metavar="DIR", help="write checkpoints into this folder")
    run.add_argument("--resume", action="store_true", help="go on from the checkpoint in DIR")
    _json(run)

    replay = commands.add_parser(
        "replay",
        help="the paper's own run, number by number",
        description="Follow the paper's script draw by draw, on the CPU. The JSON holds loss "
        "([forward, backward], or [forward] for classic, a step), protocol_a_mse and "
        "protocol_b_mse. Takes about 10 s (sine) or 15 s (lorenz). " + TIMES,
    )
    replay.add_argument("experiment", choices=["sine", "lorenz"])
    replay.add_argument(
        "--config",
        required=True,
        metavar="NAME",
        help="classic, unconstrained, expressive or restrictive; for lorenz, classic or expressive",
    )
    _json(replay)

    reproduce = commands.add_parser(
        "reproduce",
        help="the paper's three tables beside this project's",
        description="Print Tables 1, 2 and 3: the paper's value, the replayed or rerun value, and "
        "the same under a converged probe on held-out data. Takes about 12 minutes; --quick, "
        "a tenth of the training, about 2. " + TIMES,
    )
    reproduce.add_argument("--quick", action="store_true", help="a tenth of the training")
    reproduce.add_argument(
        "--dataset",
        choices=["mnist", "digits"],
        default="mnist",
        help="digits stands in for MNIST where there is no network",
    )
    reproduce.add_argument("--device", default="auto", metavar="D", help="auto, cpu, cuda or mps")
    _json(reproduce)

    evidence = commands.add_parser(
        "evidence",
        help="the referee's study: every condition, many seeds, on all cores or a cluster",
        description="Train and measure every condition of the study and write one JSON a "
        "condition. Results appear as they finish; after a stop of any kind, --resume does only "
        "what is missing, with the same numbers. On two cores everything takes about five hours, a "
        "single condition at the paper's length half a minute (sine), two minutes (lorenz) or "
        "20 minutes (mnist).",
    )
    evidence.add_argument("--experiment", choices=list(EXPERIMENTS), help="one alone")
    evidence.add_argument(
        "--condition", action="append", metavar="NAME", help="one alone; may be repeated"
    )
    evidence.add_argument(
        "--length", choices=["paper", "long"], help="one alone; long is ten times the paper's"
    )
    evidence.add_argument(
        "--seeds", type=int, metavar="N", help="seeds 0 to N-1 (default: 32; 8 for mnist)"
    )
    evidence.add_argument(
        "--jobs", type=int, default=-1, metavar="J", help="processes (default: one a core)"
    )
    evidence.add_argument("--dask", metavar="ADDRESS", help="a Dask scheduler to send the work to")
    evidence.add_argument("--device", default="cpu", metavar="D", help="cpu (default), cuda or mps")
    evidence.add_argument("--resume", action="store_true", help="do only what is missing")
    evidence.add_argument(
        "--out", type=Path, default=Path("evidence"), metavar="DIR", help="default: evidence"
    )

    claims = commands.add_parser(
        "claims",
        help="the verdict on every claim of the paper, from recorded results",
        description="Print each claim with its verdict; then those that were asked after the "
        "runs, judged apart.",
    )
    claims.add_argument(
        "--results", type=Path, metavar="DIR", help="default: the results recorded in the book"
    )
    _json(claims)
    return top


def _json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", type=Path, metavar="FILE", help="write the result here as well")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: without the program's name; those of the process by default.

    Returns:
        The exit status: 0; 2 after a plain error; 130 after Ctrl-C.
    """
    options = parser().parse_args(arguments)
    try:
        check_writable(getattr(options, "json", None))
        result, text = COMMANDS[options.command](options)
        if getattr(options, "json", None) is not None:
            atomic_write(options.json, (json.dumps(result, indent=1) + "\n").encode())
    except (
        ValueError,
        OSError,
        CheckpointError,
        CorruptDataError,
        NonFiniteLossError,
        ModuleNotFoundError,
    ) as error:
        print(f"bijepa: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as stop:
        folder = getattr(options, "checkpoint", None)
        advice = f"; go on with --checkpoint {folder} --resume" if folder else ""
        if options.command == "evidence":
            advice = "; go on with --resume"
        print(f"bijepa: {str(stop) or 'stopped'}{advice}", file=sys.stderr)
        return 130
    print(text)
    return 0


def check_writable(path: Path | None) -> None:
    """A result's file can be written, before any work is spent on the result.

    Raises:
        ValueError: if it cannot.
    """
    if path is None:
        return
    folder = path.resolve().parent
    if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise ValueError(
            f"--json needs a file in an existing folder that can be written to; received {path}."
        )


def _run(options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    from bijepa_core.runs import run

    from bijepa_book.text import run_summary

    if options.seeds is not None and options.seeds < 1:
        raise ValueError(f"--seeds must be at least 1; received {options.seeds}.")
    result = run(
        EXPERIMENTS[options.experiment],
        configuration_named(options.config, options.alpha),
        options.seed if options.seeds is None else range(options.seeds),
        steps=options.steps,
        dataset=options.dataset,
        device=options.device,
        checkpoint=options.checkpoint,
        resume=options.resume,
    ).plain()
    return result, run_summary(result)


def _replay(options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    from bijepa_book.paper.replay import replay

    result = replay(options.experiment, options.config).plain()
    last = ", ".join(f"{term:.4f}" for term in result["loss"][-1])
    scores = f"A {result['protocol_a_mse']:.5f}, B {result['protocol_b_mse']:.5f}"
    return result, f"{options.experiment} {options.config}: last loss {last}; probe MSE {scores}"


def _reproduce(options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    from bijepa_book.paper.tables import reproduce
    from bijepa_book.text import reproduction

    result = reproduce(quick=options.quick, dataset=options.dataset, device=options.device)
    return result, reproduction(result)


def _evidence(options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    from bijepa_book.evidence.grid import all_conditions
    from bijepa_book.evidence.runner import SEEDS, run_study

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
    seeds = SEEDS if options.seeds is None else dict.fromkeys(SEEDS, options.seeds)
    files = run_study(
        wanted,
        seeds,
        options.out,
        jobs=options.jobs,
        resume=options.resume,
        dask=options.dask,
        device=options.device,
        say=lambda line: print(line, file=sys.stderr, flush=True),
    )
    return {}, f"{len(files)} conditions in {options.out}; verdicts: bijepa claims --results DIR"


def _claims(options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    from bijepa_book.evidence.post_hoc import LATER
    from bijepa_book.evidence.runner import load
    from bijepa_book.evidence.verdicts import judge
    from bijepa_book.text import plain_verdicts, verdict_table

    records = load(options.results)
    verdicts, later = judge(records), judge(records, LATER)
    text = f"{verdict_table(verdicts)}\n\nAsked after the runs:\n\n{verdict_table(later)}"
    return {"verdicts": plain_verdicts(verdicts), "later": plain_verdicts(later)}, text


COMMANDS = {
    "run": _run,
    "replay": _replay,
    "reproduce": _reproduce,
    "evidence": _evidence,
    "claims": _claims,
}
