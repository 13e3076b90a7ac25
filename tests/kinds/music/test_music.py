"""Music: MIDI in and out, the grid, what is said of bad input."""

import struct
import zipfile
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gansmith.data.source import Source
from gansmith.errors import UserError
from gansmith.kinds.kind import SURE
from gansmith.kinds.music.build import build_music
from gansmith.kinds.music.features import described
from gansmith.kinds.music.grid import FIRST, HOLD, notes_of, sounding, voices_of, window
from gansmith.kinds.music.kind import MusicKind
from gansmith.kinds.music.metrics.statistics import divergence, nearest_shares, rhythms, steps
from gansmith.kinds.music.midi import read_midi, write_midi
from gansmith.kinds.music.options import Options
from gansmith.kinds.music.piece import Note, Piece, Track
from gansmith.kinds.music.rivals import markov
from gansmith.kinds.music.synthesis import RATE, synthesised
from gansmith.kinds.music.theory import KEYS, MAJOR_PROFILE, MINOR_PROFILE, consonance, key_of, scale_share
from gansmith.kinds.music.toys import music
from gansmith.kinds.music.tunes import tunes
from gansmith.kinds.opening import inspect_dataset, open_dataset

notes = st.lists(st.builds(Note, st.integers(0, 30), st.integers(1, 12), st.integers(40, 80)), max_size=20)


@given(notes)
def test_notes_come_back_from_voices(found):
    rows, lost = voices_of(found, 64, 4, 40, 80)
    again = notes_of(rows, 40)
    assert len(again) == len(found) - lost and set(again) <= set(found)
    assert (voices_of(again, 64, 4, 40, 80)[0] == rows).all()


@given(notes, st.integers(0, 40))
def test_a_window_sounds_as_the_whole_does(found, start):
    rows, _ = voices_of(found, 64, 3, 40, 80)
    part = window(rows, start, 20)
    assert np.array_equal(part, window(rows, start, 20, sounding(rows)))
    assert (sounding(part) == sounding(rows)[:, start : start + 20]).all()
    assert not (part[:, 0] == HOLD).any() or (sounding(rows)[part[:, 0] == HOLD, start] < FIRST).all()


def test_a_midi_file_is_read_as_it_was_written():
    piece = Piece(
        (Track("lead", (Note(0, 3, 60), Note(3, 1, 60), Note(4, 4, 67)), 73), Track("kit", (Note(2, 1, 36),), 0, True)),
        32,
        96.0,
        (6, 8),
    )
    again = read_midi(write_midi(piece), "it")
    assert again.tracks == piece.tracks and again.steps == 32 and again.meter == (6, 8)
    assert again.tempo == pytest.approx(96, abs=1e-3)


def test_a_midi_file_is_read_as_mido_reads_it(tmp_path):
    mido = pytest.importorskip("mido")
    path = tmp_path / "a.mid"
    path.write_bytes(write_midi(tunes(1)[0]))
    on = [message for track in mido.MidiFile(path).tracks for message in track if message.type == "note_on"]
    assert sorted(message.note for message in on) == sorted(note.pitch for track in tunes(1)[0].tracks for note in track.notes)


def test_running_status_and_notes_that_never_end_are_read():
    events = bytes([0, 0x90, 60, 64, 0x60, 60, 0, 0, 64, 64, 0x60, 0xFF, 0x2F, 0])
    content = b"MThd" + struct.pack(">IHHH", 6, 0, 1, 96) + b"MTrk" + struct.pack(">I", len(events)) + events
    (track,) = read_midi(content, "it").tracks
    assert track.notes == (Note(0, 4, 60), Note(4, 4, 64))


def _midi(division: int = 96, count: int = 1, events: bytes = b"\0\xff\x2f\0", size: int | None = None) -> bytes:
    size = len(events) if size is None else size
    return b"MThd" + struct.pack(">IHHH", 6, 1, count, division) + b"MTrk" + struct.pack(">I", size) + events


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "no MIDI file"),
        (b"RIFFxxxxWAVEfmt ", "no MIDI file"),
        (_midi(), "has no notes"),
        (_midi(division=0xE728), "counts its time in seconds"),
        (_midi(count=10_000), "10,000 tracks, above the limit"),
        (_midi(size=5000), "is cut off"),
        (_midi(events=b"\0\x90\x40"), "is damaged"),
        (_midi(events=b"\xff\xff\xff\x7f\x90\x40\x40\x00\x90\x40\x00"), "above the limit of 1,048,576"),
    ],
)
def test_bad_files_are_one_sentence(tmp_path, content, sentence):
    path = tmp_path / "bad.mid"
    path.write_bytes(content)
    with pytest.raises(UserError, match=sentence):
        open_dataset(path)


