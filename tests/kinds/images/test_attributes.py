import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from gansmith.data.attributes import STEPS, Attributes
from gansmith.errors import UserError
from gansmith.kinds.images.codec import ImageCodec
from gansmith.kinds.images.mirrored import mirrored
from gansmith.kinds.images.readers.label_tables import labelling
from gansmith.kinds.images.spec import ImageSpec
from gansmith.kinds.opening import inspect_dataset, open_dataset

ROWS = np.array([[0, 20.0], [1, 60.0], [1, 40.0], [0, 30.0]] * 25)
FACES = Attributes.fit(("smiling", "age"), ROWS)


@settings(deadline=None, max_examples=40)
@given(arrays(np.float32, (6, 3), elements=st.floats(-1e4, 1e4, width=32)))
def test_attributes_survive_unpacking_and_repacking(rows: np.ndarray) -> None:
    fitted = Attributes.fit(("a", "b", "c"), rows.astype(np.float64))
    seen = fitted.unpack(rows)
    assert seen.dtype == np.float32 and np.abs(seen).max() <= 1
    spans = rows.max(0).astype(float) - rows.min(0)
    np.testing.assert_allclose(fitted.repack(seen), rows, atol=1e-5 * max(spans.max(), 1) + 1e-6 * np.abs(rows).max())
    assert Attributes.from_json(fitted.to_json()) == fitted


def test_drawn_attributes_are_as_frequent_and_as_correlated_as_in_the_data() -> None:
    drawn = FACES.repack(FACES.draw(4000, torch.Generator().manual_seed(0), {}).numpy())
    assert drawn[:, 0].mean() == pytest.approx(0.5, abs=0.03)
    assert np.corrcoef(drawn.T)[0, 1] == pytest.approx(np.corrcoef(ROWS.T)[0, 1], abs=0.03)
    assert np.abs(drawn[:, 1, None] - [20, 30, 40, 60]).min(1).max() <= 40 / STEPS / 2 + 1e-4


def test_what_is_not_given_comes_from_rows_that_meet_the_condition() -> None:
    smiling = FACES.repack(FACES.draw(200, torch.Generator().manual_seed(0), {"smiling": "yes"}).numpy())
    assert set(smiling[:, 0]) == {1} and set(np.rint(smiling[:, 1])) == {40, 60}
    old = FACES.repack(FACES.draw(50, torch.Generator().manual_seed(0), {"age": "55"}).numpy())
    np.testing.assert_allclose(old[:, 1], 55, atol=1e-4)
    assert set(old[:, 0]) == {1}


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"age": "90"}, "age=90 lies outside of the data, where age goes from 20 to 60: choose a value between."),
        ({"smiles": "1"}, 'there is no attribute "smiles" (did you mean "smiling"?): there are smiling, age.'),
        ({"age": "old"}, "the attribute age takes a number, true or false, but it is 'old'."),
        ({"age": "nan"}, "age=nan lies outside of the data, where age goes from 20 to 60: choose a value between."),
    ],
)
def test_conditions_that_cannot_be_met_are_answered(wish: dict[str, str], said: str) -> None:
    with pytest.raises(UserError) as error:
        FACES.draw(1, torch.Generator(), wish)
    assert str(error.value) == said


def test_values_on_even_steps_are_kept_as_they_are() -> None:
    pitches = np.arange(36, 85.0)
    found = Attributes.fit(("pitch", "half", "any"), np.stack([pitches, pitches % 3 / 2, np.sqrt(pitches)], 1))
    assert found.steps == (48, 2, 64)
    drawn = found.repack(found.draw(200, torch.Generator().manual_seed(0), {}).numpy())
    np.testing.assert_allclose(drawn[:, 0], np.rint(drawn[:, 0]), atol=1e-4)
    np.testing.assert_allclose(drawn[:, 1] * 2, np.rint(drawn[:, 1] * 2), atol=1e-4)
    earlier = {name: value for name, value in found.to_json().items() if name != "steps"}
    assert Attributes.from_json(earlier).steps == () and Attributes.from_json(earlier).to_json() == earlier


