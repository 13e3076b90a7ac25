"""Examples that fool metrics: striped images, points on a ring, and the networks that stand for those nobody needs to fetch."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from gansmith.data.dataset import Dataset
from gansmith.data.fingerprint import fingerprint
from gansmith.data.paired import PairedCodec
from gansmith.kinds.audio.build import build_audio
from gansmith.kinds.audio.options import Options as AudioOptions
from gansmith.kinds.audio.source import _in_memory
from gansmith.kinds.audio.toys import spoken, tones
from gansmith.kinds.audio.voices import as_voices
from gansmith.kinds.images.codec import ImageCodec
from gansmith.kinds.images.label_maps import LabelMaps
from gansmith.kinds.images.spec import ImageSpec
from gansmith.kinds.molecules.rivals import independent_parts
from gansmith.kinds.molecules.toys import molecules
from gansmith.kinds.music.build import build_music
from gansmith.kinds.music.options import Options as MusicOptions
from gansmith.kinds.music.tunes import tunes
from gansmith.kinds.tables.baseline import independent
from gansmith.kinds.text import oracle
from gansmith.kinds.text.build import build_texts
from gansmith.kinds.text.grammar import sentences
from gansmith.kinds.text.options import Options as TextOptions
from gansmith.kinds.text.text import Texts
from gansmith.kinds.video.baseline import cross_fades, frozen_frames, shuffled_frames
from gansmith.kinds.video.build import build_shapes
from gansmith.kinds.video.options import Options as VideoOptions
from gansmith.kinds.video.pairs import motion_of
from gansmith.kinds.video.shapes import moving_shapes, tracked
from gansmith.model import Model
from gansmith.networks.pretrained.perceptual_network import LPIPS
from tests.metrics.conftest import image_data, ring_points, stripes
from tests.metrics.plain_sides import Tiny
from tests.toys import pairs, rows, series, small

COUNT = 200
"""Training, held-out and generated examples alike, so that copies of the training set are all of it."""
SOUND_RATE, SOUND_SAMPLES, SOUND_COUNT = 2_000, 1_536, 100
"""Of sounds: samples in a second and in a sound, and how many there are on each side."""
MANY = 50 * COUNT
"""For the metric that needs many."""
Images = dict[str, np.ndarray]

TRAIN, HELD_OUT = (stripes(COUNT, np.random.default_rng(seed)) for seed in (0, 1))
RING, RING_HELD_OUT = (ring_points(COUNT, np.random.default_rng(seed))[0] for seed in (0, 1))
PARCELS, PARCELS_HELD_OUT, FRESH_PARCELS = (rows(3 * COUNT).subset(np.arange(i * COUNT, (i + 1) * COUNT)) for i in range(3))
MODES = ring_points(1, np.random.default_rng(0))[1]


class StandIn(Tiny):
    """Stands for Inception-v3: pixels are the features, every other one of them the spatial features."""

    def outputs(self, data: Dataset) -> dict[str, Tensor]:
        features = super().outputs(data)["features"]
        return {"features": features, "spatial": features[:, ::2]}


class Squares(LPIPS):
    """Stands for LPIPS: squared differences of pixels."""

    name = "squares"

    def __init__(self) -> None:
        nn.Module.__init__(self)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        return (first - second).square().mean((1, 2, 3))


class Stripes(nn.Module):
    """Flat stripes whose phase is the direction of the noise, or always the same for a generator that is deaf to it."""

    def __init__(self, *, deaf: bool) -> None:
        super().__init__()
        self.deaf = deaf

    def forward(self, noise: Tensor) -> Tensor:
        phase = torch.atan2(noise[:, 0], noise[:, 1]) * (not self.deaf)
        return (0.6 * torch.sin(1.5 * torch.arange(8.0)[:, None] + phase[:, None, None, None])).expand(-1, 1, 8, 8)


def generator(*, deaf: bool) -> Model:
    data = image_data(TRAIN)
    model = Model(small("gan", data), data.codec, {"gan": "gan"})
    model.gan.exportable = lambda: (Stripes(deaf=deaf), {"noise": torch.zeros(2, 4)})
    return model


def pair_data(b: np.ndarray, target: np.ndarray | None = None) -> Dataset:
    """Pairs whose given image says nothing, so that every stripe is as right as another."""
    arrays = {"a": np.full_like(b, 127), "b": b} | ({} if target is None else {"target": target})
    side = ImageCodec(ImageSpec(shape=b.shape[1:]))
    return Dataset(name="stripes", codec=PairedCodec.of(side, side, aligned=True), arrays=arrays, fingerprint=fingerprint(arrays))


def map_data(rng: np.random.Generator, *, flat: bool = False, shuffled: bool = False) -> Dataset:
    """Maps of two labels, a block on ground; in the images a label is a texture of bright noise, or flat, or of another map."""
    index = np.zeros((COUNT, 1, 8, 8), np.uint8)
    for one, (row, column) in zip(index, rng.integers(0, 5, (COUNT, 2)), strict=True):
        one[:, row : row + 4, column : column + 4] = 1
    levels = 80 + 100 * index.astype(float)
    b = levels if flat else levels + rng.normal(0, 15, index.shape)
    arrays = {"a": rng.permutation(index) if shuffled else index, "b": b.round().clip(0, 255).astype(np.uint8)}
    made = ImageCodec(ImageSpec(shape=(1, 8, 8)))
    codec = PairedCodec.of(LabelMaps.of([0, 0xFFFFFF], 8, 8, "center"), made, aligned=True)
    return Dataset(name="blocks", codec=codec, arrays=arrays, fingerprint=fingerprint(arrays))


class Look(nn.Module):
    """Leaves an image as it is, or adds its style's first number; a style is three numbers."""

    def __init__(self, *, changes: float) -> None:
        super().__init__()
        self.changes = changes

    def forward(self, image: Tensor, style: Tensor) -> Tensor:
        return (image + self.changes * style[:, :1, None, None]).clamp(-1, 1)


