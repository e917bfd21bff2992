import pytest
import torch

from bijepa_core._support.devices import resolve_device


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"),
    [(True, True, "cuda"), (True, False, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_auto_takes_the_fastest_that_is_there(
    cuda: bool, mps: bool, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert resolve_device() == torch.device(expected)
    assert resolve_device("auto") == torch.device(expected)


def test_a_device_is_taken_by_name_or_as_it_is() -> None:
    assert resolve_device("cpu") == torch.device("cpu")
    assert resolve_device(torch.device("cpu")) == torch.device("cpu")


@pytest.mark.parametrize("name", ["gpu", "", "cuda:99", "CPU"])
def test_a_device_that_is_not_there_is_named_with_the_remedy(name: str) -> None:
    with pytest.raises(ValueError, match=r"device must be .*Use device='auto'") as raised:
        resolve_device(name)
    assert f"received {name!r}" in str(raised.value)