def test_folders_and_zips_are_opened_alike_and_bad_files_are_said(tmp_path):
    folder, packed = tmp_path / "songs", tmp_path / "songs.zip"
    folder.mkdir()
    with zipfile.ZipFile(packed, "w") as file:
        for number, tune in enumerate(tunes(6)):
            (folder / f"{number}.mid").write_bytes(write_midi(tune))
            file.writestr(f"{number}.mid", write_midi(tune))
        (folder / "bad.mid").write_bytes(b"nothing")
        file.writestr("bad.mid", b"nothing")
    assert MusicKind().recognise(Source(folder)).certainty == MusicKind().recognise(Source(packed)).certainty == SURE
    first, second = open_dataset(folder), open_dataset(packed)
    assert (first.packed(slice(None))["music"] == second.packed(slice(None))["music"]).all() and len(first) == 6 * 7
    assert first.remarks() == ["1 of 7 files are left out, the first since bad.mid is no MIDI file."]
    said = " ".join(inspect_dataset(folder).sentences())
    assert "6 pieces" in said and "melody (1)" in said and "4/4 6" in said


def test_pieces_are_held_out_whole_and_odd_meters_are_left_out():
    pieces = [*tunes(9), Piece(tunes(1)[0].tracks, 128, 100.0, (5, 4))]
    data = build_music("mixed", pieces, Options())
    train, held_out = data.split(0.3)
    assert not set(data.groups[train.indices]) & set(data.groups[held_out.indices])
    assert "1 of 10 pieces are not in 4/4" in data.remarks()[0]


def test_a_meter_that_is_named_counts_for_all_files():
    pieces = [Piece(tunes(1)[0].tracks, 128, 100.0, meter) for meter in ((1, 4), (1, 4), (2, 4), (4, 4))]
    assert build_music("beats", pieces, Options()).codec.spec.shape[1] == 8
    data = build_music("beats", pieces, Options(meter="4/4"))
    assert data.codec.spec.shape[1] == 32 and data.codec.meter == (4, 4) and not data.remarks()
    assert len(build_music("others", pieces, Options(meter="4/4"), like=data.codec)) == len(data)
    assert build_music("eighths", pieces, Options(meter="6/8")).codec.spec.bar == 12


@pytest.mark.parametrize("meter", ["4", "4/", "/4", "0/4", "4/3", "99999999999/4", "४/4", "4/4/4", "-4/4", "four"])
def test_what_is_no_meter_is_one_sentence(meter):
    with pytest.raises(UserError, match="--meter is written as 4/4"):
        Options(meter=meter)


def test_transposed_examples_are_the_same_music_in_other_keys():
    plain, moved = (build_music("tunes", tunes(3), Options(transpose=shift)) for shift in (0, 2))
    assert len(moved) == 5 * len(plain)
    assert set(np.diff(np.unique(sounding(moved.arrays["music"].astype(int))))) <= {1, 2}
    assert nearest_shares(moved.arrays["music"].astype(int), plain.arrays["music"].astype(int)).min() == 1


def test_tracks_are_chosen_by_name_and_voices_limited():
    chord = Piece((Track("keys", tuple(Note(0, 16, pitch) for pitch in (60, 64, 67))), Track("bass", (Note(0, 16, 40),))), 32)
    data = build_music("chords", [chord, chord], Options(voices=2))
    assert data.codec.spec.voices == (2, 1) and "2 of 8 notes are left out" in data.remarks()[0]
    with pytest.raises(UserError, match='no piece of chords has a track "bas"'):
        build_music("chords", [chord], Options(tracks=("bas",)))
    with pytest.raises(UserError, match="0 stretches of 8 bars"):
        build_music("chords", [chord], Options(bars=8))


