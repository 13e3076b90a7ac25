"""Directions of the latent space along which pictures change most."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor, nn

from gansmith.data.values import Directions as Many
from gansmith.data.values import Seed, checked
from gansmith.edit.sheet import Sheet
from gansmith.edit.studio import Studio
from gansmith.errors import UserError
from gansmith.model import Model

METHODS = ("sefa", "ganspace")
SAMPLES = 2000
"""Latent rows of which GANSpace takes the principal components."""


@dataclass(frozen=True)
class Directions:
    """Orthogonal or regressed directions, the strongest first."""

    rows: Float[Tensor, "directions width"]
    """Unit directions, added to every layer's style (or to the noise of a generator without mapping)."""
    strength: Float[Tensor, " directions"]
    """How strongly a step of 1 changes the first layers (SeFa: singular values), or how far the data spread (GANSpace)."""
    step: Float[Tensor, " directions"]
    """What counts as one step along each: 1 in noise, a standard deviation of the styles of a mapping."""


@checked
def find_directions(model: Model, *, by: str = "sefa", count: Many = 8, seed: Seed = 0, **where: str) -> Directions:
    """The `count` strongest directions by one of METHODS, under the one condition that the seed has or that is given.

    Of several conditions, what differs between classes would hide what the latent changes. Raises UserError for other methods, and
    where SeFa finds no layer.
    """
    studio = Studio(model)
    if by not in METHODS:
        raise UserError(f"directions are found by {' or '.join(METHODS)}, not {by!r}.")
    rng = torch.Generator().manual_seed(seed)
    condition = studio.one_condition(SAMPLES, seed, **where)
    styles = studio.styles(studio.gan.latent(SAMPLES, rng), condition)
    if by == "sefa":
        found, strength = sefa(reading_weights(studio, styles[:2], {key: value[:2] for key, value in condition.items()}), count)
    elif styles.dim() == 3:
        found, strength = principal(styles.mean(1), count)
    else:
        sketches = torch.cat([studio.codec.sketch(batch) for batch in studio.batches(styles, condition)])
        found, strength = regressed(styles, sketches, count)
    spread = (styles.mean(1) if styles.dim() == 3 else styles) @ found.T
    step = spread.std(0) if styles.dim() == 3 else torch.ones(len(found))
    return Directions(found, strength, step)


def sefa(
    weight: Float[Tensor, "outputs width"], count: int
) -> tuple[Float[Tensor, "directions width"], Float[Tensor, " directions"]]:
    """Unit vectors n that maximise |A n| in turn, and these lengths: eigenvectors of A^T A (Shen & Zhou 2021, equation 6)."""
    _, lengths, rows = torch.linalg.svd(weight.double(), full_matrices=False)
    return rows[:count].float(), lengths[:count].float()


def principal(rows: Float[Tensor, "samples width"], count: int) -> tuple[Tensor, Tensor]:
    """Principal components of styles and their deviations (Härkönen et al. 2020, GANSpace, section 2.1)."""
    _, lengths, components = torch.linalg.svd((rows - rows.mean(0)).double(), full_matrices=False)
    return components[:count].float(), (lengths[:count] / (len(rows) - 1) ** 0.5).float()


def regressed(
    latents: Float[Tensor, "samples width"], seen: Float[Tensor, "samples features"], count: int
) -> tuple[Tensor, Tensor]:
    """Principal components of what is painted, carried back into the noise by least squares (GANSpace, section 2.2, which does so
    with an early layer; here with the pictures in 8x8 cells), as unit vectors, and the components' deviations."""
    components, deviations = principal(seen, count)
    along = ((seen - seen.mean(0)) @ components.T / deviations).double()  # [N, directions], of deviation 1
    rows = torch.linalg.lstsq(along, latents.double() - latents.double().mean(0)).solution
    return torch.nn.functional.normalize(rows, dim=1).float(), deviations


def reading_weights(studio: Studio, styles: Tensor, condition: dict[str, Tensor]) -> Float[Tensor, "outputs width"]:
    """The weights of all layers that read the style as it is, one above the other. Raises UserError if there is none.

    A layer counts if the first columns of its input are the style (of some layer); further columns, such as a label's, are left out.
    """
    width, found, handles = styles.shape[-1], [], []
    known = styles.unflatten(1, (1, -1)) if styles.dim() == 2 else styles  # [2, L, W]

    def look(layer: nn.Module, inputs: tuple[object, ...]) -> None:
        read = inputs[0] if inputs and isinstance(inputs[0], Tensor) else None
        if read is None or read.dim() < 2 or read.shape[0] != len(styles) or read[0].numel() < width:
            return
        columns = read.flatten(1)[:, None, :width].float()
        if any(torch.allclose(columns[:, 0], known[:, layer_number].float()) for layer_number in range(known.shape[1])):
            weight = layer.get_parameter("weight").detach().float()
            weight = weight.transpose(0, 1) if isinstance(layer, nn.ConvTranspose2d) else weight
            found.append(weight[:, :width].movedim(1, -1).reshape(-1, width))

    for layer in studio.gan.players["generator"].averaged.modules():
        own = dict(layer.named_parameters(recurse=False)).get("weight")
        if own is not None and own.dim() >= 2:
            handles.append(layer.register_forward_pre_hook(look))
    try:
        list(studio.batches(styles, condition))
    finally:
        for handle in handles:
            handle.remove()
    if not found:
        raise UserError("no layer of this generator reads its latent as it is, which sefa needs: find directions by ganspace.")
    return torch.cat(found)


def strips(
    model: Model,
    directions: Directions,
    *,
    seed: int = 0,
    steps: Sequence[float] = (-4, -2, 0, 2, 4),
    **where: str,
) -> Sheet:
    """One picture of the seed changed along every direction (rows) by so many steps (columns)."""
    studio = Studio(model)
    count = len(directions.rows) * len(steps)
    condition = studio.one_condition(count, seed, **where)
    style = studio.styles(studio.latents([seed]), {key: value[:1] for key, value in condition.items()})
    moved = [style[0] + step * size * row for row, size in zip(directions.rows, directions.step, strict=True) for step in steps]
    names = [f"direction {number}" for number in range(len(directions.rows))]
    return Sheet(
        studio.pictures(torch.stack(moved), condition), names, [f"{step:+.3g}" if step else "as it is" for step in steps]
    )


def moved(model: Model, directions: Directions, amounts: Sequence[float], *, seed: int = 0, **where: str) -> Image.Image:
    """The picture of the seed, moved by so many steps along the first directions together."""
    studio = Studio(model)
    condition = studio.one_condition(1, seed, **where)
    style = studio.styles(studio.latents([seed]), condition)
    for amount, row, size in zip(amounts, directions.rows, directions.step, strict=False):
        style = style + amount * size * row
    return studio.pictures(style, condition)[0]
