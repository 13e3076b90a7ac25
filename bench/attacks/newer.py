"""Molecules, music, sounds, videos, texts and networks of one's own: damaged files, hostile requests, and what others are made of."""

from __future__ import annotations

import gzip
import json
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from attacks.folders import changed, fields_of, unsealed
from attacks.place import HUGE, Attack, Place

DATA = {"molecules": "molecules", "music": "tunes", "audio": "sounds", "video": "films", "text": "lines.txt"}
RUNS = ("molecules", "tunes", "sounds", "noisy", "films", "lines", "steady", "speech", "rows", "series", "images", "pairs")
"""Runs of these kinds; noisy and steady make sounds of sounds and films of pictures."""


def wav(
    rate: int = 8000, samples: int = 400, *, channels: int = 1, bits: int = 16, claims: int | None = None, form: int = 1
) -> bytes:
    """A RIFF file whose header may say anything."""
    body = (np.sin(np.arange(samples * channels) / 5) * 2000).astype("<i2").tobytes()
    size = len(body) if claims is None else claims
    block = channels * bits // 8
    head = struct.pack("<4sIHHIIHH", b"fmt ", 16, form, channels, rate, (rate * block) % 2**32, block % 65536, bits)
    return b"RIFF" + struct.pack("<I", (36 + size) % 2**32) + b"WAVE" + head + b"data" + struct.pack("<I", size) + body


def midi(events: bytes, *, tracks: int = 1, division: int = 480, form: int = 1, size: int | None = None) -> bytes:
    """A MIDI file whose track holds these bytes."""
    chunk = b"MTrk" + struct.pack(">I", len(events) if size is None else size) + events
    return b"MThd" + struct.pack(">IHHH", 6, form, tracks, division) + chunk


