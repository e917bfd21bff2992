"""``python -m benchmarks``: prints the table; see README.md beside this file."""

import argparse

import torch

from benchmarks import footprint, mnist, sine_lorenz
from benchmarks.timing import table

PARTS = ("footprint", "series", "mnist")


def main() -> None:
    """Measure what was asked for, and print it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"any of {', '.join(PARTS)}; all by default")
    parser.add_argument("--rounds", type=int, default=9, help="measurements of each ratio (9)")
    parser.add_argument("--threads", type=int, help="PyTorch's threads, for both sides alike")
    arguments = parser.parse_args()
    parts = arguments.parts or PARTS
    if unknown := set(parts) - set(PARTS):
        parser.error(f"unknown {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    if arguments.rounds < 1:
        parser.error(f"--rounds must be at least 1; received {arguments.rounds}")
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads\n")

    if "footprint" in parts:  # first: see footprint.peak_memory
        print(f"MNIST, peak memory: {footprint.peak_memory():.2f} GB (target: below 2)")
        ours, torchs, pulled = footprint.import_times(3)
        print(
            f"import bijepa_core: {ours:.2f} s, import torch: {torchs:.2f} s; "
            f"pulls in {' '.join(pulled) or 'none'} of {', '.join(footprint.HEAVY)}\n"
        )
    comparisons, notes = [], []
    if "series" in parts:
        comparisons += sine_lorenz.measure(arguments.rounds)
    if "mnist" in parts:
        measured, lines = mnist.measure(arguments.rounds)
        comparisons += measured
        notes += lines
    if comparisons:
        print("\n".join([table(comparisons), "", *notes]))


if __name__ == "__main__":
    main()
