"""The hunt's finalist on data that nobody had in mind: the watch of chapter 7."""

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from bijepa_book.chapters import watch
from bijepa_book.evidence.second.recording import SERIES_SEEDS, Measured, Recording
from bijepa_book.evidence.stable.kinds import FALLS_TO
from bijepa_core.constraints import EXPRESSIVE, UNCONSTRAINED, WHITENED
from bijepa_core.evaluation.metrics import training_summary
from bijepa_core.model import BiJEPA
from bijepa_core.optimizers import falling_adamw, fused_adamw
from bijepa_core.seeds import Seeds

STEPS, CHUNK = 800, 8  # chapter 7's
FALLING = "whitened-falling-0.2"
CONSTRAINTS = {"unconstrained": UNCONSTRAINED, "expressive": EXPRESSIVE, FALLING: WHITENED}


def new_models(name: str, seeds: Seeds) -> BiJEPA:
    """Chapter 7's encoder and predictors under a constraint."""
    constraint = CONSTRAINTS[name]
    encoder = watch.WindowEncoder if constraint.layer_norm else watch.BareEncoder
    return watch.new_models(seeds, encoder=encoder, constraint=constraint)


def recordings() -> list[Recording]:
    """The finalist and the two that it is compared with, on fresh seeds."""
    return [
        Recording(
            f"watch-final-{name}-paper",
            {"constraint": constraint.plain(), "steps": STEPS, "falling": name == FALLING},
            SERIES_SEEDS,
            CHUNK,
            3.0,
            partial(_measure, name),
        )
        for name, constraint in CONSTRAINTS.items()
    ]


def _measure(name: str, seeds: tuple[int, ...], device: str) -> Measured:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "watch.csv"
        watch.write_csv(path)
        data = watch.read_csv(path)
    model = new_models(name, seeds)
    optimizer = falling_adamw(STEPS, FALLS_TO) if name == FALLING else fused_adamw
    history = watch.fit(model, data.learned, seeds, STEPS, make_optimizer=optimizer)
    scores = training_summary(history)
    for protocol, features in {"a": model.embed, "b": model.forecast}.items():
        read = watch.readings(features, data)
        scores |= {f"{goal.replace(' ', '_')}_{protocol}": v for goal, v in read.items()}
    return Measured(scores, {})
