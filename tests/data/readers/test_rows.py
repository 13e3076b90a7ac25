import io
import struct
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest

from gansmith.data.readers import limits
from gansmith.data.readers.archives import opened_archive, read_member
from gansmith.data.readers.files import Unreadable
from gansmith.data.readers.rows import ArchivedRows, ArrayRows, array_axes, array_names, load_small, open_npy, read_npy
from gansmith.errors import UserError

PIXELS = np.random.default_rng(0).integers(0, 256, (5, 4, 3), np.uint8)


def header(shape: str, descr: str = "|u1", extra: bytes = b"\0" * 60, in_columns: bool = False) -> bytes:
    """A .npy file with any words in its header."""
    text = f"{{'descr': '{descr}', 'fortran_order': {in_columns}, 'shape': {shape}, }}"
    text += " " * (-(len(text) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + extra


def npz(path: Path, method: int = zipfile.ZIP_DEFLATED, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return path


def patched(path: Path, at: int, change: int) -> Path:
    """Every local header of an archive with the byte at this place changed, and the same byte of its entry in the list."""
    content = bytearray(path.read_bytes())
    for mark, shift in ((b"PK\x03\x04", 0), (b"PK\x01\x02", 2)):
        start = content.find(mark)
        while start >= 0:
            content[start + at + shift] = change
            start = content.find(mark, start + 4)
    path.write_bytes(content)
    return path


def encrypted(path: Path) -> Path:
    return patched(path, 6, 1)


def of_unknown_method(path: Path) -> Path:
    return patched(path, 8, 77)


def test_arrays_are_read_as_numpy_wrote_them(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", PIXELS)
    np.save(tmp_path / "f.npy", np.asfortranarray(PIXELS))
    np.save(tmp_path / "empty.npy", PIXELS[:0])
    np.savez_compressed(tmp_path / "a.npz", images=PIXELS, scalar=np.float64(3), none=PIXELS[:0], words=np.array(["a", "bc"]))
    np.testing.assert_array_equal(open_npy(tmp_path / "a.npy"), PIXELS)
    np.testing.assert_array_equal(open_npy(tmp_path / "f.npy"), PIXELS)
    assert open_npy(tmp_path / "empty.npy").shape == (0, 4, 3)
    with open(tmp_path / "f.npy", "rb") as file:
        np.testing.assert_array_equal(read_npy(file, (tmp_path / "f.npy").stat().st_size), PIXELS)
    assert array_names(tmp_path / "a.npz") == ["images", "scalar", "none", "words"]
    assert array_axes(tmp_path / "a.npz", ["images", "scalar"]) == {"images": 3, "scalar": 0}
    np.testing.assert_array_equal(load_small(tmp_path / "a.npz", "images"), PIXELS)
    assert load_small(tmp_path / "a.npz", "scalar") == 3 and load_small(tmp_path / "a.npz", "scalar").shape == ()
    assert load_small(tmp_path / "a.npz", "none").shape == (0, 4, 3)
    assert load_small(tmp_path / "a.npz", "words").tolist() == ["a", "bc"]


def test_large_rows_are_read_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("gansmith.data.readers.rows.AT_ONCE", 25)
    np.savez(tmp_path / "a.npz", images=PIXELS)
    for rows in (ArrayRows(PIXELS), ArchivedRows(tmp_path / "a.npz", "images")):
        chunks = list(rows.chunks())
        assert [len(chunk) for chunk in chunks] == [2, 2, 1]
        np.testing.assert_array_equal(np.concatenate(chunks), PIXELS)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it is empty"),
        (b"PK\x03\x04", "it is a zip archive: name it .npz"),
        (b"hello, world", "it does not begin as a .npy file does"),
        (b"\x93NUMPY\x09\x09" + b"\0" * 60, "it does not begin as a .npy file does"),
        (b"\x93NUMPY\x01\x00\xff\x00{", "its header is damaged"),
        (header("(" * 400), "its header is damaged"),
        (header("(" * 60000), "its header is damaged"),
        (header("(3, 4)", "|X9"), "its header is damaged"),
        (header("(3, 4)", "|O"), "it holds Python objects, which are never loaded"),
        (header("(-1, 4)"), "its header gives the impossible shape [-1, 4]"),
        (header("(-3, -4)"), "its header gives the impossible shape [-3, -4]"),
        (header("(True, 4)"), "its header gives the impossible shape [True, 4]"),
        (header("(61,)"), "its header promises uint8 [61], which is more than the 60 bytes that follow"),
        (header("(10000000000, 8)"), "its header promises uint8 [10000000000, 8]"),
        (header("(9223372036854775807, 8)"), "its header promises uint8 [9223372036854775807, 8]"),
        (header("(99999999999999999999999, 2)", "<f8"), "its header promises float64 [99999999999999999999999, 2]"),
        (header("(0, 9223372036854775807, 8)"), "its header promises uint8 [0, 9223372036854775807, 8]"),
        (header("(1,)" + "+(9,)" * 3), "its header is damaged"),
    ],
)
def test_a_header_is_checked_before_memory_is_taken(content: bytes, why: str, tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(UserError) as refused:
        open_npy(tmp_path / "a.npy")
    assert str(refused.value).startswith(f"{tmp_path}/a.npy cannot be read as an array of numbers ({why}")
    with pytest.raises(UserError) as refused:
        load_small(npz(tmp_path / "a.npz", images=content), "images")
    assert str(refused.value).startswith(f'"images" in {tmp_path}/a.npz cannot be read ({why}')
    with pytest.raises(Unreadable):
        read_npy(io.BytesIO(content), len(content))


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (encrypted, "it is encrypted: unpack it with its password"),
        (of_unknown_method, "it is packed by a method that is not supported"),
    ],
)
def test_members_that_cannot_be_unpacked_say_why(spoil, why: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=PIXELS)
    spoil(tmp_path / "a.npz")
    with pytest.raises(UserError) as refused:
        load_small(tmp_path / "a.npz", "images")
    assert str(refused.value) == f'"images" in {tmp_path}/a.npz cannot be read ({why}): save it again with numpy.savez.'


def test_a_member_that_was_damaged_is_noticed_when_it_is_read(tmp_path: Path) -> None:
    npz(tmp_path / "a.npz", zipfile.ZIP_STORED, images=header("(60,)"))
    content = bytearray((tmp_path / "a.npz").read_bytes())
    content[200] ^= 1
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(UserError, match=r'"images" in .* cannot be read \(Bad CRC-32'):
        load_small(tmp_path / "a.npz", "images")


def test_a_bomb_is_refused_by_its_ratio_and_a_long_member_by_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_raised", {})
    size = 2**24
    npz(tmp_path / "a.npz", images=header(f"({size},)", extra=b"\0" * size))
    with pytest.raises(UserError, match=r"images.npy unpacks to 1,0\d\d times its size or more, above the limit of 200"):
        ArchivedRows(tmp_path / "a.npz", "images")
    limits.raise_limits(ratio=1100)
    assert ArchivedRows(tmp_path / "a.npz", "images").shape == (size,)
    limits.raise_limits(array_bytes=size - 1, member_bytes=1000)
    with pytest.raises(UserError, match=f'"images" in .* has {size:,} bytes, more than the limit of {size - 1:,}'):
        load_small(tmp_path / "a.npz", "images")
    with opened_archive(tmp_path / "a.npz") as archive, pytest.raises(UserError, match="images.npy has .* the limit of 1,000"):
        read_member(archive, "images.npy")


def test_an_archive_of_too_many_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_raised", {"members": 2})
    np.savez(tmp_path / "a.npz", a=PIXELS, b=PIXELS, c=PIXELS)
    with pytest.raises(UserError, match="has 3 files, more than the limit of 2"):
        array_names(tmp_path / "a.npz")


def test_two_members_of_one_name_are_no_trouble(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
            for value in (b"\1", b"\2"):
                archive.writestr("images.npy", header("(60,)", extra=value * 60))
    assert load_small(tmp_path / "a.npz", "images").tolist() == [2] * 60
