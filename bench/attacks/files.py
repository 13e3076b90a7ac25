"""Damaged and strange files of data."""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from attacks.folders import replaced
from attacks.place import Attack, Place
from gansmith import kinds
from tests.data.mutations import encoded, mutants, npy, npz, parquet, tiff, valid_files, zipped


def npy_header(shape: str, descr: str = "'<f8'", rest: bytes = b"\0" * 64) -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}"
    text += " " * (-(len(text) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + rest


def png(width: int, height: int, data: bytes = b"\0" * 9) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(data))
        + chunk(b"IEND", b"")
    )


def strange_files() -> dict[str, bytes]:
    """Names and contents that no reader likes."""
    zeros = gzip.compress(bytes(2**28), 9)
    found = {
        f"{what}.{suffix}": content
        for suffix in SUFFIXES
        for what, content in (
            ("empty", b""),
            ("zero", b"\0" * 64),
            ("noise", np.random.default_rng(1).bytes(500)),
            ("letters", b"hello world, this is no such file\n" * 3),
        )
    }
    shapes = [
        "(10**9, 10**9)",
        "(-1, 2)",
        "(2**40,)",
        "()",
        "(0, 2)",
        "(1000000000, 2)",
        "(True, 2)",
        "('a',)",
        "(1.5, 2)",
        "(2,)*40",
        "None",
        "(9" * 3000 + ",)",
    ]
    found |= {f"shape{n}.npy": npy_header(shape) for n, shape in enumerate(shapes)}
    found |= {
        f"type{n}.npy": npy_header("(8, 2)", descr)
        for n, descr in enumerate(
            [
                "'|O'",
                "'<U4'",
                "'<M8[s]'",
                "[('a', '<f8')]",
                "'nonsense'",
                "'<c16'",
                "'|V8'",
                "'<f2'",
                "5",
                "'|S3'",
                "__import__('os').system('id')",
            ]
        )
    }
    found |= {
        "nan.npy": npy(np.full((40, 2), np.nan)),
        "inf.npy": npy(np.full((40, 2), np.inf)),
        "big.npy": npy(np.full((40, 2), 1e308)),
        "one.npy": npy(np.zeros((1, 2))),
        "same.npy": npy(np.zeros((40, 2))),
        "deep.npy": npy(np.zeros((2,) * 9)),
        "bool.npy": npy(np.ones((40, 2), bool)),
        "int64.npy": npy(np.full((40, 2), 2**62)),
        "flat.npy": npy(np.zeros(40)),
    }
    found |= {
        "bomb.csv.gz": zeros,
        "bomb.npy.gz": zeros,
        "cut.csv.gz": gzip.compress(b"a,b\n1,2\n" * 500)[:-9],
        "bad.csv.gz": gzip.compress(b"a,b\n1,2\n" * 500)[:40] + b"\xff" * 40,
    }
    found |= {
        "bomb.npz": npz(images=np.zeros((2**27,), np.uint8)),
        "object.npz": npz(a=np.array([{}, 1], object)),
        "nothing.npz": npz(),
        "text.npz": zipped(a__txt=b"hello"),
        "npz.npy": npz(a=np.zeros(3)),
        "empty.zip": zipped(),
        "text.zip": zipped(a__txt=b"hello"),
        "up.zip": zipped(**{"../../up.png": encoded("PNG")}),
        "slash.zip": zipped(**{"/etc/a.png": encoded("PNG")}),
        "nested.zip": zipped(a__zip=zipped(a__png=encoded("PNG"))),
        "bomb.zip": zipped(a__png=bytes(2**27)),
    }
    found |= {
        "wide.png": png(2**31 - 1, 1),
        "vast.png": png(100_000, 100_000),
        "none.png": png(0, 0),
        "cut.png": encoded("PNG")[:-30],
        "vast.csv": b"a," * 200_000 + b"a\n" + b"1," * 200_000 + b"1\n",
    }
    for kind, suffix in (
        ("JPEG", "jpg"),
        ("GIF", "gif"),
        ("WEBP", "webp"),
        ("BMP", "bmp"),
        ("TIFF", "tif"),
        ("PPM", "ppm"),
        ("TGA", "tga"),
    ):
        found[f"half.{suffix}"] = encoded(kind)[: len(encoded(kind)) // 2]
    found |= {
        "vast.bmp": b"BM"
        + struct.pack("<IHHI", 1000, 0, 0, 54)
        + struct.pack("<IiiHHIIiiII", 40, 2**30, 2**30, 1, 24, 0, 0, 0, 0, 0, 0)
        + b"\0" * 100,
        "vast.ppm": b"P6 999999999 999999999 255\n" + b"\0" * 50,
        "minus.bmp": b"BM"
        + struct.pack("<IHHI", 1000, 0, 0, 54)
        + struct.pack("<IiiHHIIiiII", 40, -5, -(2**31), 1, 24, 0, 0, 0, 0, 0, 0),
        "vast.tif": tiff(np.zeros((8, 8), np.uint8)).replace(
            struct.pack("<HHII", 256, 4, 1, 8), struct.pack("<HHII", 256, 4, 1, 2**31 - 1)
        ),
    }
    tables = {
        "header.csv": b"a,b\n",
        "quote.csv": b'a,b\n"1,2\n3,4\n',
        "nul.csv": b"a,b\n1,\0\n" * 20,
        "ragged.csv": b"a,b\n1\n1,2,3\n" * 20,
        "twice.csv": b"a,a\n1,2\n" * 20,
        "unnamed.csv": b",\n1,2\n" * 20,
        "utf16.csv": "a,b\n1,2\n".encode("utf-16") * 20,
        "line.csv": b"a\n" + b"x" * 2**25,
        "cells.csv": b"a,b\n" + b"9" * 5000 + b",1\n" * 30,
        "nan.csv": b"a,b\nnan,inf\n" * 30,
        "blank.csv": b"\n" * 100,
        "commas.csv": b",,,\n" * 100,
        "bom.csv": b"\xef\xbb\xbfa,b\n" + b"1,2\n" * 30,
        "cr.csv": b"a,b\r1,2\r" * 30,
        "latin.csv": "ä,b\nö,2\n".encode("latin-1") * 20,
        "formula.csv": b"a,b\n=1+1,@x\n" * 20,
        "dates.csv": b"a,b\n0000-00-00,9999-99-99\n" * 20,
    }
    found |= tables
    found |= {
        "cut.parquet": parquet({"a": [1, 2] * 20})[:-20],
        "start.parquet": b"PAR1" + b"\0" * 100 + b"PAR1",
        "footer.parquet": b"PAR1" + b"\xff" * 100 + struct.pack("<I", 2**31 - 1) + b"PAR1",
        "hub.parquet": parquet({"image": ["x"] * 20}, {"huggingface": "{"}),
        "hub2.parquet": parquet({"image": [1] * 20}, {"huggingface": "[]"}),
        "hub3.parquet": parquet({"a": [{"b": [1]}] * 20}, {"huggingface": '{"info": 5}'}),
        "none.parquet": parquet({"a": [None] * 20}),
        "empty.parquet": parquet({"a": []}),
        "huge.parquet": parquet({"a": [2**62] * 40}),
    }
    found |= {
        "deep.json": b"[" * 100_000,
        "deep.jsonl": b"[" * 100_000 + b"\n",
        "lines.jsonl": b'{"text": 5}\n' * 20,
        "cut.jsonl": b'{"text": "a"}\n{"text":',
        "nul.txt": b"\0\n" * 50,
        "crlf.txt": b"a\r\n" * 50,
        "line.txt": b"x" * 2**25,
        "bad.txt": b"\xff\xfe\xfd" * 100,
        "blank.txt": b"\n" * 1000,
        "one.txt": b"hello\n",
    }
    return found


SUFFIXES = (
    "npy",
    "npz",
    "zip",
    "csv",
    "csv.gz",
    "parquet",
    "png",
    "jpg",
    "gif",
    "tif",
    "webp",
    "bmp",
    "txt",
    "jsonl",
    "json",
    "tsv",
    "mp4",
    "npy.gz",
    "wav",
    "pkl",
    "pt",
    "h5",
    "",
)
MUST = ("empty", "noise", "bomb", "vast", "shape", "deep", "wide", "none", "nothing", "half", "cut", "zero.")


def files(place: Place) -> Iterator[Attack]:
    """Damaged and strange files, where data, pictures, masks, tables and weights are expected."""
    for name, content in strange_files().items():

        def prepare(folder: Path, name: str = name, content: bytes = content) -> None:
            (folder / name).write_bytes(content)

        must = (
            name.startswith(MUST)
            and not name.endswith((".npy.gz",))
            and name not in ("none.parquet", "half.ppm", "half.tga", "cut.jsonl", "half.bmp")
        )
        yield place.command("files", ["inspect", name], must, prepare)
        number = len(name) + len(content)
        for kind in (kinds.names()[number % len(kinds.names())],):
            yield place.command("files", ["inspect", name, "--kind", kind], name.startswith(("empty", "bomb")), prepare)
        if name.endswith((".png", ".jpg", ".gif", ".tif", ".webp", ".bmp", ".ppm", ".tga", ".mp4")):
            yield place.command("files", ["translate", str(place.runs / "pairs"), name, "--out", "made"], must, prepare)
            yield place.command(
                "files", ["edit", str(place.runs / "images"), "project", name, "--steps", "1", "--out", "p.png"], must, prepare
            )
            yield place.command(
                "files",
                ["translate", str(place.runs / "pairs"), str(place / "picture.png"), "--masks", name, "--out", "made"],
                False,
                prepare,
            )
        if name.endswith((".json", ".csv", ".txt", ".npz", ".zip", ".npy")):
            yield place.command(
                "files",
                ["evaluate", "--real", place.points, "--fake", name, "--samples", "30", "--metrics", "frechet"],
                must,
                prepare,
            )
            yield place.command("files", ["inspect", str(place / "rows.csv"), "--schema", name], True, prepare)
            yield place.command(
                "files",
                ["evaluate", "--real", str(place / "images"), "--fake", str(place / "images"), "--features", name],
                True,
                prepare,
            )
    for what in ("fifo", "zero", "folder", "socket", "loop", "dangling"):
        for suffix in SUFFIXES:

            def prepare(folder: Path, what: str = what, suffix: str = suffix) -> None:
                (folder / f"a.{suffix}").write_bytes(b"")
                replaced(folder / f"a.{suffix}", what)

            yield place.command("files", ["inspect", f"a.{suffix}"], True, prepare)
    for name, (content, how) in valid_files().items():
        kind = ["--kind", how["kind"]] if "kind" in how else []
        for number, spoiled in enumerate(mutants(content, 5, seed=7)):

            def prepare(folder: Path, name: str = name, content: bytes = spoiled) -> None:
                (folder / name).write_bytes(content)

            yield place.command("mutants", ["inspect", name, *kind], False, prepare, f"mutant {number}")
        for suffix in ("npy", "npz", "zip", "csv", "parquet", "png", "txt", "csv.gz", "tif"):
            if not name.endswith(suffix):

                def prepare(folder: Path, suffix: str = suffix, content: bytes = content) -> None:
                    (folder / f"wrong.{suffix}").write_bytes(content)

                yield place.command("wrong suffixes", ["inspect", f"wrong.{suffix}"], False, prepare)
