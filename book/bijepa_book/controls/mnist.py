"""The hallucination pad: pick a digit, erase rows of its half, and see what the model draws."""

from collections.abc import Mapping

import ipywidgets
import torch
from matplotlib.figure import Figure
from torch import Tensor

from bijepa_book.chapters.mnist import occlude
from bijepa_book.controls.shared import NAMED, picture, png
from bijepa_book.figures.mnist import cut_line, show, show_doubt, whole
from bijepa_book.hallucinate import Hallucinator
from bijepa_book.style import COLORS, style
from bijepa_book.text import a_digit
from bijepa_book.uncertainty import entropy
from bijepa_core.data.mnist import ROWS, Halves, Side

SHOWN = 5  # of the neighbors


class HallucinationPad:
    """Half a digit under the reader's hand.

    Choose an image and a way to draw its missing half, blacken rows of the half that is given,
    and see the drawing, its doubt, the probability of each digit and the most similar training
    images. Nothing is trained; every change is drawn at once.

    Args:
        ways: by name, models that draw; see
            :func:`bijepa_book.hallucinate.train_hallucinator`.
        test: the images to choose from.

    Raises:
        ValueError: if there is no way.
    """

    def __init__(self, ways: Mapping[str, Hallucinator], test: Halves) -> None:
        if not ways:
            raise ValueError("ways must be one or more, by name; received none.")
        self.ways, self.test = dict(ways), test
        self.way = ipywidgets.Dropdown(options=list(ways), description="draw", style=NAMED)
        digits = [("any", -1), *((str(digit), digit) for digit in range(10))]
        self.digit = ipywidgets.Dropdown(options=digits, description="digit", style=NAMED)
        self.index = ipywidgets.IntSlider(
            min=0, max=len(test.labels) - 1, description="image", style=NAMED
        )
        self.rows = ipywidgets.IntRangeSlider(
            value=(0, 0), min=0, max=ROWS, description="erase rows", style=NAMED
        )
        self.status = ipywidgets.HTML()
        self.picture = picture()
        for control in (self.way, self.index, self.rows):
            control.observe(self.update, "value")
        self.digit.observe(self.choose, "value")
        self.panel = ipywidgets.VBox(
            [self.way, self.digit, self.index, self.rows, self.status, self.picture]
        )
        self.update()

    @property
    def choice(self) -> int:
        """The row of the chosen image among all of them.

        Raises:
            ValueError: if the images hold no such digit.
        """
        candidates = self._candidates()
        if len(candidates) == 0:
            raise ValueError(f"There is no {self.digit.value} among these images.")
        return int(candidates[min(self.index.value, len(candidates) - 1)])

    def _candidates(self) -> Tensor:
        labels = self.test.labels.cpu()
        if self.digit.value < 0:
            return torch.arange(len(labels))
        return (labels == self.digit.value).nonzero().flatten()

    def choose(self, _: object = None) -> None:
        """The digit's menu: the slider runs over its images alone."""
        before = self.index.value
        self.index.value = 0
        self.index.max = max(len(self._candidates()) - 1, 0)
        if before == 0:  # the slider has not moved, and so has not called
            self.update()

    def update(self, _: object = None) -> None:
        """Any control: draw again, or say why not."""
        try:
            self.draw()
        except (ValueError, RuntimeError, IndexError) as error:
            self.status.value = str(error)

    def draw(self) -> None:
        """Complete the chosen half and put the picture and a sentence into the panel."""
        way, (start, stop) = self.ways[self.way.value], self.rows.value
        chosen = self.test.rows(slice(self.choice, self.choice + 1))
        given, missing = way.given, way.missing
        view = occlude(chosen.half(given), start, stop)
        shares, drawn = way.probabilities(view)[0], way.draw(view)
        doubt = way.futures(view).var(1)
        similar = way.images.rows(way.neighbors(view, SHOWN)[0])
        seen = chosen.pixels(given).unflatten(1, (ROWS, -1)).clone()
        seen[:, start:stop] = 0
        label, guess = int(chosen.labels[0]), int(shares.argmax())
        error = float((drawn - chosen.pixels(missing)).square().mean())
        self.status.value = (
            f"{a_digit(label).capitalize()}. The probe says {guess} with probability "
            f"{float(shares.max()):.2f}; {float(entropy(shares)):.2f} bits are open. Squared "
            f"error of the drawing {error:.4f}; doubt {float(doubt.mean()):.4f}."
        )
        self.picture.value = self._picture(
            seen.flatten(1), chosen, drawn, doubt, shares, similar, given
        )

    @staticmethod
    def _picture(
        seen: Tensor,
        chosen: Halves,
        drawn: Tensor,
        doubt: Tensor,
        shares: Tensor,
        similar: Halves,
        given: Side,
    ) -> bytes:
        blank = torch.full_like(seen, float("nan"))

        def beside(half: Tensor, missing: Tensor) -> Tensor:
            return whole(half, missing)[0] if given == "left" else whole(missing, half)[0]

        panels = {
            "given": beside(seen, blank),
            "truth": whole(chosen.left_pixels, chosen.right_pixels)[0],
            "drawn": beside(seen, drawn),
            "doubt": beside(blank, doubt),
        }
        with style():
            figure = Figure(figsize=(6.4, 6.2), dpi=90, layout="constrained")
            upper, middle, lower = figure.subfigures(
                3, 1, squeeze=False, height_ratios=(1.2, 1, 1.1)
            )[:, 0]
            for axis, (title, pixels) in zip(upper.subplots(1, 4), panels.items(), strict=True):
                if title == "doubt":
                    show_doubt(axis, pixels)
                else:
                    show(axis, pixels)
                cut_line(axis)
                axis.set_title(title, fontsize=12)
            bars = middle.subplots()
            bars.bar(range(10), shares.tolist(), color=COLORS[0])
            bars.set(xticks=range(10), ylim=(0, 1), ylabel="probability")
            lower.suptitle("most similar training images", fontsize=12)
            pictures = whole(similar.left_pixels, similar.right_pixels)
            for axis, pixels, label in zip(
                lower.subplots(1, len(pictures), squeeze=False)[0],
                pictures,
                similar.labels.tolist(),
                strict=True,
            ):
                show(axis, pixels)
                cut_line(axis)
                axis.set_xlabel(a_digit(label), fontsize=12)
            return png(figure)
