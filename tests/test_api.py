"""The commands as functions: runs, resume, models, judging."""

import json
import os
import stat
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import gansmith
from gansmith import api
from gansmith.errors import UserError
from gansmith.evaluation import evaluate as judging
from gansmith.model import Model
from gansmith.training.checkpoint import checkpoints
from gansmith.watch.watcher import Watcher
from tests import toys


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GANSMITH_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


def train(data=None, **changes):
    options = {"gan": "gan", "options": {"width": 32}, "samples": 4096, "batch": 64, "evaluate": False, "out": "run"} | changes
    return gansmith.train(toys.points(1024) if data is None else data, **options)


def saved(run):
    from safetensors.torch import load_file

    # cloned, as load_file maps the file, which a test may truncate
    return {key: tensor.clone() for key, tensor in load_file(checkpoints(run.checkpoints)[-1]).items()}


def log(run):
    return [
        {key: record[key] for key in ("samples", "terms", "gradient_norms", "learning_rates", "health")}
        for record in run.records("log.jsonl")
    ]


def test_a_run_folder_holds_what_the_design_says(tmp_path):
    run = train(evaluate=True)
    found = {path.relative_to(run.folder).as_posix() for path in run.folder.rglob("*")}
    assert {"run.json", "log.jsonl", "evaluations.jsonl", "report.html", "model/model.json", "model/model.safetensors"} <= found
    assert {"samples/latest.png", "samples/real.png", "samples/000000000.png", "samples/000004096.png"} <= found
    assert not [name for name in found if name.endswith(".tmp")]
    scores = run.records("evaluations.jsonl")
    assert all({"name", "value", "low", "high", "baseline", "ceiling", "samples_seen"} <= score.keys() for score in scores)
    assert run.facts["data"]["fingerprint"] and run.facts["settings"]["seed"] == 0 and run.facts["parameters"]["generator"] > 0


