"""What keeps a critic from learning few examples by heart: one piece that any image GAN can hold."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from gansmith.augment.adaptive import AdaptiveStrength
from gansmith.augment.diffaugment import DiffAugment
from gansmith.augment.pipeline import Augment, Transforms
from gansmith.augment.pseudo import deceive
from gansmith.training.clock import Clock

Kind = Literal["none", "diffaugment", "ada", "apa"]


class AgainstOverfitting(nn.Module):
    """One of four ways, by name; a GAN calls all three methods whatever the way is.

    none: nothing. diffaugment: fixed augmentation (Zhao et al. 2020). ada: augmentation of adaptive strength (Karras et al. 2020).
    apa: generated examples among the real ones, of adaptive share (Jiang et al. 2021).
    """

    def __init__(
        self, kind: Kind, *, target: float = 0.6, full_swing: int | None = 500_000, transforms: Transforms | None = None
    ) -> None:
        super().__init__()
        self.kind = kind
        self.strength = AdaptiveStrength(target=target, full_swing=full_swing) if kind in ("ada", "apa") else None
        self.transform = {"diffaugment": DiffAugment, "ada": lambda: Augment(transforms)}.get(kind, lambda: None)()

    def forward(self, images: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch channels height width"]:
        """What the critic is shown instead of these images, real or generated, in every move."""
        return self._changed(images, 1)

    def clips(
        self, video: Float[Tensor, "batch frames channels height width"]
    ) -> Float[Tensor, "batch frames channels height width"]:
        """What the critic is shown instead of these clips: all frames of one changed in the same way."""
        return video if self.transform is None else self._changed(video.flatten(0, 1), video.shape[1]).view_as(video)

    def _changed(self, images: Tensor, together: int) -> Tensor:
        if self.transform is None:
            return images
        return self.transform(images, 1.0 if self.strength is None else self.strength.p, together)

    def passing_for_real(self, real: Tensor, fake: Tensor) -> Tensor:
        """The examples [B, ...] that the critic's move takes for real."""
        return deceive(real, fake, self.strength.p) if self.kind == "apa" and self.strength is not None else real

    def observe(self, logits: Float[Tensor, "batch *any"], clock: Clock) -> None:
        """Takes the critic's logits for what passed for real in its move, 0 being undecided."""
        if self.strength is not None:
            self.strength.observe(logits, clock)
