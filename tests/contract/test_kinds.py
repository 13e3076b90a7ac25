"""What every kind of data promises, whatever it is."""

import dataclasses
import json
import typing
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from PIL import Image

from gansmith import kinds
from gansmith.cli.data_options import with_data_options
from gansmith.cli.options import parse
from gansmith.cli.train import BARE, Train
from gansmith.data.codec import Codec
from gansmith.data.dataset import Dataset
from gansmith.data.options import DataOptions
from gansmith.data.preview import Preview
from gansmith.data.source import Source
from gansmith.errors import UserError
from gansmith.evaluation.judge import judge, usual_metrics
from gansmith.kinds.kind import Kind, Match
from gansmith.kinds.opening import inspect_dataset, open_dataset
from gansmith.metrics.registry import metric_names
from gansmith.model import Model
from tests import toys

NAMES = kinds.names()
TOYS = [(name, toy) for name in NAMES for toy in kinds.find(name).toys()]
every_kind = pytest.mark.parametrize("name", NAMES)
every_toy = pytest.mark.parametrize(("name", "toy"), TOYS)


def data_of(toy: str) -> Dataset:
    return toys.every()[toy]


def raws_of(data: Dataset, count: int = 5) -> list[Any]:
    return data.codec.decode(data.batch(slice(0, count)))


# ---- codecs ---------------------------------------------------------------------------------------------------------------------


@every_toy
def test_a_codec_has_all_that_is_asked_of_it_and_its_spec_names_its_kind(name, toy):
    codec = data_of(toy).codec
    assert isinstance(codec, Codec)
    assert codec.spec.kind == name and isinstance(codec.spec, kinds.find(name).Spec)
    assert len(codec.spec.axes) == len(codec.spec.shape)
    assert data_of(toy).batch(slice(0, 3))[codec.spec.key].shape == (3, *codec.spec.shape)


@every_toy
@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_what_is_encoded_is_decoded_again(name, toy, data):
    """Packed examples come back exactly from tensors, and raw examples that were decoded once come back from encoding."""
    whole = data_of(toy)
    codec, rows = whole.codec, data.draw(st.lists(st.integers(0, len(whole) - 1), min_size=1, max_size=4, unique=True))
    packed = whole.packed(np.array(rows))
    again = codec.repack(codec.unpack(packed))
    assert again.keys() == packed.keys()
    for key, array in packed.items():
        np.testing.assert_allclose(again[key], array, rtol=1e-5, atol=1e-5, err_msg=key)
    for raw in codec.decode(codec.unpack(packed)):
        (twice,) = codec.decode(codec.encode(raw))
        assert codec.pack(twice).keys() == codec.pack(raw).keys()
        for key, array in codec.pack(raw).items():
            np.testing.assert_allclose(codec.pack(twice)[key], array, rtol=1e-4, atol=1e-4, err_msg=key)


@every_toy
def test_a_codec_and_its_spec_survive_json(name, toy):
    codec = data_of(toy).codec
    facts = json.loads(json.dumps(codec.to_json()))
    assert kinds.load_codec(facts) == codec
    assert kinds.load_spec(json.loads(json.dumps(codec.spec.to_json()))) == codec.spec
    assert kinds.load_codec(facts).to_json() == codec.to_json()


@every_toy
def test_conditions_are_as_many_as_are_asked_for_and_an_unknown_one_is_a_sentence(name, toy):
    codec = data_of(toy).codec
    found = codec.conditions(7, torch.Generator().manual_seed(0))
    assert all(len(value) == 7 for value in found.values())
    assert ("label" in found) == bool(codec.spec.conditions)
    with pytest.raises(UserError, match="nonsense"):
        codec.conditions(2, torch.Generator().manual_seed(0), nonsense="1")


@every_toy
def test_sketches_are_finite_features(name, toy):
    data = data_of(toy)
    sketch = data.codec.sketch(data.batch(slice(0, 6)))
    assert sketch.ndim == 2 and len(sketch) == 6 and bool(sketch.isfinite().all())


