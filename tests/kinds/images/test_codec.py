from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from gansmith.errors import UserError
from gansmith.kinds import load_codec
from gansmith.kinds.images.codec import ImageCodec, Picture, as_image
from gansmith.kinds.images.spec import ImageSpec
from gansmith.kinds.images.values import Levels
from gansmith.kinds.opening import open_dataset


def codec(
    shape: tuple[int, int, int] = (3, 6, 4), classes: tuple[str, ...] = (), frequencies: tuple[int, ...] = ()
) -> ImageCodec:
    return ImageCodec(ImageSpec(shape=shape, classes=classes), frequencies=frequencies)


shapes = st.tuples(st.sampled_from([1, 3, 4]), st.integers(1, 9), st.integers(1, 9))


@settings(deadline=None, max_examples=30)
@given(st.data(), shapes)
def test_bytes_survive_unpacking_and_repacking_and_encoding_and_decoding(
    data: st.DataObject, shape: tuple[int, int, int]
) -> None:
    images = data.draw(arrays(np.uint8, (2, *shape)))
    labels = np.array([1, 0])
    own = codec(shape, ("cat", "dog"), (3, 5))
    batch = own.unpack({"image": images, "label": labels})
    assert batch["image"].dtype == torch.float32 and batch["image"].is_contiguous() and batch["label"].dtype == torch.int64
    np.testing.assert_allclose(batch["image"].numpy(), images / 127.5 - 1, atol=1e-6)
    packed = own.repack(batch)
    np.testing.assert_array_equal(packed["image"], images)
    np.testing.assert_array_equal(packed["label"], labels)
    pictures = own.decode(batch)
    assert [picture.label for picture in pictures] == ["dog", "cat"]
    again = own.encode(pictures[0])
    assert torch.equal(again["image"], batch["image"][:1]) and torch.equal(again["label"], batch["label"][:1])


def test_repacking_rounds_and_clamps() -> None:
    image = torch.tensor([-3.0, -1.0, 0.0, 0.996, 1.0, 7.0]).reshape(1, 1, 1, 6)
    assert codec((1, 1, 6)).repack({"image": image.bfloat16()})["image"].ravel().tolist() == [0, 0, 128, 255, 255, 255]


def test_read_only_rows_are_unpacked_into_tensors_of_their_own() -> None:
    images, labels = np.full((1, 1, 2, 2), 255, np.uint8), np.zeros(1, np.int64)
    images.flags.writeable = labels.flags.writeable = False
    batch = codec((1, 2, 2), ("a",), (1,)).unpack({"image": images, "label": labels})
    batch["image"].zero_()
    batch["label"].fill_(9)
    assert images.min() == 255 and labels[0] == 0


def test_a_codec_survives_json() -> None:
    own = ImageCodec(ImageSpec(shape=(1, 5, 7), classes=("a", "b")), "pad", (2, 3), Levels(dtype="uint16", high=4095.0))
    assert load_codec(own.to_json()) == own


def test_labels_are_as_frequent_as_in_the_data() -> None:
    own = codec(classes=("a", "b", "c"), frequencies=(100, 300, 0))
    labels = own.conditions(8000, torch.Generator().manual_seed(0))["label"]
    assert labels.dtype == torch.int64
    shares = torch.bincount(labels, minlength=3) / 8000
    torch.testing.assert_close(shares, torch.tensor([0.25, 0.75, 0.0]), atol=0.02, rtol=0)
    assert torch.equal(labels, own.conditions(8000, torch.Generator().manual_seed(0))["label"])


def test_a_requested_class_is_the_only_one() -> None:
    own = codec(classes=("2", "10", "cat"), frequencies=(1, 1, 1))
    assert own.conditions(3, torch.Generator(), **{"class": "10"})["label"].tolist() == [1, 1, 1]


def test_data_without_classes_has_no_conditions() -> None:
    assert codec().conditions(3, torch.Generator()) == {}


