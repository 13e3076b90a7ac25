"""Walks between examples that have codes, and examples changed into another class: sentences, molecules."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from gansmith.data.codec import Batch
from gansmith.data.values import Frames, checked
from gansmith.edit.interpolation import walk
from gansmith.errors import UserError
from gansmith.model import Model
from gansmith.tasks.coding import Codes


def coder(model: Model) -> Codes:
    """The model's GAN. Raises UserError if it has no codes of examples."""
    if not isinstance(model.gan, Codes):
        raise UserError(f"{model.gan.name} has no codes of examples to walk between: train latentgan on the same data.")
    return model.gan


@checked
def between(model: Model, ends: Sequence[Any], *, frames: Frames = 8, path: str = "spherical", **where: str) -> list[Any]:
    """Examples between two or more examples in the codec's raw form, or between those of seeds, ends included, without repetitions.

    Where no class is asked for, each is of the class that its code is nearest to.
    Raises UserError for a model without codes, and for fewer than two ends or frames.
    """
    gan = coder(model)
    model.gan.eval()
    if all(isinstance(end, int) for end in ends):
        each = [model.codec.conditions(1, torch.Generator().manual_seed(seed), **where) for seed in ends]
        rows = [model.gan.latent(1, torch.Generator().manual_seed(seed)) for seed in ends]
        keys = torch.cat([gan.coded(row, condition) for row, condition in zip(rows, each, strict=True)])
    else:
        keys = encoded(model, ends)
    codes = walk(keys, frames, path)
    condition = _one_condition(model, frames, ends, **where)
    if model.codec.spec.classes and "class" not in where:
        condition = {**condition, "label": gan.nearest(codes).cpu()}
    return _unrepeated(model.codec.decode(gan.decode(codes, condition)))


@checked
def restyled(model: Model, raws: Sequence[Any], *, strength: float = 1.0, **where: str) -> list[Any]:
    """Examples in the codec's raw form as those of another class (class="good"): codes moved by the difference of the classes' mean codes,
    and decoded as of that class.

    Raises UserError for a model without codes or classes, and where no class is asked for.
    """
    gan = coder(model)
    model.gan.eval()
    if not model.codec.spec.classes:
        raise UserError("this model is unconditional, so that there is no class to move to: train it on data with classes.")
    if "class" not in where:
        raise UserError(f"say to which class: give --where class={model.codec.spec.classes[0]}.")
    condition = model.codec.conditions(len(raws), torch.Generator().manual_seed(0), **where)
    codes = gan.moved(encoded(model, raws), condition["label"], strength)
    return model.codec.decode(gan.decode(codes, condition))


def encoded(model: Model, raws: Sequence[Any]) -> Tensor:
    """The codes [n, D] of examples, whose classes do not matter. Raises UserError for what the codec cannot write down."""
    gan, codec = coder(model), model.codec
    return torch.cat([gan.encode(codec.encode(raw)) for raw in raws])


def _one_condition(model: Model, n: int, ends: Sequence[Any], **where: str) -> Batch:
    seed = ends[0] if isinstance(ends[0], int) else 0
    one = model.codec.conditions(1, torch.Generator().manual_seed(seed), **where)
    return {key: value.expand(n, *value.shape[1:]) for key, value in one.items()}


def _unrepeated(raws: Sequence[Any]) -> list[Any]:
    return [raw for place, raw in enumerate(raws) if place == 0 or raw != raws[place - 1]]
