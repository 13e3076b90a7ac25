from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gansmith.data.paired import PairedCodec
from gansmith.errors import UserError
from gansmith.kinds import load_codec
from gansmith.kinds.images.label_maps import LabelMaps
from gansmith.kinds.images.metrics.trivial_translations import trivial
from gansmith.kinds.opening import open_dataset

COLOURS = [(0, 0, 0), (255, 0, 0), (0, 128, 64)]


def folder(root: Path, mode: str = "RGB", count: int = 12) -> Path:
    """Maps of three labels with photos in which each label has its own brightness."""
    rng = np.random.default_rng(0)
    for number in range(count):
        index = rng.integers(0, 3, (4, 5)).repeat(4, 0).repeat(4, 1).astype(np.uint8)
        (root / "A").mkdir(parents=True, exist_ok=True)
        (root / "B").mkdir(exist_ok=True)
        if mode == "P":
            image = Image.fromarray(index, mode="P")
            image.putpalette([value for colour in COLOURS for value in colour])
        elif mode == "L":
            image = Image.fromarray(index * np.uint8(7))
        else:
            image = Image.fromarray(np.array(COLOURS, np.uint8)[index])
        image.save(root / "A" / f"{number}.png")
        Image.fromarray((index * 100).astype(np.uint8)).save(root / "B" / f"{number}.png")
    return root


@pytest.mark.parametrize("mode", ["RGB", "P", "L"])
def test_colours_palettes_and_indices_become_one_plane_per_label(tmp_path: Path, mode: str):
    data = open_dataset(folder(tmp_path / mode, mode), kind="pairs", label_maps=True, cache=tmp_path / "cache")
    a, b = data.batch(slice(None))["a"], data.batch(slice(None))["b"]
    assert data.codec.spec.source_shape == (3, 16, 20) and a.unique().tolist() == [0, 1]
    assert torch.equal(a.sum(1), torch.ones_like(a[:, 0]))
    assert all(len(b[a[:, [label]].bool()].unique()) == 1 for label in range(3))  # nothing is blurred
    assert "the colours of side a are 3 labels: #000000" in " ".join(data.facts["notes"])
    again = load_codec(data.codec.to_json())
    assert isinstance(again.a, LabelMaps) and again == data.codec


def test_maps_change_size_to_the_nearest_pixel(tmp_path: Path):
    data = open_dataset(folder(tmp_path), kind="pairs", label_maps=True, resolution="8x10", cache=tmp_path / "cache")
    whole = open_dataset(folder(tmp_path), kind="pairs", label_maps=True, cache=tmp_path / "cache")
    a, larger = data.batch(slice(None))["a"], whole.batch(slice(None))["a"]
    assert torch.equal(a, larger[..., 1::2, 1::2])


def test_maps_are_drawn_in_their_colours_and_read_at_any_size(tmp_path: Path):
    data = open_dataset(folder(tmp_path), kind="pairs", label_maps=True, cache=tmp_path / "cache")
    assert isinstance(data.codec, PairedCodec) and isinstance(data.codec.a, LabelMaps)
    shown = data.codec.decode(data.batch(slice(0, 1)))[0].a.image
    with Image.open(tmp_path / "A" / "0.png") as original:
        assert np.array_equal(np.asarray(shown), np.asarray(original))
        seen = data.codec.a.seen(original.crop((0, 0, 7, 5)), "0.png")
    assert seen.shape == (1, 3, 5, 7)
    with pytest.raises(UserError, match="photo.png has the colour #010203, which is no label of the data"):
        data.codec.a.seen(Image.new("RGB", (4, 4), (1, 2, 3)), "photo.png")


def test_the_lookup_of_labels_knows_what_each_becomes(tmp_path: Path):
    data = open_dataset(folder(tmp_path, count=20), kind="pairs", label_maps=True, cache=tmp_path / "cache")
    train, held_out = data.split(0.2)
    found = trivial(train, held_out)["colour lookup"].arrays["b"]
    assert np.array_equal(found, held_out.packed(slice(None))["b"])


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"crop": "pad"}, "no colour to pad with"),
        ({"kind": "images", "label_maps": True}, "--label-maps is for pairs"),
    ],
)
def test_mistakes_are_answered_in_a_sentence(tmp_path: Path, options: dict, sentence: str):
    with pytest.raises(UserError, match=sentence):
        open_dataset(folder(tmp_path), cache=tmp_path / "cache", **{"kind": "pairs", "label_maps": True, **options})


def test_photos_are_no_maps(tmp_path: Path):
    root = folder(tmp_path)
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (16, 20, 3), np.uint8)).save(root / "A" / "3.png")
    with pytest.raises(UserError, match=r"have \d+ colours, but at most 256 can be labels"):
        open_dataset(root, kind="pairs", label_maps=True, cache=tmp_path / "cache")
