"""The yardstick: the paper's experiments as an ordinary script writes them.

One seed at a time, separate ``nn.Module`` objects, waves drawn one by one with NumPy, AdamW as
PyTorch constructs it, an exponential moving average parameter by parameter, a ``DataLoader`` with
torchvision's transforms on every sample, and an encoder pass at every batch of a probe. Nothing
here is slow on purpose, and nothing is tuned. ``tests/test_benchmark_reference.py`` holds it to
the same losses as ``bijepa_core`` from the same weights and batches.
"""

import copy
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

Sample = tuple[Tensor, int]


def mlp_encoder(inputs: int, hidden: int, embedding: int) -> nn.Sequential:
    """The encoder of experiments 1 and 2."""
    return nn.Sequential(
        nn.Linear(inputs, hidden),
        nn.LayerNorm(hidden),
        nn.ReLU(),
        nn.Linear(hidden, hidden),
        nn.LayerNorm(hidden),
        nn.ReLU(),
        nn.Linear(hidden, embedding),
    )


def conv_encoder(embedding: int = 64) -> nn.Sequential:
    """The encoder of experiment 3."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, stride=2, padding=1),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3, stride=2, padding=1),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(64 * 7 * 4, 128),
        nn.LayerNorm(128),
        nn.ReLU(),
        nn.Linear(128, embedding),
    )


def predictor(embedding: int, hidden: int) -> nn.Sequential:
    """A predictor between two embedding spaces."""
    return nn.Sequential(
        nn.Linear(embedding, hidden),
        nn.LayerNorm(hidden),
        nn.ReLU(),
        nn.Linear(hidden, embedding),
    )


def image_decoder(embedding: int = 64, pixels: int = 28 * 14) -> nn.Sequential:
    """The generative decoder of experiment 3."""
    return nn.Sequential(
        nn.Linear(embedding, 256),
        nn.BatchNorm1d(256),
        nn.ReLU(),
        nn.Linear(256, 512),
        nn.BatchNorm1d(512),
        nn.ReLU(),
        nn.Linear(512, pixels),
        nn.Sigmoid(),
    )


class Script:
    """Pretraining of one seed, in the configuration the paper calls expressive.

    Args:
        make_encoder: builds the encoder, from PyTorch's global generator as it stands.
        make_predictor: builds a predictor; called twice, after the encoder.
        learning_rate: AdamW's; its weight decay is 1e-4.
        tau: momentum of the target encoder.
    """

    def __init__(
        self,
        make_encoder: Callable[[], nn.Module],
        make_predictor: Callable[[], nn.Module],
        learning_rate: float,
        tau: float,
    ) -> None:
        self.online = make_encoder()
        self.target = copy.deepcopy(self.online)
        for parameter in self.target.parameters():
            parameter.requires_grad = False
        self.forward_predictor = make_predictor()
        self.backward_predictor = make_predictor()
        trained = [self.online, self.forward_predictor, self.backward_predictor]
        self.optimizer = torch.optim.AdamW(
            [p for module in trained for p in module.parameters()],
            lr=learning_rate,
            weight_decay=1e-4,
        )
        self.tau = tau

    def step(self, x: Tensor, y: Tensor) -> float:
        """One update on a batch ``(batch, *view)`` of each view; the loss before it."""
        s_x, s_y = self.online(x), self.online(y)
        with torch.no_grad():
            t_x, t_y = self.target(x), self.target(y)
        forward = F.mse_loss(self.forward_predictor(s_x), t_y)
        backward = F.mse_loss(self.backward_predictor(s_y), t_x)
        loss = forward + backward
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        with torch.no_grad():
            for online, target in zip(
                self.online.parameters(), self.target.parameters(), strict=True
            ):
                target.data = self.tau * target.data + (1 - self.tau) * online.data
        return loss.item()


def sine_batch(numbers: np.random.Generator, count: int = 64) -> tuple[Tensor, Tensor]:
    """Fresh waves, drawn one by one; context and target, ``(count, 10)`` each."""
    grid = np.linspace(0, 4 * np.pi, 20)
    waves = []
    for _ in range(count):
        frequency, phase = numbers.uniform(0.8, 1.2), numbers.uniform(0, 2 * np.pi)
        waves.append(np.sin(frequency * grid + phase) + numbers.normal(0, 0.05, 20))
    series = torch.tensor(np.array(waves), dtype=torch.float32)
    return series[:, :10], series[:, 10:]


def drawn_batch(x: Tensor, y: Tensor, count: int = 64) -> tuple[Tensor, Tensor]:
    """Rows of a table, drawn with replacement."""
    rows = torch.randint(0, len(x), (count,))
    return x[rows], y[rows]


def mnist_dataset(root: str, train: bool, normalized: bool = True) -> Dataset[Sample]:
    """torchvision's MNIST, each sample transformed when it is asked for.

    Args:
        root: the folder that holds ``MNIST/raw``.
        train: the 60,000 training images, or the 10,000 test images.
        normalized: by the mean and deviation of the training pixels, or in 0..1.
    """
    from torchvision import datasets, transforms

    steps = [transforms.ToTensor()]
    if normalized:
        steps.append(transforms.Normalize((0.1307,), (0.3081,)))
    dataset: Dataset[Sample] = datasets.MNIST(
        root, train=train, transform=transforms.Compose(steps)
    )
    return dataset


def mnist_loader(dataset: Dataset[Any], order: list[list[int]] | None = None) -> DataLoader[Any]:
    """A ``DataLoader`` in this process, by batches of 256.

    Args:
        dataset: what to load.
        order: the samples of each batch; None shuffles, as a script does.
    """
    if order is not None:
        return DataLoader(dataset, batch_sampler=order)
    return DataLoader(dataset, batch_size=256, shuffle=True)


def halves(images: Tensor) -> tuple[Tensor, Tensor]:
    """Left and right halves of ``(batch, 1, 28, 28)``."""
    return images[:, :, :, :14], images[:, :, :, 14:]


def train_probe(
    encoder: nn.Module, batches: Iterable[tuple[Tensor, Tensor]], epochs: int
) -> nn.Linear:
    """The linear classifier on left halves; the frozen encoder passes over every batch."""
    head = nn.Linear(64, 10)
    optimizer = torch.optim.Adam(head.parameters(), lr=1e-2)
    encoder.eval()
    for _ in range(epochs):
        for images, labels in batches:
            left, _ = halves(images)
            with torch.no_grad():
                embedding = encoder(left)
            loss = F.cross_entropy(head(embedding), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return head


def accuracy(
    encoder: nn.Module, head: nn.Module, batches: Iterable[tuple[Tensor, Tensor]]
) -> float:
    """Share of right answers."""
    right = total = 0
    encoder.eval()
    with torch.no_grad():
        for images, labels in batches:
            left, _ = halves(images)
            right += int((head(encoder(left)).argmax(1) == labels).sum())
            total += len(labels)
    return right / total


def train_decoder(
    encoder: nn.Module, batches: Iterable[tuple[Tensor, Tensor]], epochs: int
) -> float:
    """The decoder on left halves' embeddings; the last epoch's mean squared error."""
    decoder = image_decoder()
    optimizer = torch.optim.Adam(decoder.parameters(), lr=1e-3)
    encoder.eval()
    error = float("nan")
    for _ in range(epochs):
        errors = []
        for images, _ in batches:
            left, right = halves(images)  # (batch, 1, 28, 14) each, in 0..1
            with torch.no_grad():
                embedding = encoder(left)
            loss = F.mse_loss(decoder(embedding), right.flatten(1))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            errors.append(loss.item())
        error = sum(errors) / len(errors)
    return error
