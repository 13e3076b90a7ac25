import gzip
import hashlib
import io
import subprocess
import sys
import tarfile
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest

from gansmith import kinds
from gansmith.data.readers import downloads
from gansmith.errors import UserError
from gansmith.kinds.images.readers import published
from gansmith.kinds.opening import open_dataset


def test_listing_the_names_imports_nothing_heavy() -> None:
    code = (
        "import sys; from gansmith import kinds; kinds.builtin(); "
        "print([name for name in ('torch', 'numpy', 'PIL') if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_every_name_has_one_line() -> None:
    names = list(kinds.builtin())
    assert {"digits", "digits8", "mnist", "fashion-mnist", "cifar10", "ring"} <= set(names) and len(names) == len(set(names))
    assert all(line and "\n" not in line for line in kinds.builtin().values())


def test_digits_are_five_hundred_of_each_and_always_the_same() -> None:
    dataset = open_dataset("digits")
    assert dataset.fingerprint == "68f9de3182eb3629f56e033da49ad297"  # runs on them are continued with later versions
    assert dataset.codec.spec.shape == (1, 28, 28) and dataset.codec.spec.classes == tuple("0123456789")
    assert dataset.codec.to_json()["frequencies"] == [500] * 10
    labels = dataset.labels()
    assert labels is not None
    images = np.asarray(dataset.arrays["image"])
    means = np.stack([images[labels == digit].mean(0) for digit in range(10)])
    assert means[0, 0, 14, 14] < 40 < 150 < means[1, 0, 14, 14]  # a nought is empty in the middle, a one is not


def test_digits8_are_those_of_scikit_learn() -> None:
    from sklearn.datasets import load_digits

    dataset, bunch = open_dataset("digits8"), load_digits()
    np.testing.assert_array_equal(dataset.arrays["image"][:, 0], np.rint(bunch.images / 16 * 255))  # type: ignore[union-attr]
    np.testing.assert_array_equal(dataset.arrays["label"], bunch.target)  # type: ignore[union-attr]


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def from_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files stand for servers."""
    monkeypatch.setattr(downloads, "_SCHEMES", ("https://", "file://"))


def test_nothing_is_fetched_from_a_server_that_does_not_prove_who_it_is(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(b"right")
    for mirror in (f"file://{tmp_path}/", "http://127.0.0.1:9/", "ftp://127.0.0.1:9/"):
        with pytest.raises(UserError, match="is not https"):
            downloads.fetch("mnist", tmp_path / "cache", (mirror,), "a.gz", sha256(b"right"))
    with pytest.raises(URLError, match="http://elsewhere is not https"):
        downloads._Encrypted().redirect_request(None, None, 302, "", {}, "http://elsewhere")
    for mirrors in (published._MNIST_MIRRORS, published._FASHION_MIRRORS, published._CIFAR_MIRRORS):
        assert all(mirror.startswith("https://") for mirror in mirrors)


@pytest.mark.usefixtures("from_files")
def test_a_file_is_taken_from_the_first_mirror_with_the_right_content_and_fetched_once(tmp_path: Path) -> None:
    for mirror, content in (("wrong", b"wrong"), ("right", b"right")):
        (tmp_path / mirror).mkdir()
        (tmp_path / mirror / "a.gz").write_bytes(content)
    mirrors = tuple(f"file://{tmp_path}/{mirror}/" for mirror in ("missing", "wrong", "right"))
    path = downloads.fetch("mnist", tmp_path / "cache", mirrors, "a.gz", sha256(b"right"))
    assert path.read_bytes() == b"right" and [file.name for file in path.parent.iterdir()] == ["a.gz"]
    assert downloads.fetch("mnist", tmp_path / "cache", (), "a.gz", sha256(b"right")) == path


def test_offline_the_sentence_says_where_the_file_may_be_placed_by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published, "_CIFAR_MIRRORS", (f"file://{tmp_path}/nowhere/",))
    with pytest.raises(UserError) as error:
        downloads.fetch("x", tmp_path, (f"file://{tmp_path}/nowhere/",), "a.gz", sha256(b"right"), ("a.gz", "b.gz"), ", or wait")
    assert str(error.value).endswith(f"put a.gz, b.gz into {tmp_path / 'downloads' / 'x'}, or wait.")
    with pytest.raises(UserError, match=f'put {published._CIFAR_FILE} into .*, or train on "digits", which needs no network.'):
        published.cifar10(tmp_path)
    (tmp_path / "downloads" / "cifar10").mkdir(exist_ok=True)
    (tmp_path / "downloads" / "cifar10" / "a.tar.gz").write_bytes(b"other")
    with pytest.raises(UserError, match=r"a\.tar\.gz has the wrong checksum"):
        downloads.fetch("cifar10", tmp_path, (), "a.tar.gz", sha256(b"right"))


def idx(array: np.ndarray) -> bytes:
    return gzip.compress(bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes() + array.tobytes())


def test_mnist_comes_with_its_official_test_split(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    arrays = [rng.integers(0, 256, shape, np.uint8) for shape in ((12, 28, 28), (12,), (4, 28, 28), (4,))]
    arrays[1][:], arrays[3][:] = np.arange(12) % 10, [3, 1, 4, 1]
    files = [idx(array) for array in arrays]
    folder = cache / "downloads" / "fashion-mnist"
    folder.mkdir(parents=True)
    for name, file in zip(published._IDX_FILES, files, strict=True):
        (folder / name).write_bytes(file)
    monkeypatch.setattr(published, "_FASHION_SHA256", tuple(map(sha256, files)))
    dataset = open_dataset("fashion-mnist")
    np.testing.assert_array_equal(dataset.arrays["image"][:, 0], arrays[0])
    assert dataset.codec.spec.classes[1] == "Trouser" and dataset.held_out is not None
    np.testing.assert_array_equal(dataset.held_out.arrays["image"][:, 0], arrays[2])
    assert dataset.held_out.arrays["label"].tolist() == [3, 1, 4, 1]


def test_cifar10_is_read_from_its_binary_version(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    records = rng.integers(0, 256, (12, 3073), np.uint8)
    records[:, 0] = np.arange(12) % 10
    names = [*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin"]
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for index, name in enumerate(names):
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = 2 * 3073
            archive.addfile(member, io.BytesIO(records[2 * index : 2 * index + 2].tobytes()))
    folder = cache / "downloads" / "cifar10"
    folder.mkdir(parents=True)
    (folder / "cifar-10-binary.tar.gz").write_bytes(file.getvalue())
    monkeypatch.setattr(published, "_CIFAR_SHA256", sha256(file.getvalue()))
    dataset = open_dataset("cifar10")
    np.testing.assert_array_equal(dataset.arrays["image"], records[:10, 1:].reshape(-1, 3, 32, 32))
    assert dataset.arrays["label"].tolist() == list(range(10)) and dataset.codec.spec.classes[3] == "cat"
    assert dataset.held_out is not None and dataset.held_out.arrays["label"].tolist() == [0, 1]
