import io
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
import torch
from PIL import Image

from gansmith.errors import UserError
from gansmith.kinds.opening import open_dataset

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 7, 5, 3), np.uint8)
PICTURES = [Image.fromarray(pixels) for pixels in PIXELS]
CHANNELS_FIRST = PIXELS.transpose(0, 3, 1, 2)


def png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


FILES = [png(picture) for picture in PICTURES]


@pytest.mark.parametrize(
    ("data", "options", "said"),
    [
        ("mnst", {}, r'there is no data mnst \(did you mean "mnist"\?\): give a folder, a file'),
        ("Digits", {}, r'did you mean "digits"'),
        (Path("digits"), {}, "there is no data digits"),
        ("/no/such/folder", {}, "there is no data /no/such/folder: give a folder"),
        (
            "digits",
            {"kind": "image"},
            r'must be audio, domains, images, .* or video, not "image" \(did you mean "images"\?\)',
        ),
        ("ring", {"kind": "images"}, "ring holds points, not images"),
        ("ring", {"channels": 3}, "--channels is an option for images and video, and ring holds points"),
        (3, {}, "data cannot be of the type int"),
        ([], {}, "the data set is empty"),
        ([object()], {}, r"images\[0\] is a object, where an image is a Pillow image"),
    ],
)
def test_what_is_no_data_is_answered_with_what_is(data: Any, options: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        open_dataset(data, **options)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.docx").touch()
    with pytest.raises(UserError, match=r"is a .docx file that no kind of data reads"):
        open_dataset(tmp_path / "a.docx")


def test_a_dataset_is_returned_as_it_is() -> None:
    dataset = open_dataset(PIXELS)
    assert open_dataset(dataset) is dataset
    with pytest.raises(UserError, match="already decoded"):
        open_dataset(dataset, resolution=8)


class MapStyle(torch.utils.data.Dataset[Any]):
    classes = ["cat", "dog"]

    def __init__(self, items: list[Any]) -> None:
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Any:
        return self.items[index]


TENSORS = [torch.from_numpy(pixels.copy()) for pixels in CHANNELS_FIRST]


@pytest.mark.parametrize(
    "items",
    [
        list(zip(PICTURES, [0, 1] * 3, strict=True)),
        list(zip(TENSORS, torch.tensor([0, 1] * 3), strict=True)),
        [(tensor / 255, label) for tensor, label in zip(TENSORS, [0, 1] * 3, strict=True)],
        [(tensor / 127.5 - 1, label) for tensor, label in zip(TENSORS, [0, 1] * 3, strict=True)],
        [{"image": pixels, "label": label} for pixels, label in zip(PIXELS, [0, 1] * 3, strict=True)],
    ],
    ids=["pictures", "tensors", "0 to 1", "-1 to 1", "mappings"],
)
def test_map_style_data_sets_hold_pictures_or_tensors(items: list[Any]) -> None:
    dataset = open_dataset(MapStyle(items))
    np.testing.assert_array_equal(dataset.arrays["image"], CHANNELS_FIRST)
    assert dataset.codec.spec.classes == ("cat", "dog") and dataset.arrays["label"].tolist() == [0, 1] * 3
    assert dataset.name == "MapStyle"


def test_a_list_of_pictures_is_data_and_stays_usable() -> None:
    np.testing.assert_array_equal(open_dataset(PICTURES).arrays["image"], CHANNELS_FIRST)
    np.testing.assert_array_equal(np.asarray(PICTURES[0]), PIXELS[0])


def test_examples_with_and_without_label_do_not_mix() -> None:
    with pytest.raises(UserError, match=r"1 of 2 images of MapStyle have no label, such as MapStyle\[1\]: label all"):
        open_dataset(MapStyle([(PICTURES[0], 1), (PICTURES[1], None)]))
    assert len(open_dataset(MapStyle([(PICTURES[0], 1), (PICTURES[1], None)]), labels=False)) == 2


def test_parquet_of_the_hub_layout(tmp_path: Path) -> None:
    images = [{"bytes": file, "path": f"{index}.png"} for index, file in enumerate(FILES)]
    table = pyarrow.table({"id": list(range(6)), "image": images, "label": [0, 1] * 3})
    features = '{"info": {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}}'
    table = table.replace_schema_metadata({"huggingface": features})
    (tmp_path / "data").mkdir()
    pyarrow.parquet.write_table(table.slice(0, 2), tmp_path / "data" / "train-00000-of-00002.parquet")
    pyarrow.parquet.write_table(table.slice(2, 2), tmp_path / "data" / "train-00001-of-00002.parquet")
    pyarrow.parquet.write_table(table.slice(4, 2), tmp_path / "data" / "test-00000-of-00001.parquet")
    dataset = open_dataset(tmp_path)
    np.testing.assert_array_equal(dataset.arrays["image"], CHANNELS_FIRST[:4])
    assert dataset.codec.spec.classes == ("cat", "dog") and dataset.held_out is not None and len(dataset.held_out) == 2


def test_parquet_of_plain_bytes_and_word_labels(tmp_path: Path) -> None:
    pyarrow.parquet.write_table(pyarrow.table({"anything": FILES, "label": ["b", "a"] * 3}), tmp_path / "a.parquet")
    dataset = open_dataset(tmp_path / "a.parquet")
    np.testing.assert_array_equal(dataset.arrays["image"], CHANNELS_FIRST)
    assert dataset.codec.spec.classes == ("a", "b") and dataset.arrays["label"].tolist() == [1, 0] * 3


def test_parquet_rows_without_image_are_named(tmp_path: Path) -> None:
    pyarrow.parquet.write_table(pyarrow.table({"image": [*FILES, None]}), tmp_path / "a.parquet")
    with pytest.raises(UserError, match=r"a\.parquet\[6\] \(no image in this row\)"):
        open_dataset(tmp_path / "a.parquet")


def test_parquet_without_images_and_damaged_parquet_are_explained(tmp_path: Path) -> None:
    pyarrow.parquet.write_table(pyarrow.table({"price": [1.0]}), tmp_path / "a.parquet")
    with pytest.raises(UserError, match="has the columns price, of which none is clearly an image"):
        open_dataset(tmp_path / "a.parquet", kind="images")
    (tmp_path / "b.parquet").write_bytes(b"nothing")
    with pytest.raises(UserError, match="cannot be read as Parquet"):
        open_dataset(tmp_path / "b.parquet")


class HubSplit:
    def __init__(self, images: list[Any], labels: list[int]) -> None:
        self.images, self.labels = images, labels
        self.features = {"picture": object(), "label": SimpleNamespace(names=["cat", "dog"])}

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, key: int | str) -> Any:
        if isinstance(key, str):
            return {"picture": self.images, "label": self.labels}[key]
        return {"picture": self.images[key], "label": self.labels[key]}


