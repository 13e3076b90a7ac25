"""Conditional batch normalisation: the label decides scale and shift (Dumoulin et al. 2017; de Vries et al. 2017)."""

from jaxtyping import Float
from torch import Tensor, nn

from gansmith.data.spec import Spec
from gansmith.layers.batch_norm import BatchNorm
from gansmith.layers.labels import Label, label_embedding


class ConditionalBatchNorm(nn.Module):
    """Batch norm whose scale and shift move with the label: those of plain batch norm, plus linear maps of the label.

    Without labels in the data it is plain batch norm.
    """

    def __init__(self, channels: int, spec: Spec) -> None:
        super().__init__()
        self.norm = BatchNorm(channels)
        self.scale, self.shift = label_embedding(spec, channels), label_embedding(spec, channels)
        for layer in (self.scale, self.shift):
            if layer is not None:
                nn.init.zeros_(layer.weight)
            if isinstance(layer, nn.Linear):
                nn.init.zeros_(layer.bias)

    def forward(
        self, x: Float[Tensor, "batch channels height width"], label: Label | None = None
    ) -> Float[Tensor, "batch channels height width"]:
        x = self.norm(x)
        if self.scale is None or self.shift is None or label is None:
            return x
        scale, shift = self.scale(label)[:, :, None, None], self.shift(label)[:, :, None, None]
        return (x * (1 + scale) + shift).to(x.dtype)
