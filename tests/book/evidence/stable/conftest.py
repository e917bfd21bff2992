"""A few digits for tests that train on half images."""

import pytest

from bijepa_book.evidence.second import stacked
from bijepa_core.data import mnist


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few of scikit-learn's digits, and the penalty that takes the fewest iterations."""
    every = mnist.load("digits")
    some = mnist.Digits(
        every.train[:300], every.train_labels[:300], every.test[:100], every.test_labels[:100]
    )
    monkeypatch.setattr(mnist, "load", lambda dataset="mnist": some)
    monkeypatch.setattr(stacked, "SOFTMAX_PENALTIES", (1e-2,))
