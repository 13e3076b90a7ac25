import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gansmith.data.paired import Pair
from gansmith.data.unaligned import Unaligned
from gansmith.errors import UserError
from gansmith.kinds import load_codec
from gansmith.kinds.images.codec import Picture
from gansmith.kinds.opening import open_dataset
from gansmith.runs.data import open_like

Make = Callable[..., Image.Image]


def put(folder: Path, name: str, image: Image.Image) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    image.save(folder / name)


def pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image).transpose(2, 0, 1)


def test_partners_of_one_name_in_two_folders_stay_together(photos: Path, picture: Make) -> None:
    for number in (10, 2, 1):
        put(photos, f"A/{number}.png", picture(seed=number))
        put(photos, f"B/{number}.png", picture(seed=100 + number))
    dataset = open_dataset(photos)
    assert dataset.codec.spec.task == "pairs" and dataset.codec.spec.aligned and dataset.codec.spec.source_shape == (3, 10, 12)
    found = {tuple(a.flatten()): b for a, b in zip(dataset.arrays["a"], dataset.arrays["b"], strict=True)}
    for number in (1, 2, 10):
        np.testing.assert_array_equal(found[tuple(pixels(picture(seed=number)).flatten())], pixels(picture(seed=100 + number)))


def test_names_that_do_not_match_are_named(photos: Path, picture: Make) -> None:
    for name in ("A/one.png", "A/two.png", "B/one.png", "B/three.png"):
        put(photos, name, picture())
    with pytest.raises(UserError, match="1 of A without a partner in B .*two.* and 1 of B without a partner in A .*three"):
        open_dataset(photos, kind="pairs")


def test_train_a_and_train_b_are_two_domains_with_their_own_tests(photos: Path, picture: Make) -> None:
    for side, count in (("trainA", 5), ("trainB", 3), ("testA", 2), ("testB", 2)):
        for number in range(count):
            put(photos, f"{side}/{number}.png", picture(seed=number))
    dataset = open_dataset(photos)
    assert isinstance(dataset, Unaligned) and not dataset.codec.spec.aligned
    assert len(dataset) == 5 and dataset.held_out is not None and len(dataset.held_out) == 2
    batch = dataset.batch(np.arange(5))
    assert torch.equal(batch["b"][0], batch["b"][3]) and not torch.equal(batch["a"][0], batch["a"][3])


def test_further_test_sets_are_named_and_each_can_be_opened(photos: Path, picture: Make) -> None:
    for side in ("trainA", "trainB", "testA", "testB", "test2A", "test2B", "nightA", "nightB"):
        for index in range(3):
            put(photos / side, f"{index}.png", picture(size=(8, 8), seed=index))
    data = open_dataset(photos, kind="pairs")
    (said,) = [note for note in data.facts["notes"] if "further test sets" in note]
    assert "nightA" in said and "test2A" in said and "testA" not in said.replace("test2A", "")
    night = open_dataset(photos / "nightA", kind="pairs", pairing="names")
    assert night.name == "night" and len(night) == 3 and night.codec.spec.aligned


def test_two_domains_without_a_test_split_hold_out_images_of_both_that_are_not_trained_on(photos: Path, picture: Make) -> None:
    for side, count in (("trainA", 20), ("trainB", 12)):
        for number in range(count):
            put(photos, f"{side}/{number}.png", picture(seed=1000 * count + number))
    dataset = open_dataset(photos)
    training, held_out = dataset.split(0.2)
    for key in ("a", "b"):
        trained = {row.tobytes() for row in training.packed(np.arange(len(training)))[key]}
        held = {row.tobytes() for row in held_out.packed(np.arange(len(held_out)))[key]}
        assert held and not trained & held
    assert len(training.subset(np.arange(3)).packed(slice(None))["a"]) == 3


def test_side_by_side_pictures_are_cut_in_halves_and_sides_can_be_swapped(photos: Path, picture: Make) -> None:
    whole = picture(size=(24, 10))
    for number in range(3):
        put(photos, f"{number}.png", whole)
    straight, swapped = open_dataset(photos, kind="pairs"), open_dataset(photos, kind="pairs", swap=True)
    np.testing.assert_array_equal(straight.arrays["a"][0], pixels(whole.crop((0, 0, 12, 10))))
    np.testing.assert_array_equal(straight.arrays["b"][0], pixels(whole.crop((12, 0, 24, 10))))
    np.testing.assert_array_equal(straight.arrays["a"], swapped.arrays["b"])


