"""Sounds from files, folders, zips, arrays and Parquet; what cannot be read is a sentence."""

import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from gansmith.errors import UserError
from gansmith.kinds.audio.cleaning import as_int16
from gansmith.kinds.audio.readers.files import MARK, decoded, wav_bytes
from gansmith.kinds.audio.sound import Sound
from gansmith.kinds.opening import inspect_dataset, open_dataset

RATE = 8_000


def tone(hertz: float = 440.0, seconds: float = 0.3, rate: int = RATE) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)).astype(np.float32)


def put(path: Path, wave: np.ndarray, rate: int = RATE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(wav_bytes(Sound(wave, rate)))
    return path


@pytest.fixture
def folder(tmp_path):
    for place in range(6):
        put(
            tmp_path / "sounds" / ("low" if place % 2 else "high") / f"{place}.wav",
            tone(200 if place % 2 else 900, 0.2 + 0.02 * place),
        )
    return tmp_path / "sounds"


def test_sub_folders_are_classes_and_an_example_is_a_recording(folder):
    data = open_dataset(folder)
    assert data.codec.spec.classes == ("high", "low") and data.codec.frequencies == (3, 3)
    assert len(data) == 6 and data.codec.spec.rate == RATE and data.codec.samples % (8 * data.codec.spec.hop) == 0
    assert data.groups is None
    assert data.labels().tolist() == [0, 0, 0, 1, 1, 1]
    assert open_dataset(folder, labels=False).labels() is None


def test_a_shorter_recording_is_followed_by_silence_and_not_by_the_next_one(folder):
    data = open_dataset(folder, trim=False, level="none")
    first = data.packed(np.array([0]))["wave"][0]
    assert np.array_equal(first[: round(0.2 * RATE)], as_int16(tone(900, 0.2))) and not first[round(0.2 * RATE) :].any()


def test_long_recordings_become_windows_that_are_held_out_together(tmp_path):
    rng = np.random.default_rng(0)
    whole = {name: 0.3 * rng.normal(size=3 * RATE).astype(np.float32) for name in "abcd"}
    for name, wave in whole.items():
        put(tmp_path / f"{name}.wav", wave)
    data = open_dataset(tmp_path, seconds=0.5, stride=0.25, level="none")
    assert len(data) > 4 * 5 and data.arrays["wave"].shape == (len(data), data.codec.samples)
    train, held_out = data.split(0.25)
    of_train, of_held = (set(np.asarray(data.groups[part.indices]).tolist()) for part in (train, held_out))
    assert of_train and of_held and not of_train & of_held
    start = data.arrays["wave"].starts.at(np.array([3]))[0]
    assert np.array_equal(data.packed(np.array([3]))["wave"][0], as_int16(whole["a"])[start : start + data.codec.samples])


def test_speakers_are_held_out_together(tmp_path):
    rows = ["file_name,speaker"]
    for place in range(8):
        put(tmp_path / f"{place}.wav", tone(200 + 50 * place))
        rows.append(f"{place}.wav,{'ab'[place % 2]}")
    (tmp_path / "metadata.csv").write_text("\n".join(rows))
    train, held_out = open_dataset(tmp_path, split_by="speaker").split(0.5)
    assert {int(row) % 2 for row in train.indices} != {int(row) % 2 for row in held_out.indices}
    assert len(train) == len(held_out) == 4
    with pytest.raises(UserError, match="two or more speakers"):
        open_dataset(put(tmp_path / "x" / "0.wav", tone()).parent, split_by="speaker")


def test_a_table_gives_attributes_that_can_be_requested(tmp_path):
    rows = ["file,pitch,instrument"]
    for place in range(20):
        put(tmp_path / f"{place}.wav", tone(200 + 20 * place))
        rows.append(f"{place}.wav,{60 + place},{('flute', 'violin')[place % 2]}")
    (tmp_path / "labels.csv").write_text("\n".join(rows))
    data = open_dataset(tmp_path)
    assert data.codec.spec.attributes == ("pitch", "instrument=flute", "instrument=violin")
    import torch

    label = data.codec.conditions(4, torch.Generator().manual_seed(0), pitch="65", instrument="violin")["label"]
    assert label[:, 0].tolist() == pytest.approx([2 * 5 / 19 - 1] * 4) and label[:, 2].tolist() == [1.0] * 4
    with pytest.raises(UserError, match="lies outside of the data"):
        data.codec.conditions(1, torch.Generator(), pitch="99")


def test_train_and_test_folders_are_kept_apart(folder, tmp_path):
    for part, count in (("train", 5), ("test", 3)):
        for place in range(count):
            put(tmp_path / "split" / part / ("low", "high")[place % 2] / f"{place}.wav", tone(300 + 100 * place))
    data = open_dataset(tmp_path / "split")
    assert len(data) == 5 and len(data.held_out) == 3 and data.codec.spec.classes == ("high", "low")
    assert data.held_out.codec == data.codec


def test_a_table_above_train_and_test_tells_of_both(tmp_path):
    lines = ["file,instrument,pitch"]
    for part, count in (("train", 6), ("test", 4)):
        for place in range(count):
            put(tmp_path / "notes" / part / f"{place}.wav", tone(300 + 100 * place))
            lines.append(f"{part}/{place}.wav,{('harp', 'oboe')[place % 2]},{60 + place}")
    (tmp_path / "notes" / "labels.csv").write_text("\n".join(lines))
    data = open_dataset(tmp_path / "notes")
    names = data.codec.spec.attributes
    assert "pitch" in names and len(data) == 6 and len(data.held_out) == 4
    told = data.held_out.batch(slice(None))["label"]
    assert told.shape == (4, len(names)) and len(told.unique(dim=0)) == 4
    assert data.held_out.codec == data.codec
    (tmp_path / "notes" / "labels.csv").write_text("\n".join(lines[:-1]))
    with pytest.raises(UserError, match=r"does not name test/3\.wav"):
        open_dataset(tmp_path / "notes")


def test_a_zip_is_read_as_the_folder_that_it_packs(folder, tmp_path):
    with zipfile.ZipFile(tmp_path / "sounds.zip", "w") as archive:
        for path in folder.rglob("*.wav"):
            archive.write(path, path.relative_to(folder))
    assert open_dataset(tmp_path / "sounds.zip").fingerprint == open_dataset(folder).fingerprint


def test_arrays_and_parquet_and_python_are_read(tmp_path):
    waves = np.stack([tone(300 + 10 * place) for place in range(6)])
    np.savez(tmp_path / "a.npz", wave=as_int16(waves), rate=RATE, label=np.array([0, 1] * 3), classes=np.array(["x", "y"]))
    data = open_dataset(tmp_path / "a.npz")
    assert data.codec.spec.classes == ("x", "y") and len(data) == 6
    assert len(open_dataset((waves, RATE))) == 6
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    cells = [{"bytes": wav_bytes(Sound(wave, RATE)), "path": None} for wave in waves]
    pq.write_table(pa.table({"audio": cells, "label": ["x", "y"] * 3}), tmp_path / "a.parquet")
    again = open_dataset(tmp_path / "a.parquet")
    assert again.codec.spec.classes == ("x", "y") and np.array_equal(
        again.packed(slice(0, 6))["wave"], data.packed(slice(0, 6))["wave"]
    )
    np.savez(tmp_path / "b.npz", wave=waves)
    with pytest.raises(UserError, match="how many samples a second"):
        open_dataset(tmp_path / "b.npz", kind="audio")


@pytest.mark.parametrize("depth", ["u1", "<i2", "<i4", "<f4", "<f8"])
def test_depths_and_channels_of_wav_files(depth):
    wave = tone()
    stereo = np.stack([wave, -wave, wave, wave, wave, wave], 1)
    scaled = {"u1": stereo * 127 + 128, "<i2": stereo * 32767, "<i4": stereo * (2**31 - 1)}.get(depth, stereo).astype(depth)
    from scipy.io import wavfile

    file = io.BytesIO()
    wavfile.write(file, RATE, scaled)
    rate, found = decoded(file.getvalue(), "a.wav")
    assert rate == RATE and found.shape == stereo.shape
    np.testing.assert_allclose(found, stereo, atol=0.02 if depth == "u1" else 1e-4)


def test_flac_and_ogg_are_read_by_soundfile():
    soundfile = pytest.importorskip("soundfile")
    for name, tolerance in (("FLAC", 1e-4), ("OGG", 0.05)):
        file = io.BytesIO()
        soundfile.write(file, tone(), RATE, format=name)
        rate, found = decoded(file.getvalue(), f"a.{name.lower()}")
        assert rate == RATE and found.shape == (len(tone()), 1)
        np.testing.assert_allclose(found[:, 0], tone(), atol=tolerance)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.wav", b"", "it is empty"),
        ("a.wav", b"RIFF\0\0\0\0WAVEnonsense", "no sound file"),
        ("a.mp3", b"nonsense" * 40, "no sound file"),
        ("a.wav", wav_bytes(Sound(np.zeros(1, np.float32), RATE)), "a single sample"),
        ("a.dsf", b"DSD ", "convert it"),
        ("a.m4a", b"ftyp", "convert it"),
        (
            "a.wav",
            wav_bytes(Sound(tone(), RATE))[:24] + struct.pack("<I", 0) + wav_bytes(Sound(tone(), RATE))[28:],
            "rate is 0|no sound file",
        ),
    ],
)
def test_what_is_no_sound_is_a_sentence_that_names_the_file(tmp_path, name, content, said):
    put(tmp_path / "good.wav", tone())
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=rf"{name} of .* cannot be read \(.*({said})"):
        open_dataset(tmp_path, kind="audio")
    data = open_dataset(tmp_path, kind="audio", skip_unreadable=True)
    assert len(data) == 1 and data.facts["unreadable"] == [name]