def test_words_are_requested_by_their_column() -> None:
    hair = Attributes.fit(("hair=black", "hair=red", "hats"), np.array([[1, 0, 0], [0, 1, 2.0]] * 9))
    drawn = hair.repack(hair.draw(9, torch.Generator().manual_seed(0), {"hair": "red"}).numpy())
    assert set(map(tuple, drawn.tolist())) == {(0.0, 1.0, 2.0)}
    with pytest.raises(UserError, match='hair is never "rad" .did you mean "red".*one of black, red'):
        hair.draw(1, torch.Generator(), {"hair": "rad"})


def test_at_most_a_thousand_rows_are_kept() -> None:
    many = np.random.default_rng(0).normal(size=(5000, 2))
    kept = Attributes.fit(("a", "b"), many)
    assert len(kept.rows) == 1000 and Attributes.fit(("a", "b"), many[::-1]) == kept


def test_saved_pictures_keep_their_attributes(tmp_path: Path) -> None:
    codec = ImageCodec(ImageSpec(shape=(1, 4, 5), attributes=FACES.names), attributes=FACES)
    batch = {"image": torch.rand(8, 1, 4, 5) * 2 - 1, "label": FACES.draw(8, torch.Generator().manual_seed(0), {})}
    codec.save(codec.decode(batch)[:4], tmp_path / "made")
    codec.save(codec.decode(batch)[4:], tmp_path / "made")
    again = open_dataset(tmp_path / "made")
    assert again.codec.spec.attributes == FACES.names and not again.codec.spec.classes
    np.testing.assert_allclose(again.arrays["label"], FACES.repack(batch["label"].numpy()), atol=1e-4)
    packed = codec.pack(codec.decode(batch)[0])
    np.testing.assert_array_equal(packed["label"], codec.repack(batch)["label"][0])
    assert ImageCodec.from_json(codec.to_json()) == codec


# ---- tables beside images -----------------------------------------------------------------------------------------------------


def put(folder: Path, header: list[str], rows: list[list[str]], name: str = "attributes.csv") -> None:
    with (folder / name).open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


@pytest.fixture
def faces(photos: Path) -> Path:
    for index in range(12):
        Image.new("L", (8, 8), index * 9).save(photos / f"{index}.png")
    return photos


def test_numbers_beside_the_images_are_attributes(faces: Path) -> None:
    put(faces, ["file", "smiling", "age"], [[f"{i}.png", str(i % 2 == 0), str(20 + i)] for i in reversed(range(12))])
    dataset = open_dataset(faces)
    assert dataset.codec.spec.attributes == ("smiling", "age") and dataset.labels() is None
    assert dataset.arrays["label"].tolist() == [[float(i % 2 == 0), 20.0 + i] for i in range(12)]
    assert dataset.batch(slice(0, 12))["label"][:, 1].tolist() == pytest.approx(np.linspace(-1, 1, 12).tolist())
    assert dataset.facts["notes"][0] == "the labels of 12 of 12 files come from attributes.csv"
    twice = mirrored(dataset)
    assert twice.labels() is None and twice.packed(slice(12, 24))["label"].tolist() == dataset.arrays["label"].tolist()
    said = inspect_dataset(faces).sentences()
    assert "2 attributes: smiling from 0 to 1, age from 20 to 31." in said
    assert open_dataset(faces, labels=False).codec.spec.conditions == 0


def test_one_column_of_words_or_of_that_name_is_a_class(faces: Path) -> None:
    put(faces, ["file", "mood"], [[f"{i}.png", ["sad", "gay"][i % 2]] for i in range(12)], "labels.csv")
    assert open_dataset(faces).codec.spec.classes == ("gay", "sad")
    put(faces, ["file", "label"], [[f"{i}.png", str(i % 3)] for i in range(12)], "labels.csv")
    dataset = open_dataset(faces)
    assert dataset.codec.spec.classes == ("0", "1", "2") and dataset.arrays["label"].tolist() == [i % 3 for i in range(12)]


