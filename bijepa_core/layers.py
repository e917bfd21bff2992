"""The usual layers, with an optional leading *seed axis*.

A layer built in the ordinary way is the ordinary PyTorch layer. After
:func:`bijepa_core.seeds.stack` its parameters carry one more axis in front, ``(seeds, ...)``, and
it maps ``(seeds, batch, ...)`` to ``(seeds, batch, ...)``: many independent networks in one call.
An input without the seed axis is shared by all of them. A reader interested in one seed can
take each class for the layer of the same name in ``torch.nn``.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Linear(nn.Linear):
    """Affine map; see ``torch.nn.Linear`` and the module's note on the seed axis."""

    def forward(self, input: Tensor) -> Tensor:
        if self.weight.ndim == 2:
            return super().forward(input)
        seeds = self.weight.shape[0]
        shared = input if input.ndim == 3 else input.expand(seeds, *input.shape)
        if self.bias is None:
            return torch.bmm(shared, self.weight.mT)
        # (seeds, batch, in) @ (seeds, in, out) + (seeds, 1, out)
        return torch.baddbmm(self.bias.unsqueeze(-2), shared, self.weight.mT)


class LayerNorm(nn.LayerNorm):
    """Normalization over the last axis; see ``torch.nn.LayerNorm``."""

    def forward(self, input: Tensor) -> Tensor:
        if self.weight.ndim == 1:
            return super().forward(input)
        normed = F.layer_norm(input, self.normalized_shape, eps=self.eps)
        # the gain and shift of each seed: (seeds, 1, width)
        return torch.addcmul(self.bias.unsqueeze(-2), normed, self.weight.unsqueeze(-2))


class Conv2d(nn.Conv2d):
    """Convolution; many seeds become the groups of one grouped convolution.

    On CUDA they become a batch of matrix products: there, grouped convolutions are slow.
    """

    def forward(self, input: Tensor) -> Tensor:
        if self.weight.ndim == 4:
            return super().forward(input)
        if input.is_cuda and input.ndim == 5 and self.dilation == (1, 1):
            return self._as_products(input)
        seeds = self.weight.shape[0]
        weight = self.weight.flatten(0, 1)  # (seeds * out, in, k, k)
        bias = None if self.bias is None else self.bias.flatten()
        shared = input.ndim == 4
        folded = input if shared else seeds_into_channels(input)
        groups = 1 if shared else seeds
        out = F.conv2d(folded, weight, bias, self.stride, self.padding, self.dilation, groups)
        return channels_into_seeds(out, seeds)

    def _as_products(self, input: Tensor) -> Tensor:
        """A matrix product a seed, of its weights with the patches under the kernel."""
        (height, width), (down, across) = self.kernel_size, self.stride
        padded = F.pad(input, self._reversed_padding_repeated_twice)
        patches = padded.unfold(-2, height, down).unfold(-2, width, across)
        patches = patches.permute(0, 2, 5, 6, 1, 3, 4)  # (seeds, in, k, k, batch, rows, columns)
        columns, weight = patches.flatten(4).flatten(1, 3), self.weight.flatten(2)
        if self.bias is None:
            out = torch.bmm(weight, columns)
        else:
            out = torch.baddbmm(self.bias.unsqueeze(-1), weight, columns)
        return out.unflatten(-1, patches.shape[4:]).transpose(1, 2)


class _BatchNorm(nn.modules.batchnorm._BatchNorm):
    """Batch statistics apart for each seed: seeds and channels are folded into one axis."""

    shared_ndim: int  # axes of an input without a seed axis

    def forward(self, input: Tensor) -> Tensor:
        if self.weight.ndim == 1:
            return super().forward(input)
        seeds = self.weight.shape[0]
        assert self.running_mean is not None
        assert self.running_var is not None
        momentum = 0.1 if self.momentum is None else self.momentum
        if self.training and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
        shared = input.expand(seeds, *input.shape) if input.ndim == self.shared_ndim else input
        out = F.batch_norm(
            seeds_into_channels(shared),  # (batch, seeds * channels, ...)
            self.running_mean.view(-1),
            self.running_var.view(-1),
            self.weight.flatten(),
            self.bias.flatten(),
            self.training,
            momentum,
            self.eps,
        )
        return channels_into_seeds(out, seeds)


class BatchNorm1d(_BatchNorm, nn.BatchNorm1d):
    """Batch normalization of vectors; see ``torch.nn.BatchNorm1d``."""

    shared_ndim = 2


class BatchNorm2d(_BatchNorm, nn.BatchNorm2d):
    """Batch normalization of images; see ``torch.nn.BatchNorm2d``."""

    shared_ndim = 4


def seeds_into_channels(x: Tensor) -> Tensor:
    """``(seeds, batch, channels, ...)`` to ``(batch, seeds * channels, ...)``.

    Between two layers this undoes :func:`channels_into_seeds` without a copy.
    """
    return x.transpose(0, 1).flatten(1, 2)


def channels_into_seeds(x: Tensor, seeds: int) -> Tensor:
    """``(batch, seeds * channels, ...)`` to ``(seeds, batch, channels, ...)``, as a view."""
    return x.unflatten(1, (seeds, -1)).transpose(0, 1)
