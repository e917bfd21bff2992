"""A few digits for tests that train on half images."""

import pytest

from bijepa_book.evidence.second import stacked
from tests.book.evidence.few import few_digits


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few of scikit-learn's digits, and the penalty that takes the fewest iterations."""
    few_digits(monkeypatch, 300, 100)
    monkeypatch.setattr(stacked, "SOFTMAX_PENALTIES", (1e-2,))
