"""Grids of pictures: the same seeds under every class, along an attribute, or with layers of each other's styles."""

from collections.abc import Sequence

import torch
from PIL import Image

from gansmith.data.suggestions import did_you_mean
from gansmith.data.values import AtLeastTwo, Count, Seeds, Truncation, checked
from gansmith.edit.sheet import Sheet
from gansmith.edit.studio import Studio
from gansmith.errors import UserError
from gansmith.model import Model


@checked
def class_grid(model: Model, seeds: Seeds, *, truncation: Truncation = 1.0, **where: str) -> Sheet:
    """The latents of these seeds (columns) under every class (rows), or in one row if a class is given or there are none."""
    studio = Studio(model)
    classes = () if "class" in where else model.codec.spec.classes
    conditions = [{**where, "class": name} for name in classes] or [where]
    latents, pictures = studio.latents(seeds), []
    for where in conditions:
        condition = studio.own_conditions(seeds, **where)
        pictures += studio.pictures(studio.styles(latents, condition, truncation), condition)
    names = classes or [" ".join(f"{key}={value}" for key, value in where.items())]
    return Sheet(pictures, names, _named(seeds))


@checked
def attribute_grid(
    model: Model, seeds: Seeds, name: str, *, count: AtLeastTwo = 7, truncation: Truncation = 1.0, **where: str
) -> Sheet:
    """An attribute from its smallest to its largest value (columns) for every seed (rows).

    Raises UserError where the model has no such attribute.
    """
    studio = Studio(model)
    attributes = getattr(model.codec, "attributes", None)
    if attributes is None or name not in attributes.names:
        known = ", ".join(model.codec.spec.attributes) or "none"
        raise UserError(
            f'there is no attribute "{name}"{did_you_mean(name, model.codec.spec.attributes)} to vary: this model has {known}.'
        )
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
    return Sheet(pictures, _named(seeds), [f"{value:.3g}" for value in values.tolist()], corner=name)


@checked
def style_grid(
    model: Model, coarse: Seeds, fine: Seeds, *, layers: Count | None = None, truncation: Truncation = 1.0, **where: str
) -> Sheet:
    """Style mixing (Karras et al. 2019, section 3.1): the first `layers` styles of the `coarse` seeds (rows) with the others of the
    `fine` seeds (columns), below and beside the pictures of these seeds alone. Half of the layers if none are given.

    Raises UserError for generators that have no styles of layers.
    """
    studio = Studio(model)
    seeds = [*coarse, *fine]
    condition = studio.one_condition(len(seeds), seeds[0], **where)
    styles = studio.styles(studio.latents(seeds), condition, truncation)
    if styles.dim() != 3:
        raise UserError(
            f"style mixing needs a generator with a style for each layer, which {model.card['gan']} lacks: train one that has it, such "
            "as stylegan2, or use interpolate."
        )
    upper = styles.shape[1] // 2 if layers is None else layers
    if not 0 < upper < styles.shape[1]:
        raise UserError(f"--layers must be from 1 to {styles.shape[1] - 1} in this generator, but it is {upper}.")
    mixed = [torch.cat([one[:upper], other[upper:]]) for one in styles[: len(coarse)] for other in styles[len(coarse) :]]
    wide = {key: value[:1].expand(len(mixed), *value.shape[1:]) for key, value in condition.items()}
    alone, made = studio.pictures(styles, condition), studio.pictures(torch.stack(mixed), wide)
    pictures = [Image.new(alone[0].mode, alone[0].size, "white"), *alone[len(coarse) :]]
    for row, one in enumerate(alone[: len(coarse)]):
        pictures += [one, *made[row * len(fine) : (row + 1) * len(fine)]]
    return Sheet(pictures, [f"layers {upper + 1}-{styles.shape[1]}", *_named(coarse)], [f"layers 1-{upper}", *_named(fine)])


def _named(seeds: Sequence[int]) -> list[str]:
    return [f"seed {seed}" for seed in seeds]
