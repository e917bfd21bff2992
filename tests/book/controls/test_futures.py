import torch
from torch import Tensor

from bijepa_book.controls.futures import ParticleDesk
from bijepa_book.evidence.futures import well
from bijepa_core.model import Direction


def exact(q: Tensor, _: Direction) -> Tensor:
    return well.draws(well.law(q), 20_000, torch.Generator().manual_seed(0))


def test_the_desk_says_shares_beside_the_exact_ones_and_draws_anew() -> None:
    desk = ParticleDesk(exact, lambda q, _: q)
    first = desk.picture.value
    assert "50 % of both" in desk.said.value
    desk.place.value = 0.5
    share = 100 * float(well.right(well.law(torch.tensor([[0.5]]))))
    assert desk.said.value.endswith(f"by the exact law {share:.0f} % of both.")
    assert f"{share:.0f} % of the futures" in desk.said.value
    assert desk.picture.value != first
