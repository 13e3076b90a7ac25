"""A GAN with its weights, made again from the facts and tensors of files, which may be damaged or a stranger's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any, get_type_hints

import torch
from torch import Tensor, nn

from gansmith import kinds
from gansmith.data.codec import Checked, Codec
from gansmith.data.schema import MismatchError, check, describing
from gansmith.data.spec import Spec
from gansmith.data.suggestions import listed
from gansmith.data.values import options_checked, within_ranges
from gansmith.errors import UserError
from gansmith.game import GAN
from gansmith.gans import find
from gansmith.training import room

LONGEST = 2**31 - 1
"""The longest side of an example."""
TRIED = 2**24
"""Numbers of an example up to which a codec is tried out."""
SPARE_NUMBERS, SPARE_TENSORS = 100_000_000, 5_000
"""What the critics of a small generator may have besides."""
TIMES = 100
"""How many times the numbers and tensors of a file the whole game may have: more is a damaged or hostile configuration."""


def codec_of(facts: Mapping[str, Any], path: Path) -> Codec[Any]:
    """The codec that `facts` of the file describe. Raises UserError if they describe none, or one that decodes nothing."""
    with describing(path, "codec"):
        codec: Codec[Any] = kinds.load_codec(dict(facts))
        check(codec, type(codec), "codec")
        _check_spec(codec.spec, "codec.spec")
        for name, part in vars(codec).items():  # of a pair, each side has a codec
            if isinstance(getattr(part, "spec", None), Spec):
                _check_spec(part.spec, f"codec.{name}.spec")
        counts = getattr(codec, "frequencies", ())
        if counts and (min(counts) < 0 or not any(counts)):
            raise MismatchError("codec.frequencies should be counts, one of them above 0")
        fault = codec.fault() if isinstance(codec, Checked) else None
        if fault:
            raise MismatchError(f"its codec {fault}")
        spec = codec.spec
        conditions = codec.conditions(2, torch.Generator().manual_seed(0))
        if spec.source is None and prod(spec.shape) <= TRIED:
            codec.decode({spec.key: torch.zeros(2, *spec.shape), **conditions})
        return codec


def _check_spec(spec: Spec, place: str) -> None:
    """Raises MismatchError and UserError, which name the field, for what no data can be."""
    check(spec, type(spec), place)
    for number, side in enumerate(spec.shape):
        if not 1 <= side <= LONGEST:
            raise MismatchError(f"{place}.shape[{number}] should be from 1 to {LONGEST:,}, but it is {side:.9g}")
    within_ranges(type(spec), vars(spec), place)
    if spec.source is not None:
        _check_spec(spec.source, f"{place}.source")


def game_of(name: str, config: Mapping[str, Any], codec: Codec[Any], path: Path, tensors: Mapping[str, Tensor]) -> GAN:
    """The GAN of this name and configuration, as the file names them, with initial weights.

    Raises UserError if there is no such GAN, if the file may not name it, and if the configuration does not fit it or is far too large
    for `tensors`, those of the file.
    """
    made = find(name)
    with describing(path, "config"):
        check(config, made.Config, "config")
        options_checked(made.Config, config)
        hints = get_type_hints(made.Config)
        options = made.Config(**{key: _as_declared(value, hints.get(key)) for key, value in config.items()})
    numbers = sum(tensor.numel() for tensor in tensors.values())
    with describing(path, "config"), at_most(numbers, len(tensors)):
        unknown = codec.spec.axes and codec.spec.axes not in made.axes  # a kind of another package may leave them out
        if codec.spec.kind not in made.kinds and unknown:
            raise MismatchError(f"{name} learns {made.learned()}, but codec.spec.kind is {codec.spec.kind!r}")
        return made(options, codec.spec)


def _as_declared(value: Any, hint: Any) -> Any:
    """Values of JSON in the types of options, of which it knows fewer."""
    if isinstance(value, list):
        return tuple(value)
    return float(value) if hint is float else value


@contextmanager
def at_most(numbers: int, tensors: int) -> Iterator[None]:
    """Inside, no game is built that is far larger than so many numbers in so many tensors: it is refused before it takes memory."""

    def refusal() -> MismatchError:
        return MismatchError("config asks for networks that are far larger than the weights in the file")

    with room.at_most(SPARE_NUMBERS + TIMES * numbers, SPARE_TENSORS + TIMES * tensors, refusal):
        yield


def load_weights(network: nn.Module, tensors: Mapping[str, Tensor], path: Path, prefix: str = "") -> None:
    """Loads the tensors of a file into a network, under their names without `prefix`.

    Raises UserError if one is missing, too much, of another type or shape than the configuration says, or not finite.
    """
    own = {key.removeprefix(prefix): tensor for key, tensor in tensors.items() if key.startswith(prefix)}
    expected = network.state_dict()
    for name, tensor in own.items():
        if name in expected and tensor.dtype != expected[name].dtype:
            raise _unfit(path, prefix + name, f"is {_type(tensor)}, where {_type(expected[name])} is expected")
        if name in expected and tensor.shape != expected[name].shape:
            raise _unfit(
                path, prefix + name, f"has the shape {list(tensor.shape)}, where {list(expected[name].shape)} is expected"
            )
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            broken = int((~torch.isfinite(tensor)).sum())
            raise UserError(
                f"{path} holds weights that are no numbers (NaN or infinite: {broken:,} of {tensor.numel():,} in {prefix + name}): use "
                "another checkpoint or model, or train anew."
            )
    try:
        network.load_state_dict(own)  # names of older versions are taken too
    except (RuntimeError, KeyError, ValueError) as error:
        missing, unknown = sorted(expected.keys() - own.keys()), sorted(own.keys() - expected.keys())
        lacks = f"lacks {listed(missing, 3)}" if missing else ""
        has = f"has {listed(unknown, 3)} which the configuration does not know" if unknown else ""
        reason = " and ".join(part for part in (lacks, has) if part) or str(error).partition("\n")[0]
        raise UserError(f"{path} {reason}: restore the weights and the configuration from one copy.") from error


def _type(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _unfit(path: Path, name: str, reason: str) -> UserError:
    return UserError(f"{path} does not fit its configuration ({name} {reason}): restore both from one copy.")


@torch.inference_mode()
def try_out(gan: GAN, codec: Codec[Any]) -> None:
    """Makes and decodes an example. Raises whatever facts cause that fit their types, and not one another."""
    spec, rng = codec.spec, torch.Generator().manual_seed(0)
    if max(prod(spec.shape), prod(spec.source_shape)) > TRIED:
        return
    given = {"a": torch.zeros(1, *spec.source_shape)} if spec.source else {}
    made = gan.generate(1, {**codec.conditions(1, rng), **given}, rng=rng, truncation=1.0)
    if not spec.source:
        codec.decode(made)
