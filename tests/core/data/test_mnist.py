"""MNIST on disk: found, checked, halved; absent, cut short or altered."""

import hashlib
import struct
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
import torch

from bijepa_core._support.errors import CorruptDataError, DataNotFoundError
from bijepa_core.data import mnist


def write_idx(path: Path, values: torch.Tensor) -> None:
    header = struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape)
    path.write_bytes(header + values.numpy().tobytes())


@pytest.fixture
def small_mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four tiny files in MNIST's format, and checksums to go with them."""
    raw = tmp_path / "data" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    pixels = torch.Generator().manual_seed(0)
    files = {}
    for prefix, count in (("train", 12), ("t10k", 5)):
        images = torch.randint(0, 256, (count, 28, 28), generator=pixels, dtype=torch.uint8)
        labels = torch.arange(count, dtype=torch.uint8) % 10
        for name, values in (("images-idx3", images), ("labels-idx1", labels)):
            path = raw / f"{prefix}-{name}-ubyte"
            write_idx(path, values)
            content = path.read_bytes()
            files[path.name] = (len(content), hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(mnist, "FILES", files)
    monkeypatch.delenv(mnist.VARIABLE, raising=False)
    monkeypatch.setattr(
        mnist, "search_places", restrict(mnist.search_places, cache=tmp_path / "cache")
    )
    return tmp_path / "data"


def restrict(search: Callable[..., Iterable[Path]], cache: Path) -> Callable[..., list[Path]]:
    """The search, with a cache folder of the test's own."""

    def places(root: Path | None = None) -> list[Path]:
        return [*list(search(root))[:-1], Path(cache)]

    return places


def test_it_is_found_where_the_variable_points(
    small_mnist: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(mnist.VARIABLE, str(small_mnist))
    digits = mnist.load()
    assert digits.train.shape == (12, 28, 28)
    assert digits.train.dtype == torch.uint8
    assert digits.test_labels.tolist() == [0, 1, 2, 3, 4]


def test_an_explicit_root_comes_first(
    small_mnist: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(mnist.VARIABLE, str(tmp_path / "nowhere"))
    assert mnist.load(root=small_mnist).test.shape == (5, 28, 28)


def test_the_cache_comes_after_the_variable(
    small_mnist: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (small_mnist).rename(tmp_path / "cache")
    monkeypatch.setenv(mnist.VARIABLE, str(tmp_path / "nowhere"))
    assert mnist.load().test.shape == (5, 28, 28)


def test_absent_without_network_says_where_it_looked_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torchvision.datasets import MNIST

    def unreachable(self: MNIST) -> None:
        raise RuntimeError("Error downloading images:\nTried http://127.0.0.1:9/, got: refused")

    monkeypatch.setattr(MNIST, "download", unreachable)
    monkeypatch.setenv(mnist.VARIABLE, str(tmp_path / "mine"))
    monkeypatch.setattr(mnist, "search_places", restrict(mnist.search_places, tmp_path / "cache"))
    with pytest.raises(DataNotFoundError) as error:
        mnist.load()
    said = str(error.value)
    for part in (str(tmp_path / "mine"), str(tmp_path / "cache"), mnist.VARIABLE, "digits"):
        assert part in said
    assert "Tried http://127.0.0.1:9/" in said  # the whole reason, not its first line
    assert isinstance(error.value, FileNotFoundError)


@pytest.mark.parametrize("name", ["train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"])
def test_a_file_cut_short_is_named(small_mnist: Path, name: str) -> None:
    path = small_mnist / "MNIST" / "raw" / name
    content = path.read_bytes()
    path.write_bytes(content[:-3])
    with pytest.raises(CorruptDataError, match=name) as error:
        mnist.load(root=small_mnist)
    assert f"{len(content) - 3:,} bytes instead of {len(content):,}" in str(error.value)


def test_an_altered_file_is_named(small_mnist: Path) -> None:
    path = small_mnist / "MNIST" / "raw" / "t10k-images-idx3-ubyte"
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(CorruptDataError, match=r"t10k-images.*wrong content.*Move it away"):
        mnist.load(root=small_mnist)


def test_an_unknown_data_set_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="'mnist' or 'digits'; received 'cifar'"):
        mnist.load("cifar")  # type: ignore[arg-type]


def test_real_mnist_is_what_the_paper_used() -> None:
    places = [place for place in mnist.search_places() if mnist.is_complete(place)]
    if not places:
        pytest.skip(f"real MNIST is not on this machine; set {mnist.VARIABLE}")
    digits = mnist.load()
    assert digits.train.shape == (60_000, 28, 28)
    assert digits.test.shape == (10_000, 28, 28)
    pictures = mnist.normalize(digits.train)
    assert abs(float(pictures.mean())) < 1e-3
    assert float(pictures.std()) == pytest.approx(1, abs=1e-3)


def test_digits_are_bundled_and_fill_the_range() -> None:
    digits = mnist.load("digits")
    assert digits.train.shape == (1500, 28, 28)
    assert digits.test.shape == (297, 28, 28)
    assert set(digits.train_labels.tolist()) == set(range(10))
    assert int(digits.train.min()) == 0
    assert int(digits.train.max()) > 240


def test_halves_are_the_columns_either_side_of_the_crop() -> None:
    pictures = torch.arange(2 * 28 * 28).reshape(2, 28, 28)
    left, right = mnist.halves(pictures)
    assert left.shape == right.shape == (2, 1, 28, 14)
    assert left.is_contiguous()
    assert right.is_contiguous()
    assert torch.equal(torch.cat([left, right], dim=-1)[:, 0], pictures)


def test_scaling_by_the_batch_as_the_script_does_gives_scale() -> None:
    images = mnist.load("digits").train[:256]
    normalized = mnist.normalize(images)
    low, high = normalized.min(), normalized.max()
    span = images.float().max()
    torch.testing.assert_close((normalized - low) / (high - low), images.float() / span)
    torch.testing.assert_close(mnist.scale(images) * 255, images.float())


def test_halves_are_the_images_as_encoders_and_decoders_know_them() -> None:
    digits = mnist.load("digits")
    halves = mnist.Halves.of(digits.train[:300], digits.train_labels[:300])
    whole = digits.train[:300].double().numpy() / 255
    normalized = (whole - 0.1307) / 0.3081
    for ours, theirs in (
        (halves.left[:, 0], normalized[..., :14]),
        (halves.right[:, 0], normalized[..., 14:]),
        (halves.unnormalized("left")[:, 0], whole[..., :14]),
        (halves.pixels("right").reshape(-1, 28, 14), whole[..., 14:]),
    ):
        np.testing.assert_allclose(ours.numpy(), theirs, atol=1e-5)
    assert torch.equal(halves.half("left"), halves.left)
    assert torch.equal(halves.first(7).labels, digits.train_labels[:7])


def test_a_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(mnist.VARIABLE, "~/data")
    assert next(mnist.search_places()) == tmp_path / "data"
    assert next(mnist.search_places("~/other")) == tmp_path / "other"