def test_single_pictures_degraded_are_pairs_of_their_scale(photos: Path, picture: Make) -> None:
    for number in range(3):
        put(photos, f"{number}.png", picture(size=(16, 8), seed=number))
    dataset = open_dataset(photos, degrade="x4")
    assert dataset.codec.spec.source_shape == (3, 2, 4) and dataset.codec.spec.shape == (3, 8, 16)
    expected = picture(size=(16, 8), seed=0).resize((4, 2), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(dataset.arrays["a"][0], pixels(expected))


def test_pictures_are_resized_before_they_are_degraded_so_that_noise_stays_as_strong(photos: Path) -> None:
    put(photos, "0.png", Image.new("RGB", (96, 96), (127, 127, 127)))
    put(photos, "1.png", Image.new("P", (96, 96), 3))
    dataset = open_dataset(photos, degrade="noise20", resolution=24)
    noise = dataset.arrays["a"].astype(float) - dataset.arrays["b"]
    assert abs(noise[0].std() - 20) < 1.5


def test_degraded_pictures_keep_their_sides_and_have_eight_bits(photos: Path) -> None:
    put(photos, "0.png", Image.new("L", (8, 8)))
    with pytest.raises(UserError, match="is degraded, so its sides cannot be swapped"):
        open_dataset(photos, degrade="noise20", swap=True)
    put(photos, "1.png", Image.fromarray(np.full((8, 8), 40_000, np.uint16)))
    with pytest.raises(UserError, match=r"damages pictures of 8 bits, but 1.png has more"):
        open_dataset(photos, degrade="noise20")


def test_smaller_partners_give_the_scale_and_other_sizes_are_refused(photos: Path, picture: Make) -> None:
    for number in range(2):
        put(photos, f"A/{number}.png", picture(size=(6, 5)))
        put(photos, f"B/{number}.png", picture(size=(12, 10)))
    assert open_dataset(photos).codec.spec.source_shape == (3, 5, 6)
    put(photos, "B/1.png", picture(size=(13, 10)))
    with pytest.raises(UserError, match="1.png is 6x5 and its partner 13x10: resize"):
        open_dataset(photos)


def test_a_list_pairs_any_files_and_names_those_that_are_absent(tmp_path: Path, picture: Make) -> None:
    for number in range(2):
        put(tmp_path, f"in/{number}.png", picture(seed=number))
        put(tmp_path, f"out/{number}.png", picture(seed=9 - number))
    (tmp_path / "list.csv").write_text("a,b\nin/0.png,out/1.png\nin/1.png,out/0.png\n")
    dataset = open_dataset(tmp_path / "list.csv", kind="pairs")
    np.testing.assert_array_equal(dataset.arrays["b"][0], pixels(picture(seed=8)))
    (tmp_path / "list.csv").write_text("a,b\nin/0.png,out/7.png\n")
    with pytest.raises(UserError, match=r"out/7.png, which are not there"):
        open_dataset(tmp_path / "list.csv", kind="pairs")


def test_a_column_of_a_list_says_what_is_held_out(tmp_path: Path, picture: Make) -> None:
    rows = [f"{number}.png,{number}.png,{'test' if number in (1, 4) else 'train'}" for number in range(6)]
    for number in range(6):
        put(tmp_path, f"{number}.png", picture(seed=number))
    (tmp_path / "list.csv").write_text("\n".join(["a,b,split", *rows]))
    train, held_out = open_dataset(tmp_path / "list.csv", kind="pairs").split(0.5)
    assert len(train) == 4 and len(held_out) == 2
    np.testing.assert_array_equal(held_out.arrays["b"][1], pixels(picture(seed=4)))
    (tmp_path / "list.csv").write_text("a,b,split\n1.png,2.png,maybe\n")
    with pytest.raises(UserError, match=r"list.csv has maybe in its column split: write train or test or"):
        open_dataset(tmp_path / "list.csv", kind="pairs")
    (tmp_path / "list.csv").write_text("a,b,split\n1.png,2.png,test\n")
    with pytest.raises(UserError, match=r"all are held out"):
        open_dataset(tmp_path / "list.csv", kind="pairs")


def test_pairs_with_an_unreadable_side_are_left_out_on_request(photos: Path, picture: Make) -> None:
    for number in range(3):
        put(photos, f"A/{number}.png", picture(seed=number))
        put(photos, f"B/{number}.png", picture(seed=number))
    (photos / "B/1.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"1\.png"):
        open_dataset(photos)
    dataset = open_dataset(photos, skip_unreadable=True)
    np.testing.assert_array_equal(dataset.arrays["a"], dataset.arrays["b"])
    assert len(dataset) == 2


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"kind": "pairs"}, "read as pictures side by side, but 0.png is 9x10"),
        ({"degrade": "x4,blurr2"}, r"'blurr2' \(did you mean"),
        ({"degrade": "x2.5"}, "whole number"),
        ({"pairing": "some"}, "names or none"),
    ],
)
def test_mistakes_are_answered_in_a_sentence(photos: Path, picture: Make, options: dict, sentence: str) -> None:
    put(photos, "0.png", picture(size=(9, 10)))
    with pytest.raises(UserError, match=sentence):
        open_dataset(photos, **options)


