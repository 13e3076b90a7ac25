from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gansmith.errors import UserError
from gansmith.kinds import load_codec
from gansmith.kinds.images.domains import DomainCodec, Remade
from gansmith.kinds.opening import open_dataset
from tests import toys


def test_folders_become_domains_of_which_each_image_may_be_remade(tmp_path: Path):
    for name, colour in (("cat", 0), ("dog", 200)):
        (tmp_path / name).mkdir()
        for number in range(5):
            Image.new("RGB", (8, 8), (colour + number,) * 3).save(tmp_path / name / f"{number}.png")
    data = open_dataset(tmp_path, kind="domains", cache=tmp_path / ".cache")
    spec = data.codec.spec
    assert (spec.kind, spec.classes, spec.source_shape, spec.aligned, spec.task) == (
        "images",
        ("cat", "dog"),
        (3, 8, 8),
        False,
        "domains",
    )
    assert isinstance(data.codec, DomainCodec) and load_codec(data.codec.to_json()) == data.codec


def test_what_was_remade_shows_what_it_was_made_from():
    data = toys.domains(8)
    assert isinstance(data.codec, DomainCodec)
    batch = data.batch(slice(None))
    made = {**batch, "image": -batch["image"], **data.codec.source(batch)}
    packed = data.codec.repack(made)
    np.testing.assert_array_equal(packed["a"], data.arrays["image"])
    torch.testing.assert_close(data.codec.unpack(packed)["a"], batch["image"])
    raws = data.codec.decode(made)
    assert all(isinstance(raw, Remade) and raw.given is not None and raw.label in ("0", "1", "2") for raw in raws)
    one = data.codec.preview(raws[:1])
    assert one.width > one.height  # a strip


def test_one_domain_is_none(tmp_path: Path):
    (tmp_path / "cat").mkdir()
    for number in range(3):
        Image.new("RGB", (8, 8), (number,) * 3).save(tmp_path / "cat" / f"{number}.png")
    with pytest.raises(UserError, match="a folder for each of at least two domains"):
        open_dataset(tmp_path, kind="domains", cache=tmp_path / ".cache")
