"""What GANs of clips share: noise of any number of frames, requests for such a number, inputs for export."""

import torch
from jaxtyping import Float
from torch import Tensor

from gansmith.data.spec import Spec
from gansmith.errors import UserError
from gansmith.kinds.video.options import MOST_FRAMES
from gansmith.kinds.video.spec import VideoSpec

FEWEST = 2
"""Frames of the shortest clip."""


def parted(
    noise: Float[Tensor, "batch numbers"], content: int, motion: int
) -> tuple[Float[Tensor, "batch content"], Float[Tensor, "batch frames motion"]]:
    """The noise of the content, and that of the motion of each frame, which lie one behind the other in a row."""
    return noise[:, :content], noise[:, content:].unflatten(1, (-1, motion))


def frames_requested(key: str, value: str, n: int, spec: VideoSpec) -> Tensor | None:
    """The number of frames [n] that "frames", "length" or "seconds" asks for; None for any other request. Raises UserError for a number
    that no clip has."""
    if key not in ("frames", "length", "seconds"):
        return None
    try:
        steps = round(float(value) * spec.rate) if key == "seconds" else int(value)
    except (ValueError, OverflowError) as error:
        raise UserError(f"{key} takes a number, such as {key}=3, but it is {value!r:.40}.") from error
    if not FEWEST <= steps <= MOST_FRAMES:
        asked = f"{value} seconds at {spec.rate:g} frames a second are {steps}" if key == "seconds" else f"{steps} are asked for"
        raise UserError(f"a clip has from {FEWEST} to {MOST_FRAMES} frames, but {asked}: ask for another number.")
    return torch.full((n,), steps)


def example_labels(spec: Spec) -> dict[str, Tensor]:
    """Labels for a batch of two, by the name of the input; none if the data hold none."""
    if spec.classes:
        return {"label": torch.tensor([0, len(spec.classes) - 1])}
    return {"label": torch.zeros(2, len(spec.attributes))} if spec.attributes else {}
