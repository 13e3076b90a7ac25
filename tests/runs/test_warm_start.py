"""Warm starts: which weights are taken, that they are the other run's, and that nothing runs that a stranger's run names."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

import gansmith
from gansmith.cli import main
from gansmith.errors import UserError
from gansmith.planning.plan import plan
from gansmith.runs.data import open_together
from gansmith.runs.warm_start import Origin, begin_from, freeze_critic
from gansmith.training.checkpoint import load_newest

TINY = {"samples": 32, "batch": 16, "threads": 1, "evaluate": False}
WIDTHS = {"width": 4, "critic_width": 4, "noise": 6}


def pictures(folder, classes, side=16):
    rng = np.random.default_rng(0)
    for name in classes:
        (folder / name).mkdir(parents=True)
        for number in range(12):
            Image.fromarray(rng.integers(0, 255, (side, side, 3), dtype=np.uint8)).save(folder / name / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("warm")


@pytest.fixture(scope="module")
def run(place):
    """A conditional run on three classes."""
    return gansmith.train(pictures(place / "data", "abc"), gan="biggan", options=SMALL, out=place / "run", **TINY)


SMALL = {"width": 4, "noise": 8}


def game(data, name="biggan", options=SMALL, **opening):
    dataset = open_together(data, opening)
    return plan(dataset, gan=name, options=options, samples=32).build(dataset)


def state_of(run):
    tensors, _ = load_newest(run.checkpoints, print)
    return {name.removeprefix("gan/"): tensor for name, tensor in tensors.items() if name.startswith("gan/")}


def test_all_weights_of_an_equal_game_are_taken(run, place):
    gan = game(place / "data")
    sentences = begin_from(gan, Origin.read(run.folder))
    theirs = state_of(run)
    for name, tensor in gan.state_dict().items():
        if name.startswith(("generator.", "critic.")):
            assert torch.equal(tensor, theirs[name]), name
    numbers = sum(tensor.numel() for name, tensor in gan.state_dict().items() if name.startswith("critic.network."))
    assert f"The critic takes {numbers:,} of its {numbers:,} numbers from {run.folder}." in sentences


def test_of_a_model_the_generator_gets_the_average_and_the_critic_begins_anew(run, place):
    gan = game(place / "data")
    first = {name: tensor.clone() for name, tensor in gan.critic.network.state_dict().items()}
    sentences = begin_from(gan, Origin.read(run.model_folder))
    averaged = run.model().gan.generator.averaged.state_dict()
    for network in (gan.generator.network, gan.generator.averaged):
        assert all(torch.equal(tensor, averaged[name]) for name, tensor in network.state_dict().items())
    assert all(torch.equal(tensor, first[name]) for name, tensor in gan.critic.network.state_dict().items())
    assert any(sentence.startswith("The critic begins anew") for sentence in sentences)


def test_of_weights_with_a_row_for_each_class_those_of_the_same_names_are_taken(run, place, tmp_path):
    gan = game(pictures(tmp_path / "data", "bcxy"))
    first = {name: tensor.clone() for name, tensor in gan.state_dict().items()}
    begin_from(gan, Origin.read(run.folder))
    theirs, now = state_of(run), gan.state_dict()
    names = [
        name for name, tensor in now.items() if name in theirs and tensor.shape[:1] == (4,) and theirs[name].shape[:1] == (3,)
    ]
    assert names
    for name in names:
        assert torch.equal(now[name][:2], theirs[name][1:])  # b and c
        assert torch.equal(now[name][2:], first[name][2:])


def test_a_network_with_more_resolution_takes_its_layers_from_the_end_where_they_fit(tmp_path):
    rng = np.random.default_rng(1)
    small, large = (rng.integers(0, 255, (32, side, side, 3), dtype=np.uint8) for side in (16, 32))
    run = gansmith.train(small, gan="dcgan", options=WIDTHS, out=tmp_path / "run", **TINY)
    gan = game(large, "dcgan", WIDTHS)
    begin_from(gan, Origin.read(run.folder))
    theirs = state_of(run)
    last = max(int(name.split(".")[3]) for name in theirs if name.startswith("generator.network.layers."))
    weights = gan.generator.network.layers[last + 1].weight
    assert torch.equal(weights, theirs[f"generator.network.layers.{last}.weight"])
    assert torch.equal(gan.critic.network.first.weight, theirs["critic.network.first.weight"])


def test_frozen_layers_stay_also_after_resuming(run, place, tmp_path):
    warm = gansmith.train(
        place / "data",
        start_from=run.folder,
        freeze_critic=2,
        out=tmp_path / "warm",
        samples=48,
        batch=16,
        threads=1,
        evaluate=False,
    )
    assert warm.facts["gan"] == "biggan" and warm.facts["config"]["width"] == 4  # without being named again
    gansmith.train(out=warm.folder, resume=True, samples=96, threads=1, evaluate=False)
    before, after = state_of(run), state_of(warm)
    gan = warm.game(warm.model())
    sentence = freeze_critic(gan, 2)
    held = [
        name
        for name, parameter in gan.critic.network.named_parameters()
        if id(parameter) not in set(map(id, gan.critic.moving()))
    ]
    moved = [name for name in after if name.startswith("critic.network.") and not torch.equal(after[name], before[name])]
    assert held and sentence.startswith("Of the critic, ")
    assert not {f"critic.network.{name}" for name in held} & set(moved)
    assert len(moved) >= 3
    said = [record["sentence"] for record in warm.records("messages.jsonl")]
    assert sentence in said


def test_what_does_not_fit_is_refused_in_a_sentence(run, place, tmp_path):
    with pytest.raises(UserError, match="was trained with --gan biggan, whose weights do not fit dcgan"):
        gansmith.train(place / "data", gan="dcgan", start_from=run.folder, out=tmp_path / "a")
    with pytest.raises(UserError, match="Nothing of .* fits this game"):
        gansmith.train(place / "data", options={"width": 6, "shared": 5}, start_from=run.folder, out=tmp_path / "a", **TINY)
    with pytest.raises(UserError, match="holds no model"):
        gansmith.train(place / "data", start_from=tmp_path, out=tmp_path / "a")
    with pytest.raises(UserError, match="--freeze-critic must be fewer than the"):
        gansmith.train(place / "data", start_from=run.folder, freeze_critic=1000, out=tmp_path / "a", **TINY)
    with pytest.raises(UserError, match="give that with --from"):
        gansmith.train(place / "data", freeze_critic=1, out=tmp_path / "a", **TINY)
    assert not (tmp_path / "a").exists()


def test_a_gan_in_a_file_that_only_the_other_run_names_does_not_run(run, place, tmp_path, capsys):
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    for name in ("model.json", "model.safetensors"):
        (stranger / name).write_bytes((run.model_folder / name).read_bytes())
    facts = json.loads((stranger / "model.json").read_text())
    program = tmp_path / "evil.py"
    program.write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    del facts["sha256"]
    (stranger / "model.json").write_text(json.dumps({**facts, "gan": str(program)}))
    assert main(["train", str(place / "data"), "--from", str(stranger), "--out", str(tmp_path / "out")]) == 2
    assert "name the file with --gan" in capsys.readouterr().err
    assert not (tmp_path / "ran").exists()
