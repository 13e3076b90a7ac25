"""From text to phonemes, from recordings to the times of phonemes, and the command that speaks."""

import json
import re

import numpy as np
import pytest
import torch

from gansmith import kinds
from gansmith.cli import main
from gansmith.errors import UserError
from gansmith.kinds.audio.metrics import phones
from gansmith.kinds.audio.metrics.spoken import warped_distance
from gansmith.kinds.audio.readers.files import MARK, decoded, wav_bytes
from gansmith.kinds.audio.sound import Sound
from gansmith.kinds.audio.speech import alignment, english, front_ends, letters
from gansmith.kinds.audio.speech.codec import PhonemeCodec, Said
from gansmith.kinds.audio.speech.times import frames_until, phonemes_of, times_of
from gansmith.kinds.audio.speech.transcripts import transcripts
from gansmith.kinds.audio.toys import RATE, spoken
from gansmith.kinds.opening import open_dataset
from gansmith.model import Model
from gansmith.training.seeds import seed_everything
from gansmith.training.trainer import Settings, Trainer
from tests import toys


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("342", "three hundred forty two"),
        ("1,000,001", "one million one"),
        ("the 21st", "the twenty first"),
        ("in 1984", "in nineteen eighty four"),
        ("in 2005", "in two thousand five"),
        ("3.14", "three point one four"),
        ("at 9:30", "at nine thirty"),
        ("$5 & 10%", "five dollars and ten percent"),
        ("Mr. Fox", "mister Fox"),
    ],
)
def test_numbers_signs_and_abbreviations_become_words(text, words):
    assert english.written_out(text).split() == words.split()


def test_words_are_read_by_rules_where_there_is_no_dictionary(monkeypatch):
    monkeypatch.setattr(english, "dictionary", lambda: None)
    assert english.said("nation") == ["N", "EY1", "SH", "AH0", "N"]
    assert english.said("knife") == ["N", "AY1", "F"]
    assert english.said("USB") == letters.spelled("usb") == ["Y", "UW1", "EH1", "S", "B", "IY1"]
    assert english.said("xkcd") == letters.spelled("xkcd")
    assert set(english.phonemes("Jazz quickly vexed five big, fuzzy wizards!")) <= {*english.SYMBOLS, *front_ends.PAUSES}


def test_a_text_begins_and_ends_with_a_pause_and_takes_phonemes_as_they_are():
    assert front_ends.phonemes("[[ HH AH0 L OW1 ]]", "en") == [",", "HH", "AH0", "L", "OW1", "."]
    assert front_ends.phonemes("a b , c !", "phonemes") == [",", "a", "b", ",", "c", "!"]
    assert front_ends.sentences("One. Two? Three") == ["One.", "Two?", "Three"]
    for text, language, says in (("...", "en", "no word"), ("a", "no language", "no language")):
        with pytest.raises(UserError, match=says):
            front_ends.phonemes(text, language)


def test_other_languages_are_read_by_their_packages():
    pytest.importorskip("pypinyin")
    assert front_ends.phonemes("你好。", "zh") == [",", "n", "i3", "h", "ao3", "."]


def test_espeak_reads_german_and_refuses_what_it_does_not_know():
    pytest.importorskip("espeakng_loader")
    assert "".join(front_ends.phonemes("Guten Tag.", "de")).startswith(",ɡuːt")
    with pytest.raises(UserError, match="no language"):
        front_ends.phonemes("a", "qqq")


