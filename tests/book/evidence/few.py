"""A few of scikit-learn's digits in place of MNIST."""

import pytest

from bijepa_core.data import mnist


def few_digits(monkeypatch: pytest.MonkeyPatch, train: int, test: int) -> None:
    """Whatever data set is loaded, it is the first of these, so many of each kind."""
    every = mnist.load("digits")
    some = mnist.Digits(
        every.train[:train], every.train_labels[:train], every.test[:test], every.test_labels[:test]
    )
    monkeypatch.setattr(mnist, "load", lambda dataset="mnist": some)