@every_toy
def test_saved_examples_are_data_of_the_kind_again(name, toy, tmp_path):
    data = data_of(toy)
    raws = raws_of(data, 12)
    paths = data.codec.save(raws, tmp_path / "saved")
    assert paths and all(path.is_file() for path in paths)
    assert data.codec.save(raws[:2], tmp_path / "saved")[0] not in paths
    if data.codec.spec.source is None:
        again = open_dataset(tmp_path / "saved", kind=name)
        assert again.codec.spec.kind == name and len(again) >= 2


@every_toy
def test_every_suffix_that_a_codec_writes_is_one_file(name, toy, tmp_path):
    data = data_of(toy)
    assert data.codec.suffixes
    for suffix in data.codec.suffixes:
        path = tmp_path / f"made{suffix}"
        data.codec.write(raws_of(data, 8), path)
        assert path.is_file() and path.stat().st_size > 0, suffix
    assert {path.name for path in tmp_path.iterdir()} == {f"made{suffix}" for suffix in data.codec.suffixes}


# ---- showing --------------------------------------------------------------------------------------------------------------------


@every_toy
def test_a_preview_is_a_picture_and_named_media(name, toy):
    data = data_of(toy)
    shown = kinds.find(name).preview(data.codec, raws_of(data, min(data.codec.previewed, len(data))))
    assert isinstance(shown, Preview) and isinstance(shown.picture, Image.Image)
    assert min(shown.picture.size) >= 16
    assert len({medium.name for medium in shown.media}) == len(shown.media)
    assert all("/" in medium.mime and medium.content and Path(medium.name).suffix for medium in shown.media)


@every_toy
def test_toys_are_small_and_always_the_same(name, toy):
    again = kinds.find(name).toys()[toy]
    assert again.fingerprint == data_of(toy).fingerprint and 16 <= len(again) <= 2000


# ---- data in --------------------------------------------------------------------------------------------------------------------


@every_kind
def test_what_a_kind_saved_is_recognised_inspected_and_opened_alike(name, tmp_path):
    kind = kinds.find(name)
    data = next(iter(kind.toys().values()))
    data.codec.save(raws_of(data, 24), tmp_path / "saved")
    match = kind.recognise(Source(tmp_path / "saved"))
    assert isinstance(match, Match) and match.because
    inspection = inspect_dataset(tmp_path / "saved", kind=name)
    assert inspection.count > 0 and inspection.kind == name
    json.dumps(inspection.to_json())
    assert all(sentence.endswith(".") for sentence in inspection.sentences())
    first = open_dataset(tmp_path / "saved", kind=name)
    other = kind.open(
        Source(tmp_path / "saved"),
        kind.like(first.codec, kind.Options(), Source(tmp_path / "saved")),
        cache=tmp_path / "c",
        like=first.codec,
    )
    assert other.codec.spec.shape == first.codec.spec.shape


@every_kind
def test_an_unknown_option_is_named(name, tmp_path):
    data = next(iter(kinds.find(name).toys().values()))
    data.codec.save(raws_of(data), tmp_path)
    with pytest.raises(UserError, match="no option resolutoin"):
        open_dataset(tmp_path, kind=name, resolutoin=3)


@every_kind
def test_no_kind_recognises_what_is_nothing(name, tmp_path):
    path = tmp_path / "a.docx"
    path.write_bytes(b"PK\x03\x04")
    assert kinds.find(name).recognise(Source(path)) is None
    assert kinds.find(name).recognise(Source(object())) is None
    with pytest.raises(UserError):
        open_dataset(path, kind=name)


@pytest.mark.parametrize("name", [name for name in NAMES if type(kinds.find(name)).translated is Kind.translated])
def test_a_kind_without_translations_says_so(name):
    model = Model(SimpleNamespace(conditional=True), kinds.find(name).toys().popitem()[1].codec, {})  # pyright: ignore[reportArgumentType]
    with pytest.raises(UserError, match=f"translated one by one where they are images, and this model makes {name}"):
        model.translate(None)