def test_a_domain_of_one_image_is_refused(photos: Path, picture: Make) -> None:
    put(photos, "trainA/0.png", picture())
    for number in range(3):
        put(photos, f"trainB/{number}.png", picture(seed=number))
    with pytest.raises(UserError, match="side a of photos has 1 image, where at least 2"):
        open_dataset(photos)


def test_the_codec_returns_what_it_was_given_and_survives_json(photos: Path, picture: Make) -> None:
    put(photos, "A/0.png", picture("L"))
    put(photos, "B/0.png", picture("RGBA"))
    codec = open_dataset(photos).codec
    again = load_codec(codec.to_json())
    raw = Pair(*(Picture(picture(mode, seed=seed)) for mode, seed in (("L", 3), ("RGBA", 4), ("RGBA", 5))))
    (back,) = again.decode(again.encode(raw))
    for one, other in ((raw.a, back.a), (raw.b, back.b), (raw.target, back.target)):
        np.testing.assert_array_equal(np.asarray(one.image), np.asarray(other.image))
    assert again == codec and codec.preview([raw, back]).mode == "RGB"
    batch = again.encode(Pair(raw.a, raw.b))
    assert torch.equal(again.source(batch)["target"], batch["b"])
    with pytest.raises(UserError, match="no classes"):
        codec.conditions(2, torch.Generator(), **{"class": "7"})


def test_a_and_b_with_a_name_too_many_are_pairs_with_a_mistake_and_no_classes(photos: Path, picture: Make) -> None:
    for name in ("A/1.png", "A/2.png", "A/3.png", "B/1.png", "B/2.png", "B/extra.png"):
        put(photos, name, picture())
    with pytest.raises(
        UserError, match=r"1 of A without a partner in B \(3.png\) and 1 of B without a partner in A \(extra.png\)"
    ):
        open_dataset(photos)


def test_folders_that_are_named_like_sides_and_whose_files_are_no_partners_are_a_question(photos: Path, picture: Make) -> None:
    for name in ("A/1.png", "A/2.png", "B/3.png", "B/4.png"):
        put(photos, name, picture())
    with pytest.raises(
        UserError, match=r"names in them do not match \(1.png and 1 more; 3.png and 1 more\): pass --kind images if A"
    ):
        open_dataset(photos)
    assert open_dataset(photos, kind="images").codec.spec.classes == ("A", "B")
    assert not open_dataset(photos, pairing="none").codec.spec.aligned


@pytest.mark.parametrize("sides", [("A", "B"), ("input", "target"), ("LR", "hr"), ("lq", "GT"), ("Source", "Target")])
@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("{0}.png", "{0:03}.png"),
        ("{0:04}x4.png", "{0:04}.png"),
        ("{0:04}_x4.png", "{0:04}.bmp"),
        ("Img{0}.PNG", "img{0}.png"),
        ("{0}_lq.png", "{0}_gt.png"),
        ("rain-{0}.png", "norain-{0}.png"),
        ("set/{0}x2m.png", "set/{0}.png"),
    ],
)
def test_partners_are_found_whatever_people_and_programs_vary_in_their_names(
    photos: Path, picture: Make, sides: tuple[str, str], a: str, b: str
) -> None:
    for number in (9, 10, 1):
        put(photos / sides[0], a.format(number), Image.new("RGB", (12, 10), (number, 0, 0)))
        put(photos / sides[1], b.format(number), Image.new("RGB", (12, 10), (number, 99, 0)))
    data = open_dataset(photos)
    assert data.codec.spec.task == "pairs"
    np.testing.assert_array_equal(data.arrays["a"][:, 0], data.arrays["b"][:, 0])
    assert any("partners may differ in" in note for note in data.facts["notes"]) == (a.format(1)[:-4] != b.format(1)[:-4])