def strange() -> dict[str, tuple[str, bytes, bool]]:
    """(kind, content, whether it must be refused) of files by their names."""
    note, end = b"\x00\x90\x3c\x40\x60\x80\x3c\x40", b"\x00\xff\x2f\x00"
    long = b"\x00\x90\x3c\x40\xff\xff\xff\x7f\x80\x3c\x40"
    sounds = {
        "rate0.wav": wav(0), "rate.wav": wav(2**32 - 1), "claims.wav": wav(claims=2**31), "none.wav": wav(samples=0),
        "channels.wav": wav(channels=60000), "bits.wav": wav(bits=7), "form.wav": wav(form=0x1234), "cut.wav": wav()[:50],
        "claims0.wav": wav(claims=0), "short.wav": wav(samples=2), "text.flac": b"fLaC" + b"\xff" * 200, "text.mp3": b"ID3" + b"\xff" * 300,
        "aac.m4a": b"\0\0\0\x18ftypM4A ", "noise.ogg": b"OggS" + bytes(200), "slow.wav": wav(1, 400), "wide.wav": wav(8000, 40, channels=64),
    }  # fmt: skip
    music = {
        "empty.mid": midi(b""), "end.mid": midi(end), "cut.mid": midi(note)[:-3], "long.mid": midi(long * 40 + end),
        "size.mid": midi(note + end, size=2**32 - 1), "tracks.mid": midi(note + end, tracks=65535), "smpte.mid": midi(note, division=0x8000 | 25),
        "zero.mid": midi(note, division=0), "form.mid": midi(note, form=7), "running.mid": midi(b"\x00\x40" * 50), "meta.mid": midi(b"\x00\xff\x51\xff\xff\xff\x7f"),
        "many.mid": midi(note * 200_000 + end), "tempo.mid": midi(b"\x00\xff\x51\x03\0\0\0" + note + end), "text.mid": b"hello", "head.mid": b"MThd",
    }  # fmt: skip
    molecules = {
        "long.smi": b"C" * 200_000 + b"\n", "rings.smi": b"C1" * 5000 + b"\n", "open.smi": b"((((((\n" * 40, "nested.smi": b"(" * 50_000 + b"\n",
        "nul.smi": b"C\0C\n" * 40, "salts.smi": b".".join([b"[Na+]"] * 500) + b"\n", "words.smi": b"hello world\n" * 40, "empty.smi": b"",
        "blank.smi": b"\n" * 400, "charge.smi": b"[C+99999999]\n" * 40, "isotope.smi": b"[999999C]\n" * 40, "ring.smi": b"C%99\n" * 40,
        "cut.sdf": b"\n\n\n  3  2  0\n", "counts.sdf": b"\n\n\n999999  0  0  0  0  0  0  0  0  0999 V2000\nM  END\n$$$$\n", "dollar.sdf": b"$$$$\n" * 100_000,
        "bomb.sdf.gz": gzip.compress(bytes(2**27), 9), "bomb.smi.gz": gzip.compress(b"C\n" * 2**26, 9), "cut.smi.gz": gzip.compress(b"C\n" * 400)[:-9],
        "bad.csv": b"smiles,logp\nC,nan\nCC,inf\nCCC,1e999\n" * 20, "ragged.csv": b"smiles\nC,1,2\n\nCC\n" * 20, "ok.smi": b"C\nCC\nCCC\n" * 20,
    }  # fmt: skip
    videos = {
        "list.mp4": b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "concat.mp4": b"ffconcat version 1.0\nfile /etc/passwd\n", "noise.mp4": np.random.default_rng(0).bytes(5000),
        "ftyp.mp4": b"\0\0\0\x18ftypisom" + b"\0" * 400, "box.mp4": b"\xff\xff\xff\xffmoov" + b"\xff" * 400, "cut.gif": b"GIF89a\xff\xff\xff\xff", "vast.gif": b"GIF89a\xff\xff\xff\xff\x80\0\0" + b"\0\0\0\xff\xff\xff" + b",\0\0\0\0\xff\xff\xff\xff\0\x02\x02\x4c\x01\0;" * 3,
        "text.webm": b"\x1aE\xdf\xa3hello", "sdp.mov": b"v=0\nc=IN IP4 10.0.0.1\nm=video 1 RTP/AVP 96\n", "name.avi": b"RIFF\xff\xff\xff\xffAVI LIST",
    }  # fmt: skip
    texts = {
        "bidi.txt": "\u202eabc\u2066\n".encode() * 40, "surrogate.txt": b"\xed\xa0\x80\n" * 40, "bomb.txt.gz": gzip.compress(b"a\n" * 2**26, 9),
        "marks.txt": ("a" + "\u0301" * 5000 + "\n").encode() * 12, "nul.jsonl": b'{"text": "\\u0000"}\n' * 40, "half.jsonl": b'{"text": "\\ud800"}\n' * 40,
        "deep.jsonl": (b"[" * 50_000 + b"]" * 50_000 + b"\n") * 9, "number.jsonl": b'{"text": ' + b"9" * 50_000 + b"}\n", "same.txt": b"the same\n" * 400,
        "utf7.txt": b"+AGEAYg-\n" * 40, "bom.txt": b"\xff\xfe" + b"a\0" * 99, "emoji.txt": ("\U0001f469\u200d" * 300 + "\n").encode() * 12,
    }  # fmt: skip
    must = {
        "rate0.wav", "none.wav", "form.wav", "text.flac", "aac.m4a", "noise.ogg", "empty.mid", "end.mid", "cut.mid", "size.mid", "zero.mid", "smpte.mid", "text.mid", "head.mid",
        "open.smi", "nested.smi", "words.smi", "empty.smi", "blank.smi", "bomb.sdf.gz", "bomb.smi.gz", "cut.smi.gz", "list.mp4", "concat.mp4", "noise.mp4", "ftyp.mp4", "box.mp4",
        "cut.gif", "vast.gif", "text.webm", "sdp.mov", "name.avi", "bomb.txt.gz", "deep.jsonl", "number.jsonl",
    }  # fmt: skip
    kinds = {"audio": sounds, "music": music, "molecules": molecules, "video": videos, "text": texts}
    return {name: (kind, content, name in must) for kind, own in kinds.items() for name, content in own.items()}


WHERE = ["", "=", "class", "class=nonsense", "=1", "n=3", "temperature=nan", "temperature=0", "temperature=-1", f"temperature={HUGE}", "top_p=0",
         "top_p=2", "critic=0", "critic=nan", f"critic={HUGE}", "logp=nan", "logp=1e400", "a" * 5000, "class>1", "\n=\n", "class=\udcff", "key=H minor", "label=1"]  # fmt: skip
