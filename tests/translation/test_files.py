import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

from gansmith import videos
from gansmith.errors import UserError
from gansmith.model import Model
from gansmith.translation.files import inputs_in, outputs_for, translate_file
from gansmith.translation.page import write_page
from tests import toys


@pytest.fixture
def model() -> Model:
    torch.manual_seed(0)
    data = toys.pairs(scale=2)
    return Model(toys.small("srgan", data).eval(), data.codec, {"gan": "srgan", "data": "negatives"})


def picture(path: Path, size: tuple[int, int] = (6, 4)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (200, 30, 30)).save(path)
    return path


def test_folders_are_kept_and_no_two_results_have_one_name(tmp_path: Path):
    for name in ("x/a.png", "x/a.jpg", "b.webp", "x/10.png", "x/9.png"):
        picture(tmp_path / "in" / name)
    inputs = inputs_in(tmp_path / "in")
    outputs = outputs_for(inputs, tmp_path / "in", tmp_path / "out")
    assert [path.relative_to(tmp_path / "out").as_posix() for path in outputs] == [
        "b.png",
        "x/9.png",
        "x/10.png",
        "x/a.jpg.png",
        "x/a.png.png",
    ]


def test_an_input_is_never_overwritten(tmp_path: Path):
    own = picture(tmp_path / "a.png")
    with pytest.raises(UserError, match=r"a.png would be overwritten"):
        outputs_for([own], own, tmp_path)


def test_pictures_become_png_and_animations_stay_animations(tmp_path: Path, model: Model):
    frames = [Image.new("RGB", (6, 4), (value, 0, 0)) for value in (0, 120, 250)]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:], duration=70)
    picture(tmp_path / "still.jpg")
    inputs = inputs_in(tmp_path)
    outputs = outputs_for(inputs, tmp_path, tmp_path / "out")
    for given, made in zip(inputs, outputs, strict=True):
        translate_file(model, given, made)
    with Image.open(tmp_path / "out/moving.gif") as moving, Image.open(tmp_path / "out/still.png") as still:
        assert moving.n_frames == 3 and moving.size == (12, 8) and moving.info["duration"] == 70
        assert still.size == (12, 8)


def test_a_video_without_ffmpeg_is_refused_in_a_sentence(tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "film.mp4").write_bytes(b"film")
    monkeypatch.setattr(videos.shutil, "which", lambda name: None)
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(UserError, match=r"no ffmpeg on the PATH, so reading the video film.mp4 needs .* \"gansmith\[video\]\""):
        translate_file(model, tmp_path / "film.mp4", tmp_path / "out/film.mp4")


def test_a_video_stays_a_video_of_as_many_frames(tmp_path: Path, model: Model):
    with videos.VideoWriter(tmp_path / "film.mp4", rate="12") as film:
        for value in (0, 120, 250):
            film.write(Image.new("RGB", (6, 4), (value, 0, 0)))
    translate_file(model, tmp_path / "film.mp4", tmp_path / "out/film.mp4")
    assert videos.frame_rate(tmp_path / "out/film.mp4") == "12"
    assert [frame.size for frame in videos.frames(tmp_path / "out/film.mp4", "12")] == [(12, 8)] * 3


def test_what_is_no_picture_is_named(tmp_path: Path, model: Model):
    (tmp_path / "a.png").write_bytes(b"text")
    with pytest.raises(UserError, match=r"a.png cannot be read as a picture"):
        translate_file(model, tmp_path / "a.png", tmp_path / "out/a.png")
    with pytest.raises(UserError, match="there is no file or folder"):
        inputs_in(tmp_path / "absent")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no pictures and no videos"):
        inputs_in(tmp_path / "empty")


def test_the_page_shows_input_output_and_target_and_needs_no_other_file(tmp_path: Path):
    inputs = [picture(tmp_path / f"in/{name}.png") for name in ("a&b", "c")]
    outputs = [picture(tmp_path / f"out/{path.name}") for path in inputs]
    picture(tmp_path / "targets/c.png")
    write_page(tmp_path / "index.html", inputs, outputs, tmp_path / "targets", "a <title>")
    text = (tmp_path / "index.html").read_text()
    assert text.count("<img") == 5 and text.count("data:image/png;base64,") == 5
    assert "<th>target</th>" in text and "a &lt;title&gt;" in text and "a&amp;b.png" in text
    assert "http" not in text
