"""What a training run leaves behind: losses of every step, diagnostics now and then."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from bijepa_core._support.errors import NonFiniteLossError
from bijepa_core.diagnostics import effective_rank, norm, relative_loss, variance
from bijepa_core.model import Losses

LOSSES = ("total", "forward", "backward")
DIAGNOSTICS = ("relative_loss", "norm", "variance", "effective_rank")


@dataclass(repr=False)
class History:
    """Losses and diagnostics; NaN where nothing was recorded (a direction that does not exist).

    Args:
        log_every: steps between two rows of diagnostics; the first is step 0.
        losses: ``total``, ``forward`` and ``backward``, each ``(steps, *seeds)``. ``total``
            is the weighted, scaled loss that was minimized; the two terms are plain means.
        diagnostics: ``(rows, *seeds)`` each. ``relative_loss``: the loss over the target's
            variance (1: no better than predicting the mean embedding). ``norm``,
            ``variance``, ``effective_rank``: of the online embedding of the step's batch.
    """

    log_every: int
    losses: dict[str, Tensor]
    diagnostics: dict[str, Tensor]

    @classmethod
    def empty(cls, steps: int, log_every: int, seeds: int | None, like: Tensor) -> "History":
        """A history with room for ``steps`` steps, on the device and of the dtype of ``like``."""
        axis = () if seeds is None else (seeds,)
        rows = -(-steps // log_every)
        nothing = float("nan")
        return cls(
            log_every,
            {name: like.new_full((steps, *axis), nothing) for name in LOSSES},
            {name: like.new_full((rows, *axis), nothing) for name in DIAGNOSTICS},
        )

    def __repr__(self) -> str:
        """Five lines: loss and diagnostics, first and last, the median over seeds."""
        lines = []
        for name, values in ({"loss": self.losses["total"]} | self.diagnostics).items():
            medians = values.reshape(len(values), -1).double().nanmedian(1).values.cpu()
            known = medians[~medians.isnan()].tolist() or [float("nan")]
            words = name.replace("_", " ")
            lines.append(f"{words:15} {known[0]:9.4g} at first, {known[-1]:9.4g} at last")
        return "\n".join(lines)

    @property
    def steps(self) -> int:
        """Steps there is room for."""
        return len(self.losses["total"])

    @property
    def logged_steps(self) -> Tensor:
        """The steps of the diagnostics' rows."""
        return torch.arange(0, self.steps, self.log_every)

    def record(self, step: int, losses: Losses) -> None:
        """Write one step down; diagnostics too, where the step is due for them."""
        self.losses["total"][step] = losses.total.detach()
        terms = {"forward": losses.forward, "backward": losses.backward}
        for name, term in terms.items():
            if term is not None:
                self.losses[name][step] = term.loss.detach()
        row, off = divmod(step, self.log_every)
        if off == 0:
            s = losses.terms[0].online
            self.diagnostics["relative_loss"][row] = relative_loss(losses.terms)
            self.diagnostics["norm"][row] = norm(s).mean(-1)
            self.diagnostics["variance"][row] = variance(s)
            self.diagnostics["effective_rank"][row] = effective_rank(s)

    def check_finite(self, start: int, stop: int) -> None:
        """Look at the losses of steps ``start`` to ``stop - 1``.

        Raises:
            NonFiniteLossError: naming the first step that is not finite, and the seeds.
        """
        finite = torch.isfinite(self.losses["total"][start:stop]).reshape(
            stop - start, -1
        )  # (n, seeds)
        if bool(finite.all()):
            return
        offset = int((~finite).any(1).nonzero()[0])
        many = self.losses["total"].ndim > 1
        seeds = tuple((~finite[offset]).nonzero().flatten().tolist()) if many else ()
        where = f" (positions {list(seeds)} on the seed axis)" if many else ""
        raise NonFiniteLossError(
            f"the loss became NaN or infinite at step {start + offset}{where}. The weights in "
            "memory are of no use; the last checkpoint, if any, is good. Lower the learning "
            "rate, or keep the embedding's norm in check: LayerNorm, weight decay or the sphere.",
            start + offset,
            seeds,
        )

    def keep(self, other: "History", steps: int) -> None:
        """Copy the first ``steps`` steps of another history of the same kind into this one."""
        rows = -(-steps // self.log_every)
        for name, values in self.losses.items():
            values[:steps] = other.losses[name][:steps]
        for name, values in self.diagnostics.items():
            values[:rows] = other.diagnostics[name][:rows]

    def mean_loss(self) -> Tensor:
        """The mean of the directions in use, ``(steps, *seeds)``, as the paper plots it."""
        present = [self.losses[name] for name in ("forward", "backward")]
        return torch.stack([term for term in present if not term.isnan().all()]).mean(0)

    def smooth_loss(self, window: int = 20) -> tuple[Tensor, Tensor]:
        """Means of the loss over windows of steps: middles ``(n,)``, values ``(n, *seeds)``."""
        curve = self.mean_loss()
        curve = curve[: len(curve) // window * window or len(curve)]
        means = torch.stack([part.mean(0) for part in curve.split(window)])
        size = min(window, len(curve))
        return torch.arange(len(means)) * size + size / 2, means

    def cpu(self) -> "History":
        """The same on the CPU."""
        return History(
            self.log_every,
            {name: values.cpu() for name, values in self.losses.items()},
            {name: values.cpu() for name, values in self.diagnostics.items()},
        )

    def plain(self) -> dict[str, Any]:
        """As lists, for JSON; a direction that does not exist is left out."""
        lists = {
            name: values.tolist()
            for name, values in self.losses.items()
            if not values.isnan().all()
        }
        rows = {name: values.tolist() for name, values in self.diagnostics.items()}
        return {"loss": lists, "logged_steps": self.logged_steps.tolist(), "diagnostics": rows}
