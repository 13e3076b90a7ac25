"""Music for given music: what is given stays, what is missing is made, what does not fit is a sentence."""

import json

import numpy as np
import pytest
import torch

from gansmith.cli import main
from gansmith.data.codec import Batch
from gansmith.errors import UserError
from gansmith.gans.musegan import masks
from gansmith.kinds.music.grid import sounding
from gansmith.kinds.music.midi import read_midi, write_midi
from gansmith.kinds.music.piece import Note, Piece, Track
from gansmith.kinds.music.translation.accompany import accompanied
from gansmith.kinds.music.tunes import tunes
from gansmith.model import Model
from tests import toys

MELODY = Track("melody", tuple(Note(4 * place, 4, 60 + place % 5) for place in range(24)))


@pytest.fixture(scope="module")
def model() -> Model:
    torch.manual_seed(0)
    data = toys.every()["tunes"]
    return Model(toys.small("musicgame", data).eval(), data.codec, {"gan": "musicgame"})


def test_given_tracks_stay_note_by_note_and_the_others_are_made(model):
    made, kept = accompanied(model, Piece((MELODY,), 96, 90.0), seed=1)
    assert kept == ("melody",) and made.tracks[0].notes == MELODY.notes and made.steps == 96 and made.tempo == 90
    assert [track.name for track in made.tracks] == ["melody", "upper", "lower", "bass"]
    assert made == accompanied(model, Piece((MELODY,), 96, 90.0), seed=1)[0]
    assert made != accompanied(model, Piece((MELODY,), 96, 90.0), seed=2)[0]


def test_nothing_given_is_the_same_as_no_cells_given(model):
    shape = (3, *model.codec.spec.shape)
    empty = {"given": torch.zeros(shape, dtype=torch.long), "mask": torch.zeros(shape)}
    first, second = (model.gan.generate(3, how, rng=torch.Generator().manual_seed(0))["music"] for how in ({}, empty))
    assert torch.equal(first, second)


def test_behind_the_end_all_tracks_are_made(model):
    tune = tunes(1)[0]
    whole, kept = accompanied(model, tune, bars=11)
    assert kept == tuple(track.name for track in tune.tracks) and whole.steps == 11 * 16
    for ours, theirs in zip(whole.tracks, tune.tracks, strict=True):
        assert [note for note in ours.notes if note.start + note.length < 128] == [
            note for note in sorted(theirs.notes) if note.start + note.length < 128
        ]
    shorter, _ = accompanied(model, tune, bars=3)
    assert shorter.steps == 48


@pytest.mark.parametrize("rewrite", ["3-4", "bass:3,upper:5-6"])
def test_bars_that_are_rewritten_change_and_all_else_sounds_as_before(model, rewrite):
    codec, tune = model.codec, tunes(1)[0]
    made, _ = accompanied(model, tune, rewrite=rewrite, seed=3)
    before, after = (sounding(codec.voices(piece)[0].astype(int)) for piece in (tune, made))
    open_ = np.zeros(before.shape, bool)
    names = [name for name, count in zip(codec.names, codec.spec.voices, strict=True) for _ in range(count)]
    for part in rewrite.split(","):
        track, _, bars = part.rpartition(":")
        first, _, last = bars.partition("-")
        rows = [row for row, name in enumerate(names) if track in ("", name)]
        open_[np.ix_(rows, range(16 * (int(first) - 1), 16 * int(last or first)))] = True
    assert (before == after)[~open_].all() and not (before == after)[open_].all()


def test_the_bars_that_are_made_are_what_the_network_makes_of_those_given():
    """A network that answers with what it is given plus one: free cells become 1 in the first window, given ones never change."""

    class Adds(torch.nn.Module):
        config = type("Config", (), {"given": 0.5})

        def generate(self, n: int, condition: Batch, *, rng: torch.Generator) -> Batch:
            free = condition["mask"] == 0
            return {"music": torch.where(free, condition["mask"].sum().long() * 0 + 5, condition["given"])}

    data = toys.every()["tunes"]
    made, _ = accompanied(Model(Adds(), data.codec, {}), Piece((MELODY,), 96))  # pyright: ignore[reportArgumentType]
    assert made.tracks[0].notes == MELODY.notes
    assert {note.pitch for track in made.tracks[1:] for note in track.notes} == {data.codec.spec.low + 3}


@pytest.mark.parametrize(
    ("piece", "how", "sentence"),
    [
        (Piece((MELODY,), 96, 90.0, (3, 4)), {}, "is in 3/4, and the model knows 4/4"),
        (Piece((MELODY,), 96), {"keep": ("melodi",)}, 'no track "melodi" .did you mean "melody"'),
        (Piece((MELODY,), 96), {"keep": ("melody", "bass")}, "the file has the tracks melody, and the model"),
        (Piece((Track("x", MELODY.notes), Track("y", MELODY.notes)), 96), {}, "say with --keep"),
        (Piece((MELODY,), 96), {"bars": 1}, "makes 2 bars at once"),
        (Piece((MELODY,), 96), {"rewrite": "7"}, "--rewrite takes bars from 1 to 6, as in 3-4 or tenor:3-4, but '7' came"),
        (Piece((MELODY,), 96), {"rewrite": "4-2"}, "but '4-2' came"),
        (Piece((MELODY,), 96), {"rewrite": "bas:2"}, '--rewrite names the track "bas" .did you mean "bass"'),
    ],
)
def test_what_does_not_fit_is_a_sentence(model, piece, how, sentence):
    with pytest.raises(UserError, match=sentence):
        accompanied(model, piece, **how)


def test_the_command_writes_what_was_asked_for(model, tmp_path, capsys):
    model.save(tmp_path / "run" / "model")
    (tmp_path / "lead.mid").write_bytes(write_midi(Piece((Track("any name", MELODY.notes),), 96, 90.0)))
    words = ["translate", str(tmp_path / "run"), str(tmp_path / "lead.mid"), "--keep", "melody"]
    assert main([*words, "--out", str(tmp_path / "whole.mid"), "-n", "2", "--json"]) == 0
    paths = json.loads(capsys.readouterr().out)["paths"]
    assert [path.rpartition("/")[2] for path in paths] == ["whole-1.mid", "whole-2.mid"]
    first = read_midi((tmp_path / "whole-1.mid").read_bytes(), "it")
    assert next(track.notes for track in first.tracks if track.name == "melody") == MELODY.notes
    assert main([*words, "--out", str(tmp_path / "whole-1.mid")]) == 2
    assert main([*words, "--out", str(tmp_path / "whole.mp3")]) == 2
    assert main([*words, "--out", str(tmp_path / "whole.wav")]) == 0
    assert (tmp_path / "whole.wav").read_bytes()[:4] == b"RIFF"


def test_masks_give_whole_voices_bars_or_beginnings():
    torch.manual_seed(0)
    found = masks(torch.zeros(4000, 3, 32, dtype=torch.long), 0.5, 16)
    assert found.any((1, 2)).float().mean().item() == pytest.approx(0.5 * 0.8, abs=0.1)
    per_bar = found.unflatten(2, (2, 16))
    assert (per_bar == per_bar[..., :1]).all()
