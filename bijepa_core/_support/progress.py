"""A progress bar for terminals and notebooks, and silence elsewhere."""

from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")


def progress_bar(items: Iterable[T], wanted: bool = True, description: str = "") -> Iterable[T]:
    """Iterate with a bar where somebody can see it move: in a terminal, or in a notebook.

    Args:
        items: what to iterate over.
        wanted: False for silence anywhere.
        description: a word in front of the bar.

    Returns:
        The items.
    """
    if not wanted:
        return items
    from tqdm.auto import tqdm  # lazily: in a notebook it pulls in ipywidgets

    # None leaves it to tqdm: silent where standard error is no terminal, but not in a notebook
    bar: Iterable[T] = tqdm(items, desc=description, leave=False, disable=None)
    return bar
