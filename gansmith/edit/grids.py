"""Grids of pictures: the same seeds under every class, along an attribute, or with layers of each other's styles."""

from collections.abc import Sequence

import torch
from PIL import Image

from gansmith.edit.studio import Studio
from gansmith.errors import UserError
from gansmith.model import Model


def class_grid(model: Model, seeds: Sequence[int], *, truncation: float = 1.0) -> tuple[list[Image.Image], int]:
    """Every class (rows) of the same latent rows (columns), and the number of columns; one row without classes."""
    studio = Studio(model)
    classes = model.codec.spec.classes
    wishes = [{"class": name} for name in classes] or [{}]
    return _rows(studio, seeds, wishes, truncation), len(seeds)


def attribute_grid(
    model: Model, seeds: Sequence[int], name: str, *, count: int = 7, truncation: float = 1.0, **where: str
) -> tuple[list[Image.Image], int]:
    """An attribute from its smallest to its largest value (columns) for every seed (rows), and the number of columns.

    Raises UserError where the model has no such attribute.
    """
    studio = Studio(model)
    attributes = getattr(model.codec, "attributes", None)
    if attributes is None or name not in attributes.names:
        known = ", ".join(model.codec.spec.attributes) or "none"
        raise UserError(f'there is no attribute "{name}" to vary: this model has {known}.')
    column = attributes.names.index(name)
    values = torch.linspace(attributes.low[column], attributes.high[column], count).clamp(
        attributes.low[column], attributes.high[column]
    )
    pictures = []
    for seed in seeds:
        condition = studio.one_condition(count, seed, **where)
        low, span = attributes.low[column], (attributes.high[column] - attributes.low[column]) or 1
        label = condition["label"].clone()
        label[:, column] = 2 * (values - low) / span - 1
        condition = {"label": label}
        latents = studio.latents([seed]).expand(count, -1)
        pictures += studio.pictures(studio.styles(latents, condition, truncation), condition)
    return pictures, count


def _rows(studio: Studio, seeds: Sequence[int], wishes: Sequence[dict[str, str]], truncation: float) -> list[Image.Image]:
    latents, pictures = studio.latents(seeds), []
    for wish in wishes:
        condition = studio.conditions(len(seeds), seeds[0], **wish)
        pictures += studio.pictures(studio.styles(latents, condition, truncation), condition)
    return pictures


def style_grid(
    model: Model, coarse: Sequence[int], fine: Sequence[int], *, layers: int | None = None, truncation: float = 1.0, **where: str
) -> tuple[list[Image.Image], int]:
    """Style mixing (Karras et al. 2019, section 3.1): the first `layers` styles of the `coarse` seeds (rows) with the others of the
    `fine` seeds (columns), and the number of columns. Half of the layers if none are given.

    Raises UserError for generators that have no styles of layers.
    """
    studio = Studio(model)
    seeds = [*coarse, *fine]
    condition = studio.one_condition(len(seeds), seeds[0], **where)
    styles = studio.styles(studio.latents(seeds), condition, truncation)
    if styles.dim() != 3:
        raise UserError(
            f"style mixing needs a generator with a style for each layer, which {model.card['gan']} has not: train one that has, or "
            "use interpolate."
        )
    upper = styles.shape[1] // 2 if layers is None else layers
    if not 0 < upper < styles.shape[1]:
        raise UserError(f"--layers must be from 1 to {styles.shape[1] - 1} in this generator, but it is {upper}.")
    mixed = [torch.cat([one[:upper], other[upper:]]) for one in styles[: len(coarse)] for other in styles[len(coarse) :]]
    wide = {key: value[:1].expand(len(mixed), *value.shape[1:]) for key, value in condition.items()}
    return studio.pictures(torch.stack(mixed), wide), len(fine)
