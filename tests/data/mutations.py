"""Small valid files of every format, and damaged copies of them."""

import gzip
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

PIXELS = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), np.uint8)


def encoded(kind: str, pixels: np.ndarray = PIXELS[0], **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def npz(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def zipped(**files: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "."), content)
    return file.getvalue()


def tiff(array: np.ndarray, **options: Any) -> bytes:
    import tifffile

    file = io.BytesIO()
    tifffile.imwrite(file, array, **options)
    return file.getvalue()


def parquet(columns: dict[str, list[Any]], metadata: dict[str, str] | None = None) -> bytes:
    import pyarrow
    import pyarrow.parquet

    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns).replace_schema_metadata(metadata), file)
    return file.getvalue()


def written(separator: str = ",", rows: int = 30) -> str:
    cells = [["size", "weight", "day"]]
    cells += [[("small", "large")[row % 2], f"{row * 0.37:.2f}", f"2024-01-{1 + row % 28:02}"] for row in range(rows)]
    return "".join(separator.join(row) + "\n" for row in cells)


def valid_files() -> dict[str, tuple[bytes, dict[str, Any]]]:
    """The content by its file name, and the options with which it opens."""
    pictures = [encoded("PNG", pixels) for pixels in PIXELS]
    hub = {"huggingface": json.dumps({"info": {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}})}
    deep = np.arange(8 * 8 * 5, dtype=np.uint16).reshape(8, 8, 5)
    points = np.random.default_rng(1).standard_normal((20, 2))
    steps = "day,price\n" + "".join(f"2024-01-{day:02},{100 + day % 7}\n" for day in range(1, 29))
    labels = b"file_name,label\na.png,cat\nb.png,dog\n"
    lines = b'{"file_name": "a.png", "age": 3}\n{"file_name": "b.png", "age": 4}\n'
    return {
        "a.png": (pictures[0], {}),
        "palette.png": (encoded("PNG", (PIXELS[0, :, :, 0] > 99).astype(bool)), {}),
        "deep.png": (encoded("PNG", deep[..., 0]), {}),
        "a.jpg": (encoded("JPEG"), {}),
        "a.webp": (encoded("WEBP"), {}),
        "a.gif": (encoded("GIF"), {}),
        "a.bmp": (encoded("BMP"), {}),
        "a.ppm": (encoded("PPM"), {}),
        "a.tga": (encoded("TGA"), {}),
        "a.tif": (encoded("TIFF"), {}),
        "deep.tif": (tiff(deep, photometric="minisblack", planarconfig="contig"), {}),
        "pages.tif": (tiff(np.stack([deep[..., :3]] * 2), photometric="rgb"), {}),
        "images.npy": (npy(PIXELS), {}),
        "floats.npy": (npy(PIXELS / np.float32(255)), {}),
        "points.npy": (npy(points), {}),
        "images.npz": (npz(images=PIXELS, labels=np.arange(4) % 2, classes=np.array(["cat", "dog"])), {}),
        "encoded.npz": (
            npz(data=np.frombuffer(b"".join(pictures), np.uint8), offsets=np.cumsum([0, *map(len, pictures)])),
            {},
        ),
        "series.npz": (npz(series=points.reshape(4, 5, 2), length=np.array([5, 4, 5, 3])), {"kind": "series"}),
        "images.zip": (zipped(a__png=pictures[0], b__png=pictures[1], labels__csv=labels), {}),
        "lines.zip": (zipped(a__png=pictures[0], b__png=pictures[1], metadata__jsonl=lines), {}),
        "rows.csv": (written().encode(), {"kind": "tables"}),
        "rows.csv.gz": (gzip.compress(written(";").encode()), {"kind": "tables"}),
        "points.csv": (b"x,y\n" + "".join(f"{x:.3f},{y:.3f}\n" for x, y in points).encode(), {"kind": "points"}),
        "series.csv": (steps.encode(), {"kind": "series"}),
        "rows.parquet": (parquet({"size": ["a", "b"] * 10, "weight": [row * 0.5 for row in range(20)]}), {}),
        "images.parquet": (
            parquet({"image": [{"bytes": one, "path": "a.png"} for one in pictures], "label": [0, 1, 0, 1]}, hub),
            {},
        ),
    }


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """The content with bits flipped, its end cut off, a piece overwritten, left out, doubled, or a number made huge."""
    made = bytearray(content)
    where = int(rng.integers(len(made)))
    length = int(rng.integers(1, max(2, len(made) // 8)))
    match int(rng.integers(7)):
        case 0:
            for place in rng.integers(len(made), size=int(rng.integers(1, 4))):
                made[place] ^= 1 << int(rng.integers(8))
        case 1:
            del made[where:]
        case 2:
            made[where : where + length] = bytes(length)
        case 3:
            del made[where : where + length]
        case 4:
            made[where:where] = made[where : where + length]
        case 5:
            made[where : where + 4] = b"\xff\xff\xff\x7f"
        case _:
            made[where] = int(rng.integers(256))
    return bytes(made)


def mutants(content: bytes, count: int, seed: int) -> Iterator[bytes]:
    for number in range(count):
        yield damaged(content, np.random.default_rng([seed, number]))


Opens = Callable[[Path, dict[str, Any]], object]