class Stop(Exception):
    pass


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that nothing cut off."""
    return train(out=tmp_path_factory.mktemp("whole") / "run")


@pytest.mark.parametrize("moment", [640, 2048, 3333])
def test_a_run_cut_off_anywhere_continues_to_the_same_weights_and_log(moment, whole, monkeypatch):
    from gansmith.runs.recorder import Recorder

    progress = Recorder.progress

    def cut(self, trainer):
        progress(self, trainer)
        if trainer.gan.clock.samples >= moment:
            raise Stop

    with monkeypatch.context() as patched:
        patched.setattr(Recorder, "progress", cut)
        patched.setattr("gansmith.training.trainer.Trainer.checkpoint_due", lambda self: True)
        with pytest.raises(Stop):
            train(out="cut")
    data = toys.points(1024)
    resumed = gansmith.train(data, out="cut", resume="auto", evaluate=False)
    for key, tensor in saved(whole).items():
        assert torch.equal(tensor, saved(resumed)[key]), key
    assert log(whole) == log(resumed)


def test_a_damaged_newest_checkpoint_is_set_aside_and_the_run_continues_from_the_one_before(monkeypatch):
    monkeypatch.setattr("gansmith.training.trainer.Trainer.checkpoint_due", lambda self: True)
    run = train()
    before = saved(run)
    newest = checkpoints(run.checkpoints)[-1]
    newest.write_bytes(newest.read_bytes()[:1000])
    resumed = gansmith.train(toys.points(1024), out="run", resume=True, evaluate=False)
    assert any("damaged" in message["sentence"] for message in resumed.records("messages.jsonl"))
    assert all(torch.equal(tensor, saved(resumed)[key]) for key, tensor in before.items())


def test_a_budget_given_on_resume_extends_the_run():
    run = train()
    longer = gansmith.train(toys.points(1024), out="run", resume=True, samples=6144, evaluate=False)
    assert longer.records("log.jsonl")[-1]["samples"] == 6144
    assert run.folder == longer.folder
    assert gansmith.Run("run").facts["settings"]["samples"] == 6144


@pytest.mark.parametrize("count", [8, 30])
def test_a_handful_of_images_trains_and_what_cannot_be_judged_is_said(count):
    run = train(toys.images(count), gan="dcgan", options=toys.SMALL["dcgan"], samples=256, batch=4, evaluate=True)
    assert (run.folder / "report.html").exists()
    assert run.judgement is None and "Not judged" in run.records("messages.jsonl")[-1]["sentence"]


def test_how_the_data_were_read_is_told(tmp_path, capsys):
    images = np.random.default_rng(0).integers(0, 256, (40, 8, 8), np.uint8)
    np.savez("odd.npz", pictures=images, labels=np.arange(40) % 2)
    run = train("odd.npz", gan="dcgan", options=toys.SMALL["dcgan"], samples=64, batch=4, evaluate=False)
    (told,) = (message["sentence"] for message in run.records("messages.jsonl"))
    assert told == 'The array "pictures" is taken for the images.'


def test_data_from_python_are_kept_to_judge_with_and_can_be_given_again_later():
    images = np.random.default_rng(0).integers(0, 256, (200, 8, 8), np.uint8)
    run = train(images, gan="dcgan", options=toys.SMALL["dcgan"], samples=64, batch=4, evaluate=False)
    assert [score.name.partition("[")[0] for score in run.evaluate(metrics=["precision"]).scores] == ["precision"]
    later = gansmith.Run(run.folder)
    with pytest.raises(UserError, match="came from Python and are not on disk: give them again"):
        later.evaluate(metrics=["precision"])
    assert [score.name.partition("[")[0] for score in later.evaluate(data=images, metrics=["precision"]).scores] == ["precision"]


def test_two_trainings_never_write_to_one_folder():
    from gansmith.runs.lock import RunLock

    lock = RunLock(Path("run"))
    with pytest.raises(UserError, match="another training is writing to run: let it end or stop it, or choose another --out"):
        train()
    assert not Path("run/run.json").exists()
    lock.release()
    run = train()
    lock = RunLock(run.folder)
    with pytest.raises(UserError, match="another training is writing to run"):
        gansmith.train(toys.points(1024), out="run", resume=True)
    lock.release()


def test_too_few_examples_are_refused_in_a_sentence():
    with pytest.raises(UserError, match="at least 8 examples, but squares has 7"):
        train(toys.images(7), gan="dcgan", options=toys.SMALL["dcgan"])


@pytest.mark.parametrize("resume", [True, "auto"])
def test_resume_refuses_other_options_and_takes_the_same(resume):
    same = {"gan": "gan", "batch": 64, "options": {"width": 32}, "mirror": False, "seed": 3, "judge_metrics": ["coverage"]}
    gansmith.train(toys.points(512), out="same", samples=128, evaluate=False, **same)
    gansmith.train(toys.points(512), out="same", samples=256, evaluate=False, resume=resume, **same)
    for name, value, said in (
        ("batch", 8, "--batch 64, and 8 came"),
        ("gan", "dcgan", "--gan gan, and dcgan came"),
        ("preset", "nonsense", "--preset "),
        ("mirror", True, "--mirror False, and True came"),
        ("seed", 4, "--seed 3, and 4 came"),
        ("accumulate", 2, "--accumulate 1, and 2 came"),
        ("compile", True, "--compile False, and True came"),
        ("options", {"width": 16}, "--gan.width 32, and 16 came"),
        ("judge_metrics", ["recall"], "--judge-metrics ['coverage'], and ['recall'] came"),
        ("keep_best", "coverage", "--keep-best None, and coverage came"),
    ):
        with pytest.raises(UserError) as refused:
            gansmith.train(toys.points(512), out="same", evaluate=False, resume=resume, **{**same, name: value})
        assert f"same was begun with {said}" in str(refused.value)


def test_resume_refuses_changed_data_and_a_missing_run():
    train()
    with pytest.raises(UserError, match="data have changed"):
        gansmith.train(toys.points(1000), out="run", resume=True)
    with pytest.raises(UserError, match="no run to continue"):
        gansmith.train(toys.points(1024), out="nowhere", resume=True)


def test_a_folder_that_holds_a_run_is_not_overwritten():
    train()
    with pytest.raises(UserError, match="already holds a run"):
        train()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_an_unwritable_folder_is_a_sentence(tmp_path):
    tmp_path.chmod(stat.S_IREAD | stat.S_IEXEC)
    with pytest.raises(UserError, match="could not be written"):
        train()


def test_a_full_disk_while_training_is_a_sentence_and_the_run_continues_afterwards(monkeypatch):
    import errno

    from gansmith.data import atomic

    fsync, calls = os.fsync, []

    def filling(handle):
        calls.append(handle)
        if len(calls) > 60:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(handle)

    with monkeypatch.context() as patched:
        patched.setattr(atomic.os, "fsync", filling)
        patched.setattr("gansmith.training.trainer.Trainer.checkpoint_due", lambda self: True)
        with pytest.raises(UserError, match="No space left"):
            train(out="full")
    resumed = gansmith.train(toys.points(1024), out="full", resume="auto", evaluate=False)
    whole = train(out="whole")
    assert all(torch.equal(tensor, saved(resumed)[key]) for key, tensor in saved(whole).items())


def test_a_model_generates_with_no_data_at_hand_and_the_same_for_the_same_seed(tmp_path):
    run = train(toys.images(classes=3), gan="dcgan", options=toys.SMALL["dcgan"], samples=512)
    assert len(gansmith.load(run).generate(2)) == 2
    moved = tmp_path / "elsewhere"
    run.model_folder.rename(moved)
    model = gansmith.load(moved)
    a, b, c = model.sample(300, seed=1), model.sample(300, seed=1), model.sample(300, seed=2)
    assert torch.equal(a["image"], b["image"]) and not torch.equal(a["image"], c["image"])
    assert {picture.label for picture in model.generate(5, **{"class": "2"})} == {"2"}
    assert model.card["data"] == "squares" and model.card["samples"] == 512
    facts = json.loads((moved / "model.json").read_text())
    assert facts["gan"] == "dcgan" and facts["format"] == 1


def test_a_newer_or_damaged_model_is_refused_in_a_sentence():
    run = train(samples=512)
    path = run.model_folder / "model.json"
    facts = json.loads(path.read_text())
    del facts["sha256"]  # which a change would break
    path.write_text(json.dumps({**facts, "format": 99}))
    with pytest.raises(UserError, match="newer gansmith"):
        gansmith.load(run.folder)
    path.write_text("{")
    with pytest.raises(UserError, match="damaged"):
        gansmith.load(run.folder)
    with pytest.raises(UserError, match="holds no model"):
        gansmith.load("nothing")


def test_a_model_is_loaded_from_the_hub_and_its_absence_is_a_sentence(monkeypatch):
    run = train(samples=512)

    class Hub:
        @staticmethod
        def snapshot_download(name, allow_patterns):
            if name != "somebody/clusters":
                raise RuntimeError("404: not found.\nAn error happened, whose story is long.")
            return str(run.model_folder)

    monkeypatch.setitem(sys.modules, "huggingface_hub", Hub)
    assert len(gansmith.load("somebody/clusters").generate(3)) == 3
    with pytest.raises(
        UserError,
        match=r"neither a folder here nor could it be fetched from the hub \(404: not found\): check the name and the connection\.$",
    ):
        gansmith.load("nobody/nothing")
    Path("runs/digits-0001").mkdir(parents=True)
    with pytest.raises(UserError, match=r'There is no folder runs/digits-0002 \(did you mean "digits-0001"\?\): give that of'):
        gansmith.load("runs/digits-0002")
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(UserError, match="gansmith\\[hub\\]"):
        gansmith.load("nobody/nothing")


def test_anybodys_samples_are_judged():
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(600, 2)), rng.normal(size=(200, 2))
    judgement = gansmith.evaluate(real=real, fake=fake, metrics=["frechet", "coverage"])
    assert judgement["frechet"].value < judgement["frechet"].baseline + 0.5
    with pytest.raises(UserError, match="--real and --fake"):
        gansmith.evaluate(real=real)


def test_judging_samples_of_other_sizes_says_at_which_size(monkeypatch, tmp_path):
    monkeypatch.setenv("GANSMITH_CACHE", str(tmp_path))
    rng = np.random.default_rng(0)
    real = rng.integers(0, 256, (120, 12, 16, 3), np.uint8)
    fake = [Image.fromarray(pixels) for pixels in rng.integers(0, 256, (40, 9, 9, 3), np.uint8)]
    said = gansmith.evaluate(real=real, fake=fake, metrics=["vendi"], resolution=8)
    assert said.notes == (
        "real: Images of one other size are brought to 8x8 (center).",
        "fake: Images of one other size are brought to 8x8 (center).",
    )
    assert said.to_json()["notes"] == list(said.notes) and said.notes[1] in str(said.table().caption)
    alike = gansmith.evaluate(real=real, fake=real[:40], metrics=["vendi"])
    assert alike.notes == ()


def test_a_run_on_data_from_python_says_that_they_are_needed_again():
    run = gansmith.Run(train(toys.points(1024)).folder)
    with pytest.raises(UserError, match="came from Python"):
        run.evaluate()


def test_inspection_says_what_would_be_trained():
    suggestion = gansmith.inspect(np.random.default_rng(0).integers(0, 255, (64, 8, 8), np.uint8)).suggestion
    assert suggestion is not None and "r3gan" in suggestion and "samples a second" in suggestion


def test_data_are_mirrored_when_asked():
    run = train(toys.images(), gan="dcgan", options=toys.SMALL["dcgan"], samples=256, mirror=True)
    assert run.facts["mirror"] is True


def test_a_disk_that_is_full_at_the_report_is_not_called_done(monkeypatch):
    said = []

    class Listening(Watcher):
        def finished(self, end: str) -> None:
            said.append(end)

    def full(run):
        raise OSError(28, "No space left on device", "run/report.html")

    monkeypatch.setattr(gansmith.runs.run.Run, "report", full)
    with pytest.raises(OSError, match="No space"):
        train(watchers=[Listening()])
    assert said == ["It could not go on."]


def test_of_pairs_one_is_made_of_each_held_out_input_whatever_the_metric(monkeypatch):
    data = toys.pairs(40, scale=2)
    training, held_out = api.split(data)
    model = Model(toys.small("srgan", data).eval(), data.codec, {"gan": "srgan", "data": "negatives"}, held_out)
    monkeypatch.setattr("gansmith.evaluation.judge.judge", lambda fake, *_, **__: len(fake))
    assert [judging._judged(model, training, held_out, metrics=[name])[1] for name in ("psnr", "fid")] == [8, 8]


def test_judging_says_what_it_measures_and_can_be_skipped(tmp_path, monkeypatch):
    class Listening(Watcher):
        def __init__(self) -> None:
            self.told = []

        def judging(self, metrics, number, total):
            self.told.append((list(metrics), number, total))
            if len(self.told) == 3:
                raise KeyboardInterrupt

    points = np.random.default_rng(0).normal(size=(300, 2)).astype(np.float32)
    listening = Listening()
    run = gansmith.train(points, gan="gan", samples=128, out=tmp_path / "run", threads=1, watchers=[listening])
    assert run.judgement is None and len(run.generate(3)) == 3 and (run.folder / "report.html").exists()
    assert [number for _, number, _ in listening.told] == [1, 2, 3] and len({total for *_, total in listening.told}) == 1
    assert any("Judging was stopped" in record["sentence"] for record in run.records("messages.jsonl"))
