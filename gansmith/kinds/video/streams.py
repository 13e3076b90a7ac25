"""What makes films frame by frame, however long they are: GANs that move a picture, and GANs that translate films."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from torch import Tensor

NextFrame = Callable[[Tensor], Tensor]
"""From the next frame that is given, [1, channels, height, width] from -1 to 1, to the next one that is made."""


@runtime_checkable
class MovesPictures(Protocol):
    """A GAN that moves a picture as a film moves."""

    def driven(self, picture: Tensor, *, absolute: bool = False) -> NextFrame:
        """What makes, of each frame of a film, the picture [1, C, H, W] as it then is: moved as far as the film has moved since its first
        frame, or, if `absolute`, to where the film's own keypoints are."""
        ...

    def places(self, frames: Tensor) -> Tensor:
        """Where it finds its keypoints in frames [B, C, H, W]: [B, points, 2], (x, y) from -1 to 1."""
        ...


@runtime_checkable
class TranslatesFilms(Protocol):
    """A GAN that makes each frame of those given and those that it made before."""

    def stream(self) -> NextFrame:
        """What makes a film, beginning with its first frame; it remembers no more than a few frames."""
        ...
