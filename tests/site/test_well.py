"""The well in the page: its model held to the core's for given noise, used as a reader would."""

from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest
import torch
from torch import Tensor

from bijepa_book.evidence.futures import well
from bijepa_core.constraints import EXPRESSIVE
from bijepa_core.model import script_scale
from bijepa_core.networks import MLPEncoder
from bijepa_core.stochastic import EnergyPredictor, StochasticBiJEPA
from bijepa_core.training import pretrain
from tests.site.test_demos import (
    CLOSE,
    SAME,
    open_demo,
    plain,
    status,
    until_status,
    wait_for,
)

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.site
SIZES, SAMPLES, NOISE, STEPS = (1, 32, 4), 4, 4, 20  # of the encoder, of z, of what is compared
SETTINGS = {
    "alpha": 0.5,
    "layerNorm": True,
    "sphere": False,
    "stopGradient": True,
    "rate": 1e-3,
    "decay": EXPRESSIVE.weight_decay,
    "tau": 0.995,
    "noise": NOISE,
    "samples": SAMPLES,
}


class Recorded(EnergyPredictor):
    """Keeps the score of every step."""

    def __init__(self) -> None:
        super().__init__(SIZES[2], 32, NOISE, SAMPLES)
        self.scores: list[float] = []

    def score(self, s: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        found = super().score(s, target)
        self.scores.append(found[0].detach().mean().item())
        return found


def floats(tensors: tuple[Tensor, ...]) -> list[list[float]]:
    return [one.flatten().tolist() for one in tensors]


def test_samples_gradient_and_twenty_scores_in_the_page_are_the_cores(
    page: "Page", served: str
) -> None:
    """For the same weights, pairs and noise; the first moment is a tenth of the gradient."""
    torch.manual_seed(0)
    model = StochasticBiJEPA(MLPEncoder(*SIZES), Recorded, scale=script_scale(0.5))
    weights, stream = plain(model), well.WellBatches(0, 64)
    torch.manual_seed(1)
    noise = [torch.randn(2, SAMPLES, 64, NOISE) for _ in range(STEPS)]
    steps = [
        {"pair": floats(stream(step)), "noise": floats(tuple(drawn))}
        for step, drawn in enumerate(noise)
    ]
    open_demo(page, "well", served)
    found = page.evaluate(
        """([settings, weights, steps]) => {
            for (const one of Object.values(weights)) one.data = Float32Array.from(one.data);
            const {demo} = document.querySelector("[data-demo=well]");
            return demo.compare(settings, weights, steps);
        }""",
        [SETTINGS, weights, steps],
    )

    (x, y), (z, _) = stream(0), noise[0]
    predictors = model.forward_predictor, model.backward_predictor
    assert all(isinstance(one, Recorded) for one in predictors)
    with torch.no_grad():
        for i, predictor in enumerate(predictors):
            samples = predictor(model.online(x), z)  # type: ignore[misc]
            assert (torch.tensor(found["before"][i]) - samples.flatten()).abs().max() < SAME
    torch.manual_seed(1)
    model(x, y).total.backward()
    slopes = {name: one.grad for name, one in model.named_parameters() if one.grad is not None}
    order = [name for name in weights if name in slopes]
    gradient = torch.cat([slopes[name].flatten() for name in order])
    assert (10 * torch.tensor(found["moments"]) - gradient).abs().max() < SAME
    assert gradient.abs().max() > 100 * SAME

    for one in predictors:
        one.scores.clear()  # type: ignore[union-attr,operator]
    model.zero_grad()
    torch.manual_seed(1)
    pretrain(model, stream, steps=STEPS, device="cpu", progress=False)
    core = torch.tensor([one.scores for one in predictors]).T  # type: ignore[union-attr]
    assert core.shape == (STEPS, 2)
    assert (torch.tensor(found["terms"]) - core).abs().max() < SAME


def scored(section: "Locator") -> dict[str, list[float]]:
    """The table: the scores ahead and back, by the name of a row."""
    rows = [row.inner_text().split("\t") for row in section.locator("tbody tr:visible").all()]
    return {name.strip(): [float(value) for value in values] for name, *values in rows}


@pytest.mark.slow
def test_the_model_comes_close_to_the_exact_law_and_a_single_answer_does_not(
    page: "Page", served: str
) -> None:
    """On the ridge. What trains says how fast; it pauses, goes on, and says where it stands."""
    section = open_demo(page, "well", served)
    assert "Place it and guess" in status(section)
    section.get_by_role("button", name="Train").click()
    wait_for(page, "/step [1-9]/.test(document.querySelector('.demo-progress').textContent)")
    section.get_by_role("button", name="Pause").click()
    until_status(page, "well", "no forecast can expect a CRPS below 0.505")
    section.get_by_role("button", name="Go on").click()
    done = "[...document.querySelectorAll('.demo-progress')].every(" + (
        "one => Number(/step ([\\d,]+)/.exec(one.textContent)[1].replace(',', '')) >= 1000)"
    )
    page.wait_for_function(f"() => {done}", timeout=4 * CLOSE)
    print("the well:", *section.locator(".demo-progress").all_inner_texts(), sep="\n  ")
    section.get_by_role("button", name="Pause").click()
    until_status(page, "well", "no forecast can expect")
    found = scored(section)
    (least, _), ours, single = found.values()
    assert all(least - 0.01 < score < 1.25 * least for score in ours)
    assert min(single) > 1.4 * least


def test_the_particle_is_placed_by_keyboard_and_by_mouse(page: "Page", served: str) -> None:
    """The exact score is the record's; the address keeps the place, and the switches work."""
    section = open_demo(page, "well", served, "?well=at.0.95")
    place = section.get_by_role("slider")
    place.focus()
    page.keyboard.press("ArrowRight")
    assert "at.1~" in unquote(page.url)
    law = well.law(torch.ones(1))
    up = law.cumsum(-1)
    least = float((up * (1 - up)).sum() * well.WIDTH)
    wait_for(page, "document.querySelector('[data-demo=well] td').textContent.startsWith('0.317')")
    exact = float(section.locator("tbody td").first.inner_text())
    assert exact == pytest.approx(least, abs=2e-3)
    section.locator(".demo-plot").click()  # in its middle
    assert place.input_value() == "0"
    assert section.locator("tbody tr:visible").count() == 3
    section.get_by_role("checkbox", name="deterministic").uncheck()
    assert section.locator("tbody tr:visible").count() == 2