def test_a_zip_with_folders_that_are_named_like_sides_is_a_question_too(photos: Path, picture: Make) -> None:
    with zipfile.ZipFile(photos.parent / "photos.zip", "w") as archive:
        for name in ("photos/A/1.png", "photos/A/2.png", "photos/B/1.png", "photos/B/2.png"):
            put(photos.parent, name, picture())
            archive.write(photos.parent / name, name)
        archive.writestr("__MACOSX/photos/A/._1.png", b"")
    with pytest.raises(
        UserError, match=r"photos.zip has the folders A and B, as pairs have: unpack it .*, or pass --kind images"
    ):
        open_dataset(photos.parent / "photos.zip")
    assert open_dataset(photos.parent / "photos.zip", kind="images").codec.spec.classes == ("A", "B")
    assert open_dataset(photos).codec.spec.aligned


def test_two_files_of_one_name_on_a_side_are_told_apart_by_their_suffix_or_refused(photos: Path, picture: Make) -> None:
    for name in ("A/1.png", "A/1.bmp", "B/1.png", "B/1.bmp"):
        put(photos, name, picture())
    assert len(open_dataset(photos)) == 2
    (photos / "B/1.bmp").unlink()
    with pytest.raises(UserError, match=r"1 of A without a partner in B \(1.bmp\)"):
        open_dataset(photos)
    (photos / "B/1.png").rename(photos / "B/1.gif")
    with pytest.raises(
        UserError, match=r"1.bmp, 1.png in A might each be the partner of 1.gif in B: rename or remove all but one"
    ):
        open_dataset(photos)


def test_side_by_side_pictures_are_turned_before_they_are_cut(photos: Path, picture: Make) -> None:
    for number, orientation in enumerate((3, 6, 8)):
        upright = picture(size=(24, 10), seed=number)
        turned = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}[orientation]
        exif = Image.Exif()
        exif[0x0112] = orientation
        (photos / f"{number}.png").parent.mkdir(parents=True, exist_ok=True)
        upright.transpose(turned).save(photos / f"{number}.png", exif=exif)
    data = open_dataset(photos, kind="pairs")
    for number in range(3):
        upright = picture(size=(24, 10), seed=number)
        np.testing.assert_array_equal(data.arrays["a"][number], pixels(upright.crop((0, 0, 12, 10))))
        np.testing.assert_array_equal(data.arrays["b"][number], pixels(upright.crop((12, 0, 24, 10))))


@pytest.mark.parametrize("layout", ["{side}/{split}/{number}.png", "{split}/{side}/{number}.png"])
def test_tests_are_held_out_whether_they_lie_inside_of_the_sides_or_around_them(photos: Path, picture: Make, layout: str) -> None:
    for split, numbers in (("train", range(5)), ("test", range(5, 8))):
        for side in "AB":
            for number in numbers:
                put(photos, layout.format(side=side, split=split, number=number), picture(seed=number + 100 * (side == "B")))
    data = open_dataset(photos)
    assert data.codec.spec.task == "pairs" and len(data) == 5
    assert data.held_out is not None and len(data.held_out) == 3
    np.testing.assert_array_equal(data.held_out.arrays["b"][0], pixels(picture(seed=105)))


@pytest.mark.parametrize("sides", [("LR", "HR"), ("lq", "gt"), ("LRbicx2", "GTmod12")])
def test_folders_of_super_resolution_are_known_by_their_names(photos: Path, picture: Make, sides: tuple[str, str]) -> None:
    for number in range(2):
        put(photos, f"{sides[0]}/{number}.png", picture(size=(6, 5)))
        put(photos, f"{sides[1]}/{number}.png", picture(size=(12, 10)))
    spec = open_dataset(photos, kind="pairs").codec.spec
    assert (spec.source_shape, spec.shape) == ((3, 5, 6), (3, 10, 12))


