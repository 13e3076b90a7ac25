"""Examples each of which has a seed of its own, so that one can be found again whatever was made with it."""

from collections.abc import Iterator, Mapping, Sequence

import torch

from gansmith.data.codec import Batch
from gansmith.model import Model

AT_ONCE = 64


class Seeded(Model):
    """A model that makes one example for each of these seeds, with the latents that editing has under them."""

    def __init__(self, model: Model, seeds: Sequence[int]) -> None:
        super().__init__(model.gan, model.learned_from, model.card)
        self.seeds = list(seeds)

    @torch.inference_mode()
    def batches(
        self, n: int, *, seed: int = 0, truncation: float = 1.0, where: Mapping[str, str] | None = None, **more: str
    ) -> Iterator[Batch]:
        """The examples of the first n seeds; `seed` says nothing here."""
        asked = {**(where or {}), **more}
        self.gan.eval()
        for start in range(0, n, AT_ONCE):
            seeds = self.seeds[start : min(start + AT_ONCE, n)]
            conditions = [self.codec.conditions(1, torch.Generator().manual_seed(own), **asked) for own in seeds]
            condition = {key: torch.cat([one[key] for one in conditions]) for key in conditions[0]}
            latent = torch.cat([self.gan.latent(1, torch.Generator().manual_seed(own)) for own in seeds])
            batch = self.gan.paint(self.gan.style(latent, condition, truncation), condition)
            yield {key: value.cpu() for key, value in batch.items()}
