"""How much a chapter trains: enough to see that it runs, what the book shows, or more."""

from typing import TypeVar

T = TypeVar("T")


def at_scale(scale: str, *, smoke: T, paper: T, full: T) -> T:
    """Choose a chapter's sizes by the scale that its first cell, or papermill, names.

    Args:
        scale: "smoke" (minutes for the whole book), "paper" (what the book shows) or "full".
        smoke, paper, full: the sizes at each.

    Raises:
        ValueError: there is no such scale.
    """
    sizes = {"smoke": smoke, "paper": paper, "full": full}
    if scale not in sizes:
        raise ValueError(
            f"scale must be one of {', '.join(map(repr, sizes))}; received {scale!r}. "
            "It stands in the notebook's first parameters cell; with papermill: -p scale smoke."
        )
    return sizes[scale]
