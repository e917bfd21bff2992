"""The usual layers, with an optional leading *seed axis*.

A layer built in the ordinary way is the ordinary PyTorch layer. After
:func:`bijepa_core.seeds.stack` its parameters carry one more axis in front, ``(seeds, ...)``, and
it maps ``(seeds, batch, ...)`` to ``(seeds, batch, ...)``: many independent networks in one call.
An input without the seed axis is shared by all of them. A reader interested in one seed can
take each class for the layer of the same name in ``torch.nn``.

A layer of your own that works on ``(seeds, batch, ...)`` says so by ``takes_seeds = True``. Dropout
and activations come from ``torch.nn``. What dropout leaves out is another choice for each seed,
but not the choice of that seed alone.
"""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Linear(nn.Linear):
    """Affine map of the last axis; see ``torch.nn.Linear`` and the module's note on the seed axis.

    Sequences, ``(seeds, batch, length, in)``, come with their seed axis.
    """

    takes_seeds = True

    def forward(self, input: Tensor) -> Tensor:
        if self.weight.ndim == 2:
            return super().forward(input)
        return _affine(input, self.weight, self.bias)


class LayerNorm(nn.LayerNorm):
    """Normalization over the last axes; see ``torch.nn.LayerNorm``."""

    takes_seeds = True

    def forward(self, input: Tensor) -> Tensor:
        width = len(self.normalized_shape)
        if self.weight is None or self.weight.ndim == width:
            return super().forward(input)
        normed = F.layer_norm(input, self.normalized_shape, eps=self.eps)
        axes = (len(self.weight), *[1] * max(input.ndim - width - 1, 1), *self.normalized_shape)
        gain = self.weight.view(axes)  # of each seed: (seeds, 1, ..., width)
        if self.bias is None:
            return normed * gain
        return torch.addcmul(self.bias.view(axes), normed, gain)


class Embedding(nn.Embedding):
    """A vector for each whole number; see ``torch.nn.Embedding``.

    ``(batch, length)`` is shared by all seeds, ``(seeds, batch, length)`` is not.
    """

    @property
    def takes_seeds(self) -> bool:
        """Both settings are of one table of vectors."""
        return self.padding_idx is None and self.max_norm is None

    def forward(self, input: Tensor) -> Tensor:
        if self.weight.ndim == 2:
            return super().forward(input)
        seeds = self.weight.shape[0]
        seed = torch.arange(seeds, device=input.device)
        return self.weight[seed.view(seeds, *[1] * max(input.ndim - 1, 2)), input]


class MultiheadAttention(nn.MultiheadAttention):
    """Attention over a sequence; see ``torch.nn.MultiheadAttention``, with ``batch_first=True``.

    With a seed axis, ``(seeds, batch, length, d)``: call it with ``need_weights=False``, and with
    an ``attn_mask`` of ``(length, length)`` or none.
    """

    @property
    def takes_seeds(self) -> bool:
        """The common settings; the others go another way through PyTorch."""
        plain = self._qkv_same_embed_dim and self.bias_k is None and not self.add_zero_attn
        return plain and self.batch_first

    def forward(  # type: ignore[override]
        self, query: Tensor, key: Tensor, value: Tensor, **options: Any
    ) -> tuple[Tensor, Tensor | None]:
        if self.in_proj_weight.ndim == 2:
            return super().forward(query, key, value, **options)
        mask = options.pop("attn_mask", None)
        if options != {"need_weights": False}:
            raise ValueError(
                "attention with a seed axis gives no weights and takes no mask but attn_mask: call "
                f"it with need_weights=False; received {options}."
            )
        weights, bias = self.in_proj_weight.chunk(3, 1), self.in_proj_bias
        biases = [None] * 3 if bias is None else bias.chunk(3, 1)
        q, k, v = (
            _affine(x, weight, bias).unflatten(-1, (self.num_heads, -1)).transpose(-2, -3)
            for x, weight, bias in zip((query, key, value), weights, biases, strict=True)
        )  # (seeds, batch, heads, length, d / heads) each
        seen = ~mask if mask is not None and mask.dtype == torch.bool else mask
        dropped = self.dropout if self.training else 0.0
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=seen, dropout_p=dropped)
        joined = out.transpose(-2, -3).flatten(-2)
        return _affine(joined, self.out_proj.weight, self.out_proj.bias), None


