"""Batch normalisation over the whole batch, however many processes share it (Ioffe & Szegedy 2015)."""

import torch
import torch.distributed as dist
from jaxtyping import Float
from torch import Tensor, nn

from gansmith.training import distributed


class _Sum(torch.autograd.Function):
    """The sum over all processes; its gradient is the sum of all processes' gradients."""

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, x: Tensor) -> Tensor:
        total = x.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, gradient: Tensor) -> Tensor:  # type: ignore[override]
        return _Sum.apply(gradient.contiguous())


class BatchNorm(nn.BatchNorm2d):
    """`nn.BatchNorm2d` in one process; in several, the statistics are those of their batches together."""

    def forward(self, input: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch channels height width"]:
        if not self.training or distributed.processes() == 1:
            return super().forward(input)
        assert self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None
        x = input.float()
        count = x.numel() / x.shape[1] * distributed.processes()
        sums = _Sum.apply(torch.stack([x.sum((0, 2, 3)), x.square().sum((0, 2, 3))]))
        mean = sums[0] / count
        variance = (sums[1] / count - mean.square()).clamp_min(0)
        with torch.no_grad():
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean, self.momentum or 0.1)
            self.running_var.lerp_(variance * count / (count - 1), self.momentum or 0.1)
        scale = self.weight * (variance + self.eps).rsqrt()
        shift = self.bias - mean * scale
        return torch.addcmul(shift.view(1, -1, 1, 1), x, scale.view(1, -1, 1, 1)).to(input.dtype)