def test_transcripts_are_read_from_both_kinds_of_tables():
    sounds = ["wavs/a.wav", "wavs/b.wav"]
    lines = "a|Dr. Fox|Doctor Fox\nb|Two.|\n"
    assert transcripts({"metadata.csv": lines}, sounds) == ({"wavs/a.wav": "Doctor Fox", "wavs/b.wav": "Two."}, {})
    said, rest = transcripts({"metadata.csv": 'file_name,text,speaker\nwavs/a.wav,"One, two",x\n'}, sounds)
    assert said == {"wavs/a.wav": "One, two"} and rest["metadata.csv"].splitlines() == [
        '"file_name","speaker"',
        '"wavs/a.wav","x"',
    ]
    labels = {"labels.csv": "file,label\na.wav,dog\n"}
    assert transcripts(labels, sounds) == ({}, labels)
    with pytest.raises(UserError, match="name them by their paths"):
        transcripts({"metadata.csv": "a|x\n"}, ["1/a.wav", "2/a.wav"])


def test_planted_times_are_found():
    """Phonemes as fixed spectra with noise, each for a known number of frames; pauses may be left out."""
    rng = np.random.default_rng(0)
    shapes = rng.normal(size=(5, 20)) * 2
    spectra, phonemes, truth = [], [], []
    for _ in range(30):
        said = rng.permutation(5)[: rng.integers(2, 6)]
        lasting = np.where(said == 4, rng.integers(0, 4, len(said)), rng.integers(3, 9, len(said)))
        clean = np.repeat(shapes[said], lasting, 0).T
        spectra.append(clean + 0.3 * rng.normal(size=clean.shape))
        phonemes.append(said)
        truth.append(lasting)
    found = alignment.aligned(spectra, phonemes, frozenset({4}))
    assert all(own.sum() == lasting.sum() for own, lasting in zip(found, truth, strict=True))
    errors = np.concatenate([np.abs(np.cumsum(own) - np.cumsum(lasting)) for own, lasting in zip(found, truth, strict=True)])
    assert errors.mean() < 0.5
    with pytest.raises(UserError, match="check its text"):
        alignment.aligned([spectra[0][:, :2]], [np.array([0, 1, 2])], frozenset())


def test_the_best_path_is_that_of_a_naive_search():
    """All ways to lay three states over five frames, the middle one of which may be left out."""
    rng = np.random.default_rng(1)
    scores = rng.normal(size=(5, 3))
    path = np.array([0, 1, 2]), np.array([0, 1, 2]), np.array([False, True, False])
    (found,) = alignment._best_paths(scores, [5], [path])
    ways = [(0,) * a + (1,) * b + (2,) * (5 - a - b) for a in range(1, 5) for b in range(5 - a)]
    best = max(ways, key=lambda way: sum(scores[frame, state] for frame, state in enumerate(way)))
    assert tuple(found) == best


def test_warping_costs_what_a_naive_recursion_says():
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(3, 5)), rng.normal(size=(3, 7))
    costs = np.abs(one[:, :, None] - other[:, None]).mean(0)

    def cheapest(i: int, j: int) -> tuple[float, int]:
        if i == j == 0:
            return costs[0, 0], 1
        before = [cheapest(a, b) for a, b in ((i - 1, j - 1), (i - 1, j), (i, j - 1)) if a >= 0 and b >= 0]
        total, steps = min(before)
        return total + costs[i, j], steps + 1

    total, steps = cheapest(4, 6)
    assert warped_distance(one, other) == pytest.approx(total / steps)
    assert warped_distance(one, np.repeat(one, 2, 1)) == pytest.approx(0)


def test_similar_phonemes_stand_for_those_that_were_never_heard():
    spec = spoken().codec.a.spec
    symbols = (*front_ends.PAUSES, "SH", "ZH", "AA0", "AA1", "OY1")
    codec = PhonemeCodec(type(spec)(**{**vars(spec), "symbols": symbols, "language": "en"}), (1, 1, 0, 0, 3, 0, 0, 2, 0))
    numbers, replaced = codec.numbers_of("[[ ZH AA0 ]]")
    assert [symbols[own - 1] for own in numbers] == [",", "SH", "AA1", "."] and replaced == ["ZH", "AA0"]
    with pytest.raises(UserError, match="no phoneme 'XX'"):
        codec.numbers_of("[[ XX ]]")
    with pytest.raises(UserError, match="never said 'OY1'"):
        codec.numbers_of("[[ OY1 ]]")
    raw = Said(("SH", "AA1"), (3, 4))
    assert codec.decode(codec.encode(raw)) == [raw]


