"""Whatever model.json and run.json hold, loading, generating and resuming answer in a sentence or work."""

import json
import os
import random
import shutil
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import gansmith
from gansmith import gans
from gansmith.errors import UserError
from gansmith.model import Model
from gansmith.runs.model_files import read_model
from gansmith.runs.run import Run
from tests import toys

DELETED = object()
VALUES = [
    DELETED,
    None,
    [],
    {},
    "",
    "x",
    -1,
    0,
    1.5,
    10**9,
    10**20,
    1e308,
    float("nan"),
    True,
    [[[]]],
    ["x"],
    {"a": 1},
    "9" * 5000,
]
GANS = {
    "points": "gan",
    "labelled": "dcgan",
    "attributes": "dcgan",
    "rows": "rowgan",
    "labelled series": "seriesgan",
    "pairs": "pix2pix",
    "domains": "starganv2",
    "labelled texts": "gumbelgan",
    "molecules with properties": "sequencegan",
    "molecular graphs": "molgan",
    "tunes with keys": "musegan",
    "named sounds": "specgan",
    "noted sounds": "wavegan",
    "noisy sounds": "cmgan",
    "mel sounds": "advoc",
    "clips with attributes": "motiongan",
}
"""Toys of every kind of data, each with a GAN that learns it."""
MODELS, RUNS = 80, 15
"""Mutations of the models of each kind, and of a run."""


