"""Warm starts: a new training that begins with the weights of another one, as far as they fit.

Weights are tensors of files: no program of the other run is loaded, so that a stranger's run is safe to begin from.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_type_hints

import torch
from torch import Tensor

from gansmith import gans
from gansmith.data.programs import named_in
from gansmith.data.suggestions import listed
from gansmith.errors import UserError
from gansmith.game import GAN
from gansmith.model import model_at
from gansmith.runs.folder import BEST
from gansmith.runs.model_files import FACTS, read_model
from gansmith.runs.programs import copies_in
from gansmith.runs.rebuild import codec_of
from gansmith.training.checkpoint import load_newest

NUMBERED = re.compile(r"(?<=\.)\d+(?=\.)")
"""The number of a layer in the name of a weight: layers.3.weight."""


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What a warm start begins with."""

    place: str
    """The run, model or hub name, as the user gave it."""
    gan: str
    config: Mapping[str, Any]
    classes: tuple[str, ...]
    tensors: Mapping[str, Tensor] = field(repr=False)
    """By their names in the state of a game: generator.network.layers.0.weight."""

    @classmethod
    def read(cls, place: str | Path, trust: bool = False) -> Origin:
        """The newest checkpoint of a run, with both players; else the model there, or of the hub, whose makers alone are known.

        With `trust`, a kind of data may be a Python file that the model names. Raises UserError if there is neither.
        """
        folder = Path(place).expanduser()
        within = model_at(place)
        tensors, facts = read_model(within)
        with named_in(within / FACTS, trust, copies=copies_in(within, facts)):
            known = tuple(map(str, codec_of(facts["codec"], within / FACTS).spec.classes))
        state = None if folder.name == BEST else load_newest(folder / "checkpoints", lambda sentence: None)
        if state is not None:
            named = {name.removeprefix("gan/"): tensor for name, tensor in state[0].items() if name.startswith("gan/")}
        else:
            named = {}
            for name, tensor in tensors.items():
                player, _, inside = name.partition("/")
                named |= {f"{player}.network.{inside}": tensor, f"{player}.average.network.{inside}": tensor}
        return cls(place=str(place), gan=facts["gan"], config=facts["config"], classes=known, tensors=named)