def _affine(input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """A linear map for each seed: ``(*, in)`` by ``(seeds, out, in)`` to ``(seeds, *, out)``."""
    shared = input.expand(len(weight), *input.shape) if input.ndim == 2 else input
    rows = shared.flatten(1, -2) if input.ndim > 3 else shared
    if bias is None:
        out = torch.bmm(rows, weight.mT)
    else:  # (seeds, batch, in) @ (seeds, in, out) + (seeds, 1, out)
        out = torch.baddbmm(bias.unsqueeze(-2), rows, weight.mT)
    return out.unflatten(1, input.shape[1:-1]) if input.ndim > 3 else out


class _Conv(nn.modules.conv._ConvNd):
    """Convolution; many seeds become the groups of one grouped convolution."""

    takes_seeds = True
    _convolve: Callable[..., Tensor]

    def forward(self, input: Tensor) -> Tensor:
        axes = len(self.kernel_size) + 2
        if self.weight.ndim == axes:
            return super().forward(input)
        seeds, groups = self.weight.shape[0], 1
        padding: str | int | tuple[int, ...] = self.padding
        if input.ndim == axes and self.groups > 1:  # its channels go to the groups of every seed
            input = input.expand(seeds, *input.shape)
        if input.ndim != axes:
            input, groups = seeds_into_channels(input), seeds * self.groups
        if self.padding_mode != "zeros":
            around = self._reversed_padding_repeated_twice
            input, padding = F.pad(input, around, mode=self.padding_mode), 0
        weight = self.weight.flatten(0, 1)  # (seeds * out, in / groups, *kernel)
        bias = None if self.bias is None else self.bias.flatten()
        settings = (self.stride, padding, self.dilation, groups)
        return channels_into_seeds(self._convolve(input, weight, bias, *settings), seeds)


class Conv1d(_Conv, nn.Conv1d):
    """Convolution of series; see ``torch.nn.Conv1d``."""

    _convolve = staticmethod(F.conv1d)


class Conv2d(_Conv, nn.Conv2d):
    """Convolution of images; see ``torch.nn.Conv2d``.

    On CUDA many seeds become a batch of matrix products: there, grouped convolutions are slow.
    """

    _convolve = staticmethod(F.conv2d)

    def forward(self, input: Tensor) -> Tensor:
        plain = self.dilation == (1, 1) and self.groups == 1 and self.padding_mode == "zeros"
        if plain and input.is_cuda and self.weight.ndim == input.ndim == 5:
            return self._as_products(input)
        return super().forward(input)

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


class _Pool(nn.Module):
    """Pooling has no parameters: seeds are folded into the batch."""

    takes_seeds = True
    shared_ndim: int  # axes of an input without a seed axis

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim <= self.shared_ndim:
            return super().forward(input)
        return super().forward(input.flatten(0, 1)).unflatten(0, input.shape[:2])


class MaxPool1d(_Pool, nn.MaxPool1d):
    """The largest of neighbors in a series; see ``torch.nn.MaxPool1d``."""

    shared_ndim = 3


class MaxPool2d(_Pool, nn.MaxPool2d):
    """The largest of neighbors in an image; see ``torch.nn.MaxPool2d``."""

    shared_ndim = 4


class AdaptiveAvgPool1d(_Pool, nn.AdaptiveAvgPool1d):
    """Means over a series, as many as asked for; see ``torch.nn.AdaptiveAvgPool1d``."""

    shared_ndim = 3


class AdaptiveAvgPool2d(_Pool, nn.AdaptiveAvgPool2d):
    """Means over an image, as many as asked for; see ``torch.nn.AdaptiveAvgPool2d``."""

    shared_ndim = 4


class _BatchNorm(nn.modules.batchnorm._BatchNorm):
    """Batch statistics apart for each seed: seeds and channels are folded into one axis."""

    shared_ndim: int  # axes of an input without a seed axis

    @property
    def takes_seeds(self) -> bool:
        """With the usual settings: a gain, running statistics, and a momentum for them."""
        return self.affine and self.track_running_stats and self.momentum is not None

    def forward(self, input: Tensor) -> Tensor:
        if self.weight is None or self.weight.ndim == 1:
            return super().forward(input)
        seeds = self.weight.shape[0]
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.momentum is not None
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
            self.momentum,
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
