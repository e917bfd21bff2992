"""BiJEPA: its composition, its loss and its target, in the order of the paper's section 3."""

import copy
import reprlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from bijepa_core._support import archives
from bijepa_core._support.checks import (
    check_kind,
    check_positive,
    check_unit_interval,
    check_view,
    check_views,
    inference,
)
from bijepa_core._support.errors import CheckpointError
from bijepa_core.constraints import EXPRESSIVE, Constraint

FORMAT = "bijepa model 1"
SHAPES = "shapes"  # in a configuration: what follows from the rest of it
Direction = Literal["forward", "backward"]


class Term(NamedTuple):
    """One direction of prediction, as the loss saw it."""

    loss: Tensor
    """Mean over batch and embedding of the squared error, ``(*seeds,)``."""
    online: Tensor
    """The online embedding that was predicted from, ``(*seeds, batch, d)``, detached."""
    target: Tensor
    """The target embedding that was to be predicted, ``(*seeds, batch, d)``."""


class Losses(NamedTuple):
    """What one batch gives: the weighted loss of Eq. 8, and its two terms apart."""

    total: Tensor
    """``scale * (alpha * forward + (1 - alpha) * backward)`` and the constraint's penalties,
    ``(*seeds,)``."""
    forward: Term | None
    """x to y (Eq. 6); None where alpha = 0."""
    backward: Term | None
    """y to x (Eq. 7); None where alpha = 1."""

    @property
    def terms(self) -> list[Term]:
        """Those of the two that exist, as :func:`.relative_loss` takes them."""
        return [term for term in (self.forward, self.backward) if term is not None]


