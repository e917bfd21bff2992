"""Figures of many futures show what they are given."""

import numpy as np
import torch

from bijepa_book.evidence.futures import well
from bijepa_book.figures import futures as figures

RIDGE = well.law(torch.zeros(1, 1))[0]


def test_the_map_of_the_exact_law_is_the_laws_and_the_answer_lies_on_both() -> None:
    laws = well.law(well.PLACES)
    exact, drawn = figures.answers(
        well.PLACES[:, 0], {"samples": well.draws(laws, 500, torch.Generator())}, laws
    ).axes
    share = np.asarray(exact.collections[0].get_array()).reshape(-1, len(well.PLACES))
    upper = np.linspace(-figures.REACH, figures.REACH, 41)[:-1] > -1e-9
    assert np.allclose(share[upper].sum(0), well.right(laws), atol=0.01)  # but for what lies beyond
    for axis in (exact, drawn):
        assert np.allclose(axis.lines[0].get_ydata(), well.PLACES[:, 0])


def test_the_star_is_the_mean_of_samples_off_a_bent_curve() -> None:
    """Of a half circle in four dimensions: the mean of its ends is the circle's middle."""
    turn = torch.linspace(0, torch.pi, 101)
    curve = torch.stack([turn.cos(), turn.sin(), 0 * turn, 0 * turn], -1)
    ends = curve[[0, -1]]
    (axis,) = figures.bent(curve, turn, ends, ends.mean(0)).axes
    line, samples, star = (np.stack(one.get_data(), -1) for one in axis.lines[:3])
    assert np.allclose(star[0], samples.mean(0), atol=1e-5)
    assert np.linalg.norm(line - star, axis=1).min() > 0.9


def test_a_plane_that_one_well_has_to_itself_has_no_border() -> None:
    line = torch.linspace(-1, 1, 21)
    parted = line.expand(21, 21)
    found = figures.decided({"parted": parted, "one well": torch.ones(21, 21)}, 1.0).axes
    borders = [len(axis.collections) for axis in found[:2]]
    assert borders[0] == borders[1] + 1


def test_every_completion_keeps_its_half_where_it_is() -> None:
    given, drawn = torch.zeros(1, 392), torch.ones(1, 3, 392)
    for side, dark in (("left", slice(14)), ("right", slice(14, None))):
        axes = figures.halves(given, {"P(s, z)": drawn}, side, columns=4).axes  # type: ignore[arg-type]
        shown = [axis.images[0].get_array() for axis in axes if axis.images]
        assert len(shown) == 3
        assert all(float(np.asarray(one)[:, dark].max()) == 0 for one in shown)


def test_probabilities_that_are_never_said_are_not_drawn() -> None:
    said = np.zeros((3, 10))
    said[:, 0], said[:, 9] = (0.5, 0.1, 0.1), (0.5, 0.9, 0.8)
    above, _ = figures.reliable({"energy": said}).axes
    assert list(np.asarray(above.lines[1].get_xdata())) == [0.1, 0.9]


def test_ways_heads_and_doubt_have_a_panel_or_a_curve_each() -> None:
    ways = torch.randn(41, 60, generator=torch.Generator().manual_seed(0))
    _, before, after = figures.fork(ways, RIDGE).axes
    assert before.get_ylim() == after.get_ylim()  # for they are to be compared
    shares = dict.fromkeys(("energy", "gaussian", "flow"), np.full(50, 0.02))
    assert [axis.get_title() for axis in figures.rivals(shares, RIDGE).axes[:3]] == list(shares)
    one = {"energy": np.eye(50)[:2]}
    first, second = figures.rivals(shares, RIDGE, one).axes[:2]
    assert len(first.patches) == len(second.patches) + 2  # a line a seed, of the one head
    (axis,) = figures.doubt({"energy": [0.1] * 10, "neighbors": [0.2] * 10}).axes
    assert [line.get_label() for line in axis.lines] == ["energy", "neighbors"]
    states = torch.randn(20, 3, generator=torch.Generator().manual_seed(0))
    sides = dict.fromkeys(("before", "after"), (states, states))
    assert [one.get_title() for one in figures.wings(sides, states).axes] == list(sides)
    drawn = {"future": (states[:, 0], 0.25)}
    answer = figures.ridge(drawn, RIDGE).axes[0].lines[-1]
    assert np.asarray(answer.get_xdata()).tolist() == [0.25, 0.25]
