"""Numbers and names are brought within their ranges in one place, which every option and argument passes."""

import dataclasses
import importlib
import inspect
import math
import typing
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import gansmith
from gansmith import edit, gans, kinds
from gansmith.cli import COMMANDS
from gansmith.data import values
from gansmith.data.options import names_in
from gansmith.data.values import (
    Count,
    Minutes,
    Names,
    Number,
    Place,
    Seed,
    Table,
    Unique,
    Whole,
    Word,
    checked,
    options_checked,
    range_of,
    seeds_in,
)
from gansmith.errors import UserError
from gansmith.training.trainer import Settings


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3), torch.tensor(3), True + 2])
def test_whole_numbers_of_any_library_become_ints(value):
    assert Whole(1, 3).of("batch", value) == 3 and type(Whole(1, 3).of("batch", value)) is int


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (True, "batch takes a whole number, but it is True."),
        (np.True_, "batch takes a whole number, but it is "),
        (torch.tensor(True), "batch takes a whole number"),
        ("3", "batch takes a whole number, but it is '3'."),
        (3.0, "batch takes a whole number, but it is 3.0."),
        (math.nan, "batch takes a whole number, but it is nan."),
        (None, "batch takes a whole number, but it is None."),
        ([3], "batch takes a whole number, but it is [3]."),
        (torch.ones(3), "batch takes a whole number"),
        (0, "batch must be at least 1, but it is 0."),
        (-(10**6), "batch must be at least 1, but it is -1000000."),
        (2**31, "batch must be at most 2147483647, but it is 2147483648."),
        pytest.param(10**5000, "batch must be at most 2147483647, but it is beyond 2^16609.", id="5001 digits"),
    ],
)
def test_what_is_no_whole_number_in_its_range_is_a_sentence(value, said):
    with pytest.raises(UserError) as error:
        Whole(1).of("batch", value)
    assert str(error.value).startswith(said)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (math.nan, "share takes a finite number, but it is nan."),
        (-math.inf, "share takes a finite number, but it is -inf."),
        (10**400, "share takes a number, but it is beyond 2^1328."),
        ("0.5", "share takes a number, but it is '0.5'."),
        (True, "share takes a number, but it is True."),
        (1j, "share takes a number, but it is 1j."),
        (0, "share must be greater than 0, but it is 0."),
        (1.0, "share must be less than 1, but it is 1."),
    ],
)
def test_what_is_no_number_in_its_range_is_a_sentence(value, said):
    with pytest.raises(UserError) as error:
        Number(0, 1, above=True, below=True).of("share", value)
    assert str(error.value) == said


@given(st.floats() | st.integers() | st.text(max_size=5000) | st.binary() | st.none() | st.booleans() | st.complex_numbers())
def test_whatever_comes_it_is_in_the_range_or_refused(value):
    for least in (Whole(2, 9), Number(-1, 1)):
        with suppress(UserError):
            assert least.low <= least.of("x", value) <= least.high and not isinstance(value, bool | str)


@given(st.text(alphabet="0123456789.e+-_naif ٣²", max_size=30) | st.text(max_size=6000))
def test_words_are_numbers_in_the_range_or_refused(text):
    for least in (Whole(2, 9), Number(-1, 1)):
        with suppress(UserError):
            assert least.low <= least.read("--x", text) <= least.high


def test_names_and_seeds_come_once():
    assert names_in(' a,"b,c" ', "--columns") == ("a", "b,c") and seeds_in("3,5-6") == [3, 5, 6]
    assert seeds_in("1,2,1", again=True) == [1, 2, 1]
    with pytest.raises(UserError, match="--columns names a twice: leave one of them out"):
        names_in("a,b,a", "--columns")
    with pytest.raises(UserError, match="--seeds names 2 twice"):
        seeds_in("2,2")
    with pytest.raises(UserError, match="--seeds names 3 twice"):
        seeds_in("1-4,3")
    for wrong in ("", "1-", "4-1", "-1", "a", "1e3", str(2**64), "1,,2", "9" * 5000, "٣"):
        with pytest.raises(UserError, match="--seeds takes numbers below 2\\^64"):
            seeds_in(wrong)
    with pytest.raises(UserError, match="metrics takes a list of names, but it is 'frechet'"):
        Unique().of("metrics", "frechet")
    with pytest.raises(UserError, match="metrics takes names, but one of them is 3"):
        Unique().of("metrics", ["a", 3])


def test_paths_words_and_mappings_are_what_they_should_be():
    assert Place().of("out", "a/b") == Path("a/b") and Word().of("gan", Path("mine.py")) == "mine.py"
    assert Table().of("options", {"width": 3}) == {"width": 3}
    for wrong in (5, "", b"a", None, "a\0b", ["a"]):
        with pytest.raises(UserError, match="out takes a path, but it is"):
            Place().of("out", wrong)
    for wrong in (5, "", b"a", ["a"]):
        with pytest.raises(UserError, match="gan takes a name, but it is"):
            Word().of("gan", wrong)
    for wrong in (5, "a", [("width", 3)], {3: 4}):
        with pytest.raises(UserError, match="options takes values by their names"):
            Table().of("options", wrong)


def test_arguments_are_brought_within_the_ranges_of_their_types():
    @checked
    def train(data: object, *, batch: Count = 8, minutes: Minutes | None = None, metrics: Names = ()) -> tuple[Any, ...]:
        return data, batch, minutes, metrics

    assert train("d", batch=np.int32(4), minutes=2) == ("d", 4, 2.0, ())
    assert train(None, metrics=["a", "b"]) == (None, 8, None, ("a", "b"))
    with pytest.raises(UserError, match="batch must be at least 1"):
        train("d", batch=0)
    with pytest.raises(UserError, match="minutes takes a finite number, but it is nan"):
        train("d", minutes=math.nan)


