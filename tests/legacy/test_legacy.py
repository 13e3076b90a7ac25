"""Runs, models and checkpoints of earlier versions stay loadable: tiny ones of every kind of data are checked in."""

import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

import gansmith
from gansmith import kinds
from gansmith.data.codec import HasSource
from gansmith.kinds.opening import open_dataset
from gansmith.runs.data import run_data
from gansmith.runs.run import Run
from gansmith.training.checkpoint import read_tensors

NAMES = ("images", "points", "tables", "series", "pairs", "domains")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runs, whose run.json name data at HERE."""
    folder = tmp_path_factory.mktemp("legacy")
    with zipfile.ZipFile(Path(__file__).with_name("runs.zip")) as archive:
        archive.extractall(folder)
    for facts in folder.glob("*/run.json"):
        facts.write_text(facts.read_text("utf-8").replace("HERE", folder.as_posix()), "utf-8")
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_a_model_of_version_0_1_generates(runs: Path, name: str) -> None:
    model = gansmith.load(runs / name)
    spec = model.codec.spec
    assert spec == kinds.load_spec(spec.to_json()) and model.codec == kinds.load_codec(model.codec.to_json())
    if isinstance(model.codec, HasSource):
        model.inputs = run_data(Run(runs / name, trust=True))
    made = model.sample(3, seed=1)[spec.key]
    assert made.shape == (3, *spec.shape) and bool(made.isfinite().all())
    tensors, _ = read_tensors(runs / name / "model" / "model.safetensors")
    held = {
        f"{maker}/{key}": value
        for maker in model.gan.makers
        for key, value in model.gan.players[maker].averaged.state_dict().items()
    }
    assert held.keys() == tensors.keys() and all(torch.equal(held[key], tensors[key]) for key in held)


@pytest.mark.parametrize("name", NAMES)
def test_a_run_of_version_0_1_is_resumed(runs: Path, tmp_path: Path, name: str) -> None:
    shutil.copytree(runs / name, tmp_path / name)
    before, _ = read_tensors(tmp_path / name / "model" / "model.safetensors")
    run = gansmith.train(resume=str(tmp_path / name), samples=128, evaluate=False, trust=True)
    after, _ = read_tensors(run.model_folder / "model.safetensors")
    assert run.records("log.jsonl")[-1]["samples"] == 128
    assert any(not torch.equal(before[key], after[key]) for key in before)


@pytest.mark.parametrize(("name", "task"), [("pairs", "pairs"), ("domains", "domains"), ("images", "generation")])
def test_the_tasks_of_version_0_1_are_read_off_their_specs(runs: Path, name: str, task: str) -> None:
    spec = gansmith.load(runs / name).codec.spec
    assert (spec.kind, spec.task) == ("images", task)
    assert (spec.source is not None and spec.source.shape == (3, 16, 16)) == (task != "generation")


def test_the_report_of_a_run_of_version_0_1_is_written_anew(runs: Path) -> None:
    page = Run(runs / "series").report().read_text("utf-8")
    assert "--window 8" in page


def test_data_are_opened_as_a_run_of_version_0_1_opened_them(runs: Path) -> None:
    data = run_data(Run(runs / "tables", trust=True))
    assert (
        data.fingerprint == open_dataset(runs / "data" / "parcels.csv", schema={"used": "categorical"}, min_count=1).fingerprint
    )
    np.testing.assert_equal(len(data), 80)
