"""What chapter 5's networks reach when they learn the task itself, encoder and head together."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bijepa_core._support.checks import inference
from bijepa_core.data.mnist import COLUMNS, ROWS, ImageData
from bijepa_core.experiments import EPOCHS, MNIST
from bijepa_core.layers import Linear
from bijepa_core.networks import Decoder
from bijepa_core.seeds import init_stacked


def end_to_end(
    head: Callable[[], nn.Module], objective: Callable[[Tensor, Tensor], Tensor], data: ImageData
) -> Tensor:
    """The same encoder with a head on it, trained at once on what the chapter measures.

    No frozen representation can be expected to beat it: the encoder may keep what this one task
    needs and nothing else.

    Args:
        head: builds what follows the embedding.
        objective: of the head's output and the rows of the training images it belongs to.
        data: the images; their seed is the weights', too.

    Returns:
        The head's output for the left halves of the test images.
    """
    batches = data.batches
    network = init_stacked(
        lambda: nn.Sequential(MNIST.encoder(MNIST, True), head()), batches.seeds
    ).to(data.train.left.device)
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=MNIST.learning_rate, weight_decay=1e-4, fused=True
    )
    for step in range(EPOCHS * batches.steps_per_epoch):
        left, _ = batches(step)
        loss = objective(network(left), batches.indices(step))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with inference(network):
        return torch.cat([network(part) for part in data.test.left.split(4096)])


def supervised_scores(data: ImageData) -> dict[str, float]:
    """The same networks end to end, held out: ``accuracy`` with labels, ``mse`` with pixels."""
    train, test = data.train, data.test
    scores = end_to_end(
        lambda: Linear(MNIST.embed_dim, 10),
        lambda scores, rows: F.cross_entropy(scores, train.labels[rows]),
        data,
    )
    drawn = end_to_end(
        lambda: Decoder(MNIST.embed_dim, ROWS * COLUMNS),
        lambda drawn, rows: F.mse_loss(drawn, train.right_pixels[rows]),
        data,
    )
    return {
        "accuracy": float((scores.argmax(-1) == test.labels).double().mean()),
        "mse": float(F.mse_loss(drawn, test.right_pixels)),
    }
