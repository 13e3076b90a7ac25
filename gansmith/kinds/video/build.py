"""From the videos of a source to a data set: decoded once to memory-mapped frames, cut into clips when they are asked for."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from gansmith.data.attributes import Attributes
from gansmith.data.cache import Writer, store, stored
from gansmith.data.dataset import Dataset
from gansmith.data.fingerprint import described, fingerprint
from gansmith.data.readers.files import Unreadable
from gansmith.data.suggestions import listed
from gansmith.data.windowed import PerPiece, Starts, Windows
from gansmith.errors import UserError
from gansmith.kinds.video.clip import Footage, Found, Label, Video, Videos
from gansmith.kinds.video.codec import VideoCodec
from gansmith.kinds.video.cuts import BLACK, STILL, cuts_in
from gansmith.kinds.video.options import Options
from gansmith.kinds.video.shapes import NAMES, RATE, Moving
from gansmith.kinds.video.spec import VideoSpec

FORMAT = 1
"""Part of the keys of caches: raise it when decoding changes."""
USUAL = 16
"""The usual number of frames of a clip."""
SURVEYED = 64
"""Videos that are opened to choose size, channels and rate."""
SIDE = 64
"""The side of frames of data that are larger."""
UNSAID = 8.0
"""Frames a second where no video says."""
CHUNK = 64
"""Frames that are kept at a time."""
SHORTEST = 0.1
"""The share of stretches that may be shorter than a clip, which are then left out."""


def build_videos(found: Videos, options: Options, cache: Path, like: VideoCodec | None = None) -> Dataset:
    """Videos as a data set of clips; `like` is the codec of others, which these are to be encoded as.

    Raises UserError for videos that cannot be read, unless `skip_unreadable`, and where none is as long as a clip.
    """
    frames, known, codec, notes = decoded(found, options, cache, like)
    data = _clips(found, frames, known, codec, options, fitted=like is None)
    facts = {
        "notes": (*found.notes, *notes, *data.facts["notes"]),
        "unreadable": tuple(name for name, _ in known.unreadable),
        "found": known,
    }
    held_out = build_videos(found.held_out, options, cache, data.codec) if found.held_out is not None else None
    return replace(data, facts=facts, held_out=held_out)


def build_shapes(moving: Moving, options: Options, like: VideoCodec | None = None, name: str = "shapes") -> Dataset:
    """The built-in data, which are in memory. Raises UserError for options that would change their frames."""
    count, steps, channels, height, width = moving.frames.shape
    if like is None and any(getattr(options, own) is not None for own in ("resolution", "channels", "fps")):
        raise UserError(
            f"{name} are made as {height}x{width} RGB at {RATE:g} frames a second: leave --resolution, --channels and --fps out."
        )
    spec = VideoSpec(shape=(options.frames or USUAL, channels, height, width), rate=RATE)
    known = Found(
        names=[f"{name}[{place}]" for place in range(count)],
        labels=[NAMES[own] if options.labels else None for own in moving.label],
        loops=[False] * count,
        pieces=[(place, steps) for place in range(count)],
    )
    frames = moving.frames.reshape(-1, channels, height, width)
    return _clips(Videos(name=name, videos=(), key=None), frames, known, like or VideoCodec(spec), options, fitted=like is None)


# ---- decoding -------------------------------------------------------------------------------------------------------------------


def decoded(
    found: Videos, options: Options, cache: Path, like: VideoCodec | None
) -> tuple[np.ndarray, Found, VideoCodec, list[str]]:
    """All frames [N, channels, height, width], where they come from, a codec that knows their size and rate, and sentences."""
    key = None
    if found.key is not None:
        shape = [like.to_json()["spec"], like.crop] if like else None
        chosen = {name: value for name, value in asdict(options).items() if name != "stride"}
        key = hashlib.sha256(json.dumps([FORMAT, found.key, chosen, shape]).encode()).hexdigest()[:32]
        if entry := stored(cache, found.name, key):
            return (
                entry.arrays["frames"],
                Found(**_listed_facts(entry.facts["found"])),
                VideoCodec.from_json(entry.facts["codec"]),
                entry.facts["notes"],
            )

    def fill(writer: Writer) -> dict[str, Any]:
        known = Found()
        codec, notes = (like, []) if like else _fitted(found, options, known)
        for video in found.videos:
            try:
                _decode(video, codec, options, writer, known)
            except Unreadable as error:
                known.unreadable.append((video.name, str(error)))
                if not options.skip_unreadable:
                    raise UserError(
                        f"{video.name} of {found.name} cannot be read ({error}): repair it, or pass --skip-unreadable."
                    ) from error
        if not writer.count:
            _refuse(found, known)
        mark = fingerprint({}, str(writer.contents["frames"]), described(codec), json.dumps(asdict(known)))
        return {"found": asdict(known), "codec": codec.to_json(), "notes": notes, "fingerprint": mark}

    entry = store(cache, found.name, key, fill)
    return (
        entry.arrays["frames"],
        Found(**_listed_facts(entry.facts["found"])),
        VideoCodec.from_json(entry.facts["codec"]),
        entry.facts["notes"],
    )


def _listed_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """JSON's lists as the tuples that they were."""
    labels = [tuple(label) if isinstance(label, list) else label for label in facts["labels"]]
    return {
        **facts,
        "labels": labels,
        "pieces": [tuple(own) for own in facts["pieces"]],
        "unreadable": list(map(tuple, facts["unreadable"])),
    }