@pytest.fixture(scope="module")
def voice(tmp_path_factory):
    """A voice of tones after a short training, and its data."""
    data = toys.every()["said sounds"]
    seed_everything(0)
    gan = toys.small("speech", data, width=32, decoder_width=48, iterations=16, learning_rate=4e-3, critic_begins=0.9)
    trainer = Trainer(gan, data, Settings(batch=16, samples=16 * 150))
    for _ in range(150):
        trainer.play_round()
    folder = tmp_path_factory.mktemp("voice") / "run"
    Model(gan.eval(), data.codec, {"gan": "speech", "samples": 0}).save(folder / "model")
    return folder


def test_the_command_says_phonemes_in_their_order(voice, tmp_path, capsys):
    assert main(["speak", str(voice), "low high low", "--out", str(tmp_path / "a.wav"), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    content = (tmp_path / "a.wav").read_bytes()
    rate, wave = decoded(content, "a.wav")
    assert MARK.encode() in content and rate == RATE and facts["seconds"] == pytest.approx(len(wave) / RATE, abs=1e-3)
    thirds = np.array_split(wave[:, 0][: int(0.9 * len(wave))], 3)
    hertz = [np.fft.rfftfreq(len(own), 1 / RATE)[np.abs(np.fft.rfft(own * np.hanning(len(own)))).argmax()] for own in thirds]
    assert hertz[1] > 400 > hertz[0] and hertz[2] < 400
    assert main(["speak", str(voice), "low high low", "--out", str(tmp_path / "b.wav"), "--speed", "0.5"]) == 0
    assert len(decoded((tmp_path / "b.wav").read_bytes(), "b")[1]) > 1.5 * len(wave)
    said = Model.load(voice).speak("low high . low")
    assert isinstance(said, Sound) and said.seconds > 0.2 and np.isfinite(said.wave).all()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([" "], "nothing to say"),
        (["loud"], "no phoneme 'loud'"),
        (["low", "--speed", "9"], "at most 4"),
        (["low", "--out", "a.mp3"], r"\.wav or \.flac"),
        (["low", "--vocoder", "RUN"], "vocoder needs"),
        (["@nothing.txt"], "cannot be read"),
    ],
)
def test_what_cannot_be_said_is_one_sentence(voice, words, says, capsys):
    assert main(["speak", str(voice), *(str(voice) if word == "RUN" else word for word in words)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("gansmith: ") and re.search(says, said)


def test_both_sides_of_spoken_pairs_are_shown():
    data = toys.every()["said sounds"]
    pairs = data.codec.decode(data.batch(slice(0, 2)))
    kind = kinds.find("audio")
    assert len(kind.preview(data.codec, pairs).media) == 2
    assert kind.preview(data.codec.a, [pair.a for pair in pairs]).picture.width == 440
    assert data.codec.previewed == 3


def test_models_without_a_voice_say_so(tmp_path, capsys):
    data = toys.every()["named sounds"]
    Model(toys.small("specgan", data).eval(), data.codec, {"gan": "specgan", "samples": 0}).save(tmp_path / "model")
    assert main(["speak", str(tmp_path), "Hello."]) == 2
    assert "does not speak" in capsys.readouterr().err
    points = toys.points()
    Model(toys.small("gan", points).eval(), points.codec, {"gan": "gan", "samples": 0}).save(tmp_path / "other" / "model")
    assert main(["speak", str(tmp_path / "other"), "Hello."]) == 2
    assert "models of points do not speak" in capsys.readouterr().err


def test_a_folder_with_transcripts_is_opened_as_pairs(tmp_path):
    rng = np.random.default_rng(0)
    for name in "abc":
        wave = (0.3 * rng.normal(size=2000)).astype(np.float32)
        (tmp_path / f"{name}.wav").write_bytes(wav_bytes(Sound(wave, 2000)))
    (tmp_path / "metadata.csv").write_text("a|x y x\nb|y x\n")
    data = open_dataset(tmp_path, kind="audio", transcripts="phonemes", trim=False)
    assert len(data) == 2 and "1 recordings have no transcript" in " ".join(data.remarks())
    assert data.codec.a.decode({"phonemes": data.batch(slice(0, 1))["a"]})[0].phonemes == (",", "x", "y", "x", ".")
    assert int(data.batch(slice(0, 1))["a.frames"].sum()) == -(-2000 // data.codec.spec.hop)
    again = open_dataset(tmp_path, kind="audio", transcripts="phonemes", trim=False)
    assert torch.equal(again.batch(slice(0, 2))["a.frames"], data.batch(slice(0, 2))["a.frames"])
    (tmp_path / "metadata.csv").unlink()
    with pytest.raises(UserError, match="has no transcripts"):
        open_dataset(tmp_path, kind="audio", transcripts="en")
    with pytest.raises(UserError, match="give one of them"):
        open_dataset(tmp_path, kind="audio", transcripts="en", degrade="noise5")


SAID = [("sil", 0.1), ("HH", 0.2), ("AH0", 0.35), ("sp", 0.5), ("L", 0.6)]
"""Phonemes and the seconds at which they end."""


def _written(form):
    starts = [0.0, *(end for _, end in SAID)]
    rows = [(start, end, phone) for start, (phone, end) in zip(starts, SAID, strict=False)]
    if form == "festival":
        return "a.lab", "separator ;\n#\n" + "".join(f"    {end} 125 {phone}\n" for _, end, phone in rows)
    if form == "htk":
        return "a.lab", "".join(f"{round(start * 1e7)} {round(end * 1e7)} {phone}\n" for start, end, phone in rows)
    if form == "audacity":
        return "a.lab", "".join(f"{start:.6f}\t{end:.6f}\t{phone}\n" for start, end, phone in rows)
    head = 'File type = "ooTextFile"\nObject class = "TextGrid"\n\n'
    if form == "short":
        tiers = '"IntervalTier"\n"words"\n0\n0.6\n1\n0\n0.6\n"hull 2"\n"IntervalTier"\n"phones"\n0\n0.6\n5\n'
        return "a.TextGrid", head + "0\n0.6\n<exists>\n2\n" + tiers + "".join(f'{a}\n{b}\n"{c}"\n' for a, b, c in rows)
    tiers = (
        'item []:\n    item [1]:\n        class = "IntervalTier"\n        name = "phones"\n        xmin = 0\n        xmax = 0.6\n'
        "        intervals: size = 5\n"
    )
    cells = "".join(
        f'        intervals [{place}]:\n            xmin = {a}\n            xmax = {b}\n            text = "{c}"\n'
        for place, (a, b, c) in enumerate(rows, 1)
    )
    return "a.TextGrid", head + "xmin = 0\nxmax = 0.6\ntiers? <exists>\nsize = 1\n" + tiers + cells


@pytest.mark.parametrize("form", ["festival", "htk", "audacity", "short", "long"])
def test_times_are_read_from_the_files_of_aligners(form):
    found = times_of(*_written(form))
    assert [phone for phone, _ in found] == [phone for phone, _ in SAID]
    assert [end for _, end in found] == pytest.approx([end for _, end in SAID])


def test_times_become_frames_that_fill_the_recording():
    said, ends = phonemes_of(tuple(SAID))
    assert said == [",", "HH", "AH0", ",", "L", "."]
    frames = frames_until(ends, 1_300, 2_000, 20)  # 0.65 s of 10 ms frames
    assert frames.tolist() == [10, 10, 15, 15, 10, 5]


@pytest.mark.parametrize("text", ["", "no times at all", "0.5 0.2 a\n0.1 0.1 b\n"])
def test_a_file_without_times_is_one_sentence(text):
    with pytest.raises(UserError, match=r"b\.lab does not say when phonemes end"):
        times_of("b.lab", text)


def test_given_times_and_several_speakers_are_learned_from_and_asked_for(tmp_path):
    rng = np.random.default_rng(0)
    for who, pitch in (("anna", 200), ("ben", 400)):
        (tmp_path / "voices" / who).mkdir(parents=True)
        for place in range(8):
            ends, parts = [], []
            for own in ("low", "high", "noise"):
                time = np.arange(round(RATE * rng.uniform(0.08, 0.15))) / RATE
                tone = np.sin(2 * np.pi * {"low": pitch, "high": 2 * pitch}.get(own, 0) * time)
                parts.append(0.4 * (0.4 * rng.normal(size=len(time)) if own == "noise" else tone))
                ends.append((sum(map(len, parts)) / RATE, own))
            path = tmp_path / "voices" / who / f"{place}.wav"
            path.write_bytes(wav_bytes(Sound(np.concatenate(parts).astype(np.float32), RATE)))
            path.with_suffix(".lab").write_text("#\n" + "".join(f"{end:.4f} 125 {own}\n" for end, own in ends))
    data = open_dataset(tmp_path / "voices", kind="audio", transcripts="phonemes")
    assert data.codec.a.spec.speakers == ("anna", "ben")
    batch = data.batch(slice(None))
    assert sorted(batch["a.speaker"].tolist()) == [0] * 8 + [1] * 8
    assert (batch["a.frames"].sum(1) > 0).all()
    first = data.codec.a.decode(
        {key: batch[f"a{name}"] for key, name in (("phonemes", ""), ("frames", ".frames"), ("speaker", ".speaker"))}
    )
    assert first[0].phonemes == (",", "low", "high", "noise", ".") and first[0].speaker == "anna"
    seed_everything(0)
    model = Model(toys.small("speech", data).eval(), data.codec, {"gan": "speech"})
    waves = [model.speak("low high", speaker=who).wave for who in ("anna", "ben", "2", None)]
    assert not np.array_equal(waves[0][:100], waves[1][:100])
    np.testing.assert_array_equal(waves[1], waves[2])
    np.testing.assert_array_equal(waves[0], waves[3])
    with pytest.raises(UserError, match="--speaker must be one of anna"):
        model.speak("low", speaker="carl")
    network, inputs = model.gan.exportable()
    assert network(**inputs).shape == (2, data.codec.b.samples)


def test_a_model_of_one_voice_refuses_another():
    data = toys.every()["said sounds"]
    with pytest.raises(UserError, match="one voice: leave out --speaker"):
        Model(toys.small("speech", data).eval(), data.codec, {"gan": "speech"}).speak("low", speaker="2")


def test_a_recogniser_learned_on_the_spot_hears_what_is_said():
    data = spoken(60)
    train, rest = data.subset(np.arange(40)), data.subset(np.arange(40, 60))
    hears = phones._learned(train, 0)
    wrong, said = phones.errors_of(hears, rest)
    other, _ = phones.errors_of(hears, rest, shift=1)
    assert wrong.sum() / said.sum() < 0.1 < 0.4 < other.sum() / said.sum()


def test_the_distance_of_phonemes_is_that_of_a_naive_recursion():
    def naive(a, b):
        if not a or not b:
            return len(a) + len(b)
        return min(naive(a[1:], b[1:]) + (a[0] != b[0]), naive(a[1:], b) + 1, naive(a, b[1:]) + 1)

    rng = np.random.default_rng(0)
    for _ in range(20):
        a, b = (rng.integers(0, 3, rng.integers(0, 6)).tolist() for _ in range(2))
        assert phones.distance(a, b) == naive(a, b)
