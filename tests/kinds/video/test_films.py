"""Pictures moved by films, and films translated: from Python, from the command line, and what is refused."""

import json
from fractions import Fraction

import numpy as np
import pytest
import torch

from gansmith import cli
from gansmith.data.film_writer import VideoWriter
from gansmith.data.readers import films
from gansmith.errors import UserError
from gansmith.kinds.video.clip import Clip
from gansmith.kinds.video.writers import save_animation
from gansmith.model import Model
from tests import toys


def model_of(name, toy):
    torch.manual_seed(0)
    data = toys.every()[toy]
    return Model(toys.small(name, data).eval(), data.codec, {"gan": name})


@pytest.fixture(scope="module")
def mover():
    model = model_of("firstorder", "pictures and films")
    with torch.no_grad():  # an untrained network finds the middle everywhere
        model.gan.generator.averaged.detector.heat.weight.mul_(20)
        model.gan.generator.averaged.painter.last.bias[-1] = 9.0  # what is seen of the picture stays
    return model


@pytest.fixture(scope="module")
def translator():
    return model_of("vid2vid", "film pairs")


@pytest.fixture(scope="module")
def pairs():
    data = toys.every()["film pairs"]
    return data.codec.decode(data.batch(slice(0, 12, 3)))


@pytest.fixture(scope="module")
def clips():
    data = toys.every()["pictures and films"]
    return [raw.b for raw in data.codec.decode(data.batch(slice(0, 12, 3)))]


def test_a_picture_follows_a_driver_of_any_length(mover, clips):
    driver = Clip(np.concatenate([clips[1].frames, clips[1].frames[::-1]]), 5.0)
    made = mover.translate(clips[0].images()[0], driver=driver)
    assert made.frames.shape == (8, 16, 16, 3) and made.rate == 5
    there = mover.translate(clips[0].images()[0], driver=driver, absolute=True)
    assert (made.frames != there.frames).any()
    still = Clip(clips[1].frames[:1].repeat(3, 0))
    moved = mover.translate(clips[0].images()[0], driver=still)  # a driver that stands still moves nothing
    assert (moved.frames == moved.frames[:1]).all()
    np.testing.assert_array_equal(moved.frames[0], made.frames[0])


def test_frame_by_frame_is_what_generate_makes_of_the_whole(mover, translator, pairs, clips):
    picture = clips[0].images()[0]
    whole = torch.from_numpy(np.concatenate([clips[0].frames[:1], clips[1].frames])).permute(0, 3, 1, 2).float()[None] / 127.5 - 1
    with torch.inference_mode():
        made = mover.gan.generate(1, {"a": whole}, rng=torch.Generator())["b"]
    expected = made[0].add(1).mul(127.5).round().clamp(0, 255).permute(0, 2, 3, 1).numpy()
    np.testing.assert_allclose(mover.translate(picture, driver=clips[1]).frames, expected, atol=1)
    given = translator.codec.a.encode(pairs[0].a)["video"]
    with torch.inference_mode():
        made = translator.gan.generate(1, {"a": given}, rng=torch.Generator())["b"]
    expected = made[0].add(1).mul(127.5).round().clamp(0, 255).permute(0, 2, 3, 1).numpy()
    np.testing.assert_allclose(translator.translate(pairs[0].a).frames, expected, atol=1)


def test_a_film_of_any_length_and_size_is_translated_and_little_is_remembered(translator, pairs):
    film = Clip(np.concatenate([pair.a.frames for pair in pairs] * 3), 12.0)
    made = translator.translate(film)
    assert made.frames.shape == (48, 16, 16, 3) and made.rate == 12
    large = Clip(film.frames[:4].repeat(3, 1).repeat(2, 2), 12.0)
    assert translator.translate(large).frames.shape == (4, 16, 16, 3)
    assert translator.translate(large, own_size=True).frames.shape == (4, 48, 32, 3)
    step = translator.gan.stream()
    with torch.inference_mode():
        for _ in range(6):
            step(torch.zeros(1, 1, 16, 16))
    (memory,) = step.__closure__[step.__code__.co_freevars.index("memory")].cell_contents
    assert len(memory.made) == len(memory.given) == 2