def _refuse(found: Videos, known: Found) -> None:
    if len(found.videos) == 1:
        name, why = known.unreadable[0]
        raise UserError(f"{name} cannot be read as a video ({why}): repair it, or give another file.")
    reasons = listed([f"{name} ({why})" for name, why in known.unreadable], 3)
    raise UserError(f"none of the {len(found.videos):,} videos of {found.name} can be read: {reasons}.")


def _fitted(found: Videos, options: Options, known: Found) -> tuple[VideoCodec, list[str]]:
    """The codec that suits videos, by looking at some of them, and sentences about it."""
    sizes, rates, loops = Counter[tuple[int, int]](), Counter[float](), []
    channels, places = 1, np.unique(np.linspace(0, len(found.videos) - 1, min(SURVEYED, len(found.videos))).astype(int))
    for place in places:
        try:
            footage = found.videos[place].open()
        except Unreadable:  # told when it is decoded
            continue
        sizes[footage.size] += 1
        loops.append(footage.loops)
        channels = max(channels, footage.channels)
        if footage.rate is not None:
            rates[round(footage.rate, 3)] += 1
    if not sizes:
        known.unreadable += [(video.name, _why(video)) for video in found.videos[:3]]
        _refuse(found, known)
    known.sizes = {f"{height}x{width}": count for (height, width), count in sizes.most_common()}
    known.rates = {f"{rate:g}": count for rate, count in rates.most_common()}
    height, width = options.size or _size(sizes)
    rate = options.fps or (rates.most_common(1)[0][0] if rates else UNSAID)
    spec = VideoSpec(
        shape=(options.frames or USUAL, options.channels or channels, height, width), rate=float(rate), loops=all(loops)
    )
    notes = []
    if set(sizes) != {(height, width)}:
        what = f"videos of {len(sizes)} sizes" if len(sizes) > 1 else "{}x{} frames".format(*next(iter(sizes)))
        notes.append(f"{what} are brought to {height}x{width} ({options.crop})")
    if len(rates) > 1 or (rates and rate not in rates):
        notes.append(
            f"videos of {listed([f'{own:g}' for own, _ in rates.most_common()], 3)} frames a second are brought to {rate:g}"
        )
    return VideoCodec(spec, options.crop), notes


def _why(video: Video) -> str:
    try:
        video.open()
    except Unreadable as error:
        return str(error)
    return "its frames cannot be read"


