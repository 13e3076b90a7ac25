"""Previews in run folders, of a kind of another package whose examples are heard and read as well as seen."""

import io
import re
import shutil
import wave
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import gansmith
from gansmith import kinds
from gansmith.data.paired import Pair, PairedCodec
from gansmith.data.preview import Medium, Preview, media_beside
from gansmith.runs.previews import RECENT, drop, preview_of, write_numbered, write_preview
from gansmith.watch.watcher import Watcher
from tests.tones import HEARD, ToneCodec, tones

MEDIA = [*(f"{number}.wav" for number in range(HEARD)), "tones.txt"]


@pytest.fixture(scope="module", autouse=True)
def tones_are_installed():
    """As if a package with the kind "tones" were installed."""
    entry = EntryPoint(name="tones", value="tests.tones:Tones", group=kinds.ENTRY_POINTS)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(kinds, "_entries", lambda: {"tones": entry})
        patched.setattr(kinds, "_found", dict(kinds._found))
        yield


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> gansmith.Run:
    return train(tmp_path_factory.mktemp("judged"))


def train(folder: Path, **changes) -> gansmith.Run:
    how = {"gan": "gan", "options": {"width": 16, "noise": 4}, "samples": 1920, "batch": 32, "out": folder / "run"} | changes
    return gansmith.train(tones(), **how)


def names(run: gansmith.Run) -> set[str]:
    return {path.name for path in run.samples.iterdir()}


def shown(text: str = "a", media: int = 2) -> Preview:
    return Preview(Image.new("L", (4, 4)), tuple(Medium(f"{i}.txt", "text/plain", f"{text}{i}".encode()) for i in range(media)))


# ---- a whole run ----------------------------------------------------------------------------------------------------------------


def test_every_preview_of_a_run_has_its_picture_and_its_media(run):
    stems = {"real", "latest", "neighbours", "best", "worst", "000000000", "000001920"}
    found = names(run)
    assert {f"{stem}.{name}" for stem in stems for name in ("png", *MEDIA)} <= found
    assert {name.partition(".")[0] for name in found} - {"film"} == {
        name.removesuffix(".png") for name in found if name.endswith(".png")
    }
    with wave.open(str(run.samples / "latest.0.wav")) as file:
        assert (file.getframerate(), file.getnframes()) == (8000, 400)
    expected = kinds.find("tones").preview(run.model().codec, run.generate(12, seed=0))
    for medium in expected.media:
        assert (run.samples / f"000001920.{medium.name}").read_bytes() == medium.content
    assert (run.samples / "real.0.wav").read_bytes() != (run.samples / "latest.0.wav").read_bytes()


def test_the_report_plays_and_spells_what_the_run_previewed(run):
    page = (run.folder / "report.html").read_text("utf-8")
    assert "media-src data:" in page
    # real, latest, neighbours, best, worst, and every preview under the slider
    previews = len(list(run.samples.glob("[0-9]*.png")))
    assert page.count("<audio") == HEARD * (5 + previews) and page.count("data:audio/wav;base64,") == HEARD * (5 + previews)
    first = (run.samples / "latest.tones.txt").read_text().splitlines()[0]
    assert first.startswith("<") and first not in page
    assert first.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") in page


def test_a_run_that_goes_back_drops_the_media_of_what_will_be_trained_again(run, tmp_path):
    run = gansmith.Run(shutil.copytree(run.folder, tmp_path / "copy"))
    (run.samples / "2030 holiday.png").write_bytes(b"mine")
    before = names(run)
    run.forget_after(960)
    dropped = before - names(run)
    late = {name for name in before if re.match(r"\d{9}", name) and int(name[:9]) > 960}
    assert dropped == late and {f"000001920.{name}" for name in ("png", *MEDIA)} <= late
    assert {f"000000000.{name}" for name in ("png", *MEDIA)} <= names(run)


def test_a_resumed_run_has_the_previews_of_one_never_stopped(run, tmp_path, monkeypatch):
    from gansmith.runs.recorder import Recorder

    progress = Recorder.progress

    def cut(self, trainer):
        progress(self, trainer)
        if trainer.gan.clock.samples >= 1000:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Recorder, "progress", cut)
        patched.setattr("gansmith.training.trainer.Trainer.checkpoint_due", lambda self: True)
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path, evaluate=False)
    write_numbered(tmp_path / "run" / "samples", 1600, shown("of a future that never was"))
    resumed = gansmith.train(tones(), out=tmp_path / "run", resume=True, evaluate=False)
    assert names(resumed) == {name for name in names(run) if not name.startswith(("neighbours.", "best.", "worst."))}
    for name in names(resumed):
        assert (resumed.samples / name).read_bytes() == (run.samples / name).read_bytes(), name


