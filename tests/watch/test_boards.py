import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gansmith.errors import UserError
from gansmith.watch.alarms import QUIET, Alarms
from gansmith.watch.scalars import evaluation_scalars, tick_scalars
from gansmith.watch.tensorboard import TensorBoard
from gansmith.watch.wandb import WandB
from gansmith.watch.watcher import Watcher

COLLAPSE = {"level": "warning", "name": "collapse", "sentence": "Few modes."}
TICK = {
    "samples": 200,
    "seconds": 2.0,
    "examples_per_second": 100.0,
    "terms": {"critic/relativistic": 0.5, "critic/r1": float("nan")},
    "gradient_norms": {"critic": 0.25},
    "learning_rates": {"critic": 1e-3},
    "memory_mb": None,
    "health": [COLLAPSE],
}
SCORE = {
    "samples_seen": 200,
    "name": "precision[cnn]",
    "value": 0.75,
    "low": 0.5,
    "high": 1.0,
    "baseline": None,
    "ceiling": 0.875,
}


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    Image.fromarray(np.zeros((4, 6), np.uint8)).save(tmp_path / "000200.png")
    return tmp_path / "000200.png"


def play(watcher: Watcher, picture: Path) -> None:
    """Everything a watcher can hear, once."""
    watcher.started({"name": "digits-0001", "config": {"width": 3}})
    watcher.progress(100, 1000, 1.0)
    watcher.tick(TICK)
    watcher.preview(200, picture)
    watcher.evaluation([SCORE])
    watcher.message("A word.")
    watcher.finished("Done.")


def test_a_watcher_that_overrides_nothing_hears_everything_in_silence(picture, capsys):
    class Silent(Watcher):
        pass

    play(Silent(), picture)
    assert capsys.readouterr() == ("", "")


def test_scalars_have_flat_names_and_are_finite():
    assert tick_scalars(TICK) == {
        "critic/relativistic": 0.5,
        "gradient_norms/critic": 0.25,
        "learning_rates/critic": 1e-3,
        "machine/examples_per_second": 100.0,
        "machine/seconds": 2.0,
    }
    name = "scores/precision[cnn]"
    assert evaluation_scalars(SCORE) == {name: 0.75, f"{name}/low": 0.5, f"{name}/high": 1.0, f"{name}/ceiling": 0.875}


def test_an_alarm_counts_again_after_it_was_gone_for_long_and_not_while_it_lasts():
    alarms = Alarms()
    pattern = [1, 1, *[0, 0, 0, 0, 1] * 2, *[0] * QUIET, 1]
    told = [len(alarms.raised({"health": [COLLAPSE] * raised})) for raised in pattern]
    assert told == [1, *[0] * (len(pattern) - 2), 1]


def test_tensorboard_gets_every_scalar_at_its_samples(tmp_path, picture):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    play(TensorBoard(tmp_path / "events"), picture)
    read = EventAccumulator(str(tmp_path / "events"))
    read.Reload()
    scalars = tick_scalars(TICK) | evaluation_scalars(SCORE)
    assert set(read.Tags()["scalars"]) == set(scalars)
    for name, value in scalars.items():
        (event,) = read.Scalars(name)
        assert event.step == 200 and event.value == pytest.approx(value)
    (image,) = read.Images("samples")
    assert (image.width, image.height, image.step) == (6, 4, 200)
    assert {"run/text_summary", "health/collapse/text_summary", "messages/text_summary"} <= set(read.Tags()["tensors"])


def test_a_resumed_run_replaces_what_tensorboard_had_beyond_it(tmp_path, picture):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    play(TensorBoard(tmp_path / "events"), picture)
    resumed = TensorBoard(tmp_path / "events", resumed_at=150)
    resumed.tick(TICK | {"samples": 160})
    resumed.finished("Done.")
    read = EventAccumulator(str(tmp_path / "events"))
    read.Reload()
    assert [event.step for event in read.Scalars("critic/relativistic")] == [160]


class FakeWandB(SimpleNamespace):
    """Writes down what it is asked."""

    class Error(Exception):
        pass

    def __init__(self, refusal: str | None = None) -> None:
        self.refusal, self.calls = refusal, []
        self.summary: dict[str, Any] = {}

    def init(self, **arguments: Any) -> "FakeWandB":
        if self.refusal:
            raise self.Error(self.refusal)
        self.calls.append(("init", arguments))
        return self

    def define_metric(self, name: str, **arguments: Any) -> None:
        self.calls.append(("define_metric", (name, arguments)))

    def log(self, values: dict[str, Any]) -> None:
        self.calls.append(("log", values))

    def alert(self, **arguments: str) -> None:
        self.calls.append(("alert", arguments))

    def Image(self, path: str) -> str:  # noqa: N802
        return f"image of {path}"

    def Audio(self, path: str) -> str:  # noqa: N802
        return f"sound of {path}"

    def Html(self, text: str) -> str:  # noqa: N802
        return f"page of {text}"

    def finish(self) -> None:
        self.calls.append(("finish", None))


def test_wandb_gets_everything_over_samples(tmp_path, picture, monkeypatch):
    fake = FakeWandB()
    monkeypatch.setitem(sys.modules, "wandb", fake)
    play(WandB(tmp_path), picture)
    logs = [values for name, values in fake.calls if name == "log"]
    assert logs == [
        {"samples": 200} | tick_scalars(TICK),
        {"samples": 200, "pictures": f"image of {picture}"},
        {"samples": 200} | evaluation_scalars(SCORE),
    ]
    start = fake.calls[0]
    assert start[0] == "init" and start[1]["project"] == "gansmith" and start[1]["config"]["config"] == {"width": 3}
    assert ("define_metric", ("*", {"step_metric": "samples"})) in fake.calls
    assert ("alert", {"title": "collapse", "text": "Few modes."}) in fake.calls
    assert fake.calls[-1][0] == "finish" and fake.summary == {"ended": "Done."}
    json.dumps(logs)


def test_wandb_gets_the_sounds_and_texts_beside_a_picture_and_nothing_that_it_cannot_show(tmp_path, picture, monkeypatch):
    fake = FakeWandB()
    monkeypatch.setitem(sys.modules, "wandb", fake)
    for name, content in {"0.wav": b"", "a.txt": b"<b>", "0.mid": b""}.items():
        (tmp_path / f"000200.{name}").write_bytes(content)
    (tmp_path / "0002001.0.wav").write_bytes(b"of another picture")
    board = WandB(tmp_path)
    board.started({"name": "x"})
    board.preview(200, picture)
    media = {"media/0.wav": f"sound of {tmp_path / '000200.0.wav'}", "media/a.txt": "page of <pre>&lt;b&gt;</pre>"}
    assert fake.calls[-1] == ("log", {"samples": 200, "pictures": f"image of {picture}", **media})


def test_wandb_that_refuses_to_start_is_answered_in_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", FakeWandB(refusal="api_key not configured"))
    with pytest.raises(UserError, match=r"did not start \(api_key not configured\): run wandb login"):
        WandB(tmp_path).started({"name": "x"})


@pytest.mark.parametrize(
    ("watcher", "module", "extra"),
    [(TensorBoard, "torch.utils.tensorboard.writer", "tensorboard"), (WandB, "wandb", "wandb")],
)
def test_a_missing_package_is_answered_with_the_command_that_installs_it(tmp_path, monkeypatch, watcher, module, extra):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UserError, match=rf'run pip install "gansmith\[{extra}\]"'):
        watcher(tmp_path)
