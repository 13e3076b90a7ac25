"""The mean of the networks of several checkpoints: often a steadier generator than the last one (Izmailov et al. 2018, SWA)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gansmith.data.tensors import read_tensors
from gansmith.data.values import AtLeastTwo, checked
from gansmith.errors import UserError
from gansmith.model import Model
from gansmith.runs.rebuild import load_weights
from gansmith.training.checkpoint import checkpoints

if TYPE_CHECKING:
    from gansmith.runs.run import Run

FOLDER = "averaged"
"""The folder of a run's averaged model."""


@checked
def average(run: Run, *, last: AtLeastTwo = 2) -> tuple[Model, list[int]]:
    """A model whose makers are the mean of those in the last checkpoints, and the samples that each of these had seen.

    A run keeps its two newest checkpoints; copies of others may be put beside them. Raises UserError if there are fewer than two,
    or fewer than asked for.
    """
    found = checkpoints(run.checkpoints)[-last:]
    if len(found) < last:
        raise UserError(
            f"--last takes 2 or more, of which {run.checkpoints} has {len(checkpoints(run.checkpoints))}, but it is {last}: a run keeps "
            "its newest two checkpoints, others can be copied there."
        )
    model = run.model()
    gan = run.game(model)
    sums: dict[str, dict[str, Tensor]] = {name: {} for name in gan.makers}
    added: dict[str, set[str]] = {name: set() for name in gan.makers}
    for path in found:
        load_weights(gan, read_tensors(path)[0], path, "gan/")
        for name, total in sums.items():
            network = gan.players[name].averaged
            kept = [prefix for prefix, module in network.named_modules() if getattr(module, "has_no_mean", False)]
            for key, tensor in network.state_dict().items():
                whole = not tensor.is_floating_point() or any(key.startswith(f"{prefix}.") for prefix in kept)
                total[key] = tensor.clone() if whole or key not in total else total[key] + tensor
                added[name] |= set() if whole else {key}
    for name, total in sums.items():
        mean = {key: tensor / len(found) if key in added[name] else tensor for key, tensor in total.items()}
        model.gan.players[name].averaged.load_state_dict(mean)
    return model, [int(path.stem) for path in found]


@checked
def save_average(run: Run, *, last: AtLeastTwo = 2) -> Path:
    """Writes the averaged model to RUN/averaged and returns that folder."""
    model, seen = average(run, last=last)
    model.card["samples"] = seen[-1]
    model.card["averaged"] = seen
    model.gan.clock.samples = seen[-1]
    with torch.no_grad():
        model.save(run.folder / FOLDER)
    return run.folder / FOLDER
