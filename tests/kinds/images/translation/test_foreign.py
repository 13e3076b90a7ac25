"""Weights go to other programs and come from them, through spandrel where it is installed."""

import importlib.util
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gansmith.cli import main
from gansmith.errors import UserError
from gansmith.export import export
from gansmith.kinds.images.translation.foreign import Restoring, foreign
from gansmith.kinds.images.translation.pictures import translate_picture
from gansmith.model import Model
from tests import toys

WIDE = {"growth": 32}
needs_spandrel = pytest.mark.skipif(
    not importlib.util.find_spec("spandrel") or not importlib.util.find_spec("einops"), reason="spandrel is not installed"
)


@pytest.fixture(autouse=True)
def torchvision(monkeypatch: pytest.MonkeyPatch) -> None:
    """spandrel imports two functions of torchvision for networks that these tests do not use."""
    if importlib.util.find_spec("torchvision"):
        return
    for name in ("torchvision", "torchvision.transforms", "torchvision.transforms.functional"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    functional = sys.modules["torchvision.transforms.functional"]
    for name in ("InterpolationMode", "rotate", "normalize"):
        setattr(functional, name, None)


def exported(gan: str, tmp_path: Path, scale: int = 2, **options) -> tuple[Model, Path]:
    torch.manual_seed(0)
    data = toys.pairs(scale=scale)
    model = Model(toys.small(gan, data, **options).eval(), data.codec, {"gan": gan, "data": "negatives"})
    for parameter in model.gan.players["generator"].averaged.parameters():
        parameter.data.add_(0.05 * torch.randn_like(parameter))
    return model, export(model, "weights", tmp_path)


@needs_spandrel
@pytest.mark.parametrize(
    ("gan", "scale", "options"),
    [("esrgan", 1, WIDE), ("esrgan", 2, WIDE), ("esrgan", 4, WIDE), ("real_esrgan", 2, WIDE), ("srgan", 4, {"compact": True})],
    ids=str,
)
def test_what_we_write_is_recognised_and_makes_what_ours_makes(gan: str, scale: int, options: dict, tmp_path: Path):
    ours, path = exported(gan, tmp_path, scale, **options)
    theirs = foreign(path)
    assert theirs.card["gan"] == ("RealESRGAN Compact" if gan == "srgan" else "ESRGAN") and theirs.gan.scale == scale
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (13, 18, 3), np.uint8))
    made = [np.asarray(translate_picture(model, picture), np.int64) for model in (ours, theirs)]
    assert made[0].shape == (13 * scale, 18 * scale, 3)
    inner = (slice(None, -8 * scale), slice(None, -8 * scale))  # both pad what is no multiple, but not alike
    assert np.abs(made[0][inner] - made[1][inner]).max() <= 1


@needs_spandrel
def test_the_command_takes_weights_in_place_of_a_run(tmp_path: Path):
    _, path = exported("esrgan", tmp_path, growth=32)
    Image.new("RGBA", (10, 7), (200, 100, 0, 90)).save(tmp_path / "photo.png")
    command = ["translate", "--weights", str(path), str(tmp_path / "photo.png"), "--out", str(tmp_path / "out"), "--tile", "16"]
    assert main([*command, "--device", "cpu"]) == 0
    with Image.open(tmp_path / "out/photo.png") as made:
        assert made.size == (20, 14) and made.mode == "RGBA"


@needs_spandrel
def test_files_that_hold_no_such_weights_are_named(tmp_path: Path):
    torch.save({"layer.weight": torch.zeros(3)}, tmp_path / "other.pth")
    with pytest.raises(UserError, match=r"other.pth holds no weights that spandrel .* knows"):
        foreign(tmp_path / "other.pth")


def test_without_spandrel_the_command_that_installs_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "spandrel", None)
    (tmp_path / "x.pth").write_bytes(b"")
    with pytest.raises(UserError, match=r'run pip install "gansmith\[foreign\]"'):
        foreign(tmp_path / "x.pth")
    with pytest.raises(UserError, match="there is no file"):
        foreign(tmp_path / "absent.pth")


def test_networks_get_the_sides_that_they_ask_for_and_results_are_cropped():
    class Picky(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            assert x.shape[2] == x.shape[3] and x.shape[2] % 8 == 0 and x.shape[2] >= 16 and x.min() >= 0 and x.max() <= 1
            return x.repeat_interleave(2, 2).repeat_interleave(2, 3)

    restoring = Restoring(Picky(), scale=2, smallest=16, multiple=8, square=True)
    for height, width in ((3, 5), (17, 9), (16, 16)):
        x = torch.rand(1, 3, height, width) * 2 - 1
        torch.testing.assert_close(restoring(x), x.repeat_interleave(2, 2).repeat_interleave(2, 3))


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["translate", "runs/x"], "came runs/x alone"),
        (["translate", "--weights", "w.pth", "a", "b"], "came --weights, a and b"),
        (["translate", "--weights", "w.pth", "a.png"], "there is no file w.pth"),
    ],
)
def test_mistakes_at_the_command_are_answered_in_a_sentence(argv: list[str], sentence: str, capsys: pytest.CaptureFixture[str]):
    assert main(argv) == 2
    said = capsys.readouterr().err
    assert sentence in said and said.count("\n") == 1


def test_networks_that_others_do_not_know_are_refused(tmp_path: Path):
    with pytest.raises(UserError, match="srgan makes no network whose weights other programs know"):
        exported("srgan", tmp_path)
    with pytest.raises(UserError, match="growth 32, but these have 4"):
        exported("esrgan", tmp_path)
