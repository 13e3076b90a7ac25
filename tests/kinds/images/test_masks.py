"""Pictures with holes: masks by name or by chance, what networks see of them, and that what is known stays."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gansmith.errors import UserError
from gansmith.kinds import load_codec
from gansmith.kinds.images.masks import hidden
from gansmith.kinds.images.metrics.trivial_translations import trivial
from gansmith.kinds.opening import open_dataset
from tests import toys

Make = Callable[..., Image.Image]


def boxed(number: int, size: tuple[int, int] = (12, 10)) -> Image.Image:
    mask = Image.new("L", size)
    mask.paste(255, (number, 2, number + 4, 6))
    return mask


@pytest.fixture
def photos(tmp_path: Path, picture: Make) -> Path:
    """Eight photos, with masks of their names beside them."""
    for folder in ("photos", "masks", "others"):
        (tmp_path / folder).mkdir()
    for number in range(8):
        picture(seed=number).save(tmp_path / f"photos/{number}.png")
        boxed(number).save(tmp_path / f"masks/{number}.gif")
    boxed(1, (24, 20)).save(tmp_path / "others/hole.png")
    return tmp_path / "photos"


def test_each_photo_is_given_with_its_own_hole_and_made_whole(photos: Path, picture: Make) -> None:
    data = open_dataset(photos, masks=photos.parent / "masks")
    assert (data.codec.spec.source_shape, data.codec.spec.shape, data.codec.spec.source.holes) == ((4, 10, 12), (3, 10, 12), True)
    for number, (a, b) in enumerate(zip(data.arrays["a"], data.arrays["b"], strict=True)):
        whole = np.asarray(picture(seed=number)).transpose(2, 0, 1)
        known = np.asarray(boxed(number)) < 128
        np.testing.assert_array_equal(b, whole)
        np.testing.assert_array_equal(a, np.concatenate([whole * known, known[None] * np.uint8(255)]))
    assert data.codec.to_json() == load_codec(data.codec.to_json()).to_json()
    assert type(load_codec(data.codec.to_json()).a) is type(data.codec.a)


def test_what_networks_see_is_known_or_hidden_and_never_in_between(photos: Path) -> None:
    data = open_dataset(photos, masks=photos.parent / "masks", resolution=7)
    known = data.batch(np.arange(8))["a"][:, 3:]
    assert set(known.unique().tolist()) == {-1.0, 1.0}
    assert bool((data.batch(np.arange(8))["a"][:, :3].masked_select(known < 0) == -1).all())


def test_masks_of_other_names_are_dealt_in_the_size_of_the_photos(photos: Path) -> None:
    first, second = (open_dataset(photos, masks=photos.parent / "others") for _ in range(2))
    np.testing.assert_array_equal(first.arrays["a"], second.arrays["a"])
    np.testing.assert_array_equal(first.arrays["a"][3, 3] == 0, np.asarray(boxed(1, (24, 20)).resize((12, 10), 0)) > 0)


def test_other_masks_are_other_data(photos: Path) -> None:
    before = open_dataset(photos, masks=photos.parent / "masks")
    boxed(7).save(photos.parent / "masks/0.gif")
    after = open_dataset(photos, masks=photos.parent / "masks")
    assert before.fingerprint != after.fingerprint and not np.array_equal(before.arrays["a"][0], after.arrays["a"][0])


def test_mistakes_are_answered_in_a_sentence(photos: Path, picture: Make) -> None:
    masks = photos.parent / "masks"
    with pytest.raises(UserError, match=r"leave --degrade, --pairing and --swap out"):
        open_dataset(photos, masks=masks, degrade="x2")
    with pytest.raises(UserError, match=r"but --masks .*absent is none"):
        open_dataset(photos, masks=photos.parent / "absent")
    with pytest.raises(UserError, match=r"lies in the pictures' own folder"):
        open_dataset(photos, masks=photos)
    boxed(0, (5, 5)).save(masks / "0.gif")
    with pytest.raises(UserError, match=r"that of 0.png is 5x5 for a picture of 12x10"):
        open_dataset(photos, masks=masks)
    (masks / "0.gif").unlink()
    with pytest.raises(UserError, match=r"1 of 8 pictures have no mask in .*masks \(0.png\)"):
        open_dataset(photos, masks=masks)
    Image.fromarray(np.full((10, 12), 40_000, np.uint16)).save(photos / "0.png")
    with pytest.raises(UserError, match=r"holes are filled in pictures of 8 bits|hides parts of gray or RGB pictures of 8 bits"):
        open_dataset(photos, masks=photos.parent / "others")


def test_a_hole_is_where_a_picture_is_transparent_or_its_mask_is_white(picture: Make) -> None:
    whole = picture("RGBA")
    whole.putalpha(boxed(3).point(lambda white: 255 - white))
    by_mask = hidden(picture("RGBA").convert("RGB"), boxed(3), "photo")
    assert hidden(whole, None, "photo") == by_mask
    with pytest.raises(UserError, match=r"photo.png has no transparent part"):
        hidden(picture(), None, "photo.png")


@pytest.mark.parametrize(
    ("mask", "brightest"),
    [
        (Image.fromarray((np.asarray(boxed(3)) > 0).astype(np.uint8)), 1),
        (boxed(3).point(lambda white: 100 if white else 0), 100),
        (Image.merge("RGB", [boxed(3), Image.new("L", (12, 10)), Image.new("L", (12, 10))]), 76),
    ],
)
def test_masks_that_hide_nothing_are_refused_by_their_brightest_value(
    photos: Path, picture: Make, mask: Image.Image, brightest: int
) -> None:
    palette = mask.convert("P") if mask.mode == "RGB" else mask
    for own in (mask, palette):
        with pytest.raises(
            UserError, match=rf"the mask of photo.png hides nothing, as its brightest value is {brightest} and 128"
        ):
            hidden(picture(), own, "photo.png")
    for number in range(8):
        mask.save(photos.parent / f"masks/{number}.png")
        (photos.parent / f"masks/{number}.gif").unlink()
    with pytest.raises(UserError, match=rf"0.png \(the mask of 0.png hides nothing, as its brightest value is {brightest}"):
        open_dataset(photos, masks=photos.parent / "masks")


def test_masks_with_transparency_are_refused_as_white_may_be_seen_in_two_ways(picture: Make) -> None:
    mask = Image.new("RGBA", (12, 10), "white")
    mask.putalpha(boxed(3))
    for own in (mask, mask.convert("LA"), mask.quantize()):
        with pytest.raises(UserError, match=r"the mask of photo.png is transparent in parts"):
            hidden(picture(), own, "photo.png")
    mask = boxed(3).convert("RGBA")
    assert hidden(picture(), mask, "photo.png") == hidden(picture(), boxed(3), "photo.png")


def test_holes_that_vanish_at_the_resolution_of_the_training_are_told(photos: Path) -> None:
    for number in range(8):
        mask = Image.new("L", (12, 10))
        mask.putpixel((4, 4), 255)
        mask.save(photos.parent / f"masks/{number}.gif")
    with pytest.raises(UserError, match=r"every hole of photos vanishes at 4x4"):
        open_dataset(photos, masks=photos.parent / "masks", resolution=4)
    assert len(open_dataset(photos, masks=photos.parent / "masks")) == 8


def test_masks_that_are_dealt_by_chance_are_told_so(photos: Path) -> None:
    own, dealt = (open_dataset(photos, masks=photos.parent / folder).facts["notes"] for folder in ("masks", "others"))
    assert not any("by chance" in note for note in own) and any("dealt by chance" in note for note in dealt)


def test_what_is_known_stays_whatever_the_gan_makes(photos: Path) -> None:
    data = open_dataset(photos, masks=photos.parent / "masks", resolution=16)
    for name in ("pix2pix", "bicyclegan"):
        gan = toys.small(name, data).eval()
        batch = data.batch(np.arange(4))
        with torch.inference_mode():
            made = gan.generate(4, data.codec.source(batch), rng=torch.Generator().manual_seed(0))["b"]
        known = (batch["a"][:, 3:] > 0).expand_as(made)
        torch.testing.assert_close(made[known], batch["b"][known])
        assert not torch.allclose(made[~known], batch["b"][~known], atol=1e-3)


def test_the_trivial_fillings_keep_what_is_known_too(photos: Path) -> None:
    data = open_dataset(photos, masks=photos.parent / "masks")
    a, b = (data.arrays[key] for key in "ab")
    for made in trivial(data, data).values():
        known = np.broadcast_to(a[:, 3:] > 0, b.shape)
        np.testing.assert_array_equal(made.arrays["b"][known], b[known])
