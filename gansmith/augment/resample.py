"""Bilinear sampling of images at given places that can be differentiated as often as one likes.

torch's grid_sample has no second derivative. Sampling is linear in the image, so its derivative is the transposed map, and
the derivative of that is sampling again.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

BILINEAR, REFLECTION = 0, 2  # torch's numbers for grid_sampler


def sample(
    images: Float[Tensor, "batch channels height width"], places: Float[Tensor, "batch rows columns 2"]
) -> Float[Tensor, "batch channels rows columns"]:
    """Values at places (x, y), -1 and 1 being the outer edges; beyond them the image is reflected.

    Differentiable in the images alone: places are constants.
    """
    result = _Sample.apply(images, places)
    assert isinstance(result, Tensor)
    return result


class _Sample(torch.autograd.Function):
    @staticmethod
    def forward(images: Tensor, places: Tensor) -> Tensor:
        return functional.grid_sample(images, places, mode="bilinear", padding_mode="reflection", align_corners=False)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
        images, places = inputs
        ctx.shape = images.shape
        ctx.save_for_backward(places)
        ctx.save_for_forward(places)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Any, None]:  # type: ignore[override]
        (places,) = ctx.saved_tensors
        return _Spread.apply(gradient, places, ctx.shape), None

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, _: Any) -> Any:  # type: ignore[override]
        (places,) = ctx.saved_tensors
        return _Sample.apply(tangent, places)


class _Spread(torch.autograd.Function):
    """The transposed map: adds values at places back to the pixels they would have been taken from."""

    @staticmethod
    def forward(values: Tensor, places: Tensor, shape: torch.Size) -> Tensor:
        # Of the image the backward pass needs no more than its shape.
        image = values.new_zeros(1).expand(shape)
        mask = [True, False]
        return torch.ops.aten.grid_sampler_2d_backward(values.contiguous(), image, places, BILINEAR, REFLECTION, False, mask)[0]

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, torch.Size], output: Tensor) -> None:
        _, places, ctx.shape = inputs
        ctx.save_for_backward(places)
        ctx.save_for_forward(places)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Any, None, None]:  # type: ignore[override]
        (places,) = ctx.saved_tensors
        return _Sample.apply(gradient, places), None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, _: Any, __: Any) -> Any:  # type: ignore[override]
        (places,) = ctx.saved_tensors
        return _Spread.apply(tangent, places, ctx.shape)
