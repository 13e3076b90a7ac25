"""A generator at rest, opened between its latent space and its pictures."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from gansmith.data.codec import Batch
from gansmith.errors import UserError
from gansmith.kinds.images.codec import ImageCodec, Picture
from gansmith.model import Model

AT_ONCE = 64
"""Pictures painted at a time, so that memory stays flat."""


class Studio:
    """Latent rows, styles and pictures of one model; every seed has its own latent row, whatever else is made with it."""

    def __init__(self, model: Model) -> None:
        """Raises UserError if the model makes no images."""
        if not isinstance(model.codec, ImageCodec):
            raise UserError(
                "editing works on images, and on texts and molecules that latentgan makes, but this run makes "
                f"{model.codec.spec.kind} by {model.gan.name}: choose another run."
            )
        self.model, self.gan, self.codec = model, model.gan, model.codec

    def conditions(self, n: int, seed: int = 0, /, **where: str) -> Batch:
        """What to make: as given, else as frequent as in the data; the same for equal seeds."""
        return self.codec.conditions(n, torch.Generator().manual_seed(seed), **where)

    def one_condition(self, n: int, seed: int = 0, /, **where: str) -> Batch:
        """The same condition n times, so that nothing but the latent changes."""
        return {key: value.expand(n, *value.shape[1:]) for key, value in self.conditions(1, seed, **where).items()}

    def own_conditions(self, seeds: Sequence[int], /, **where: str) -> Batch:
        """What to make under each of these seeds: the same whatever the others are, as `generate --seeds` has it."""
        each = [self.conditions(1, seed, **where) for seed in seeds]
        return {key: torch.cat([one[key] for one in each]) for key in each[0]}

    def latents(self, seeds: Sequence[int]) -> Tensor:
        """One latent row per seed [n, D]: the one that `generate --seeds` takes."""
        return torch.cat([self.gan.latent(1, torch.Generator().manual_seed(seed)) for seed in seeds])

    def styles(self, latents: Tensor, condition: Batch, truncation: float = 1.0) -> Tensor:
        """The styles of latent rows: [n, D] or, of a generator with a mapping, [n, L, W]."""
        with _at_rest(self.gan), torch.no_grad():
            return self.gan.style(latents, condition, truncation)

    def painted(self, styles: Tensor, condition: Batch) -> list[Picture]:
        """The examples of the styles in the codec's raw form."""
        return [raw for batch in self.batches(styles, condition) for raw in self.codec.decode(batch)]

    def batches(self, styles: Tensor, condition: Batch) -> Iterator[Batch]:
        """The examples of the styles as tensors on the CPU, AT_ONCE at a time."""
        with _at_rest(self.gan), torch.inference_mode():
            for start in range(0, len(styles), AT_ONCE):
                part = {key: value[start : start + AT_ONCE] for key, value in condition.items()}
                batch = self.gan.paint(styles[start : start + AT_ONCE].to(self.gan.device), part)
                yield {key: value.cpu() for key, value in batch.items()}

    def pictures(self, styles: Tensor, condition: Batch) -> list[Image.Image]:
        """The examples of the styles as they are shown."""
        return [raw.image for raw in self.painted(styles, condition)]


@contextmanager
def _at_rest(gan: Any) -> Iterator[None]:
    was_training = gan.training
    gan.eval()
    try:
        yield
    finally:
        gan.train(was_training)