def test_keys_are_conditions():
    codec = music(keys=True).codec
    (label,) = codec.conditions(1, torch.Generator(), key=codec.spec.classes[3])["label"].tolist()
    assert label == 3
    with pytest.raises(UserError, match='no class "H major"'):
        codec.conditions(1, torch.Generator(), key="H major")
    with pytest.raises(UserError, match="train it with --keys"):
        music().codec.conditions(1, torch.Generator(), key="C major")


def test_theory_is_that_of_a_scale():
    c_major, chromatic = np.array([60, 62, 64, 65, 67, 69, 71, 72, 60, 64, 67]), np.arange(60, 72)
    assert KEYS[key_of(c_major)] == "C major" and KEYS[key_of(c_major + 3)] == "D# major"
    assert scale_share(c_major + 5) == 1 and scale_share(chromatic) == pytest.approx(7 / 12)
    assert consonance(np.array([[60.0, 60.0, np.nan], [64.0, 61.0, 60.0]])) == 0.5


def test_statistics_equal_what_is_counted_by_hand():
    row = np.array([[[FIRST, HOLD, FIRST + 4, 0, FIRST + 2, HOLD, HOLD, HOLD]]])
    assert steps(row, 8) == [{4: 1, -2: 1}]
    assert rhythms(row, 8) == [{(0, 2): 1, (2, 1): 1, (4, 4): 1}]
    assert divergence(Counter([1]), Counter([1, 1])) == 0 and divergence(Counter([1]), Counter([2])) == pytest.approx(1)
    assert rhythms(np.full((1, 1, 8), HOLD), 8) == [Counter()]  # nothing begins in what a model may write
    assert nearest_shares(row, row + (row >= FIRST) * 3)[0] == 1
    assert np.isfinite(described(row, 40, 8)).all()


def test_the_markov_chain_follows_what_it_saw():
    data = build_music("one", [Piece((Track("a", tuple(Note(4 * i, 4, 60 + i % 2) for i in range(16))),), 64)] * 2, Options())
    made = markov(data, 30, 0).arrays["music"]
    pitches = sounding(made.astype(int))
    assert set(np.abs(np.diff(pitches)).ravel()) == {0, 1} and (made[:, 0, 0] >= FIRST).all()


def test_a_note_sounds_at_its_pitch():
    sound = synthesised(Piece((Track("a", (Note(0, 16, 69),)),), 16))
    spectrum = np.abs(np.fft.rfft(sound))
    assert spectrum.argmax() * RATE / len(sound) == pytest.approx(440, abs=2) and np.abs(sound).max() <= 1


@given(st.lists(st.integers(0, 127), min_size=1, max_size=40))
def test_a_key_is_the_profile_that_correlates_best(pitches):
    counts = np.bincount(np.array(pitches) % 12, minlength=12)
    fits = [
        np.corrcoef(counts, np.roll(profile, shift))[0, 1] for profile in (MAJOR_PROFILE, MINOR_PROFILE) for shift in range(12)
    ]
    assert counts.std() == 0 or fits[key_of(np.array(pitches))] == pytest.approx(max(fits))


@pytest.mark.parametrize(
    "events", [b"\xff" * 2_000_000, b"\x00\xff\x51" + b"\xff" * 2_000_000, b"\x00\xf0" + b"\x80" * 2_000_000]
)
def test_numbers_of_midi_that_never_end_are_refused_at_once(events):
    head = b"MThd" + struct.pack(">IHHH", 6, 1, 1, 480)
    with pytest.raises(UserError, match="is damaged"):
        read_midi(head + b"MTrk" + struct.pack(">I", len(events)) + events, "a.mid")


@pytest.mark.parametrize(
    "facts",
    [
        {"programs": [10**19] * 4},
        {"programs": [128] * 4},
        {"tempo": 1.0},
        {"tempo": 1e9},
        {"meter": [300, 4]},
        {"meter": [4, 3]},
        {"per_beat": 0},
    ],
)
def test_facts_that_midi_cannot_hold_do_not_fit(facts):
    codec = music().codec
    known = {key: value[: len(codec.names)] if key == "programs" else value for key, value in facts.items()}
    assert "MIDI does not have" in str(type(codec).from_json(codec.to_json() | known).fault())
    assert codec.fault() is None