OWN = {
    "nothing": "", "syntax": "def (", "raises": "1 / 0", "exits": "import sys; sys.exit(0)", "number": "make = 5", "none": "make = lambda *a, **k: None",
    "wrong shape": "import torch\nmake = lambda *a, **k: torch.nn.Linear(3, 3)", "no parameters": "import torch\nmake = lambda *a, **k: torch.nn.Identity()",
    "nan": "import torch\nclass N(torch.nn.Module):\n def __init__(s):\n  super().__init__(); s.w = torch.nn.Parameter(torch.tensor(float('nan')))\n def forward(s, x, *a): return x * s.w\nmake = lambda *a, **k: N()",
    "raises later": "import torch\nclass N(torch.nn.Linear):\n def forward(s, *a): raise KeyError('x')\nmake = lambda *a, **k: N(2, 2)",
    "vast": "import torch\nmake = lambda *a, **k: torch.nn.Linear(10**6, 10**6)",
}  # fmt: skip


def newer(place: Place) -> Iterator[Attack]:
    for name, (kind, content, must) in strange().items():

        def prepare(folder: Path, name: str = name, content: bytes = content) -> None:
            (folder / name).write_bytes(content)
            (folder / "all").mkdir()
            (folder / "all" / name).write_bytes(content)

        yield place.command("newer kinds", ["inspect", name], must, prepare)
        yield place.command("newer kinds", ["inspect", name, "--kind", kind], must, prepare)
        yield place.command("newer kinds", ["train", "all", "--kind", kind, "--dry-run", "--batch", "4"], must, prepare)
        yield place.command(
            "newer kinds", ["evaluate", "--real", str(place / DATA[kind]), "--fake", name, "--samples", "20"], must, prepare
        )
        for run in {"audio": ("noisy",), "music": ("tunes",), "video": ("films",)}.get(kind, ()):
            made = "made.mid" if kind == "music" else "made"
            yield place.command("newer kinds", ["translate", str(place.runs / run), name, "--out", made], must, prepare)
    for run in RUNS:
        where = str(place.runs / run)
        for value in WHERE:
            yield place.command("newer kinds", ["generate", where, "-n", "2", f"--where={value}", "--out", "made"], False)
        for argv in (
            ["edit", where, "interpolate", "--seeds", "1-2", "--frames", "2", "--out", "a.gif"],
            ["edit", where, "grid", "--seeds", "1-2", "--out", "a.png"],
            ["edit", where, "project", str(place / "picture.png"), "--steps", "1", "--out", "a.png"],
            ["edit", where, "directions", "--seeds", "1", "--count", "2", "--out", "a.png"],
            ["translate", where, str(place / "picture.png"), "--out", "made"],
            ["translate", where, str(place / "lines.txt"), "--out", "made"],
            ["translate", where, str(place / "sounds"), "--out", str(place / "sounds")],
            ["translate", where, "/", "--out", "made"],
            ["translate", where, "/dev/zero", "--out", "made"],
            ["translate", where, str(place / "tunes"), "--out", "made", "--given", "nonsense"],
            ["export", where, "--to", "onnx", "--out", "made"],
            ["generate", where, "-n", "2", "--out", "made.csv"],
            ["generate", where, "-n", "2", "--out", "made.nonsense"],
            ["generate", where, "-n", "2", "--out", str(place / "sounds")],
            ["evaluate", where, "--metrics", "nonsense"],
            ["evaluate", where, "--data", place.points],
            ["train", "--resume", where, "--kind", "images"],
        ):
            yield place.command("newer kinds", argv, argv[-1] in ("nonsense", "/dev/zero") or "/" in argv)
    values = [None, [], {}, "", -1, 10**9, 10**20, float("nan"), [[[]]]]
    for number, run in enumerate(RUNS):
        facts = json.loads((place.runs / run / "model" / "model.json").read_text())
        facts.pop("sha256", None)
        for turn, where in enumerate(fields_of(facts)):
            value = values[(turn + number) % len(values)]

            def spoil(folder: Path, run: str = run, facts: dict = facts, where: tuple = where, value: object = value) -> None:
                copied(place, run, folder)
                unsealed(folder / "run" / "model", facts, where, value)

            yield place.command(
                "newer kinds", ["generate", "run", "-n", "1", "--out", "made"], False, spoil, f"{run} with {where} {value!r:.20}"
            )
        facts = json.loads((place.runs / run / "run.json").read_text())
        facts.pop("sha256", None)
        for turn, where in enumerate(each for each in fields_of(facts) if each[0] in ("data", "gan", "settings")):
            value = values[(turn * 2 + number) % len(values)]

            def spoil_run(folder: Path, run: str = run, facts: dict = facts, where: tuple = where, value: object = value) -> None:
                copied(place, run, folder)
                (folder / "run" / "run.json").write_text(json.dumps(changed(facts, where, value)))

            yield place.command(
                "newer kinds",
                ["train", "--resume", "run", "--no-evaluate"],
                False,
                spoil_run,
                f"{run}: run.json with {where} {value!r:.20}",
            )
    for name, code in OWN.items():

        def write(folder: Path, code: str = code) -> None:
            (folder / "mine.py").write_text(code)

        words = [
            "train",
            place.points,
            "--generator",
            "mine.py:make",
            "--critic",
            "mine.py:make",
            "--samples",
            "32",
            "--batch",
            "8",
            "--out",
            "r",
            "--no-evaluate",
        ]
        yield place.command("own networks", words, True, write, name)
    for word in (
        "mine.py",
        "mine.py:",
        ":make",
        "no.py:make",
        "mine.py:no",
        "/dev/zero:make",
        "a\nb.py:c",
        "json:loads",
        "os.py:system",
        "a" * 5000,
    ):
        argv = ["train", place.points, "--generator", word, "--critic", word, "--samples", "32", "--batch", "8", "--out", "r"]
        yield place.command("own networks", argv, True, lambda folder: (folder / "mine.py").write_text("make = None") and None)


