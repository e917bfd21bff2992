import pytest

from bijepa_book.scales import at_scale


def test_each_scale_has_its_own_sizes() -> None:
    sizes = [at_scale(scale, smoke=1, paper=2, full=3) for scale in ("smoke", "paper", "full")]
    assert sizes == [1, 2, 3]


def test_another_scale_is_refused_with_the_three_that_there_are() -> None:
    with pytest.raises(ValueError, match=r"'smoke', 'paper', 'full'; received 'Smoke'"):
        at_scale("Smoke", smoke=1, paper=2, full=3)
