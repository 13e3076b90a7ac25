"""How well the motion of one clip is transferred to a picture of another one, of models that move pictures.

Held-out pictures are moved by held-out films of other videos, relative to the film's first frame. Nothing real belongs there; but of the
built-in shapes it is known where the shape must be and what it must look like, and the model's own keypoints must be found again where they
were sent.
"""

import numpy as np
import torch
from torch import Tensor

from gansmith.data.dataset import Dataset, choose
from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Side
from gansmith.kinds.video.shapes import tracked
from gansmith.kinds.video.spec import VideoSpec
from gansmith.kinds.video.streams import MovesPictures
from gansmith.metrics.registry import NotApplicableError

METRICS = {
    "keypoint_error": ("lower", "mean distance in pixels of the model's keypoints in moved pictures from where they were sent"),
    "transfer_path": ("lower", "mean distance in pixels of moved shapes from where the motion of another clip takes them"),
    "transfer_kept": ("higher", "share of pictures that keep shape, colour and size while they are moved by another clip"),
}
SAYS = "quality"
MINIMUM = 2
BASELINE = "the picture, standing still"
MOST = 96
"""Pictures that are moved."""
AT_ONCE = 16
COLOUR, SIZE = 40.0, 0.35
"""How far, of 255 and of its area in the picture, colour and area may be off."""
INSIDE = 0.2
"""How near to the edge, in parts of the side, the middle of a shape may come: beyond that it is cut off."""


def measure(side: Side) -> dict[str, Measured]:
    """Raises NotApplicableError for other data than pictures with films that move them."""
    spec = side.real.train.codec.spec
    if not isinstance(spec.source, VideoSpec) or not spec.source.driven:
        raise NotApplicableError("these are for models that move pictures, and such data are opened with --task motion.")
    if side.name == "rival" or (side.name == "generated" and side.model is None):
        raise NotApplicableError("these need the model that moved the pictures.")
    a = _crossed(side.real.held_out, side.real.seed) if side.name != "held-out" else _own(side.real.held_out, side.real.seed)
    found: dict[str, Measured] = {}
    made = _made(side, a)
    if side.name == "generated":
        found["keypoint_error"] = _keypoints(side, a, made)
    if (truth := _truth(a)) is not None:
        path, kept = _compared(made, *truth)
        found |= {"transfer_path": _measured(side, path, np.inf), "transfer_kept": _measured(side, kept, 1.0)}
    if not found:
        raise NotApplicableError("these need the model that moved the pictures, or the built-in shapes.")
    return found


def _own(held_out: Dataset, seed: int) -> Tensor:
    """Pictures [N, 1 + T, C, H, W], each behind it the clip of which it is the first frame."""
    return held_out.batch(choose(len(held_out), MOST, seed))["a"].float()


def _crossed(held_out: Dataset, seed: int) -> Tensor:
    """Pictures with the clips of others, of other videos as far as clips lie together."""
    own = _own(held_out, seed)
    return torch.cat([own[:, :1], own.roll(len(own) // 2, 0)[:, 1:]], 1)


@torch.inference_mode()
def _made(side: Side, a: Tensor) -> Tensor:
    """What is made of them [N, T, C, H, W]; of real clips themselves, of the baseline the picture over and over."""
    if side.name == "held-out":
        return a[:, 1:]
    if side.name == "baseline":
        return a[:, :1].expand_as(a[:, 1:])
    assert side.model is not None
    gan = side.model.gan
    parts = [gan.generate(len(own), {"a": own}, rng=torch.Generator())[gan.spec.key].cpu() for own in a.split(AT_ONCE)]
    return torch.cat(parts).float()


@torch.inference_mode()
def _keypoints(side: Side, a: Tensor, made: Tensor) -> Measured:
    """Of the model's own keypoints; that of a picture that stands still is said beside."""
    assert side.model is not None
    gan = side.model.gan
    if not isinstance(gan, MovesPictures):
        raise NotApplicableError(f"{gan.name} has no keypoints.")
    height, width = a.shape[3:]
    scale = torch.tensor([width / 2, height / 2])

    def places(frames: Tensor) -> Tensor:
        found = [gan.places(own).cpu().float() for own in frames.flatten(0, 1).split(16 * AT_ONCE)]
        return torch.cat(found).unflatten(0, frames.shape[:2]) * scale

    own, film, seen = places(a[:, :1]), places(a[:, 1:]), places(made)
    sent = own + film - film[:, :1]
    errors, still = ((each - sent).norm(dim=3).mean((1, 2)).double().numpy() for each in (seen, own))
    found = _measured(side, errors, np.inf)
    return Measured(
        **{**vars(found), "note": f"{errors.mean():.2f}, of a picture that stands still {still.mean():.2f}", "space": "keypoints"}
    )


def _truth(a: Tensor) -> tuple[np.ndarray, dict[str, np.ndarray]] | None:
    """Where the shape must be in every frame [N, T, 2], NaN where it would not be whole, and what it looks like in the picture; None where
    these are not the built-in shapes."""
    if a.shape[2] != 3:
        return None
    seen = tracked(_bytes(a))
    film = seen.colours[:, 1:]
    constant = np.abs(np.nan_to_num(film, nan=999.0) - film[:, :1]).max((1, 2)) < COLOUR
    constant &= (seen.shapes[:, 1:] == seen.shapes[:, 1:2]).mean(1) > 0.9
    if (seen.shapes < 0).mean() > 0.02 or constant.mean() < 0.9:
        return None
    target = seen.centres[:, :1] + seen.centres[:, 1:] - seen.centres[:, 1:2]
    sides = np.array([a.shape[4], a.shape[3]])
    whole = ((target >= INSIDE * sides) & (target <= (1 - INSIDE) * sides - 1)).all(2)
    looks = {"shape": seen.shapes[:, 0], "colour": seen.colours[:, 0], "area": seen.areas[:, 0]}
    return np.where(whole[..., None], target, np.nan), looks


def _compared(made: Tensor, target: np.ndarray, looks: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """(distances of the path in pixels, whether the looks are kept) of every clip that is whole in some frame after the first."""
    seen = tracked(_bytes(made))
    told = ~np.isnan(target[..., 0])
    told[:, 0] = False
    away = np.linalg.norm(seen.centres - target, axis=2)
    lost = max(made.shape[3:]) / 2
    away = np.where(told, np.where(np.isnan(away), lost, away), 0)
    same = seen.shapes == looks["shape"][:, None]
    same &= np.abs(np.nan_to_num(seen.colours, nan=999.0) - looks["colour"][:, None]).max(2) < COLOUR
    same &= np.abs(seen.areas / np.maximum(looks["area"][:, None], 1e-9) - 1) < SIZE
    some = told.any(1)
    return (away.sum(1) / np.maximum(told.sum(1), 1))[some], (same | ~told).all(1)[some].astype(float)


def _bytes(clips: Tensor) -> np.ndarray:
    return clips.add(1).mul(255 / 2).round().clamp(0, 255).to(torch.uint8).numpy()


def _measured(side: Side, values: np.ndarray, most: float) -> Measured:
    value, low, high = jackknife(lambda kept: float(values[kept].mean()), len(values), side.real.seed, bounds=(0.0, most))
    return Measured(value=value, low=low, high=high, samples=len(values), reference_samples=0, space="moments")
