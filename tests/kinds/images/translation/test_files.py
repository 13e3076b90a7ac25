import csv
import json
import os
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gansmith.cli import main
from gansmith.data.film_writer import VideoWriter
from gansmith.data.readers import films as videos
from gansmith.errors import UserError
from gansmith.kinds.images.translation.files import inputs_in, outputs_for, suffixes_for, targets_of, translate_file
from gansmith.kinds.images.translation.measures import Translated
from gansmith.kinds.images.translation.page import write_page
from gansmith.model import Model
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


def test_pictures_become_png_and_animations_stay_animations(tmp_path: Path, model: Model):
    frames = [Image.new("RGB", (6, 4), (value, 0, 0)) for value in (0, 120, 250)]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:], duration=70)
    picture(tmp_path / "still.jpg")
    inputs = inputs_in(tmp_path)
    outputs = outputs_for(inputs, tmp_path, tmp_path / "out", suffixes=suffixes_for(model, "b", inputs))
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
    with VideoWriter(tmp_path / "film.mp4", rate=12) as film:
        for value in (0, 120, 250):
            film.write(Image.new("RGB", (6, 4), (value, 0, 0)))
    assert translate_file(model, tmp_path / "film.mp4", tmp_path / "out/film.mp4") == []
    made = videos.Film.open(tmp_path / "out/film.mp4")
    assert made.rate == 12
    assert [(frame.size, time * made.tick) for frame, time in made.frames()] == [((12, 8), Fraction(n, 12)) for n in range(3)]


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
    targets = targets_of(inputs, tmp_path / "in", tmp_path / "targets")
    done = [Translated(*each) for each in zip(inputs, outputs, targets, strict=True)]
    write_page(tmp_path / "index.html", done, "a <title>")
    text = (tmp_path / "index.html").read_text()
    assert text.count("<img") == 5 and text.count("data:image/png;base64,") == 5
    assert "<th>target</th>" in text and "a &lt;title&gt;" in text and "a&amp;b.png" in text
    assert "http" not in text


def test_targets_are_found_by_names_without_marks_of_the_scale_and_unclear_ones_refused(tmp_path: Path):
    inputs = [picture(tmp_path / f"lr/{name}x4.png") for name in ("0001", "0002")]
    targets = [picture(tmp_path / f"hr/{name}.png") for name in ("0001", "0002", "0003")]
    assert targets_of(inputs, tmp_path / "lr", tmp_path / "hr") == targets[:2]
    picture(tmp_path / "hr/0001.bmp")
    with pytest.raises(UserError, match=r"0001.bmp, 0001.png in the targets .*hr might each be the partner of 0001x4.png"):
        targets_of(inputs, tmp_path / "lr", tmp_path / "hr")


def test_several_results_of_one_input_stand_in_one_row(tmp_path: Path):
    given, made = picture(tmp_path / "in/a.png"), [picture(tmp_path / f"out/a-{number}.png") for number in (1, 2, 3)]
    write_page(tmp_path / "index.html", [Translated(given, each) for each in made], "three")
    text = (tmp_path / "index.html").read_text()
    assert text.count("<tr>") == 2 and text.count("<img") == 4 and "<th>output 3</th>" in text


def test_names_that_meet_after_the_suffix_is_kept_are_told_apart_too(tmp_path: Path):
    inputs = [tmp_path / name for name in ("a.jpg", "a.webp", "a.jpg.tga", "A.BMP")]
    outputs = outputs_for(inputs, tmp_path, tmp_path / "out")
    assert len({str(path).lower() for path in outputs}) == 4


def test_results_do_not_become_inputs(tmp_path: Path):
    own = picture(tmp_path / "a.png")
    picture(tmp_path / "made/a.png")
    assert inputs_in(tmp_path, tmp_path / "made") == [own]
    with pytest.raises(UserError, match=r"would lie among their inputs"):
        inputs_in(tmp_path, tmp_path)
    assert inputs_in(tmp_path / "made", tmp_path) == [tmp_path / "made/a.png"]
    with pytest.raises(UserError, match=r"--out takes a folder, but .*a.png is a file"):
        outputs_for([own], tmp_path, own)