@pytest.mark.parametrize(
    ("classes", "wish", "said"),
    [
        (("cat", "dog"), {"class": "cta"}, 'there is no class "cta" (did you mean "cat"?): the classes are cat, dog.'),
        (("cat", "dog"), {"clas": "cat"}, '"clas" cannot be asked for (did you mean "class"?): what can be is class=cat.'),
        ((), {"class": "cat"}, "this model was trained without classes, so class=cat cannot be asked for: leave it out."),
    ],
)
def test_conditions_that_cannot_be_met_are_answered_with_what_can(
    classes: tuple[str, ...], wish: dict[str, str], said: str
) -> None:
    with pytest.raises(UserError) as error:
        codec(classes=classes, frequencies=(1,) * len(classes)).conditions(1, torch.Generator(), **wish)
    assert str(error.value) == said


def test_a_picture_without_the_label_that_the_data_has_is_refused() -> None:
    with pytest.raises(UserError, match="has none: give every picture a label"):
        codec(classes=("a",)).pack(Picture(Image.new("RGB", (4, 6))))


def test_saved_pictures_are_exact_and_named_by_class_and_never_overwritten(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2, 4, 3, 5), np.uint8)
    own = codec((4, 3, 5))
    first = own.save([Picture(as_image(pixels[0]), "7"), Picture(as_image(pixels[1]), "a/b é")], tmp_path / "out")
    second = own.save([Picture(as_image(pixels[0]))], tmp_path / "out")
    assert [path.name for path in [*first, *second]] == ["000000-7.png", "000001-a_b_é.png", "000002.png"]
    with Image.open(first[1]) as image:
        np.testing.assert_array_equal(own.pixels(image), pixels[1])


@pytest.mark.parametrize(
    ("size", "count", "expected"),
    [((28, 28), 64, (8 * 60 + 4, 8 * 60 + 4)), ((8, 8), 32, (8 * 60 + 4, 4 * 60 + 4)), ((200, 100), 3, (3 * 204 + 4, 108))],
)
def test_a_preview_is_a_grid_in_which_small_pictures_are_enlarged(
    size: tuple[int, int], count: int, expected: tuple[int, int]
) -> None:
    pictures = [Picture(Image.new("L", size, 9)) for _ in range(count)]
    assert codec((1, size[1], size[0])).preview(pictures).size == expected


def test_a_preview_keeps_every_pixel_and_shows_transparency() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 8, 8), np.uint8)
    sheet = np.asarray(codec((3, 8, 8)).preview([Picture(as_image(pixels))]))
    np.testing.assert_array_equal(sheet[4:60:7, 4:60:7], pixels.transpose(1, 2, 0))
    clear = np.asarray(codec((4, 64, 64)).preview([Picture(Image.new("RGBA", (64, 64)))]))[4:-4, 4:-4]
    assert {tuple(colour) for colour in clear.reshape(-1, 3).tolist()} == {(255, 255, 255), (222, 222, 222)}


def test_a_sketch_is_the_mean_of_cells() -> None:
    image = torch.randn(2, 3, 16, 4, generator=torch.Generator().manual_seed(0))
    sketch = codec((3, 16, 4)).sketch({"image": image})
    torch.testing.assert_close(sketch, image.reshape(2, 3, 8, 2, 4).mean(3).flatten(1))


def test_classes_are_written_beside_the_pictures_and_read_back(tmp_path: Path) -> None:
    codec = ImageCodec(ImageSpec(shape=(1, 8, 8), classes=("ohne Bart ☺", "mit, Bart")))
    pictures = [Picture(Image.new("L", (8, 8), 20 * number), codec.spec.classes[number % 2]) for number in range(10)]
    codec.save(pictures[:4], tmp_path)
    codec.save(pictures[4:], tmp_path)
    again = open_dataset(tmp_path)
    assert again.codec.spec.classes == ("mit, Bart", "ohne Bart ☺")
    brightness = again.arrays["image"][:, 0, 0, 0] // 20
    assert [again.codec.spec.classes[own] for own in again.arrays["label"]] == [codec.spec.classes[own % 2] for own in brightness]