def as_there(origin: Origin, gan: str | None, preset: str | None, options: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The GAN and the options of a training that begins from `origin`: those of the run there where the user names no others.

    With a preset its options are taken instead. Words that name files are never taken from there. Raises UserError if another GAN is named
    than was trained there, or if that is a Python file which the user has not named.
    """
    if gan is None and origin.gan.endswith(".py"):
        raise UserError(
            f"{origin.place} was trained with the GAN in {origin.gan}: name the file with --gan, if you want it to run."
        )
    if gan is not None and gan != origin.gan and not (gan.endswith(".py") and origin.gan.endswith(".py")):
        raise UserError(
            f"{origin.place} was trained with --gan {origin.gan}, whose weights do not fit {gan}: leave --gan out, or leave --from out."
        )
    gan = gan or origin.gan
    if preset is not None:
        return gan, dict(options)
    hints = get_type_hints(gans.find(gan).Config)
    own = {name: value for name, value in origin.config.items() if name in hints and hints[name] not in (str, str | None, Path)}
    return gan, {**own, **options}


def begin_from(gan: GAN, origin: Origin) -> list[str]:
    """Gives the players the weights of `origin` that fit, and returns a sentence for each player that says which.

    A weight fits where its name and shape are the same. Layers are numbered from one end of a network, so those of a network with more
    resolution are tried from both ends, and the alignment under which more numbers fit is taken. Of weights that have a row for each class,
    the rows of classes with the same names are taken. Raises UserError if another kind of GAN was trained there, or if nothing fits.
    """
    sentences, taken = [], 0
    for name in gan.players:
        own = {key: tensor for key, tensor in gan.state_dict().items() if key.startswith(f"{name}.")}
        theirs = {key: tensor for key, tensor in origin.tensors.items() if key.startswith(f"{name}.")}
        if not theirs:
            sentences.append(f"The {name} begins anew, since {origin.place} holds none.")
            continue
        found = _fitting(own, theirs, origin.classes, gan.spec.classes)
        with torch.no_grad():
            for key, tensor in found.items():
                own[key].copy_(tensor)
        weights = [key for key in own if key.startswith(f"{name}.network.")]
        numbers = sum(own[key].numel() for key in weights)
        fit = sum(own[key].numel() for key in weights if key in found)
        taken += sum(own[key].dim() > 1 for key in weights if key in found)
        anew = list(dict.fromkeys(_layer(key, name) for key in weights if key not in found))
        rest = f"; anew begin {listed(anew, 4)}" if anew else ""
        sentences.append(f"The {name} takes {fit:,} of its {numbers:,} numbers from {origin.place}{rest}.")
    if not taken:
        raise UserError(
            f"Nothing of {origin.place} fits this game: train the GAN that was trained there ({origin.gan}), with the same widths, or "
            "leave --from out."
        )
    return sentences


def freeze_critic(gan: GAN, layers: int) -> str:
    """Keeps the first `layers` layers with weights of the critic as they are (FreezeD: Mo et al. 2020, section 3), and returns a sentence
    that names them. Raises UserError if the game has no critic, or one with no more layers than that.
    """
    player = gan.players.get("critic")
    if player is None:
        raise UserError(
            f"--freeze-critic is for a critic, but the players of this game are {', '.join(gan.players)}: leave it out."
        )
    own = [
        (place, module)
        for place, module in player.network.named_modules()
        if any(parameter.dim() > 1 for parameter in module.parameters(recurse=False))
    ]
    if layers >= len(own):
        raise UserError(
            f"--freeze-critic must be fewer than the {len(own)} layers of this critic, but it is {layers}: take fewer."
        )
    player.hold(parameter for _, module in own[:layers] for parameter in module.parameters())
    return f"Of the critic, {listed([place for place, _ in own[:layers]], 6)} stay as they are."


def _layer(key: str, player: str) -> str:
    """The layer that a weight belongs to."""
    return key.removeprefix(f"{player}.network.").rpartition(".")[0] or key


def _fitting(
    own: Mapping[str, Tensor], theirs: Mapping[str, Tensor], theirs_of: Sequence[str], own_of: Sequence[str]
) -> dict[str, Tensor]:
    """What fits, by its name here."""
    rows = _class_rows(theirs_of, own_of)
    numbered: dict[str, list[str]] = defaultdict(list)
    for key in own:
        match = NUMBERED.search(key)
        numbered[key[: match.start()] if match else ""].append(key)
    found: dict[str, Tensor] = {}
    for prefix, keys in numbered.items():
        if not prefix:
            found |= _as_named(own, theirs, {key: key for key in keys}, rows)
            continue
        moved = _last(theirs, prefix) - _last(own, prefix)
        tries = [_as_named(own, theirs, {key: _shifted(key, by) for key in keys}, rows) for by in {0: 0, moved: 0}]
        found |= max(tries, key=lambda one: sum(tensor.numel() for tensor in one.values()))
    return found


def _as_named(
    own: Mapping[str, Tensor],
    theirs: Mapping[str, Tensor],
    names: Mapping[str, str],
    rows: Callable[[Tensor, Tensor], Tensor | None],
) -> dict[str, Tensor]:
    found = {}
    for key, name in names.items():
        given = theirs.get(name)
        if given is None or given.dtype != own[key].dtype or (given.is_floating_point() and not bool(given.isfinite().all())):
            continue
        fits = given if given.shape == own[key].shape else rows(given, own[key])
        if fits is not None:
            found[key] = fits
    return found


def _class_rows(theirs_of: Sequence[str], own_of: Sequence[str]) -> Callable[[Tensor, Tensor], Tensor | None]:
    """Takes the rows of the classes in common, where two tensors differ in one axis alone, which is as long as there are classes."""
    places = {name: place for place, name in enumerate(theirs_of)}
    common = [(place, places[name]) for place, name in enumerate(own_of) if name in places]

    def rows(given: Tensor, here: Tensor) -> Tensor | None:
        differing = [axis for axis, (one, other) in enumerate(zip(given.shape, here.shape, strict=False)) if one != other]
        if not common or given.dim() != here.dim() or len(differing) != 1:
            return None
        axis = differing[0]
        if given.shape[axis] != len(theirs_of) or here.shape[axis] != len(own_of):
            return None
        to, take = (torch.tensor(part, device=given.device) for part in zip(*common, strict=True))
        return here.clone().index_copy(axis, to.to(here.device), given.index_select(axis, take).to(here.device))

    return rows


def _shifted(key: str, by: int) -> str:
    """The name with the first number of a layer moved on."""
    return NUMBERED.sub(lambda match: str(int(match[0]) + by), key, count=1)


def _last(names: Iterable[str], prefix: str) -> int:
    """The highest number of a layer under this prefix."""
    found = [NUMBERED.match(name, len(prefix)) for name in names if name.startswith(prefix)]
    return max((int(match[0]) for match in found if match), default=0)