def test_texts_of_their_own_for_most_images_are_no_classes(faces: Path) -> None:
    for index in range(12, 60):
        Image.new("L", (8, 8), index).save(faces / f"{index}.png")
    put(faces, ["file", "text"], [[f"{i}.png", f"a face {i}"] for i in range(60)], "labels.csv")
    dataset = open_dataset(faces)
    assert not dataset.codec.spec.classes
    assert dataset.remarks() == ["The column text is not used, since its 60 different texts are no classes."]


def test_lines_of_json_are_read_as_hubs_write_them(faces: Path) -> None:
    rows = [{"beard": i % 3 == 0, "file_name": f"{i}.png", "skin": i / 2, "boxes": [i]} for i in range(12)]
    (faces / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    dataset = open_dataset(faces)
    names = dataset.codec.spec.attributes
    assert names[:2] == ("beard", "skin") and dataset.arrays["label"][:, :2].tolist() == [
        [float(i % 3 == 0), i / 2] for i in range(12)
    ]
    (faces / "metadata.jsonl").write_text('{"image": "0.png"}\n')
    with pytest.raises(UserError, match='has a line without "file_name"'):
        open_dataset(faces)
    (faces / "metadata.jsonl").write_text("{oops\n")
    with pytest.raises(UserError, match="is not JSON line by line"):
        open_dataset(faces)


def test_the_column_of_file_names_may_stand_anywhere(faces: Path) -> None:
    put(faces, ["label", "file_name"], [[str(i % 2), f"{i}.png"] for i in range(12)], "metadata.csv")
    assert open_dataset(faces).arrays["label"].tolist() == [i % 2 for i in range(12)]


def test_celeba_text_is_read(faces: Path) -> None:
    lines = ["12", "Smiling Young", *(f"{i}.png {1 if i % 2 else -1} -1" for i in range(11)), "11.png  1  1"]
    (faces / "list_attr_celeba.txt").write_text("\n".join(lines))
    dataset = open_dataset(faces)
    assert dataset.codec.spec.attributes == ("Smiling", "Young")
    assert dataset.arrays["label"].sum(0).tolist() == [6, 1]


def test_words_and_numbers_together_are_attributes_and_long_texts_are_left_out() -> None:
    images = [f"{i}.png" for i in range(60)]
    rows = "".join(f"{i}.png,{'red' if i % 2 else 'blue'},{i},caption {i},{i if i else ''}\n" for i in range(60))
    found = labelling({"metadata.csv": "file_name,hair,age,text,gap\n" + rows}, images)
    assert found is not None and found.attributes == ("age", "hair=blue", "hair=red")
    assert found.labels["3.png"] == (3.0, 0.0, 1.0)
    assert "the column text is not used, since its 60 different texts are no classes" in found.notes
    assert "the column gap is not used, since it is empty for some images" in found.notes


def test_names_are_relative_to_the_table_or_unique() -> None:
    found = labelling(
        {"train/metadata.csv": "file_name,age\na.png,1\nsub/b.png,2\nc.png,3\n"}, ["train/a.png", "train/sub/b.png", "x/c.png"]
    )
    assert found is not None and found.labels == {"train/a.png": (1.0,), "train/sub/b.png": (2.0,), "x/c.png": (3.0,)}
    assert "has no rows" in labelling({"metadata.csv": "file_name,age\n"}, ["a.png"]).trouble


def test_images_that_the_table_leaves_out_are_named(faces: Path) -> None:
    put(faces, ["file", "age"], [[f"{i}.png", str(i)] for i in range(11)])
    with pytest.raises(UserError) as refused:
        open_dataset(faces)
    assert str(refused.value) == (
        "1 of 12 images of photos have no label, such as 11.png; the labels of 11 of 12 files come from attributes.csv: label all, or "
        "pass --no-labels."
    )
    assert len(open_dataset(faces, labels=False)) == 12


@pytest.mark.parametrize(
    "text",
    [
        "file_name;age\ncat/a.png;1\ndog/b.png;2\n",
        "file_name\tage\ncat/a.png\t1\ndog/b.png\t2\n",
        "file_name,age\ncat\\a.png,1\ndog\\b.png,2\n",
        "file_name,age\ncat/a,1\ndog/b,2\n",
        "file_name,age\nCat/A.PNG,1\nDOG/b.png,2\n",
        "file_name,age\n./cat/a.png,1\n./dog/b.png,2\n",
        "file_name,age\n/data/photos/cat/a.png,1\n/data/photos/dog/b.png,2\n",
        "file_name,age\na.png,1\nb,2\n",
        ",file_name,age\n0,cat/a.png,1\n1,dog/b.png,2\n",
        ",picture,age\n0,cat/a.png,1\n1,dog/b.png,2\n",
        "Unnamed: 0,age,picture\n0,1,cat/a.png\n1,2,dog/b.png\n",
        "File_Name,age\ncat/a.png,1\ndog/b.png,2\n",
    ],
)
def test_tables_name_images_in_many_ways(text: str) -> None:
    found = labelling({"labels.csv": text}, ["cat/a.png", "dog/b.png"])
    assert found is not None and found.attributes == ("age",) and not found.trouble
    assert found.labels == {"cat/a.png": (1.0,), "dog/b.png": (2.0,)}


def test_a_table_without_a_header_is_read_from_its_first_row() -> None:
    images = ["a.png", "b.png", "age.png"]
    for name in ("labels.csv", "labels.txt"):
        text = "a.png,cat\nb.png,dog\nage.png,cat\n".replace(",", "," if name.endswith("csv") else " ")
        found = labelling({name: text}, images)
        assert found is not None and found.labels == {"a.png": "cat", "b.png": "dog", "age.png": "cat"}
    found = labelling({"labels.csv": "file,age\na.png,1\nb.png,2\nage.png,3\n"}, images)
    assert found is not None and found.labels["age.png"] == (3.0,)  # a header that is called as an image is without its suffix


def test_a_name_in_two_folders_is_told_apart_by_its_path_or_refused(faces: Path) -> None:
    images = ["x/cat/a.png", "x/dog/a.png"]
    found = labelling({"labels.csv": "file,age\nold/cat/a.png,1\nold/dog/a.png,2\n"}, images)
    assert found is not None and found.labels == {"x/cat/a.png": (1.0,), "x/dog/a.png": (2.0,)}
    found = labelling({"labels.csv": "file,age\na.png,1\n"}, images)
    assert found is not None and found.trouble == (
        'labels.csv names "a.png", which may be x/cat/a.png, x/dog/a.png: write the path of each, or pass --no-labels.'
    )


@pytest.mark.parametrize("text", ["", "file_name,mood\n", "\n\n"])
def test_a_table_without_rows_does_not_let_folders_be_classes(text: str, faces: Path) -> None:
    for folder in ("x", "y"):
        (faces / folder).mkdir()
        for index in range(6):
            (faces / f"{index + 6 * (folder == 'y')}.png").rename(faces / folder / f"{index}.png")
    (faces / "labels.csv").write_text(text)
    with pytest.raises(UserError, match="labels.csv has no rows: write one for each image, remove the file, or pass --no-labels"):
        open_dataset(faces)
    assert open_dataset(faces, labels=False).codec.spec.conditions == 0
    (faces / "labels.csv").write_text("class\ncat\ndog\n")  # a list of names, as some programs write
    dataset = open_dataset(faces)
    assert dataset.codec.spec.classes == ("x", "y")
    assert "Labels.csv tells nothing of the images beside their names and is not used." in dataset.remarks()


def test_a_table_that_fits_no_image_is_refused_with_an_example_of_both(faces: Path) -> None:
    put(faces, ["file_name", "age"], [[f"face-{i}.png", str(i)] for i in range(12)])
    with pytest.raises(UserError) as refused:
        open_dataset(faces)
    assert str(refused.value) == (
        'attributes.csv names no image that is there: its first row is "face-0.png", and the first image is "0.png": write the names of '
        "the images, or pass --no-labels."
    )
    with pytest.raises(UserError, match="names no image that is there"):
        inspect_dataset(faces)
    assert open_dataset(faces, labels=False).codec.spec.conditions == 0
    put(faces, ["file_name", "mood"], [[f"{i}.png", ["sad", "gay"][i % 2]] for i in range(12)], "labels.csv")
    dataset = open_dataset(faces)
    assert dataset.codec.spec.classes == ("gay", "sad")
    assert "Attributes.csv names no image that is there and is not used." in dataset.remarks()


@pytest.mark.parametrize("labels", [3, [1.0, 0.5]])
def test_labels_of_dataset_tool_are_read(labels, photos: Path) -> None:
    named = []
    for number in (0, 999, 1000, 2001):
        folder = photos / f"{number // 1000:05}"
        folder.mkdir(exist_ok=True)
        Image.new("L", (8, 8), number % 256).save(folder / f"img{number:08}.png")
        named.append([f"{folder.name}/img{number:08}.png", labels if isinstance(labels, list) else number % 2])
    plain = open_dataset(photos)
    assert not plain.codec.spec.conditions
    assert "The numbered sub-folders hold 1,000 images each, so they are not taken for classes." in plain.remarks()
    (photos / "dataset.json").write_text(json.dumps({"labels": named}))
    dataset = open_dataset(photos)
    if labels == 3:
        assert dataset.codec.spec.classes == ("0", "1") and dataset.arrays["label"].tolist() == [0, 1, 0, 1]
    else:
        assert dataset.codec.spec.attributes == ("label0", "label1") and dataset.arrays["label"].tolist() == [[1.0, 0.5]] * 4
    (photos / "dataset.json").write_text('{"labels": null}')
    assert not open_dataset(photos).codec.spec.conditions
    (photos / "dataset.json").write_text('{"labels": 5}')
    with pytest.raises(UserError, match=r'dataset.json must hold {"labels": \[\["name.png", 3\], ...\]}'):
        open_dataset(photos)


def test_numbered_folders_that_are_no_thousands_are_classes(photos: Path) -> None:
    for name in ("00000/1.png", "00001/2.png"):
        (photos / name).parent.mkdir()
        Image.new("L", (8, 8)).save(photos / name)
    assert open_dataset(photos).codec.spec.classes == ("00000", "00001")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("file,age\na.png,1,2\n", "has 3 cells for a.png, where its columns are 2"),
        ("file,age,age\na.png,1,2\n", "names a column twice"),
        ("file,age\na.png,1\na.png,2\n", "describes a.png twice and differently"),
    ],
)
def test_contradictory_tables_are_refused(text: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        labelling({"attributes.csv": text}, ["a.png"])


def test_arrays_bring_their_attributes(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (30, 6, 7), np.uint8)
    rows = np.random.default_rng(1).normal(size=(30, 2)).astype(np.float32)
    np.savez(tmp_path / "a.npz", images=images, attributes=rows, attribute_names=["mass", "spin"])
    dataset = open_dataset(tmp_path / "a.npz")
    assert dataset.codec.spec.attributes == ("mass", "spin")
    np.testing.assert_array_equal(dataset.arrays["label"], rows)
    assert open_dataset((images, rows)).codec.spec.attributes == ("attribute0", "attribute1")
    np.savez(tmp_path / "b.npz", images=images, attributes=rows, attribute_names=["mass"])
    with pytest.raises(UserError, match="there are 2 attributes, but 1 names of them"):
        open_dataset(tmp_path / "b.npz")


def test_tables_with_different_columns_are_refused(faces: Path) -> None:
    for folder, column in (("one", "age"), ("two", "mass")):
        (faces / folder).mkdir()
        put(faces / folder, ["file", column], [["0.png", "1"]])
    with pytest.raises(UserError, match="two/attributes.csv has the columns mass, where the tables before have age: unite them"):
        open_dataset(faces)


def test_a_test_split_brings_its_attributes_in_the_training_order(tmp_path: Path) -> None:
    images = np.zeros((9, 6, 7), np.uint8)
    rows = np.arange(18.0).reshape(9, 2)
    np.savez(tmp_path / "a.npz", x_train=images, x_test=images, attributes_train=rows, attributes_test=rows[::-1])
    dataset = open_dataset(tmp_path / "a.npz")
    assert dataset.held_out is not None and dataset.held_out.arrays["label"].tolist() == rows[::-1].tolist()