def test_nothing_but_silence_is_a_sentence(tmp_path):
    put(tmp_path / "a.wav", np.zeros(4000, np.float32))
    with pytest.raises(UserError, match="silent"):
        open_dataset(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="there are no sound files"):
        open_dataset(tmp_path / "empty", kind="audio")


def test_inspection_finds_what_is_wrong(tmp_path):
    for place in range(6):
        put(tmp_path / f"{place}.wav", tone(300 + 90 * place))
    put(tmp_path / "copy.wav", tone(300))
    put(tmp_path / "quieter.wav", 0.5 * tone(390))
    put(tmp_path / "clipped.wav", np.clip(5 * tone(700), -1, 1))
    put(tmp_path / "offset.wav", tone(800) * 0.5 + 0.2)
    put(tmp_path / "fast.wav", tone(1000, rate=16_000), 16_000)
    put(tmp_path / "silent.wav", np.zeros(RATE, np.float32))
    (tmp_path / "bad.wav").write_bytes(b"x")
    said = " ".join(inspect_dataset(tmp_path).sentences())
    assert "0.wav = copy.wav" in said and "1.wav and quieter.wav" in said and "bad.wav (" in said
    assert "1 recordings are clipped" in said and "clipped.wav" in said and "offset.wav" in said and "silent.wav" in said
    assert "8000 Hz 11, 16000 Hz 1" in said and "The rates are mixed" in said


def test_written_files_say_that_a_model_made_them(tmp_path):
    data = open_dataset((np.stack([tone()] * 4), RATE))
    raws = data.codec.decode(data.batch(slice(0, 2)))
    paths = data.codec.save(raws, tmp_path / "made")
    assert MARK.encode() in paths[0].read_bytes()
    data.codec.write(raws, tmp_path / "all.wav")
    rate, wave = decoded((tmp_path / "all.wav").read_bytes(), "all.wav")
    assert len(wave) == 2 * data.codec.samples + round(0.25 * rate)


def test_a_recording_of_ten_hours_is_refused_by_its_header(tmp_path, monkeypatch):
    monkeypatch.setattr("gansmith.kinds.audio.readers.files._wav", lambda content: pytest.fail("it was unpacked"))
    samples = bytes(10 * 3600 * 100)
    form = struct.pack("<IHHIIHH", 16, 1, 1, 100, 100, 1, 8)
    body = b"WAVEfmt " + form + b"data" + struct.pack("<I", len(samples)) + samples
    (tmp_path / "long.wav").write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    with pytest.raises(UserError, match=r"long\.wav .* lasts 10\.0 hours"):
        open_dataset(tmp_path, kind="audio")