def test_the_commands_keep_rates_times_and_names(mover, translator, pairs, clips, tmp_path, capsys):
    mover.save(tmp_path / "moves" / "model")
    translator.save(tmp_path / "translates" / "model")
    clips[0].images()[0].resize((40, 40)).save(tmp_path / "portrait.png")
    save_animation(clips[1].images(), tmp_path / "dance.webp", 6, True)
    with VideoWriter(tmp_path / "film.mp4", rate=Fraction(12)) as film:
        for pair in pairs:
            for image in pair.a.images():
                film.write(image.resize((32, 32)).convert("RGB"))

    def told(*words):
        assert cli.main(["translate", *map(str, words), "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    found = told(tmp_path / "moves", tmp_path / "portrait.png", "--driver", tmp_path / "dance.webp", "--out", tmp_path / "a.npz")
    assert found["frames"] == 4 and np.load(tmp_path / "a.npz")["video"].shape == (1, 4, 16, 16, 3)
    assert found["rate"] == pytest.approx(6, rel=0.02)
    found = told(tmp_path / "moves", tmp_path / "portrait.png", "--driver", tmp_path / "film.mp4", "--out", tmp_path / "b.mp4")
    assert found["frames"] == 16 and films.Film.open(tmp_path / "b.mp4").rate == 12
    found = told(tmp_path / "translates", tmp_path / "film.mp4", "--out", tmp_path / "c.mp4", "--own-size")
    made = films.Film.open(tmp_path / "c.mp4")
    frames = list(made.frames())
    assert made.rate == 12 and len(frames) == 16 and frames[0][0].size == (32, 32)
    assert [at * float(made.tick) for _, at in frames] == pytest.approx([place / 12 for place in range(16)], abs=2e-3)
    assert told(tmp_path / "translates", tmp_path / "dance.webp", "--out", tmp_path / "d.gif")["frames"] == 4
    assert told(tmp_path / "translates", tmp_path / "dance.webp")["out"].endswith("translated.webp")


@pytest.mark.parametrize(
    ("run", "words", "sentence"),
    [
        ("moves", ["portrait.png"], "name the film with --driver"),
        ("moves", ["portrait.png", "--driver", "portrait.png"], "is a picture that does not move"),
        ("moves", ["dance.webp", "--driver", "dance.webp"], "is a film, where the picture"),
        ("moves", ["portrait.png", "--driver", "nothing.mp4"], "there is no file nothing.mp4"),
        ("moves", ["portrait.png", "--driver", "text.mp4"], "cannot be read as a video"),
        ("moves", ["text.png", "--driver", "dance.webp"], "cannot be read as a picture"),
        ("moves", ["portrait.png", "--driver", "dance.webp", "--loop"], "--loop is for models that begin with a picture"),
        ("moves", ["portrait.png", "--driver", "dance.webp", "--own-size"], "--own-size is for models that translate"),
        ("moves", ["portrait.png", "--driver", "dance.webp", "-n", "2"], "leave --samples out"),
        ("moves", ["portrait.png", "--driver", "dance.webp", "--out", "a.txt"], "ends in .txt"),
        ("translates", ["dance.webp", "--driver", "dance.webp"], "--driver is for models that move pictures"),
        ("translates", ["portrait.png"], "is a picture that does not move"),
        ("translates", ["dance.webp", "--length", "9"], "--length is for models that begin"),
        ("makes", ["portrait.png", "--driver", "dance.webp"], "--driver is for models of motion"),
    ],
)
def test_a_mistake_is_one_sentence(run, words, sentence, mover, translator, clips, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = {"moves": mover, "translates": translator}.get(run) or model_of("motiongan", "clips")
    made.save(tmp_path / run / "model")
    clips[0].images()[0].save("portrait.png")
    save_animation(clips[1].images(), tmp_path / "dance.webp", 6, True)
    (tmp_path / "text.png").write_text("hello")
    (tmp_path / "text.mp4").write_text("hello")
    assert cli.main(["translate", run, *words]) == 2
    assert sentence in capsys.readouterr().err


def test_from_python_a_mistake_is_a_sentence_too(mover, translator, clips, pairs):
    picture = clips[0].images()[0]
    for model, given, how, words in (
        (mover, picture, {}, "a picture and a driver"),
        (mover, picture, {"driver": picture}, "a picture and a driver"),
        (mover, clips[0], {"driver": clips[1]}, "a picture and a driver"),
        (mover, picture, {"driver": clips[1], "frames": 9}, "leave them out"),
        (translator, picture, {}, "a Clip was expected"),
        (translator, picture, {"driver": clips[1]}, "in models of motion, and vid2vid is none"),
        (model_of("motiongan", "clips"), picture, {"driver": clips[1]}, "in models of motion, and motiongan is none"),
    ):
        with pytest.raises(UserError, match=words):
            model.translate(given, **how)