def translator(data: Dataset, *, changes: float) -> Model:
    """A model of two domains whose translations are the image itself, changed as much as asked."""
    model = Model(small("munit", pairs(8, side=16, given=1, made=1)), data.codec, {"gan": "munit"}, data)
    model.gan.spec = data.codec.spec
    model.gan.maker = lambda makes="b": Look(changes=changes)
    return model


def mean_image(rng: np.random.Generator) -> np.ndarray:
    return np.repeat(TRAIN["image"].mean(0, keepdims=True).round().astype(np.uint8), COUNT, axis=0)


def noisy(b: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return (b + rng.normal(0, 60, b.shape)).round().clip(0, 255).astype(np.uint8)


def over_and_over(images: Images, rows: np.ndarray, count: int = COUNT) -> Images:
    return {key: array[np.resize(rows, count)] for key, array in images.items()}


def tempered(rng: np.random.Generator) -> Images:
    """Fresh images, halfway to the mean of their class."""
    fresh = stripes(COUNT, rng)
    means = np.stack([TRAIN["image"][TRAIN["label"] == label].mean(0) for label in range(3)])[fresh["label"]]
    return {**fresh, "image": ((means + fresh["image"]) / 2).astype(np.uint8)}


def oversaturated(rng: np.random.Generator) -> Images:
    """Fresh images in black and white alone."""
    fresh = stripes(COUNT, rng)
    return {**fresh, "image": np.where(fresh["image"] > 128, 255, 0).astype(np.uint8)}


def noise(rng: np.random.Generator) -> Images:
    return {"image": 255 * rng.integers(0, 2, (COUNT, 1, 8, 8), np.uint8), "label": rng.integers(0, 3, COUNT)}


def copies_and_noise(share: float) -> Callable[[np.random.Generator], Images]:
    copies = int(share * COUNT)
    return lambda rng: {key: np.concatenate([TRAIN[key][:copies], array[copies:]]) for key, array in noise(rng).items()}


def clearest() -> Images:
    """For every class of the stand-in for Inception the image of which it is surest."""
    inception = StandIn()
    chances = inception.logits(inception.outputs(image_data(HELD_OUT))["features"]).softmax(1)
    return over_and_over(HELD_OUT, chances.argmax(0).numpy())


def in_one_direction() -> np.ndarray:
    distances = np.linalg.norm(RING - RING.mean(0), axis=1)
    return RING.mean(0) + distances[:, None] * np.array([1.0, 0.0])


IMAGES: dict[str, Callable[[np.random.Generator], Images]] = {
    "fresh real examples": lambda rng: stripes(COUNT, rng),
    "fresh real examples, fifty times": lambda rng: stripes(MANY, rng),
    "copies of the training set": lambda _: TRAIN,
    "copies of the training set, fifty times": lambda _: over_and_over(TRAIN, np.arange(COUNT), MANY),
    "one real image, over and over": lambda _: over_and_over(HELD_OUT, np.array([0])),
    "a generator that ignores its noise": lambda _: over_and_over(HELD_OUT, np.array([0])),
    "one clear image per class": lambda _: clearest(),
    "low temperature": tempered,
    "far too much contrast": oversaturated,
    "noise": noise,
    "four tenths copies, the rest noise": copies_and_noise(0.4),
}
POINTS: dict[str, Callable[[np.random.Generator], np.ndarray]] = {
    "fresh real examples": lambda rng: ring_points(COUNT, rng)[0],
    "copies of the training set": lambda _: RING,
    "shuffled columns": lambda rng: np.stack([rng.permutation(column) for column in RING.T], 1),
    "low temperature": lambda rng: ring_points(COUNT, rng, sigma=0.02)[0],
    "one mode": lambda rng: MODES[0] + rng.normal(0, 0.1, (COUNT, 2)),
    "wide noise": lambda rng: rng.normal(0, 6, (COUNT, 2)),
    "real distances from the mean, in one direction": lambda _: in_one_direction(),
    "as often behind every mode, far away": lambda _: 5 * np.resize(MODES, (COUNT, 2)),
}
TABLES: dict[str, Callable[[], Dataset]] = {
    "fresh real examples": lambda: FRESH_PARCELS,
    "copies of the training set": lambda: PARCELS,
    "shuffled columns": lambda: independent(PARCELS, COUNT, 2),
    "held-out rows, half of them the same": lambda: PARCELS_HELD_OUT.subset(np.arange(COUNT) * (np.arange(COUNT) % 2)),
    "one real row, over and over": lambda: PARCELS_HELD_OUT.subset(np.zeros(COUNT, np.int64)),
}
MAPS: dict[str, Callable[[np.random.Generator], Dataset]] = {
    "fresh real examples": map_data,
    "every label in its mean colour": lambda rng: map_data(rng, flat=True),
}
PAIRS: dict[str, Callable[[np.random.Generator], np.ndarray]] = {
    "fresh real examples": lambda rng: stripes(COUNT, rng)["image"],
    "the mean image": mean_image,
    "the image itself": lambda _: np.full((COUNT, 1, 8, 8), 127, np.uint8),
    "noise added for a style": lambda rng: noise(rng)["image"],
    "the real partner under noise": lambda rng: noisy(HELD_OUT["image"], rng),
}

_waves = series(3 * COUNT)
_waves = replace(
    _waves, arrays={"series": np.concatenate([part.packed(slice(None))["series"] for part in (_waves, _waves.held_out)])}
)
WAVES = {
    "training": _waves.subset(np.arange(COUNT)),
    "held out": _waves.subset(np.arange(COUNT, 2 * COUNT)),
    "fresh real examples": _waves.subset(np.arange(2 * COUNT, 3 * COUNT)),
    "copies of the training set": _waves.subset(np.arange(COUNT)),
}
"""Time series, and what is given out for generated ones."""

_sentences = build_texts(sentences(3 * COUNT), TextOptions(tokens="words", length=16))


def shuffled_words(data: Dataset) -> Dataset:
    """The words of every text in random order."""
    rng = np.random.default_rng(2)
    texts = [
        " ".join(rng.permutation(raw.text[:-1].split())) + raw.text[-1] for raw in data.codec.decode(data.batch(slice(None)))
    ]
    labels = [data.codec.spec.classes[label] for label in data.labels().tolist()]
    return build_texts(Texts(name="shuffled", texts=texts, labels=labels), TextOptions(), data.codec)


SENTENCES = {
    "training": _sentences.subset(np.arange(COUNT)),
    "held out": _sentences.subset(np.arange(COUNT, 2 * COUNT)),
    "fresh real examples": _sentences.subset(np.arange(2 * COUNT, 3 * COUNT)),
    "copies of the training set": _sentences.subset(np.arange(COUNT)),
    "words in random order": shuffled_words(_sentences.subset(np.arange(2 * COUNT, 3 * COUNT))),
    "one real text, over and over": _sentences.subset(np.full(COUNT, COUNT)),
}
"""Texts, and what is given out for generated ones."""


@cache
def spoken_texts() -> dict[str, Dataset]:
    """Texts of the built-in oracle, and the likeliest of them, many times."""
    said = oracle.oracle_texts(3 * COUNT)
    made = build_texts(said, TextOptions())
    tokens = oracle.spoken(list(said.texts))
    assert tokens is not None
    names = ("training", "held out", "fresh real examples")
    parts = {name: made.subset(np.arange(place * COUNT, (place + 1) * COUNT)) for place, name in enumerate(names)}
    return parts | {"its likeliest text, over and over": made.subset(np.full(COUNT, oracle.builtin().surprise(tokens).argmin()))}


@cache
def verses() -> dict[str, Dataset]:
    """Poems of four lines of five characters, of which the even ones rhyme, and copies of them."""
    rng = np.random.default_rng(0)
    free, rhyming = list("山水日月江花鸟雪夜舟客心酒古城"), list("天年前边烟泉田眠")
    poems = []
    for _ in range(3 * COUNT):
        lines = ["".join(rng.choice(free, 5)) for _ in range(4)]
        lines[1], lines[3] = (line[:4] + str(rng.choice(rhyming)) for line in (lines[1], lines[3]))
        poems.append(f"{lines[0]}，{lines[1]}。{lines[2]}，{lines[3]}。")
    made = build_texts(Texts(name="verses", texts=poems), TextOptions(tokens="characters"))
    places = {"training": 0, "held out": 1, "fresh real examples": 2, "copies of the training set": 0}
    return {name: made.subset(np.arange(place * COUNT, (place + 1) * COUNT)) for name, place in places.items()}


@cache
def molecule_cheats() -> dict[str, Dataset]:
    """Molecules with a property, and what is given out for generated ones."""
    made = molecules(4 * COUNT, length=40, properties=("logp",), hold_out="random")
    training = made.subset(np.arange(COUNT))
    return {
        "training": training,
        "held out": made.subset(np.arange(COUNT, 2 * COUNT)),
        "fresh real examples": made.subset(np.arange(2 * COUNT, 3 * COUNT)),
        "copies of the training set": training,
        "one real molecule, over and over": made.subset(np.full(COUNT, COUNT)),
        "tokens in random order": independent_parts(training, COUNT, 5),
    }


@cache
def music_cheats() -> dict[str, Dataset]:
    """Stretches of tunes, and what is given out for generated ones."""
    made, rng = build_music("tunes", tunes(3 * COUNT // 2), MusicOptions()), np.random.default_rng(3)
    made = made.subset(np.flatnonzero(np.isin(np.arange(len(made)) % 7, (0, 4))))  # two of each tune, without overlap
    fresh = made.subset(np.arange(2 * COUNT, 3 * COUNT))
    rows = fresh.packed(slice(None))["music"]
    simple = np.ones_like(rows[0])  # one consonant chord that is held
    simple[:, 0] = np.array([40, 36, 33, 21])

    def changed(music: np.ndarray) -> Dataset:
        return Dataset(name="cheat", codec=made.codec, arrays={"music": music}, fingerprint=fingerprint({"music": music}))

    return {
        "training": made.subset(np.arange(COUNT)),
        "held out": made.subset(np.arange(COUNT, 2 * COUNT)),
        "fresh real examples": fresh,
        "copies of the training set": made.subset(np.arange(COUNT)),
        "one simple example, over and over": changed(np.repeat(simple[None], COUNT, 0)),
        "voices of different examples": changed(
            np.stack([rows[rng.permutation(COUNT), voice] for voice in range(rows.shape[1])], 1)
        ),
    }


@cache
def clip_cheats() -> dict[str, Dataset]:
    """Clips of moving shapes, said to loop, and what is given out for generated ones."""
    made = build_shapes(moving_shapes(3 * COUNT, steps=8), VideoOptions(frames=8))
    made = replace(made, codec=replace(made.codec, spec=replace(made.codec.spec, loops=True)))
    fresh = made.subset(np.arange(2 * COUNT, 3 * COUNT))
    return {
        "training": made.subset(np.arange(COUNT)),
        "held out": made.subset(np.arange(COUNT, 2 * COUNT)),
        "fresh real examples": fresh,
        "copies of the training set": made.subset(np.arange(COUNT)),
        "frozen frames": frozen_frames(fresh, COUNT, 2),
        "shuffled frames": shuffled_frames(fresh, COUNT, 2),
        "cross-fades": cross_fades(fresh, COUNT, 2),
    }


@cache
def moved_pictures() -> dict[str, Dataset]:
    """Built-in shapes that are to be moved as clips of them move, and what is given out for it."""
    whole = motion_of(build_shapes(moving_shapes(3 * COUNT, steps=8), VideoOptions(frames=8, stride=8)))
    parts = {name: whole.subset(np.arange(at * COUNT, (at + 1) * COUNT)) for at, name in enumerate(("training", "held out"))}
    held_out = parts["held out"].packed(np.arange(COUNT))
    still = np.repeat(held_out["a"][:, :1], 8, 1)
    made = {
        "fresh real examples": whole.packed(np.arange(2 * COUNT, 3 * COUNT))["b"],
        "the picture, standing still": still,
        "keypoints that never move": still,
        "the picture in other colours": held_out["b"][:, :, ::-1].copy(),
    }
    for name, clips in made.items():
        arrays = {"a": held_out["a"], "b": clips, "target": held_out["b"]}
        parts[name] = Dataset(name=name, codec=whole.codec, arrays=arrays, fingerprint=fingerprint(arrays))
    return parts


class Puppet:
    """What stands for a GAN that moves pictures of shapes; it knows where shapes are."""

    name, judged_by = "puppet", ()

    def __init__(self, cheat: str) -> None:
        self.cheat = cheat

    def as_model(self, data: Dataset) -> Model:
        self.spec = data.codec.spec
        return Model(self, data.codec, {})  # pyright: ignore[reportArgumentType]

    def driven(self, picture: Tensor, *, absolute: bool = False) -> Callable[[Tensor], Tensor]:
        raise NotImplementedError

    def places(self, frames: Tensor) -> Tensor:
        """The middle of the shape, or of the frame."""
        if self.cheat == "keypoints that never move":
            return torch.zeros(len(frames), 1, 2)
        return self._centres(frames[:, None])[:, :1] / 16 - 1

    def generate(self, n: int, condition: dict[str, Tensor], **_: object) -> dict[str, Tensor]:
        picture, film = condition["a"][:, :1], condition["a"][:, 1:]
        if "colours" not in self.cheat and self.cheat != "fresh real examples":
            return {"b": picture.expand_as(film)}
        own, theirs = self._centres(picture), self._centres(film)
        target = own + theirs - theirs[:, :1]
        away = (target - own).round().long().tolist()
        clips = picture.flip(2).expand_as(film) if "colours" in self.cheat else picture.expand_as(film)
        moved = [
            torch.stack([frame.roll((y, x), (1, 2)) for frame, (x, y) in zip(clip, steps, strict=True)])
            for clip, steps in zip(clips, away, strict=True)
        ]
        return {"b": torch.stack(moved)}

    @staticmethod
    def _centres(clips: Tensor) -> Tensor:
        seen = tracked(clips.add(1).mul(127.5).round().to(torch.uint8).numpy())
        return torch.from_numpy(seen.centres).float()


def sounds(**how: object) -> Dataset:
    """Tones in two classes; `pitch=True` by their pitch instead."""
    waves, high, notes = tones(3 * SOUND_COUNT, samples=SOUND_SAMPLES)
    options = AudioOptions(trim=False, seconds=SOUND_SAMPLES / SOUND_RATE, degrade=how.get("degrade"))
    if how.get("pitch"):
        found = _in_memory("tones", waves, SOUND_RATE, [(float(note), 0.0) for note in notes], attributes=("pitch", "dynamic"))
    else:
        found = _in_memory("tones", waves, SOUND_RATE, ["high" if one else "low" for one in high])
    return build_audio(found, options, Path())


def parted(data: Dataset) -> dict[str, Dataset]:
    """Training, held-out and fresh examples, and copies."""
    parts = [data.subset(np.arange(place * SOUND_COUNT, (place + 1) * SOUND_COUNT)) for place in range(3)]
    names = ("training", "held out", "fresh real examples")
    return dict(zip(names, parts, strict=True)) | {"copies of the training set": parts[0]}


SOUNDS, NOTES = parted(sounds()), parted(sounds(pitch=True))
"""Tones in two classes, and by their pitch, and what is given out for generated ones."""


def restored() -> dict[str, Dataset]:
    """Damaged tones, and what is given out for restored ones."""
    whole = sounds(degrade="noise5")
    parts = parted(whole)
    held_out = parts["held out"].packed(slice(None))
    late = held_out["b"].copy()
    late[:, :80] //= 50
    made = {
        "fresh real examples": parts["fresh real examples"].packed(slice(None))["b"],
        "the real partner without its beginning": late,
        "the real partner half as loud": held_out["b"] // 2,
    }
    for name, wave in made.items():
        arrays = {"a": held_out["a"], "b": wave, "target": held_out["b"]}
        parts[name] = Dataset(name=name, codec=whole.codec, arrays=arrays, fingerprint=fingerprint(arrays))
    return parts


RESTORED = restored()


_spoken = spoken(3 * SOUND_COUNT)


def said() -> dict[str, Dataset]:
    """Sentences of tones, and what is given out for speech that was made of their text."""
    whole = _spoken
    parts = parted(whole)
    held_out = parts["held out"].packed(slice(None))
    late = np.concatenate([np.tile(held_out["b"][:, :100], (1, 6)), held_out["b"]], 1)[:, : held_out["b"].shape[1]]
    made = {
        "fresh real examples": parts["fresh real examples"].packed(slice(None))["b"],
        "the real partner with its first sound drawn out": late,
        "the real partner half as loud": held_out["b"] // 2,
    }
    for name, wave in made.items():
        arrays = {"a": held_out["a"], "a.frames": held_out["a.frames"], "b": wave, "target": held_out["b"]}
        parts[name] = Dataset(name=name, codec=whole.codec, arrays=arrays, fingerprint=fingerprint(arrays))
    return parts


SAID = said()


def heard(wave: np.ndarray, rate: int) -> list[str]:
    """A stand-in for a recogniser, which knows all sentences of tones: the words of the nearest wave, whatever its level."""
    known, texts = np.asarray(_spoken.batch(slice(None))["b"]), _spoken.facts["texts"]
    known = known[:, : len(wave)] / (np.linalg.norm(known, axis=1, keepdims=True) + 1e-9)
    return texts[int((known @ wave).argmax())].removesuffix(" .").split()


def alike(rate: int, truth: np.ndarray, wave: np.ndarray, mode: str) -> float:
    """A stand-in for PESQ: the cosine of spectra."""
    one, other = (np.abs(np.fft.rfft(each)) for each in (truth, wave))
    return 1 + 3.6 * float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other) + 1e-9))


def voice_heard(wave: torch.Tensor) -> torch.Tensor:
    """A stand-in for an encoder of speakers: where the spectrum lies."""
    size = torch.fft.rfft(wave).abs()[:, :512].unflatten(1, (16, -1)).mean(2)
    return size / size.norm(dim=1, keepdim=True)


VOICES = {name: as_voices(data, None) for name, data in SOUNDS.items()}
"""Tones in two voices, and cheats that pass for conversions."""
