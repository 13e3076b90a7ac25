"""A pool of images made earlier, so that a critic does not forget them (Shrivastava et al. 2017, section 2.3)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gansmith.training.seeds import uniform_rows


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
        size = len(self.images)
        dealt = []
        for image, (chance, place) in zip(images.detach(), uniform_rows(len(images), 2, device=images.device), strict=True):
            filling = self.filled < size  # decided on the device, which nobody waits for
            index = torch.where(filling, self.filled, (place * size).long()).unsqueeze(0)
            older = self.images[index][0]
            kept = ~filling & (chance < 0.5)
            dealt.append(torch.where(filling | kept, image, older.to(image.dtype)))
            self.images.index_copy_(0, index, torch.where(kept, older, image.to(older.dtype)).unsqueeze(0))
            self.filled += filling
        return torch.stack(dealt)
