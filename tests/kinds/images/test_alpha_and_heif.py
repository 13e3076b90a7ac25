"""Alpha channels that hide nothing, and pictures of phones."""

import sys

import numpy as np
import pytest
from PIL import Image

from gansmith.cli import main
from gansmith.kinds.opening import open_dataset


def folder_of(folder, opaque, hiding=0, gray=0):
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(24):
        picture = Image.fromarray(rng.integers(0, 255, (16, 16, 3), dtype=np.uint8))
        if number < opaque:
            picture.putalpha(255)
        elif number < opaque + hiding:
            picture.putalpha(Image.fromarray(rng.integers(0, 255, (16, 16), dtype=np.uint8)))
        elif number < opaque + hiding + gray:
            picture = picture.convert("L")
            picture.putalpha(255)
        picture.save(folder / f"{number}.png")
    return folder


def test_opaque_alpha_makes_no_rgba(tmp_path):
    data = open_dataset(folder_of(tmp_path / "a", opaque=6))
    assert data.codec.spec.shape == (3, 16, 16)
    assert any("the alpha channel of 6 pictures hides nothing" in remark.lower() for remark in data.remarks())
    with Image.open(tmp_path / "a" / "0.png") as picture:
        expected = np.asarray(picture.convert("RGB"), np.float32).transpose(2, 0, 1) / 127.5 - 1
    np.testing.assert_allclose(data.batch(np.array([0]))["image"][0].numpy(), expected, atol=1e-6)


def test_alpha_that_hides_something_in_one_picture_is_kept_for_all(tmp_path):
    data = open_dataset(folder_of(tmp_path / "a", opaque=6, hiding=1))
    assert data.codec.spec.shape == (4, 16, 16)
    assert not any("hides nothing" in remark for remark in data.remarks())


def test_opaque_alpha_is_kept_where_the_user_asks_and_gray_stays_gray(tmp_path):
    assert open_dataset(folder_of(tmp_path / "a", opaque=24), channels=4).codec.spec.shape == (4, 16, 16)
    assert open_dataset(folder_of(tmp_path / "b", opaque=0, gray=24)).codec.spec.shape == (1, 16, 16)


def test_heic_pictures_are_read_and_without_the_extra_named(tmp_path, monkeypatch, capsys):
    heif = pytest.importorskip("pillow_heif")
    (tmp_path / "phone").mkdir()
    smooth = np.linspace(0, 255, 32 * 32 * 3).reshape(32, 32, 3).astype(np.uint8)
    for number in range(12):
        turned = np.rot90(smooth, number % 4).copy()
        turned[:, :, 0] += number
        heif.from_pillow(Image.fromarray(turned)).save(tmp_path / "phone" / f"{number}.HEIC", quality=100)
    data = open_dataset(tmp_path / "phone")
    assert data.codec.spec.shape == (3, 32, 32) and len(data) == 12
    seen = (data.batch(np.array([0]))["image"][0].numpy().transpose(1, 2, 0) + 1) * 127.5
    assert np.abs(seen - smooth).mean() < 4  # what HEIC itself loses
    for known in ("HEIF", "HEIC"):
        monkeypatch.delitem(Image.OPEN, known, raising=False)
    monkeypatch.setattr(Image, "ID", [name for name in Image.ID if name not in ("HEIF", "HEIC")])
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    (tmp_path / "phone" / "0.HEIC").unlink()  # other data than those in the cache
    assert main(["train", str(tmp_path / "phone"), "--samples", "32", "--out", str(tmp_path / "run")]) == 2
    assert 'pip install "gansmith[heif]"' in capsys.readouterr().err
