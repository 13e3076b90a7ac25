"""A pool of images made earlier, so that a critic does not forget them (Shrivastava et al. 2017, section 2.3)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gansmith.seeds import uniform_rows


class ImagePool(nn.Module):
    """A buffer of images: half the time a new image goes to the critic, half the time it takes the place of an older one that does.

    The first images fill the pool and go to the critic as they are. All state is in buffers.
    """

    def __init__(self, size: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.images: Tensor
        self.filled: Tensor
        self.register_buffer("images", torch.zeros(size, *shape))
        self.register_buffer("filled", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def exchanged(self, images: Float[Tensor, "batch *shape"]) -> Float[Tensor, "batch *shape"]:
        """As many images, each new or from the pool, without gradients."""
        if not len(self.images):
            return images.detach()
        chances = uniform_rows(len(images), 2).tolist()
        dealt = []
        for image, (keep, place) in zip(images.detach(), chances, strict=True):
            filled = int(self.filled)
            if filled < len(self.images):
                self.images[filled] = image
                self.filled += 1
                dealt.append(image)
            elif keep < 0.5:
                dealt.append(image)
            else:
                index = int(place * len(self.images))
                dealt.append(self.images[index].to(image.dtype, copy=True))
                self.images[index] = image
        return torch.stack(dealt)
