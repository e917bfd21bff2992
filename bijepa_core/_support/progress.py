"""A progress bar for terminals and notebooks, and silence elsewhere."""

import sys
from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")


def progress_bar(items: Iterable[T], wanted: bool = True, description: str = "") -> Iterable[T]:
    """Iterate with a bar.

    Args:
        items: what to iterate over.
        wanted: False for silence anywhere.
        description: a word in front of the bar.

    Returns:
        The items, behind a tqdm bar where somebody can see it move: standard error is a
        terminal, or the code runs in a notebook.
    """
    if not wanted or not (sys.stderr.isatty() or in_notebook()):
        return items
    from tqdm.auto import tqdm  # lazily: in a notebook it pulls in ipywidgets

    return tqdm(items, desc=description, leave=False)


def in_notebook() -> bool:
    """Whether a Jupyter kernel runs this code."""
    if "IPython" not in sys.modules:
        return False
    from IPython import get_ipython

    return hasattr(get_ipython(), "kernel")