def configured(place: Place) -> Iterator[Attack]:
    """Files of --config, and of folders with several models, of others."""
    code = "open('ran', 'w').close()\n"
    programs = [
        {"gan": "evil.py"},
        {"kind": "./evil"},
        {"options": {"generator": "evil.py:make", "critic": "evil.py:make"}},
        {"options": {"features": "evil.py:make"}},
        {"trust": True},
        {"trust=": True},
        {"columns": ["a", "--trust"], "gan": "evil.py"},
        {"data": "--trust"},
        {"settings": {}, "config": {}, "command": "gansmith train x --trust --gan evil.py"},
        {"settings": {}, "config": {}, "command": "gansmith"},
        {"settings": {}, "config": {}, "command": "'"},
        {"settings": [], "config": 5},
        {"options": 5},
        {"options": {"width": "nan"}},
        {"options": {"width": [[1]]}},
        {"minutes": "nan"},
        {"\n": 1},
        {"": ""},
        {"gan": None},
        {"seed": HUGE},
        {"accumulate": -1},
        {"out": "x"},
        {"config": "theirs.json"},
    ]

    def prepare(folder: Path, content: str) -> None:
        (folder / "evil").mkdir()
        for file in ("evil.py", "evil/kind.py"):
            (folder / file).write_text(code)
        (folder / "theirs.json").write_text(content)

    for facts in programs:
        content = json.dumps(facts)
        for more in ([], ["--gan", "own"], ["--gan", "projected"], ["--gan", "gan"]):
            argv = ["train", place.points, "--config", "theirs.json", "--samples", "32", "--batch", "8", "--no-evaluate", *more]
            won = "gan" in facts and more == ["--gan", "gan"]  # the command line wins
            yield place.command(
                "files of --config", argv, not won, lambda folder, content=content: prepare(folder, content), content[:60]
            )
    for content in ("", "{", "[]", "5", "null", "[" * 100_000, "\xff", '{"a": ' + "9" * 50_000 + "}"):
        argv = ["train", place.points, "--config", "theirs.json", "--samples", "32"]
        yield place.command(
            "files of --config", argv, True, lambda folder, content=content: prepare(folder, content), content[:20]
        )
    for name in ("/dev/zero", "/proc/self/mem", ".", "/no/such", "", "a\nb.toml", "a" * 5000):
        yield place.command("files of --config", ["train", place.points, f"--config={name}"], True)
    for parts in (
        {},
        [],
        5,
        {"kind": "evil.py"},
        {"kind": "./evil"},
        {"kind": ["tables"]},
        {"kind": "tables"},
        {"kind": "images"},
    ):
        for related in ("", "{}", "[]", '{"keys": {"a": "id"}}', '{"keys": {"../a": null}}', "[" * 100_000):

            def several(folder: Path, parts: object = parts, related: str = related) -> None:
                prepare(folder, "{}")
                (folder / "run").mkdir()
                (folder / "run" / "parts.json").write_text(json.dumps(parts))
                (folder / "run" / "related.json").write_text(related)

            yield place.command("files of --config", ["generate", "run", "-n", "2"], True, several, f"{parts} {related[:30]}")


def copied(place: Place, run: str, folder: Path) -> None:
    import shutil

    shutil.copytree(place.runs / run, folder / "run")