def test_a_list_takes_arrays_of_any_number_of_channels(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 60_000, (2, 5, 6, 7), np.uint16)
    for number, stack in enumerate(values):
        np.save(tmp_path / f"{number}.npy", stack)
    (tmp_path / "list.csv").write_text("a,b\n0.npy,1.npy\n1.npy,0.npy\n")
    data = open_dataset(tmp_path / "list.csv", kind="pairs")
    assert data.codec.spec.source_shape == (5, 6, 7)
    np.testing.assert_array_equal(data.arrays["a"], values)


def test_a_test_set_of_its_own_is_taken_whole_and_in_the_range_that_was_trained_on(tmp_path: Path, picture: Make) -> None:
    for split, number, bright in (("trainA", 6, 65_000), ("trainB", 6, 65_000), ("test2A", 5, 900), ("test2B", 5, 900)):
        for index in range(number):
            deep = np.random.default_rng(index).integers(0, bright, (8, 8), np.uint16)
            put(tmp_path, f"{split}/{index}.png", Image.fromarray(deep))
    training = open_dataset(tmp_path)
    tests = open_like(training, tmp_path / "test2A")
    assert len(tests) == 5 and tests.codec is training.codec
    assert float(tests.batch(np.arange(5))["a"].max()) < -0.9


def test_a_test_set_of_another_scale_is_refused(photos: Path, picture: Make) -> None:
    for number in range(2):
        put(photos / "train", f"A/{number}.png", picture(size=(6, 6)))
        put(photos / "train", f"B/{number}.png", picture(size=(12, 12)))
        put(photos / "other", f"A/{number}.png", picture())
        put(photos / "other", f"B/{number}.png", picture())
    training = open_dataset(photos / "train")
    with pytest.raises(UserError, match=r"other must be of the scale x2 that was trained on, but are x1"):
        open_like(training, photos / "other")


def test_a_run_of_degraded_pictures_is_judged_by_partners_where_there_are_some(photos: Path, picture: Make) -> None:
    for number in range(4):
        put(photos, f"{number}.png", picture(size=(12, 8), seed=number))
        put(photos.parent / "Set5", f"GTmod12/{number}.png", picture(size=(12, 8), seed=number))
        put(photos.parent / "Set5", f"LRbicx2/{number}.png", Image.new("RGB", (6, 4), "red"))
    training = open_dataset(photos, degrade="x2")
    tests = open_like(training, photos.parent / "Set5", opening={"degrade": "x2"})
    assert len(tests) == 4 and set(tests.arrays["a"][:, 0].flatten().tolist()) == {255}
    assert len(open_like(training, photos, opening={"degrade": "x2"})) == 4


def test_a_list_of_pairs_is_known_without_being_named_and_a_table_of_numbers_is_none(tmp_path: Path, picture: Make) -> None:
    put(tmp_path, "in/0.png", picture())
    put(tmp_path, "out/0.png", picture())
    (tmp_path / "list.csv").write_text("a,b\nin/0.png,out/0.png\n")
    assert open_dataset(tmp_path / "list.csv").codec.spec.task == "pairs"
    (tmp_path / "rows.csv").write_text("a,b\n" + "".join(f"{'xyz'[i % 3]},{i % 5}\n" for i in range(30)))
    assert open_dataset(tmp_path / "rows.csv").codec.spec.kind == "tables"


def test_a_list_in_other_letters_and_one_without_a_name_are_told(tmp_path: Path, picture: Make) -> None:
    (tmp_path / "list.csv").write_bytes(b"a,b\n\xff\xfe,1\n")
    with pytest.raises(UserError, match=r"list.csv is not UTF-8 \(byte 0x"):
        open_dataset(tmp_path / "list.csv", kind="pairs")
    put(tmp_path, "0.png", picture())
    (tmp_path / "list.csv").write_text("a,b\n0.png,\n")
    with pytest.raises(UserError, match=r"names an empty name, which are not there"):
        open_dataset(tmp_path / "list.csv", kind="pairs")


def test_pictures_that_are_cut_in_two_are_told(photos: Path, picture: Make) -> None:
    put(photos, "1.png", picture(size=(8, 8)))
    assert "its left half is given, its right half is made" in " ".join(open_dataset(photos, kind="pairs").facts["notes"])