# ---- options --------------------------------------------------------------------------------------------------------------------


def _values(hint: Any, default: Any) -> st.SearchStrategy[Any]:
    parts = [part for part in typing.get_args(hint) if part is not type(None)] if typing.get_args(hint) else []
    if typing.get_origin(hint) is Literal:
        return st.sampled_from(typing.get_args(hint))
    if typing.get_origin(hint) is tuple:
        return st.lists(
            st.text(st.characters(codec="ascii", exclude_categories=["C"]), min_size=1, max_size=6).map(str.strip).filter(bool),
            max_size=3,
        ).map(tuple)
    if parts and type(None) in typing.get_args(hint):
        return st.none() | _values(parts[0], default)
    simple: dict[Any, st.SearchStrategy[Any]] = {
        bool: st.booleans(),
        int: st.integers(1, 5000),
        float: st.floats(0, 100, allow_nan=False),
        Path: st.sampled_from([Path("/tmp/a b"), Path("masks"), Path("-x")]),
        str: st.sampled_from(
            ["64", "64x48", "0,3000", "-1000,400", "a,b", "it's", "x4,noise25", '{"zip": "categorical"}', "plain"]
        ),
        Any: st.none() | st.just("digits8"),
    }
    return simple[hint]


@every_kind
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_options_come_back_from_json_and_from_a_command_line(name, data):
    """What run.json remembers and what the report's command says are the options that were given."""
    shape = kinds.options_of(name)
    assert issubclass(shape, DataOptions)
    hints = typing.get_type_hints(shape)
    fields = dataclasses.fields(shape)
    drawn = {field.name: data.draw(_values(hints[field.name], field.default)) for field in fields if data.draw(st.booleans())}
    try:
        options = shape(**{key: value for key, value in drawn.items() if value is not None})
    except UserError:
        assume(False)
        return
    assert shape(**json.loads(json.dumps(options.to_json()))) == options
    argv = ["data", "--kind", name, *options.as_flags()]
    parsed = parse(with_data_options(Train, argv), argv, "gansmith train", BARE).opening.opening()  # pyright: ignore[reportAttributeAccessIssue]
    assert parsed.pop("kind") == name
    assert shape(**parsed) == options


@every_kind
def test_every_option_has_a_line_of_explanation_and_a_default(name):
    from gansmith.cli.help_text import docstrings

    shape = kinds.options_of(name)
    lines = docstrings(shape)
    for field in dataclasses.fields(shape):
        assert lines.get(field.name), field.name
        assert field.default is not dataclasses.MISSING
    with pytest.raises(dataclasses.FrozenInstanceError):
        shape().anything = 1


# ---- judging --------------------------------------------------------------------------------------------------------------------


@every_toy
def test_a_baseline_makes_as_many_examples_as_are_asked_for_and_is_always_the_same(name, toy):
    kind, data = kinds.find(name), data_of(toy)
    if data.codec.spec.task == "pairs":
        pytest.skip("the baselines of pairs are translations")
    first, second = (kind.baseline(data, 30, seed=1) for _ in range(2))
    assert len(first) == 30 and first.codec == data.codec and first.fingerprint == second.fingerprint
    assert kind.baseline(data, 30, seed=2).fingerprint != first.fingerprint
    assert kind.baseline_name(data)


@every_kind
def test_rivals_make_examples_of_the_data(name):
    data = next(iter(kinds.find(name).toys().values()))
    for word, sampler in kinds.find(name).rivals().items():
        assert word and len(sampler(data, 25, 0)) == 25


@every_kind
def test_real_examples_are_judged_beside_a_baseline_and_a_ceiling(name, tmp_path):
    data = next(iter(kinds.find(name).toys().values()))
    train, held_out = data.split(0.4)
    usual = usual_metrics(train)
    assert set(usual) <= set(metric_names())
    found = judge(held_out, train, held_out, metrics=["frechet", "memorisation"], cache=tmp_path)
    assert found.scores
    for score in found.scores:
        assert score.baseline is not None and score.ceiling is not None and score.low <= score.value <= score.high