def _size(sizes: Counter[tuple[int, int]]) -> tuple[int, int]:
    """(height, width): the only size there is, if it is small and its sides are even; else a square of the smaller side, up to SIDE."""
    (height, width), _ = sizes.most_common(1)[0]
    if len(sizes) == 1 and max(height, width) <= SIDE and height % 4 == 0 and width % 4 == 0 and min(height, width) >= 8:
        return height, width
    side = max(8, min(SIDE, min(height, width)) // 8 * 8)
    return side, side


def _decode(video: Video, codec: VideoCodec, options: Options, writer: Writer, known: Found) -> None:
    """Appends the frames of a video at the codec's rate, and what was seen of it. Raises Unreadable, and then nothing is appended but
    whole chunks, which belong to no stretch."""
    footage = video.open()
    number, rate = len(known.names), codec.spec.rate
    differences: list[float] = []
    chunk: list[np.ndarray] = []
    beginning: list[np.ndarray] = []
    total, brightest, steps, last, first = 0, 0.0, set[float](), None, writer.count
    unit = 1.0 if footage.rate is not None else 1 / rate
    previous_time = None
    for image, time in _sampled(footage.frames(), unit, rate, steps):
        pixels = codec.pixels(image) if time != previous_time or last is None else last
        previous_time = time
        if last is not None:
            differences.append(float(np.abs(pixels.astype(np.int16) - last).mean()) / 255)
        shown = pixels[:3] if len(pixels) == 4 else pixels
        brightest = max(brightest, float(shown.mean()))
        chunk.append(pixels)
        if footage.loops and total < codec.spec.shape[0]:
            beginning.append(pixels)
        last, total = pixels, total + 1
        if len(chunk) == CHUNK:
            _room(writer, chunk)
            writer.append({"frames": np.stack(chunk)})
            chunk = []
    if total < 2:
        raise Unreadable(
            f"it has {total or 'no'} frame{'s' * (total != 1)} at {rate:g} frames a second, where a video has several"
        )
    if chunk:
        writer.append({"frames": np.stack(chunk)})
    if beginning and total < codec.spec.shape[0]:  # it begins again, as whoever plays it lets it
        missing = codec.spec.shape[0] - total
        writer.append({"frames": np.stack([beginning[place % total] for place in range(missing)])})
        differences.append(float(np.abs(beginning[0].astype(np.int16) - beginning[total - 1]).mean()) / 255)
        total += missing
    found = cuts_in(differences) if options.cuts and total > codec.spec.shape[0] else []
    edges = [0, *found, total]
    known.names.append(video.name)
    known.labels.append(video.label)
    known.loops.append(footage.loops)
    if gap := first - sum(length for _, length in known.pieces):
        known.pieces.append((-1, gap))  # what was appended of an unreadable video
    known.pieces += [(number, end - begin) for begin, end in zip(edges, edges[1:], strict=False)]
    if found:
        known.cut[video.name] = len(found)
    if max(differences) < STILL:
        known.static.append(video.name)
    if brightest < BLACK:
        known.black.append(video.name)
    if footage.rate is not None and len(steps) > 1 and max(steps) > 1.2 * min(steps):
        known.uneven.append(video.name)


def _sampled(frames: Iterator[tuple[Any, float]], unit: float, rate: float, steps: set[float]) -> Iterator[tuple[Any, float]]:
    """The frame that is shown in the middle of every tick of a clock of this rate, with its own time; adds how long frames are shown to
    `steps`. The last entry says where the last frame ends."""
    shown, since, tick, first = None, 0.0, 0, None
    for image, at in frames:
        first = at if first is None else first
        time = (at - first) * unit
        if shown is not None:
            steps.add(round(time - since, 3))
            while (tick + 0.5) / rate < time:
                yield shown, since
                tick += 1
        shown, since = image, time


def frames_at(footage: Footage, rate: float) -> Iterator[tuple[Any, float]]:
    """The frames of a video at this rate. Raises Unreadable."""
    return _sampled(footage.frames(), 1.0 if footage.rate is not None else 1 / rate, rate, set())


def _room(writer: Writer, chunk: Sequence[np.ndarray]) -> None:
    """Raises UserError where the disk of the cache is nearly full."""
    needed, free = 4 * sum(own.nbytes for own in chunk), shutil.disk_usage(writer.folder).free
    if needed > free:
        raise UserError(
            f"the cache folder {writer.folder.parent} has no room for more frames: choose a smaller --resolution or --fps, or set "
            "GANSMITH_CACHE to a folder where there is room."
        )


# ---- clips ----------------------------------------------------------------------------------------------------------------------


def _clips(found: Videos, frames: np.ndarray, known: Found, codec: VideoCodec, options: Options, *, fitted: bool) -> Dataset:
    """Windows over stretches of frames, with the labels of their videos; `fitted` says that the codec is of these videos."""
    lengths = np.array([length for _, length in known.pieces])
    own = np.array([length for video, length in known.pieces if video >= 0])
    count, notes = codec.spec.shape[0], list[str]()
    if fitted and options.frames is None:
        count = max(2, min(USUAL, int(np.quantile(own, SHORTEST, method="lower"))))
        codec = replace(codec, spec=replace(codec.spec, shape=(count, *codec.spec.shape[1:])))
    stride = options.stride or max(1, count // 4)
    videos = np.array([video for video, _ in known.pieces])
    starts = Starts.of([length if video >= 0 else 0 for video, length in known.pieces], count, stride)
    begin = np.cumsum([0, *lengths[:-1]])
    starts = replace(starts, first=begin.astype(np.int64))
    if not len(starts):
        longest = int(own.max()) if len(own) else 0
        raise UserError(
            f"no video of {found.name} is as long as a clip of {count} frames (the longest has {longest} between cuts): pass --frames "
            f"{max(2, longest)}, or give longer ones."
        )
    short = int((own < count).sum())
    if short:
        notes.append(
            f"{short:,} of {len(own):,} stretches are shorter than a clip of {count} frames and left out (--frames takes fewer)"
        )
    if known.cut:
        cuts = sum(known.cut.values())
        notes.append(
            f"{cuts:,} scene cut{'s' * (cuts > 1)} in {len(known.cut):,} videos, across which no clip reaches (--no-cuts)"
        )
    arrays: dict[str, Any] = {"video": Windows(frames, starts)}
    of_piece = np.maximum(videos, 0)
    codec, labels = _labelled(found, known, codec, fitted)
    if labels is not None:
        per = PerPiece(labels[of_piece], starts)
        arrays["label"] = per
        if fitted and codec.spec.classes:
            codec = replace(codec, frequencies=tuple(np.bincount(per[:], minlength=len(codec.spec.classes)).tolist()))
    groups = PerPiece(of_piece.astype(np.int64), starts)
    mark = fingerprint(arrays, described(codec))
    seconds = f"{count / codec.spec.rate:.1f} s"
    notes.insert(0, f"{len(starts):,} clips of {count} frames ({seconds}) from {len(known.names):,} videos")
    return Dataset(
        name=found.name,
        codec=codec,
        arrays=arrays,
        fingerprint=mark,
        groups=groups,
        facts={"notes": tuple(notes), "found": known},
    )


def _labelled(found: Videos, known: Found, codec: VideoCodec, fitted: bool) -> tuple[VideoCodec, np.ndarray | None]:
    """The codec with classes or attributes, and the label of every video. Raises UserError for labels that were not learned."""
    labels = known.labels
    if fitted and found.attributes:
        rows = np.array([label for label in labels if isinstance(label, tuple)], float)
        if len(rows) != len(labels):
            raise UserError(f"some videos of {found.name} have no attributes: complete the table, or pass --no-labels.")
        attributes = Attributes.fit(found.attributes, rows)
        return replace(
            codec, attributes=attributes, spec=replace(codec.spec, attributes=attributes.names, steps=attributes.steps)
        ), rows.astype(np.float32)
    if codec.attributes:
        places = [_place(found, name) for name in codec.attributes.names]
        return codec, np.array([[_row(found, label)[place] for place in places] for label in labels], np.float32)
    if fitted and any(label is not None for label in labels):
        classes = tuple(sorted({str(label) for label in labels if label is not None}))
        if any(label is None for label in labels):
            raise UserError(f"some videos of {found.name} have no class: complete the table, or pass --no-labels.")
        codec = replace(codec, spec=replace(codec.spec, classes=classes))
    if not codec.spec.classes:
        return codec, None
    return codec, np.array([codec.class_of(None if label is None else str(label)) for label in labels], np.int64)


def _place(found: Videos, name: str) -> int:
    if name not in found.attributes:
        raise UserError(
            f"{found.name} lacks the attribute {name} that the training data have: complete the table, or pass --no-labels."
        )
    return found.attributes.index(name)


def _row(found: Videos, label: Label) -> tuple[float, ...]:
    if not isinstance(label, tuple):
        raise UserError(f"a video of {found.name} has no attributes: complete the table, or pass --no-labels.")
    return label
