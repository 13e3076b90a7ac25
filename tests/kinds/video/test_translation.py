"""A picture set in motion, a video continued, a given end, a loop: from Python and from the command line."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from gansmith import cli
from gansmith.errors import UserError
from gansmith.kinds.opening import open_dataset
from gansmith.kinds.video.clip import Clip
from gansmith.kinds.video.translation.making import made_from
from gansmith.kinds.video.writers import save_animation
from gansmith.model import Model
from tests import toys


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    data = toys.every()["labelled clips"]
    return Model(toys.small("motiongan", data), data.codec, {"gan": "motiongan"})


@pytest.fixture(scope="module")
def clips():
    data = toys.every()["labelled clips"]
    return data.codec.decode(data.batch(slice(0, 6)))


def test_a_picture_is_the_first_frame_of_what_is_made_of_it(model, clips):
    picture = clips[0].images()[0]
    made = model.translate(picture, seed=3)
    assert len(made.frames) == 4 and made.rate == 8
    np.testing.assert_array_equal(made.frames[0], np.asarray(picture))
    again, other = model.translate(picture, seed=3), model.translate(picture, seed=4)
    np.testing.assert_array_equal(made.frames, again.frames)
    assert (made.frames != other.frames).any()


def test_a_clip_goes_on_with_all_its_frames_kept_and_as_long_as_asked(model, clips):
    made = model.translate(clips[0], frames=13)
    assert len(made.frames) == 13
    np.testing.assert_array_equal(made.frames[:4], clips[0].frames)


def test_each_of_several_continuations_is_its_own(model, clips):
    made = made_from(model, clips[0], 9, n=3, where={"class": "circle"})
    assert [own.label for own in made] == ["circle"] * 3
    assert (made[0].frames[4:] != made[1].frames[4:]).any()


def test_an_end_is_reached_and_a_loop_has_no_seam(model, clips):
    first, last = clips[0].images()[0], clips[5].images()[-1]
    made = model.translate(first, last=last)
    np.testing.assert_array_equal(made.frames[-1], np.asarray(last))
    loop = model.translate(first, loop=True)
    assert loop.loops and len(loop.frames) == 3  # the fourth would be the first again


@pytest.mark.parametrize(
    ("given", "how", "words"),
    [
        ("no picture", {}, "a picture or a clip"),
        ("clip", {"frames": 3}, "4 are given"),
        ("clip", {"frames": 30, "last": "clip"}, "at most 2 frames"),
    ],
)
def test_what_cannot_be_made_is_a_sentence(model, clips, given, how, words):
    how = {key: clips[0] if value == "clip" else value for key, value in how.items()}
    with pytest.raises(UserError, match=words):
        model.translate(clips[0] if given == "clip" else given, **how)


def test_models_from_noise_alone_say_so(clips):
    data = toys.every()["labelled clips"]
    for name, options in (("mocogan", {}), ("motiongan", {"given": 0.0})):
        with pytest.raises(UserError, match="from noise alone"):
            Model(toys.small(name, data, **options), data.codec, {"gan": name}).translate(clips[0])


def test_the_command_makes_videos_of_pictures_and_goes_on_with_videos(model, clips, tmp_path, capsys):
    model.save(tmp_path / "run" / "model")
    clips[0].images()[0].resize((40, 40)).save(tmp_path / "start.png")
    Image.new("RGB", (16, 16), "red").save(tmp_path / "end.png")
    save_animation(clips[1].images(), tmp_path / "start.webp", 8, False)

    def told(*words):
        assert cli.main(["translate", str(tmp_path / "run"), *map(str, words), "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    found = told(
        tmp_path / "start.png", "--until", tmp_path / "end.png", "--out", tmp_path / "a.npz", "-n", 2, "--where", "class=circle"
    )
    arrays = np.load(tmp_path / "a.npz")
    assert found["frames"] == 4 and arrays["video"].shape == (2, 4, 16, 16, 3)
    assert (arrays["video"][:, -1] == [255, 0, 0]).all()
    assert told(tmp_path / "start.webp", "--continue", "1s", "--out", tmp_path / "b.webp")["frames"] == 12
    made = open_dataset(tmp_path / "b.webp", kind="video", cache=tmp_path / "c", frames=12)
    np.testing.assert_array_equal(made.arrays["video"][0][:4].transpose(0, 2, 3, 1), clips[1].frames)
    assert told(tmp_path / "start.png", "--length", "2s", "--out", tmp_path / "c.gif")["frames"] == 16
    assert told(tmp_path / "start.png", "--loop")["out"].endswith("translated.webp")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nothing.png"], "there is no file"),
        (["text.png"], "cannot be read as a picture or a video"),
        (["start.png", "--out", "a.txt"], "ends in .txt"),
        (["start.png", "--length", "soon"], "such as 24 or 2s"),
        (["start.png", "--continue", "0s"], "such as 24 or 2s"),
        (["start.png", "--loop", "--length", "9"], "--loop leads back"),
        (["start.png", "--length", "9", "--continue", "9"], "leave one out"),
    ],
)
def test_a_mistake_is_one_sentence(words, sentence, model, clips, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model.save(tmp_path / "run" / "model")
    clips[0].images()[0].save("start.png")
    (tmp_path / "text.png").write_text("hello")
    assert cli.main(["translate", "run", *words]) == 2
    assert sentence in capsys.readouterr().err


def test_a_clip_made_in_stretches_begins_each_with_the_end_of_the_last(model, clips):
    made = made_from(model, Clip(clips[0].frames[:1]), 12)[0]
    assert len(made.frames) == 12 and np.abs(np.diff(made.frames.astype(int), axis=0)).max() > 0
