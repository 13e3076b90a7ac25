"""Images handed over from Python one by one: lists, data sets, columns of data frames."""

import io

import numpy as np
import pandas
import pyarrow
import pytest
from PIL import Image

from gansmith.errors import UserError
from gansmith.kinds.opening import inspect_dataset, open_dataset

PIXELS = np.random.default_rng(0).integers(0, 256, (12, 8, 6, 3), np.uint8)
WORDS = ["cat", "dog", "owl"] * 4
CODES = [0, 1, 2] * 4


def _encoded(pixels: np.ndarray) -> bytes:
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, "PNG")
    return written.getvalue()


@pytest.mark.parametrize("labels", [WORDS, tuple(WORDS), np.array(WORDS)], ids=["list", "tuple", "array"])
def test_a_list_of_pictures_may_come_with_labels(labels) -> None:
    dataset = open_dataset(([Image.fromarray(pixels) for pixels in PIXELS], labels))
    assert dataset.codec.spec.classes == ("cat", "dog", "owl") and dataset.arrays["label"].tolist() == CODES
    np.testing.assert_array_equal(dataset.arrays["image"], PIXELS.transpose(0, 3, 1, 2))
    with pytest.raises(UserError, match="there are 12 images but 11 labels: give one label an image"):
        open_dataset((list(PIXELS), labels[:11]))


@pytest.mark.parametrize("make", [Image.fromarray, np.array, _encoded, lambda one: {"bytes": _encoded(one), "path": None}])
def test_a_data_frame_with_a_column_of_pictures_is_images(make) -> None:
    frame = pandas.DataFrame({"index": range(12), "photo": [make(pixels) for pixels in PIXELS], "label": WORDS})
    dataset = open_dataset(frame)
    assert dataset.codec.spec.kind == "images" and dataset.codec.spec.classes == ("cat", "dog", "owl")
    np.testing.assert_array_equal(dataset.arrays["image"], PIXELS.transpose(0, 3, 1, 2))
    assert dataset.remarks()[0] == 'The pictures are in the column "photo"; left out: index.'


def test_frames_of_other_libraries_hold_pictures_as_bytes() -> None:
    dataset = open_dataset(pyarrow.table({"image": [_encoded(pixels) for pixels in PIXELS]}))
    np.testing.assert_array_equal(dataset.arrays["image"], PIXELS.transpose(0, 3, 1, 2))


def test_a_frame_without_pictures_is_a_table() -> None:
    assert open_dataset(pandas.DataFrame({"a": range(12), "b": WORDS})).codec.spec.kind == "tables"


@pytest.mark.parametrize("open_it", [open_dataset, inspect_dataset])
def test_a_misspelt_option_is_named(open_it) -> None:
    with pytest.raises(UserError, match='there is no option resolutoin .did you mean "resolution"..: images take'):
        open_it(PIXELS, resolutoin=8)