# ---- GANs -----------------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    width: int = 8
    widths: tuple[int, ...] = (8, 4)
    rate: float = 1e-3
    end: float | None = None
    margin: typing.Annotated[float, Number(-1, 1)] = 0.0
    crop: int = 0
    loss: typing.Literal["a", "b"] = "a"
    deep: bool = False


def test_options_of_gans_are_finite_and_not_negative_and_what_is_counted_is_there():
    options_checked(Config, dataclasses.asdict(Config(margin=-0.5, end=0.0)))
    for name, value, said in [
        ("width", 0, "--gan.width must be at least 1"),
        ("width", True, "--gan.width takes a whole number"),
        ("widths", (8, 0), "--gan.widths must be at least 1"),
        ("widths", [8, 10**12], "--gan.widths must be at most"),
        ("rate", math.nan, "--gan.rate takes a finite number"),
        ("rate", -1e-3, "--gan.rate must be at least 0"),
        ("end", math.inf, "--gan.end takes a finite number"),
        ("margin", -2, "--gan.margin must be at least -1"),
        ("crop", -1, "--gan.crop must be at least 0"),
    ]:
        with pytest.raises(UserError, match=said):
            options_checked(Config, {name: value})


@pytest.mark.parametrize("name", gans.names())
def test_no_gan_refuses_its_own_presets(name):
    made = gans.find(name)
    for config in ({}, *(preset.config for preset in made.presets.values())):
        options_checked(made.Config, vars(made.Config(**config)))


# ---- nothing passes by ----------------------------------------------------------------------------------------------------------


def test_every_number_that_commands_take_has_a_range():
    shapes = [
        each
        for name in COMMANDS
        for each in vars(importlib.import_module(f"gansmith.cli.{name}")).values()
        if dataclasses.is_dataclass(each) and isinstance(each, type)
    ]
    from gansmith.kinds.images.translation.command import Translate

    shapes += [Translate, Settings]
    bare = [f"{shape.__name__}.{name}" for shape in shapes for name, hint in hints_of(shape) if bare_number(hint)]
    assert bare == []
    assert any(range_of(hint) for shape in shapes for _, hint in hints_of(shape))


@pytest.mark.parametrize("kind", kinds.names())
def test_numbers_among_the_options_of_a_kind_are_finite_and_in_a_range(kind):
    shape = kinds.options_of(kind)
    for name, hint in hints_of(shape):
        if not {int, float} & {
            hint,
            *typing.get_args(hint),
            *(getattr(part, "__origin__", part) for part in typing.get_args(hint)),
        }:
            continue
        for value in (math.nan, math.inf, -(10**30), 10**30, True, "3"):
            with pytest.raises(UserError, match=f"--{name.replace('_', '-')} "):
                shape(**{name: value})


def test_every_number_that_public_functions_take_has_a_range():
    """Of the package's names, of a model and a run, and of editing: a range stands in the type, and somebody looks at it."""
    found = {call.__qualname__: call for call in public_functions()}
    assert {"train", "Model.generate", "Run.generate", "TableGAN.sample", "interpolate"} <= set(found)
    bare = [f"{name}.{argument}" for name, call in found.items() for argument, hint in annotations(call) if bare_number(hint)]
    assert bare == []
    for name, call in found.items():
        hints = {argument: RANGES.get(str(hint).removesuffix(" | None"), hint) for argument, hint in annotations(call)}
        declared = {argument for argument, hint in hints.items() if range_of(hint) is not None}
        assert declared == set(getattr(call, "ranges", {})), f"{name} needs @checked"


def public_functions() -> Iterator[Callable[..., Any]]:
    rooms = ("interpolation", "grids", "directions", "projection", "film", "averaging")
    found = [
        getattr(gansmith, name) for name in gansmith.__all__ if name not in ("GAN", "Player", "Move", "Preset", "Spec", "Kind")
    ]
    for room in rooms:
        module = importlib.import_module(f"{edit.__name__}.{room}")
        found += [each for each in vars(module).values() if getattr(each, "__module__", "") == module.__name__]
    for each in found:
        if inspect.isclass(each):
            yield from (call for call in vars(each).values() if inspect.isfunction(call) and not call.__name__.startswith("_"))
        elif inspect.isfunction(each) and each.__name__ in PUBLIC:
            yield each


RANGES = {name: value for name, value in vars(values).items() if range_of(value) is not None}
PUBLIC = {
    *("train", "load", "evaluate", "compare", "inspect", "open_dataset"),
    *(
        "interpolate",
        "class_grid",
        "attribute_grid",
        "style_grid",
        "find_directions",
        "project",
        "fuse",
        "save_film",
        "save_average",
    ),
}


def annotations(call: Callable[..., Any]) -> list[tuple[str, Any]]:
    return [(name, hint) for name, hint in inspect.get_annotations(inspect.unwrap(call)).items() if name != "return"]


def hints_of(shape: type) -> list[tuple[str, Any]]:
    return list(typing.get_type_hints(shape, include_extras=True).items())


def bare_number(hint: Any) -> bool:
    if isinstance(hint, str):  # what may be written out as well, such as "10epochs", is read by a function of its own
        return bool({"int", "float"} & {*hint.split(" | ")}) and "str" not in hint.split(" | ")
    if range_of(hint) is not None:
        return False
    while typing.get_origin(hint) is typing.Annotated:
        hint = hint.__origin__
    return bool({int, float} & {hint, *typing.get_args(hint)})


def test_seeds_fit_generators():
    for seed in (0, 2**63 - 1):
        torch.Generator().manual_seed(range_of(Seed).of("seed", seed))
        np.random.default_rng(seed)
