"""Held against a kept library, and against the core's own projection."""

from collections.abc import Callable

import torch
from lightly.loss import BarlowTwinsLoss, NTXentLoss
from torch import Tensor

from bijepa_book.evidence.stable.losses import cosine_distance, cross_correlation, info_nce
from bijepa_core.constraints import RESTRICTIVE

Normal = Callable[..., Tensor]


def test_losses_of_two_views_are_those_of_lightly(normal: Normal) -> None:
    a, b = normal(2, 12, 5), normal(2, 12, 5)
    ours = [info_nce(a, b, 0.2), cross_correlation(a, b, 0.01)]
    theirs = [NTXentLoss(0.2), BarlowTwinsLoss(0.01)]
    for mine, loss in zip(ours, theirs, strict=True):
        wanted = torch.stack([loss(*pair) for pair in zip(a, b, strict=True)])
        torch.testing.assert_close(mine, wanted, rtol=1e-5, atol=0)


def test_the_distance_on_the_sphere_is_that_of_the_projections(normal: Normal) -> None:
    a, b = normal(2, 7, 3), normal(2, 7, 3)
    apart = (RESTRICTIVE.project(a) - RESTRICTIVE.project(b)).square().sum(-1).mean(-1)
    torch.testing.assert_close(cosine_distance(a, b), apart)
