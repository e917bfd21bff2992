"""Looks at a model while it learns: its norm, and what its two predictors do together."""

import torch
from torch import Tensor

from bijepa_core._support.checks import check_counts, inference
from bijepa_core.diagnostics import loop_spectrum, norm
from bijepa_core.evaluation.metrics import per_seed
from bijepa_core.evaluation.scores import Scores
from bijepa_core.history import History
from bijepa_core.model import BiJEPA


class Watch:
    """Looks at a model while it learns, on a few fixed contexts: an ``on_log`` of ``pretrain``.

    Args:
        model: before training.
        x: contexts, ``(*seeds, n, *view)``.
        every: steps between two looks, a multiple of ``pretrain``'s ``log_every``.

    Raises:
        ValueError: if ``every`` is not positive.
    """

    def __init__(self, model: BiJEPA, x: Tensor, every: int) -> None:
        check_counts(every=every)
        self.model, self.x, self.every = model, x, every
        self.steps: list[int] = []
        self._looks: dict[str, list[Tensor]] = {"online": [], "target": [], "radius": []}

    def __call__(self, step: int, _: History) -> None:
        """Look, where the step is due for it."""
        if step % self.every:
            return
        model, x = self.model, self.x.to(next(self.model.parameters()).device)
        with inference(model):
            for name, encoder in (("online", model.online), ("target", model.target)):
                embedding = model.constraint.project(encoder(x))
                self._looks[name].append(norm(embedding).mean(-1).cpu())
        if model.forward_predictor is not None and model.backward_predictor is not None:
            largest = loop_spectrum(model, x).abs()[..., 0]  # (*seeds, n)
            self._looks["radius"].append(largest.quantile(0.5, dim=-1))
        self.steps.append(step)

    def looks(self) -> dict[str, Tensor]:
        """What was seen at each of ``steps``, each ``(looks, *seeds)``.

        Returns:
            ``online`` and ``target``, the mean norm of what each encoder says; with both
            predictors, ``radius``, the largest modulus among the eigenvalues of the loop
            ``s -> P_bwd(P_fwd(s))`` (section 5.3), the median over contexts.
        """
        return {name: torch.stack(values) for name, values in self._looks.items() if values}

    def scores(self) -> Scores:
        """Where the norm grew most, and what the loop of predictors did there.

        Returns:
            ``lead``, the largest ratio of the online encoder's norm to the target's; with both
            predictors, ``radius_growing``, the radius at the look after which the norm grew by
            the largest factor, and ``radius_last``.
        """
        looks = self.looks()
        scores = {"lead": per_seed((looks["online"] / looks["target"]).amax(0))}
        if "radius" in looks:
            radius, norms = looks["radius"], looks["online"]
            steepest = norms.log().diff(dim=0).argmax(0)  # (*seeds,)
            scores["radius_growing"] = per_seed(radius.gather(0, steepest[None])[0])
            scores["radius_last"] = per_seed(radius[-1])
        return scores

    def curves(self) -> dict[str, list[object]]:
        """The looks as plain data: ``steps``, and ``norm`` and ``radius``, a list a seed each."""
        looks = self.looks()
        curves: dict[str, list[object]] = {"steps": list(self.steps)}
        for name, kind in (("norm", "online"), ("radius", "radius")):
            if kind in looks:
                curves[name] = looks[kind].reshape(len(self.steps), -1).T.tolist()
        return curves