def fake_hub(monkeypatch: pytest.MonkeyPatch, load: Any) -> None:
    module = ModuleType("datasets")
    module.load_dataset = load  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "datasets", module)


def test_a_hub_name_opens_its_train_split_and_holds_out_its_test_split(monkeypatch: pytest.MonkeyPatch) -> None:
    splits = {
        "test": HubSplit([{"bytes": file, "path": None} for file in FILES[:2]], [1, 0]),
        "train": HubSplit(list(PICTURES), [0, 1] * 3),
    }
    asked = []
    fake_hub(monkeypatch, lambda name: asked.append(name) or splits)
    dataset = open_dataset("someone/pets")
    assert asked == ["someone/pets"] and dataset.name == "pets" and dataset.codec.spec.classes == ("cat", "dog")
    np.testing.assert_array_equal(dataset.arrays["image"], CHANNELS_FIRST)
    assert dataset.held_out is not None and dataset.held_out.arrays["label"].tolist() == [1, 0]


def test_a_hub_that_does_not_answer_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(name: str) -> None:
        raise ConnectionError("could not reach the hub\nlong story")

    fake_hub(monkeypatch, offline)
    with pytest.raises(UserError) as error:
        open_dataset("someone/pets")
    assert "did not give it (could not reach the hub): check name and network" in str(error.value)


def test_a_hub_name_without_the_package_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(UserError, match=r'no file or folder someone/pets.*pip install "gansmith\[hub\]"'):
        open_dataset("someone/pets")


def test_a_path_that_is_missing_in_a_folder_that_is_there_is_not_sought_on_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "photos").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="there is no data photos/cats"):
        open_dataset("photos/cats")