def places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something can be changed: everything, every field, the first two parts of every list."""
    yield above
    parts = value.items() if isinstance(value, dict) else list(enumerate(value))[:2] if isinstance(value, list) else ()
    for name, part in parts:
        yield from places(part, (*above, name))


def mutated(facts: Any, place: tuple[Any, ...], value: Any) -> Any:
    if not place:
        return None if value is DELETED else value
    changed = deepcopy(facts)
    inner = changed
    for name in place[:-1]:
        inner = inner[name]
    if value is DELETED:
        inner.pop(place[-1])
    else:
        inner[place[-1]] = value
    return changed


def mutations(facts: Any, count: int) -> list[tuple[str, Any]]:
    """Of all that can be changed, so many, chosen once and for all, each with its name."""
    known = json.loads(json.dumps(facts))
    every = [(place, value) for place in places(known) for value in VALUES]
    chosen = random.Random(0).sample(every, count)
    return [(f"{'.'.join(map(str, place))} {value!r:.30}", mutated(known, place, value)) for place, value in chosen]


def unsealed(run: Path) -> Any:
    """The facts of a run without their checksum: only so does a change come as far as the schema."""
    return {name: value for name, value in json.loads((run / "run.json").read_text()).items() if name != "sha256"}


def check_sentence(error: UserError) -> None:
    assert "\n" not in str(error) and len(str(error)) < 2100


@pytest.fixture(scope="module", params=GANS)
def older(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any, Any]:
    """A model without checksums, as older versions wrote it: only so does a change come as far as the schema."""
    name, data = GANS[request.param], toys.every()[request.param]
    folder = tmp_path_factory.mktemp("older")
    Model(toys.small(name, data).eval(), data.codec, {"gan": name, "data": "toys", "samples": 5}).save(folder)
    tensors, facts = read_model(folder)
    save_file(tensors, folder / "model.safetensors", metadata={"gansmith": "{}"})
    return folder, facts, data


def test_a_mutated_model_works_or_is_refused_in_a_sentence(older: tuple[Path, Any, Any], tmp_path: Path) -> None:
    folder, facts, data = older
    (folder / "model.json").write_text(json.dumps(facts))
    assert len(Model.load(folder).codec.spec.shape) > 0
    refused = 0
    for name, changed in mutations(facts, MODELS):
        (folder / "model.json").write_text(json.dumps(changed))
        try:
            model = Model.load(folder)
            model.inputs = data
            model.codec.preview(model.generate(2))
        except UserError as error:
            check_sentence(error)
            refused += 1
        except Exception as error:
            raise AssertionError(f"{name}: {error!r}") from error
    assert refused > MODELS / 3


WRONG: dict[str, tuple[str, Any, str]] = {
    "named sounds": ("codec.spec.hop", -1, "codec.spec.hop must be at least 1, but it is -1"),
    "noted sounds": ("codec.spec.rate", 10**9, "codec.spec.rate must be"),
    "mel sounds": ("codec.spec.n_fft", [], "codec.spec.n_fft should be a whole number, but it is"),
    "points": ("codec.spec.shape", [10**20], "codec.spec.shape[0] should be from 1 to 2,147,483,647, but it is 1e+20"),
    "labelled": ("codec.frequencies", [3, -1, 3], "codec.frequencies should be counts, one of them above 0"),
    "domains": ("codec.frequencies", [0, 0, 0], "codec.frequencies should be counts, one of them above 0"),
    "molecular graphs": ("codec.pieces", ["C", "N", "Qq"], "its codec has"),
    "clips with attributes": ("codec.spec.rate", "fast", "codec.spec.rate should be a finite number, but it is 'fast'"),
}


@pytest.mark.parametrize("older", WRONG, indirect=True)
def test_what_no_data_of_a_kind_can_be_is_named_by_its_field(
    older: tuple[Path, Any, Any], request: pytest.FixtureRequest
) -> None:
    folder, facts, _ = older
    place, value, says = WRONG[request.node.callspec.params["older"]]
    if isinstance(value, list) and place == "codec.frequencies":
        value = [*value, *[0] * len(facts["codec"]["frequencies"])][: len(facts["codec"]["frequencies"])]
    (folder / "model.json").write_text(json.dumps(mutated(json.loads(json.dumps(facts)), tuple(place.split(".")), value)))
    with pytest.raises(UserError) as error:
        Model.load(folder)
    check_sentence(error.value)
    assert says in str(error.value) and str(folder) in str(error.value)


def test_whole_numbers_of_any_size_stand_for_options_that_are_real_numbers(tmp_path: Path) -> None:
    data = toys.every()["clips with attributes"]
    Model(toys.small("motiongan", data, gamma=10**20).eval(), data.codec, {"gan": "motiongan"}).save(tmp_path)
    assert isinstance(Model.load(tmp_path).gan.config.gamma, float)
    assert len(Model.load(tmp_path).generate(2)) == 2


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    np.save(folder / "points.npy", toys.points(200).arrays["point"])
    options = {"width": 8, "noise": 4}
    judged = {"judge_metrics": ["frechet"], "judge_samples": 50}
    gansmith.train(
        folder / "points.npy", gan="gan", options=options, samples=320, batch=32, evaluate=False, out=folder / "run", **judged
    )
    return folder / "run"


def test_a_mutated_run_is_resumed_or_refused_in_a_sentence(trained: Path, tmp_path: Path) -> None:
    refused = 0
    for name, changed in mutations(unsealed(trained), RUNS):
        shutil.rmtree(tmp_path / "run", ignore_errors=True)
        shutil.copytree(trained, tmp_path / "run")
        (tmp_path / "run" / "run.json").write_text(json.dumps(changed))
        try:
            gansmith.train(resume=tmp_path / "run", samples=352, evaluate=False)
        except UserError as error:
            check_sentence(error)
            refused += 1
        except Exception as error:
            raise AssertionError(f"{name}: {error!r}") from error
    assert refused > RUNS / 3


def test_every_mutation_of_the_facts_of_a_run_is_opened_or_refused(trained: Path, tmp_path: Path) -> None:
    facts = unsealed(trained)
    for name, changed in mutations(facts, 200):
        (tmp_path / "run.json").write_text(json.dumps(changed))
        try:
            Run(tmp_path)
        except UserError as error:
            check_sentence(error)
        except Exception as error:
            raise AssertionError(f"{name}: {error!r}") from error


SAYS = {
    "settings.batch": ("x", "settings.batch should be a whole number, but it is 'x'"),
    "settings.accumulate": (0, "settings.accumulate must be at least 1"),
    "settings.seed": (-5, "settings.seed must be at least 0"),
    "config.width": (1.5, "config.width should be a whole number, but it is 1.5"),
    "config.loss": ("hinge", "config.loss should be one of 'non_saturating', 'minimax', but it is 'hinge'"),
    "data.source": (3, "data.source should be"),
    "examination.metrics": (["frechet", 5], "examination.metrics[1] should be a text, but it is 5"),
    "mirror": (1, "mirror should be true or false, but it is 1"),
}


@pytest.mark.parametrize("place", SAYS)
def test_the_sentence_names_the_field_by_its_path(place: str, trained: Path, tmp_path: Path) -> None:
    value, says = SAYS[place]
    shutil.copytree(trained, tmp_path / "run")
    facts = unsealed(trained)
    (tmp_path / "run" / "run.json").write_text(json.dumps(mutated(facts, tuple(place.split(".")), value)))
    with pytest.raises(UserError) as error:
        gansmith.train(resume=tmp_path / "run", samples=352, evaluate=False)
    assert says in str(error.value) and str(tmp_path / "run" / "run.json") in str(error.value)


STRANGE = {
    "nothing": b"",
    "a list": b"[]",
    "no fields": b"{}",
    "a number": b"5",
    "nested": b"[" * 100_000,
    "nested objects": b'{"a":' * 100_000,
    "no text": b"\xff\xfe\x00",
    "not a number": b"NaN",
}


@pytest.mark.parametrize("content", STRANGE)
@pytest.mark.parametrize("name", ["model.json", "run.json"])
def test_other_content_is_refused_in_a_sentence(name: str, content: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(STRANGE[content])
    with pytest.raises(UserError, match="model.json|run.json") as error:
        Model.load(tmp_path) if name == "model.json" else Run(tmp_path)
    check_sentence(error.value)


@pytest.mark.parametrize("name", ["model.json", "run.json"])
def test_a_pipe_a_device_a_folder_or_a_giant_in_place_of_a_file_is_not_read(name: str, tmp_path: Path) -> None:
    path = tmp_path / name

    def refused(says: str) -> None:
        with pytest.raises(UserError, match=says):
            Model.load(tmp_path) if name == "model.json" else Run(tmp_path)
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()

    os.mkfifo(path)
    refused("it is a pipe|it is a device|a directory|holds no model")
    path.symlink_to("/dev/zero")
    refused("it is a pipe|it is a device|a directory|holds no model")
    path.mkdir()
    refused("it is a pipe|it is a device|a directory|holds no model")
    with path.open("wb") as file:
        file.truncate(1 << 40)
    refused("1,099,511,627,776 bytes, more than the limit")


# ---- weights --------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    data = toys.points()
    Model(toys.small("gan", data).eval(), data.codec, {"gan": "gan", "data": "toys", "samples": 5}).save(tmp_path / "model")
    tensors, facts = read_model(tmp_path / "model")
    torch.save((tensors, facts), tmp_path / "kept")
    return tmp_path / "model"


def test_weights_that_are_no_numbers_or_of_another_type_or_shape_are_never_used(saved: Path) -> None:
    from gansmith.runs.model_files import write_model

    tensors, facts = read_model(saved)
    name = next(name for name, tensor in tensors.items() if tensor.dim() == 2)
    tensor = tensors[name]
    broken = tensor.clone()
    broken[0, 0] = float("nan")
    changed = {
        "no numbers": {name: broken},
        "infinite": {name: torch.full_like(tensor, float("inf"))},
        f"{name} is float64, where float32 is expected": {name: tensor.double()},
        "is float16": {name: tensor.half()},
        f"{name} has the shape": {name: tensor[:1]},
        "which the configuration does not know": {f"{name}_more": tensor.clone()},
    }
    for says, others in changed.items():
        write_model(saved, {**tensors, **others}, facts)
        for use in (Model.load, lambda folder: gansmith.load(folder).generate(2), lambda folder: gansmith.load(folder).export()):
            with pytest.raises(UserError, match=says):
                use(saved)
    write_model(saved, {key: value for key, value in tensors.items() if key != name}, facts)
    with pytest.raises(UserError, match="lacks"):
        Model.load(saved)
    write_model(saved, tensors, facts)
    assert len(Model.load(saved).generate(2)) == 2


def test_a_giant_configuration_is_refused_before_it_takes_memory(saved: Path) -> None:
    from gansmith.runs.model_files import write_model

    tensors, facts = read_model(saved)
    write_model(saved, tensors, {**facts, "config": {**facts["config"], "width": 20_000}})
    with pytest.raises(UserError, match="far larger than the weights in the file"):
        Model.load(saved)


def test_every_model_passes_its_own_checks(tmp_path: Path) -> None:
    fitting = {name: toys.fitting(name) for name in gans.names()}
    every_gan = {(name, found[0]) for name, found in fitting.items()}
    every_toy = {toy: (name, toy) for name, found in fitting.items() for toy in found}
    for name, toy in every_gan | {*every_toy.values()}:
        data = toys.every()[toy]
        gan = toys.small(name, data).eval()
        Model(gan, data.codec, {"gan": name, "data": toy, "samples": 0}).save(tmp_path / name / toy)
        loaded = Model.load(tmp_path / name / toy, trust=True)
        assert loaded.codec == data.codec and loaded.gan.config == gan.config
        for maker in gan.makers:
            own, other = (each.players[maker].averaged.state_dict() for each in (gan, loaded.gan))
            assert own.keys() == other.keys() and all(torch.equal(own[key], other[key]) for key in own)