def test_pipes_and_folders_with_the_names_of_pictures_stop_nothing(tmp_path: Path, run: Path, capsys):
    picture(tmp_path / "in/a.png")
    (tmp_path / "in/b.png").mkdir()
    for name in ("c.gif", "d.mp4", "e.jpg"):
        os.mkfifo(tmp_path / "in" / name)
    assert main(["translate", str(run), str(tmp_path / "in"), "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr()
    assert "1 translated" in said.out and "3 of 4 could not be translated" in said.err and "it is a pipe, not a file" in said.err


def test_arrays_are_inputs_where_there_are_no_pictures(tmp_path: Path):
    np.save(tmp_path / "a.npy", np.zeros((5, 4, 4)))
    assert inputs_in(tmp_path) == [tmp_path / "a.npy"]
    own = picture(tmp_path / "b.png")
    assert inputs_in(tmp_path) == [own]


@pytest.fixture
def run(tmp_path: Path, model: Model) -> Path:
    model.save(tmp_path / "run/model")
    return tmp_path / "run"


def test_of_a_folder_all_that_can_be_translated_is_and_the_rest_is_named(tmp_path: Path, run: Path, capsys):
    picture(tmp_path / "in/a.png")
    picture(tmp_path / "in/sub/c.jpg")
    (tmp_path / "in/b.png").write_bytes(b"text")
    assert main(["translate", str(run), str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--page", "--json"]) == 2
    said = capsys.readouterr()
    assert (
        said.err.splitlines()[-1].startswith("gansmith: 1 of 3 could not be translated: ") and "b.png cannot be read" in said.err
    )
    found = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert found == {"a.png", "sub/c.png", "index.html"}
    assert list(json.loads(said.out)["failed"]) == [str(tmp_path / "in/b.png")]


def test_a_folder_of_which_nothing_can_be_translated_says_why(tmp_path: Path, run: Path, capsys):
    for name in "ab":
        (tmp_path / f"in/{name}.png").parent.mkdir(exist_ok=True)
        (tmp_path / f"in/{name}.png").write_bytes(b"text")
    assert main(["translate", str(run), str(tmp_path / "in"), "--out", str(tmp_path / "out")]) == 2
    assert "none of 2 files could be translated, the first one because " in capsys.readouterr().err


def test_targets_are_compared_in_full_size_beside_the_enlarged_input(tmp_path: Path, run: Path, capsys):
    rng = np.random.default_rng(0)
    for name, (width, height) in {"a": (14, 20), "b": (20, 12)}.items():
        whole = Image.fromarray(rng.integers(0, 256, (height, width, 3), np.uint8))
        for folder, image in (("hr", whole), ("lr", whole.resize((width // 2, height // 2), Image.Resampling.BICUBIC))):
            (tmp_path / folder).mkdir(exist_ok=True)
            image.save(tmp_path / folder / f"{name}.png")
    words = [
        "translate",
        str(run),
        str(tmp_path / "lr"),
        "--out",
        str(tmp_path / "out"),
        "--targets",
        str(tmp_path / "hr"),
        "--json",
    ]
    assert main(words) == 0
    means = json.loads(capsys.readouterr().out)["measures"]
    expected = []
    for name in "ab":
        with Image.open(tmp_path / f"hr/{name}.png") as real, Image.open(tmp_path / f"lr/{name}.png") as small:
            bicubic = np.asarray(small.resize(real.size, Image.Resampling.BICUBIC), float)
            expected.append(10 * np.log10(255**2 / np.square(bicubic - np.asarray(real, float)).mean()))
    assert means["input"]["psnr"] == pytest.approx(np.mean(expected), abs=0.02)
    rows = list(csv.DictReader((tmp_path / "out/measures.csv").read_text().splitlines()))
    assert [Path(row["file"]).name for row in rows] == ["a.png", "b.png"]
    assert np.mean([float(row["ssim_y"]) for row in rows]) == pytest.approx(means["made"]["ssim_y"], rel=1e-4)
    picture(tmp_path / "hr/a.png", (7, 7))
    assert main(words) == 2
    assert "4 files exist (" in capsys.readouterr().err
    assert main([*words, "--overwrite"]) == 0
    said = capsys.readouterr()
    assert "1 not compared: " in said.err and "must have one size, but they have 14x20 and 7x7" in said.err
    assert json.loads(said.out)["measures"]["made"]["psnr"] == pytest.approx(float(rows[1]["psnr"]), rel=1e-5)
    assert main([*words[:6], str(tmp_path / "run")]) == 2
    assert "has no pictures" in capsys.readouterr().err


def test_nothing_that_the_command_reads_and_nothing_that_exists_is_overwritten(tmp_path: Path, run: Path, capsys):
    def translated(*words: str | Path) -> str:
        assert main(["translate", str(run), *map(str, words)]) == 2
        return capsys.readouterr().err

    photo, other = picture(tmp_path / "a.jpg"), picture(tmp_path / "a.png", (9, 9))
    assert "a.png exists and would be overwritten" in translated(photo, "--out", tmp_path)
    assert "a.png is read by this command" in translated(other, "--out", tmp_path, "--overwrite")
    for name in ("lr/a.png", "hr/a.png", "hr/b.png"):
        picture(tmp_path / name)
    before = (tmp_path / "hr/a.png").read_bytes()
    lr, hr = tmp_path / "lr", tmp_path / "hr"
    for words in (("--targets", hr), ("--masks", hr), ("--partner", hr), ("--masks", hr / "a.png")):
        assert "a.png is read by this command" in translated(lr, *words, "--out", hr, "--overwrite")
    (tmp_path / "new").mkdir()
    (tmp_path / "new/index.html").write_text("own")
    assert "index.html exists" in translated(photo, "--page", "--out", tmp_path / "new")
    assert (tmp_path / "hr/a.png").read_bytes() == before and (tmp_path / "new/index.html").read_text() == "own"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jpg", "a.png", "hr", "lr", "new", "run"]


def test_results_may_lie_above_their_folder_and_replace_those_in_the_runs_own(tmp_path: Path, run: Path, monkeypatch):
    picture(tmp_path / "photos/a.jpg")
    monkeypatch.chdir(tmp_path)
    assert main(["translate", "run", "photos/", "--out", "."]) == 0
    with Image.open("a.png") as made:
        assert made.size == (12, 8)
    for _ in range(2):
        assert main(["translate", "run", "photos/"]) == 0
    assert Path("run/translated/a.png").is_file()


def test_a_run_and_an_input_that_were_exchanged_are_told(tmp_path: Path, run: Path, capsys):
    own = picture(tmp_path / "a.png")
    assert main(["translate", str(own), str(run)]) == 2
    assert "a.png is a file, where the folder of a run or a model is expected" in capsys.readouterr().err


def test_a_reference_for_a_model_without_styles_and_one_that_is_no_picture_are_told(tmp_path: Path, run: Path, capsys):
    own = picture(tmp_path / "a.png")
    (tmp_path / "note.txt").write_text("text")
    assert main(["translate", str(run), str(own), "--reference", str(own)]) == 2
    assert capsys.readouterr().err.startswith("gansmith: srgan takes no reference: leave --reference out")
    assert main(["translate", str(run), str(own), "--reference", str(tmp_path / "note.txt")]) == 2
    assert "note.txt cannot be read as a picture" in capsys.readouterr().err