class BiJEPA(nn.Module):
    """Bi-directional JEPA: one online encoder, its EMA target, a predictor each way (Fig. 1B).

    alpha = 1 *is* classic JEPA (Fig. 1A): no backward predictor is built, and y never passes
    the online encoder. alpha = 0 is its mirror image.

    Args:
        encoder: the online encoder f, ``(*seeds, batch, *view)`` to ``(*seeds, batch, d)``.
            The target encoder starts as its copy.
        predictor: builds a predictor, ``(*seeds, batch, d)`` to ``(*seeds, batch, d)``; called
            once for each direction in use, forward first. Return the same module twice to
            share one.
        constraint: the stability configuration; ``project``, ``aim`` and ``penalties`` apply here,
            ``weight_decay`` in :func:`bijepa_core.training.pretrain`, ``layer_norm`` where
            networks are built.
        alpha: weight of the forward term in Eq. 8, in [0, 1].
        tau: EMA momentum of Eq. 5, in [0, 1].
        scale: factor on Eq. 8; see :func:`script_scale` for the paper's script.

    Raises:
        ValueError: if alpha or tau is outside [0, 1], or scale is not positive; if the encoder
            has no parameters, or cannot be copied.
        TypeError: if another argument is not what is asked for.
    """

    seed_axis: int | None = None  # set by bijepa_core.seeds.stack

    def __init__(
        self,
        encoder: nn.Module,
        predictor: Callable[[], nn.Module],
        *,
        constraint: Constraint = EXPRESSIVE,
        alpha: float = 0.5,
        tau: float = 0.995,
        scale: float = 1.0,
    ) -> None:
        super().__init__()
        check_unit_interval(alpha=alpha, tau=tau)
        check_positive(scale=scale)
        check_kind("encoder must be a torch.nn.Module.", encoder, nn.Module)
        check_kind("constraint must be a Constraint, such as EXPRESSIVE.", constraint, Constraint)
        if isinstance(predictor, nn.Module) or not callable(predictor):
            raise TypeError(
                "predictor must be a function that builds one, called once for each direction: "
                "lambda: MLPPredictor(16, 64), say; for one that both directions share, lambda: "
                f"mine. Received {reprlib.repr(predictor)}."
            )
        self.alpha, self.tau, self.scale = float(alpha), float(tau), float(scale)
        self.constraint = constraint
        self.online = encoder
        self.forward_predictor = _built(predictor) if alpha > 0 else None
        self.backward_predictor = _built(predictor) if alpha < 1 else None
        self._check_predictors()
        _check_ready(self)
        self.target = _copy(encoder).requires_grad_(False)
        # Batch normalization must see each view by itself; so must an encoder that does not
        # tell its input's shape. All others take both views in one call.
        mixing = any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in encoder.modules())
        self.view_shape: tuple[int, ...] | None = getattr(encoder, "input_shape", None)
        self.encode_separately = mixing or self.view_shape is None

    def forward(
        self,
        x: Tensor,
        y: Tensor,
        z_forward: Tensor | None = None,
        z_backward: Tensor | None = None,
    ) -> Losses:
        """The loss of one batch of paired views (Eq. 6, 7 and 8).

        Args:
            x: the context, ``(*seeds, batch, *view)``; without the seed axis, shared by all.
            y: the target, of x's dtype and device; of x's shape, too, but where the encoder takes
                views of several shapes and therefore does not say an ``input_shape``.
            z_forward, z_backward: conditioning variables of Eq. 3, where predictors take them.

        Returns:
            The losses; gradients reach the online encoder and the predictors alone.

        Raises:
            ValueError: if the views do not fit each other or the encoder, or what the encoder or
                a predictor returns is of another shape than theirs.
        """
        x, y = check_views(self.online, x, y, self.seed_axis)
        s_x, s_y = self._embeddings(x, y)  # (*seeds, batch, d)
        target_x, target_y = self._targets(x, y)
        forward = self._term(self.forward_predictor, s_x, target_y, z_forward)  # Eq. 6
        backward = self._term(self.backward_predictor, s_y, target_x, z_backward)  # Eq. 7
        total = self._penalized(self._weighted(forward, backward), s_x, s_y)  # Eq. 8
        return Losses(total, forward, backward)

    def _embeddings(self, x: Tensor, y: Tensor) -> list[Tensor | None]:
        """s_x and s_y from the online encoder; None for one that nothing is predicted from."""
        ahead, back = self.alpha > 0, self.alpha < 1
        return self._encode(self.online, x if ahead else None, y if back else None)

    def _targets(self, x: Tensor, y: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """x and y from the target encoder; None for one that nothing predicts."""
        ahead, back = self.alpha > 0, self.alpha < 1
        with torch.no_grad():  # the stop-gradient of Fig. 1
            target_y, target_x = self._encode(
                self.target, y if ahead else None, x if back else None
            )
        return self._aimed(target_x), self._aimed(target_y)

    def _aimed(self, target: Tensor | None) -> Tensor | None:
        return None if target is None else self.constraint.aim(target)

    def _term(
        self, predictor: nn.Module | None, s: Tensor | None, target: Tensor | None, z: Tensor | None
    ) -> Term | None:
        """One direction: predict, and compare with the target. None where it has no weight."""
        if predictor is None or s is None or target is None:
            return None
        check_embedding(target, self.seed_axis)
        prediction = _applied("a predictor", predictor, s, z)  # (*seeds, batch, d)
        _check_prediction(prediction, target)
        error = F.mse_loss(prediction, target, reduction="none")
        return Term(error.mean((-2, -1)), s.detach(), target)

    def _weighted(self, forward: Term | None, backward: Term | None) -> Tensor:
        """``scale * (alpha * forward + (1 - alpha) * backward)``, ``(*seeds,)``."""
        terms = ((self.alpha, forward), (1 - self.alpha, backward))
        losses = [weight * term.loss for weight, term in terms if term is not None]
        return self.scale * sum(losses[1:], losses[0])

    def _penalized(self, total: Tensor, *embeddings: Tensor | None) -> Tensor:
        """The loss and the constraint's penalties on the online embeddings, ``(*seeds,)``."""
        if not self.constraint.penalties:
            return total
        return total + self.constraint.penalty([s for s in embeddings if s is not None])

    def _encode(self, encoder: nn.Module, *views: Tensor | None) -> list[Tensor | None]:
        """Each view's embedding: in one call for both, where that is the same but for rounding."""
        present = [view for view in views if view is not None]
        if len(present) < len(views) or self.encode_separately or self.view_shape is None:
            return [None if v is None else self._embedded(encoder, v) for v in views]
        batch_axis = present[0].ndim - len(self.view_shape) - 1
        embeddings = self._embedded(encoder, torch.cat(present, dim=batch_axis))
        return list(embeddings.chunk(len(present), dim=-2))

    def _embedded(self, encoder: nn.Module, view: Tensor) -> Tensor:
        return self.constraint.project(_applied("the encoder", encoder, view))

    @torch.no_grad()
    def update_target(self) -> None:
        """Eq. 5, in place, after each optimizer step: target <- tau target + (1 - tau) online.

        Parameters only, as in the paper's script: batch-norm buffers are not averaged; the
        target encoder keeps running statistics of its own. Rounded as the script rounds.
        """
        target: list[Tensor] = list(self.target.parameters())
        online: list[Tensor] = list(self.online.parameters())
        torch._foreach_mul_(target, self.tau)
        torch._foreach_add_(target, list(torch._foreach_mul(online, 1 - self.tau)))

    def embed(self, x: Tensor) -> Tensor:
        """The embedding s_x for downstream use (section 3.4), from the online encoder.

        Like every inference method here it runs without gradients and with batch statistics
        frozen, whatever mode the model is in.

        Args:
            x: ``(*seeds, batch, *view)``; an array takes the model's dtype and device.

        Returns:
            ``(*seeds, batch, d)``, on the unit sphere in the restrictive configuration.

        Raises:
            ValueError: if x does not fit the encoder.
        """
        x = check_view(self.online, "x", x, self.seed_axis)
        with inference(self):
            return self._embedded(self.online, x)

    def aim(self, view: Tensor) -> Tensor:
        """What a prediction of a view's embedding is to be compared with.

        Under whitening that is not ``embed(view)``: predictors learn targets that are moved towards
        their whitened batch (:meth:`bijepa_core.constraints.Constraint.aim`), here the batch given.

        Args:
            view: ``(*seeds, batch, *view)``, y for a forecast, x for an inferred past.

        Returns:
            ``(*seeds, batch, d)``: :meth:`embed`, aimed as the constraint says.

        Raises:
            ValueError: if the view does not fit the encoder.
        """
        return self.constraint.aim(self.embed(view))

    def predict_forward(self, x: Tensor, z: Tensor | None = None) -> Tensor:
        """The forward predictor's raw output on s_x: the features of Protocol B (Eq. 11).

        The loss, too, compares this raw output with the target: the paper's script normalizes
        embeddings but not predictions.

        Args:
            x: ``(*seeds, batch, *view)``.
            z: conditioning variable, where the predictor takes one.

        Returns:
            ``(*seeds, batch, d)``.

        Raises:
            ValueError: if x does not fit, or alpha = 0 left no forward predictor.
        """
        return self._predict("forward", x, z)

    def predict_backward(self, y: Tensor, z: Tensor | None = None) -> Tensor:
        """The backward predictor's raw output on s_y; the mirror of :meth:`predict_forward`."""
        return self._predict("backward", y, z)

    def forecast(self, x: Tensor, z: Tensor | None = None) -> Tensor:
        """The future's embedding s_y, forecast from x (section 3.4).

        Args, returns and errors as :meth:`predict_forward`, but projected onto the sphere where
        embeddings live there, so that it can be compared with ``aim(y)``, which is ``embed(y)``
        where the constraint does not whiten.
        """
        return self.constraint.project(self.predict_forward(x, z))

    def infer_past(self, y: Tensor, z: Tensor | None = None) -> Tensor:
        """The past's embedding s_x, inferred from y (section 3.4); mirrors :meth:`forecast`."""
        return self.constraint.project(self.predict_backward(y, z))

    def _predict(self, direction: Direction, view: Tensor, z: Tensor | None) -> Tensor:
        predictor, s = self._start(direction, view)
        with inference(self):
            return _applied("a predictor", predictor, s, z)

    def _check_predictors(self) -> None:
        """Each gives one embedding, not a distribution."""
        for predictor in (self.forward_predictor, self.backward_predictor):
            if hasattr(predictor, "sample") and hasattr(predictor, "score"):
                raise TypeError(
                    "BiJEPA's predictors give one embedding each; received a "
                    f"{type(predictor).__name__}, which samples. Build a StochasticBiJEPA with it."
                )

    def _start(self, direction: Direction, view: Tensor) -> tuple[nn.Module, Tensor]:
        """The predictor of a direction, and the embedding that it starts from."""
        ahead = direction == "forward"
        predictor = self.forward_predictor if ahead else self.backward_predictor
        if predictor is None:
            raise ValueError(
                f"this model has no {direction} predictor, because alpha = {self.alpha:g}. "
                "Train with alpha strictly between 0 and 1 to have both."
            )
        view = check_view(self.online, "x" if ahead else "y", view, self.seed_axis)
        return predictor, self.embed(view)

    def trained_parameters(self) -> list[nn.Parameter]:
        """What the optimizer moves: the online encoder and the predictors, not the target."""
        return [p for p in self.parameters() if p.requires_grad]

    def save(self, path: str | Path, **notes: Any) -> None:
        """Keep the model in one file: its weights, and what it was built with.

        Args:
            path: the file; written whole or not at all.
            notes: what belongs with it, as tensors, arrays or plain data: the mean and deviation
                by which its data were normalized, say. Arrays come back as tensors.

        Raises:
            TypeError: if a note is of another kind.
            OSError: if it cannot be written; a former file stays.
        """
        named = path or None if isinstance(path, str) else path
        check_kind("path must name a file.", named, str, Path)
        kept = {name: archives.plain(name, note) for name, note in notes.items()}
        content = {"format": FORMAT, "configuration": self.configuration(), "notes": kept}
        archives.write(path, content | {"weights": self.weights()})

    def load(self, path: str | Path) -> dict[str, Any]:
        """Take over the weights of a saved model; this one has been built as that one was.

        No code from the file is run.

        Args:
            path: of :meth:`save`.

        Returns:
            The notes that were saved with it.

        Raises:
            CheckpointError: if the file is missing, damaged, or of a model that was built
                otherwise; this model stays as it was.
        """
        content = archives.read(path, "model")
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise CheckpointError(f"{path} is not a model that save() wrote ({FORMAT}).")
        differing = archives.differences(self.configuration(), content["configuration"], SHAPES)
        if not differing and archives.forms(self.weights()) != archives.forms(content["weights"]):
            differing = "its weights are of another dtype"
        if differing:
            raise CheckpointError(
                f"{path} holds a model that was built otherwise ({differing}). Build this one as "
                "that one was, and load again."
            )
        self.load_weights(content["weights"])
        notes: dict[str, Any] = content["notes"]
        return notes

    def weights(self) -> dict[str, Tensor]:
        """The state's tensors, named alike whether or not a part of the model is compiled."""
        return {_uncompiled(name): value for name, value in self.state_dict().items()}

    def load_weights(self, weights: dict[str, Tensor]) -> None:
        """Take over what :meth:`weights` gave."""
        self.load_state_dict({name: weights[_uncompiled(name)] for name in self.state_dict()})

    def configuration(self) -> dict[str, Any]:
        """Everything a checkpoint must agree on, as plain data."""
        return {
            "alpha": self.alpha,
            "tau": self.tau,
            "scale": self.scale,
            "constraint": self.constraint.plain(),
            SHAPES: {name: list(value.shape) for name, value in self.weights().items()},
        }


def _uncompiled(name: str) -> str:
    """``torch.compile`` puts a module between a parameter and its name."""
    return name.replace("_orig_mod.", "")


def _built(predictor: Callable[[], nn.Module]) -> nn.Module:
    module = predictor()
    check_kind("predictor must build a torch.nn.Module.", module, nn.Module)
    return module


def _applied(part: str, module: nn.Module, view: Tensor, z: Tensor | None = None) -> Any:
    with explaining(part, view):
        return module(view) if z is None else module(view, z)


@contextmanager
def explaining(part: str, view: Tensor) -> Iterator[None]:
    """Where PyTorch says that shapes do not fit, the error names the part and what it got."""
    try:
        yield
    except RuntimeError as error:
        if type(error) is not RuntimeError or "allocate" in str(error):  # too little memory, say
            raise
        reason = str(error).partition("\n")[0].rstrip(".")
        raise ValueError(
            f"{part} could not take what it got, {tuple(view.shape)}: {reason}. Axes are (batch, "
            "...) in a model of one seed, (seeds, batch, ...) in one of many: data, layers and "
            "seeds must agree on them."
        ) from error


def check_embedding(s: Tensor, seeds: int | None) -> None:
    """An encoder gives one vector a sample, and where there are many seeds, for each of them."""
    if s.ndim != (2 if seeds is None else 3) or seeds not in (None, len(s)):
        axes = "(batch, d)" if seeds is None else f"({seeds}, batch, d)"
        raise ValueError(
            f"an encoder must return {axes}, an embedding a sample; received "
            f"{tuple(s.shape)}. Flatten, or pool, what it gives for each sample."
        )


def _check_prediction(prediction: Any, target: Tensor) -> None:
    if not isinstance(prediction, Tensor) or prediction.shape != target.shape:
        received = tuple(prediction.shape) if isinstance(prediction, Tensor) else prediction
        raise ValueError(
            "a predictor must return one tensor of the embedding's shape, "
            f"{tuple(target.shape)}; received {reprlib.repr(received)}."
        )


def _check_ready(model: nn.Module) -> None:
    for name, parameter in model.named_parameters():
        if is_lazy(parameter):
            raise ValueError(
                f"{name} has no shape yet: its layer is a lazy one. Pass one batch through encoder "
                "and predictors first, encoder(x), or name the layer's input size."
            )
    if not any(name.startswith("online.") for name, _ in model.named_parameters()):
        raise ValueError("encoder must have parameters to train; received one without any.")


def _copy(encoder: nn.Module) -> nn.Module:
    try:
        return copy.deepcopy(encoder)
    except RuntimeError as error:
        raise ValueError(
            f"encoder must be copied for the target, and cannot be ({str(error).splitlines()[0]}) "
            "A layer of it keeps a computed tensor, as the old torch.nn.utils.weight_norm does: "
            "take torch.nn.utils.parametrizations.weight_norm."
        ) from error


def script_scale(alpha: float) -> float:
    """The factor on Eq. 8 that gives the paper's script's loss.

    The script adds the two terms plainly, which is Eq. 8 at alpha = 0.5 times two, and takes
    the forward term alone for classic JEPA. The factor ``1 / max(alpha, 1 - alpha)``, under
    which the heavier term has weight one, gives both, and extends them to any alpha. It
    matters for reported loss values, and through AdamW's epsilon a little for training.

    Args:
        alpha: weight of the forward term, in [0, 1].

    Returns:
        A factor in [1, 2].

    Raises:
        ValueError: if alpha is outside [0, 1].
    """
    check_unit_interval(alpha=alpha)
    return 1 / max(alpha, 1 - alpha)
