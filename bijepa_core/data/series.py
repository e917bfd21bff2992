"""What the sine and the Lorenz experiment learn from, and are judged on."""

from dataclasses import dataclass

from torch import Tensor

from bijepa_core.data.streams import Batches

PROBE, HELD_OUT = 1_000, 10_000  # series to fit probes on, and to judge them on

Pairs = tuple[Tensor, Tensor]
"""Contexts and targets."""


@dataclass(frozen=True)
class SeriesData:
    """One draw a seed.

    Args:
        batches: the training stream.
        state_dim: numbers in a state: 1 for sine, 3 for Lorenz.
        probe: contexts and whole targets, ``(*seeds, 1000, in_dim)`` each.
        held_out: 10,000 fresh ones.
    """

    batches: Batches
    state_dim: int
    probe: Pairs
    held_out: Pairs

    def next_state(self, pairs: Pairs) -> Pairs:
        """Contexts, and the state that comes next: what the paper's script regresses.

        Args:
            pairs: ``probe`` or ``held_out``.

        Returns:
            ``(*seeds, n, in_dim)`` and ``(*seeds, n, state_dim)``.
        """
        x, y = pairs
        return x, y[..., : self.state_dim]