def test_tensorboard_plays_the_sounds_and_shows_the_texts(run, tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    from gansmith.watch.tensorboard import TensorBoard

    pictures = sorted(run.samples.glob("[0-9]*.png"))
    board = TensorBoard(tmp_path / "events")
    for picture in pictures:
        board.preview(int(picture.stem), picture)
    board.finished("Done.")
    read = EventAccumulator(str(tmp_path / "events"), size_guidance={"audio": 0, "tensors": 0})
    read.Reload()
    assert read.Tags()["audio"] == [f"samples/{number}.wav" for number in range(HEARD)]
    events = read.Audio("samples/0.wav")
    assert [event.step for event in events] == [int(picture.stem) for picture in pictures]
    assert events[-1].encoded_audio_string == (run.samples / "000001920.0.wav").read_bytes()
    assert events[-1].content_type == "audio/wav"
    (text,) = read.Tensors("samples/tones.txt/text_summary")[-1].tensor_proto.string_val
    assert text.decode() == "".join(f"    {line}\n" for line in (run.samples / "latest.tones.txt").read_text().splitlines())


def test_a_watcher_finds_the_media_beside_the_picture(tmp_path):
    seen = []

    class Listens(Watcher):
        def preview(self, samples, path):
            seen.append((samples, path.name, list(media_beside(path))))

    train(tmp_path, samples=640, evaluate=False, watchers=[Listens()])
    assert seen[0] == (0, "000000000.png", MEDIA) and seen[-1] == (640, "000000640.png", MEDIA)


def test_the_media_of_pairs_are_those_of_both_sides():
    codec = tones().codec
    raws = [codec.decode(tones().batch(slice(i, i + 1)))[0] for i in range(4)]
    pairs = PairedCodec.of(codec, codec, aligned=True)
    found = preview_of(pairs, [Pair(raws[0], raws[1], raws[2]), Pair(raws[1], raws[2])])
    assert [medium.name for medium in found.media] == [
        *("source-0.wav", "source-1.wav", "source-tones.txt", "made-0.wav", "made-1.wav", "made-tones.txt"),
        *("real-0.wav", "real-tones.txt"),
    ]
    by_name = {medium.name: medium.content for medium in found.media}
    assert by_name["source-1.wav"] == by_name["made-0.wav"] != by_name["made-1.wav"] == by_name["real-0.wav"]
    assert found.picture.tobytes() == pairs.preview([Pair(raws[0], raws[1], raws[2]), Pair(raws[1], raws[2])]).tobytes()
    assert isinstance(codec, ToneCodec)


# ---- files ----------------------------------------------------------------------------------------------------------------------


def test_media_of_an_earlier_preview_of_the_same_name_do_not_stay(tmp_path):
    write_preview(tmp_path, "latest", shown("old", media=3))
    write_preview(tmp_path, "real", shown("real"))
    picture = write_preview(tmp_path, "latest", shown("new", media=1))
    assert media_beside(picture) == {"0.txt": tmp_path / "latest.0.txt"}
    assert (tmp_path / "latest.0.txt").read_bytes() == b"new0"
    assert (tmp_path / "real.1.txt").read_bytes() == b"real1"


def test_media_are_listed_in_the_order_of_their_numbers(tmp_path):
    picture = write_preview(tmp_path, "latest", shown(media=12))
    assert list(media_beside(picture)) == [f"{number}.txt" for number in range(12)]


def test_a_picture_that_was_never_written_leaves_no_media_behind(tmp_path):
    write_preview(tmp_path, "000000500", shown())
    (tmp_path / "000000500.png").unlink()
    drop(tmp_path, lambda samples: samples > 400)
    assert not list(tmp_path.iterdir())


def written(folder: Path) -> list[int]:
    """The numbers of the previews in a folder, each of which is whole."""
    found = sorted({int(path.name[:9]) for path in folder.iterdir()})
    assert {path.name for path in folder.iterdir()} == {f"{n:09d}.{name}" for n in found for name in ("png", "0.txt", "1.txt")}
    return found


def test_old_previews_are_thinned_to_one_in_every_doubling(tmp_path):
    for samples in range(0, 12_000, 100):
        write_numbered(tmp_path, samples, shown())
    recent = list(range(12_000 - 100 * RECENT, 12_000, 100))
    # the first of those from 2^k to 2^(k+1): 100 from 64, 200 from 128, 300 from 256, 600 from 512, 1,100 from 1,024 ...
    assert written(tmp_path) == [0, 100, 200, 300, 600, 1100, 2100, 4100, *recent]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 10**10), min_size=1, max_size=400, unique=True), st.data())
def test_what_is_thinned_depends_on_the_previews_alone_and_never_on_when(numbers, data):
    from gansmith.runs.previews import _superfluous

    numbers = sorted(numbers)
    at_once = [number for number in numbers if number not in _superfluous(numbers)]
    kept: list[int] = []
    for number in numbers:
        kept.append(number)
        if data.draw(st.booleans()):
            kept = [number for number in kept if number not in _superfluous(kept)]
    assert [number for number in kept if number not in _superfluous(kept)] == at_once
    assert numbers[-RECENT:] == at_once[-RECENT:] and len(at_once) <= RECENT + 35 and at_once[0] == numbers[0]


# ---- media ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["../0.wav", "a/b.wav", "wav", ".wav", "0.wav\n", "a b.wav", ""])
def test_a_medium_has_a_plain_file_name(name):
    with pytest.raises(ValueError, match="a medium is named by letters"):
        Medium(name, "audio/wav", b"")


def test_a_medium_is_of_the_type_that_its_suffix_says():
    with pytest.raises(ValueError, match='"0.wav" is of the type audio/wav by its suffix, not text/plain'):
        Medium("0.wav", "text/plain", b"")
    assert Medium("0.pdb", "chemical/x-pdb", b"").mime == "chemical/x-pdb"


def test_two_media_of_a_preview_have_different_names():
    with pytest.raises(ValueError, match="different names"):
        Preview(Image.new("L", (1, 1)), (Medium("0.wav", "audio/wav", b"a"), Medium("0.wav", "audio/wav", b"b")))


def test_a_picture_is_stored_as_it_was(tmp_path):
    picture = Image.linear_gradient("L")
    path = write_preview(tmp_path, "latest", Preview(picture))
    with Image.open(io.BytesIO(path.read_bytes())) as read:
        assert read.tobytes() == picture.tobytes()
