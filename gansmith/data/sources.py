"""Data from anywhere: finds out what was given, decodes it once, and answers with a `Dataset`."""

import contextlib
from collections.abc import Mapping
from dataclasses import fields
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gansmith.data.cache import cache_folder
from gansmith.data.codec import Codec
from gansmith.data.dataset import Dataset
from gansmith.data.paired import Codec as PairCodec
from gansmith.data.readers.builtin import builtin_names, open_builtin
from gansmith.data.readers.files import refuse_endless
from gansmith.data.readers.json_text import read_json
from gansmith.data.readers.listing import remembered
from gansmith.data.readers.rows import array_names, open_npy
from gansmith.data.readers.sheets import sheet_from_csv, sheet_from_table
from gansmith.data.readers.tensors import array_of
from gansmith.data.suggestions import did_you_mean
from gansmith.errors import UserError
from gansmith.kinds.images.build import build_images, build_points, build_table
from gansmith.kinds.images.domains import domains
from gansmith.kinds.images.pairing import build_pairs
from gansmith.kinds.images.readers.array_files import from_npy, from_npz
from gansmith.kinds.images.readers.arrays import from_memory
from gansmith.kinds.images.readers.collection import Collection, Points
from gansmith.kinds.images.readers.folders import IMAGE_SUFFIXES, from_folder, from_image, from_zip
from gansmith.kinds.images.readers.hub import from_hub, is_hub_name
from gansmith.kinds.images.readers.mapstyle import from_mapstyle, labelled, pictures_in_frame
from gansmith.kinds.images.readers.pairs import Pairs, pairs_in, recognised, traits
from gansmith.kinds.images.readers.parquet import from_parquet, holds_images
from gansmith.kinds.images.survey import Wanted, parse_resolution, parse_values
from gansmith.kinds.images.values import Levels
from gansmith.kinds.points.files import from_csv, holds_points, points_of
from gansmith.kinds.series.arrays import from_series_array, from_series_npz
from gansmith.kinds.series.files import SERIES
from gansmith.kinds.series.source import Cutting, Sequences, from_series_folder, from_series_sheet, looks_like_series
from gansmith.kinds.series.windows import build_series
from gansmith.kinds.tables.cells import Table
from gansmith.kinds.tables.codec import Codec as TableCodec
from gansmith.kinds.tables.files import table_from_csv, table_from_parquet
from gansmith.kinds.tables.frames import is_frame, table_from_frame

KINDS = ("domains", "images", "pairs", "points", "series", "tables")


def open_dataset(
    data: Any,
    *,
    kind: str | None = None,
    resolution: str | int | tuple[int, ...] | None = None,
    crop: str = "center",
    channels: int | None = None,
    labels: bool = True,
    levels: Levels | None = None,
    values: str | tuple[float, float] | None = None,
    cache: Path | None = None,
    skip_unreadable: bool = False,
    originals: bool = False,
    schema: Mapping[str, str] | Path | str | None = None,
    target: str | None = None,
    public: Any = None,
    like: Codec[Any] | None = None,
    degrade: str | None = None,
    pairing: str | None = None,
    swap: bool = False,
    label_maps: bool = False,
    masks: Path | str | None = None,
    **series: Any,
) -> Dataset:
    """The examples of `data`, decoded and ready to be dealt.

    `data` is a folder, zip, npz, npy, csv or Parquet file, a built-in name (see `builtin_names`), a hub name "user/name", a NumPy
    array or tensor, a tuple (images, labels), a map-style torch data set, a list of pictures, a data frame, or a `Dataset`, which is
    returned as it is. `resolution` is a side or height x width ("64", "64x48"); without it, images that share one size up to 256 keep it
    and others become squares of 64 (less where many are smaller). `crop` says how other proportions are fitted: center, fit, pad.
    `channels` is 1, 3 or 4; without it, the most general mode present (or as many as the data have). `levels` is the type and range
    of the numbers; without it, those of the data, so that 16 bits and floating point numbers stay what they are; `values` are where
    such deep images are cut off ("0,3000"). Unreadable files
    raise a UserError that names them unless `skip_unreadable`, which records them in `Dataset.facts["unreadable"]`;
    `Dataset.facts["notes"]` says how the data was read. `schema` says of which kind columns of a table are ({"zip": "categorical"},
    or a JSON file of that), `target` which of them the others are to tell (else the last one); tables that are to be like those of the
    codec `like` are encoded by it. `public` is another table with the same columns, from which alone the facts of columns are read, so
    that none of the private table's own is kept (see dpgan).

    With `originals`, images that had to be resized stay at hand in their own sizes too (`Dataset.originals`).

    Pairs of images (kind "pairs") are found in folders trainA and trainB (two domains) or A and B (partners of one name), in pictures
    side by side, or in a csv with the columns a and b. `degrade` makes them of single pictures ("x4", "noise25,jpeg40"), `pairing`
    ("names", "none") overrides what the folders say, `swap` exchanges the given side and the one that is made, and with `label_maps` the
    colours of the given side are labels (indices, palettes), not brightnesses. `masks` is a folder of pictures, white where the pictures
    of `data` are to have holes that are filled in. Pairs that are to be like those of the codec `like` are encoded by it. Kind "domains"
    are images by class, of which each is to be made from those of the others.
    `series` are options for time series (see `Cutting`): window, stride, returns, scale, entity, time, static,
    columns, fill.

    Images are decoded once into memory-mapped arrays under `cache` (GANSMITH_CACHE, or ~/.cache/gansmith).
    """
    check_options(series)
    size, cut = parse_resolution(resolution), parse_values(values)
    wanted = Wanted(resolution=size, crop=crop, channels=channels, labels=labels, levels=levels, values=cut)
    if isinstance(data, Dataset):
        if wanted != Wanted():
            raise UserError("a Dataset is already decoded: give resolution, crop, channels and labels where it is opened.")
        return data
    root = cache_folder(cache)
    if pairs := find_pairs(data, kind, degrade, pairing, swap, masks):
        same = like if isinstance(like, PairCodec) else None
        return build_pairs(pairs, wanted, root, skip_unreadable, same, label_maps)
    if label_maps:
        raise UserError(f"--label-maps is for pairs, and {data} holds none: leave it out, or pass --kind pairs.")
    found = find(data, kind, root, Cutting(**series) if series or kind == "series" else None)
    if isinstance(found, Sequences):
        return build_series(found, Cutting(**series))
    if series:
        raise UserError(f"--{next(iter(series))} is an option for time series, and {found.name} holds none: leave it out.")
    if isinstance(found, Points):
        if wanted.resolution or wanted.channels or wanted.values:
            raise UserError(f"{found.name} holds points, which have no resolution, channels or values: leave these options out.")
        return build_points(found)
    if isinstance(found, Table):
        if wanted != Wanted():
            raise UserError(
                f"{found.name} is a table, which has no resolution, crop, channels or labels: leave these options out."
            )
        known = like if isinstance(like, TableCodec) else None
        if public is not None:
            known = _codec_of(public, read_schema(schema), target, root)
        return build_table(found, read_schema(schema), known, target)
    if schema is not None or public is not None or target is not None:
        raise UserError("a schema, a target and a public table are for tables: leave them out, or give a table.")
    built = build_images(found, wanted, root, skip_unreadable, originals=originals)
    return domains(built) if kind == "domains" else built


def check_options(given: Mapping[str, Any]) -> None:
    """Raises UserError for options that neither `open_dataset` nor series have."""
    known = [field.name for field in fields(Cutting)]
    for name in given:
        if name not in known:
            from gansmith.api import train  # which imports this module

            every = [*known, *signature(open_dataset).parameters, *signature(train).parameters]
            raise UserError(
                f"there is no option {name}{did_you_mean(name, every)}: training takes those of gansmith.train, opening data those of "
                "gansmith.data.sources.open_dataset."
            )


def first_look(
    data: Any,
    *,
    kind: str | None = None,
    degrade: str | None = None,
    pairing: str | None = None,
    swap: bool = False,
    masks: Path | str | None = None,
    cache: Path | None = None,
    **options: Any,
) -> tuple[str, dict[str, bool]]:
    """The kind of `data` for `open_dataset` with these options, and of pairs what `choosing.translator` asks; nothing is decoded."""
    if isinstance(data, Dataset):
        return data.codec.spec.kind, {}
    if pairs := find_pairs(data, kind, degrade, pairing, swap, masks):
        return "pairs", traits(pairs)
    if kind is not None:
        return kind, {}
    series = {field.name: options[field.name] for field in fields(Cutting) if field.name in options}
    return _kind(find(data, kind, cache_folder(cache), Cutting(**series) if series else None)), {}


def _kind(found: Collection | Points | Sequences | Table) -> str:
    kinds = ((Points, "points"), (Table, "tables"), (Sequences, "series"))
    return next((kind for made, kind in kinds if isinstance(found, made)), "images")


def _said(data: Any) -> str:
    """What was given, in few words."""
    return repr(data) if isinstance(data, str | Path) else f"a Python {type(data).__name__}"


def find_pairs(
    data: Any,
    kind: str | None = None,
    degrade: str | None = None,
    pairing: str | None = None,
    swap: bool = False,
    masks: Path | str | None = None,
) -> Pairs | None:
    """The pairs that `data` holds, if they were asked for or cannot be anything else."""
    path = Path(data).expanduser() if isinstance(data, str | Path) else None
    if path is not None:
        refuse_endless(path)
    asked = kind == "pairs" or degrade or pairing or swap or masks
    if path is None or not path.exists():
        if asked:
            raise UserError(f"pairs are read from a folder or a csv on disk, which {_said(data)} is not: give the path of one.")
        return None
    if asked or (kind is None and recognised(path)):
        return pairs_in(path, degrade=degrade, pairing=pairing, swap=swap, masks=Path(masks).expanduser() if masks else None)
    return None


def find(data: Any, kind: str | None, cache: Path, cutting: Cutting | None = None) -> Collection | Points | Sequences | Table:
    """What `data` is, before anything is decoded; `cutting` says how series are read."""
    if kind is not None and kind not in KINDS:
        raise UserError(
            f'the kind of data must be {", ".join(KINDS[:-1])} or {KINDS[-1]}, not "{kind}"{did_you_mean(kind, KINDS)}.'
        )
    if (sequences := _sequences(data, kind, cutting)) is not None:
        return sequences
    found = _named(data, kind, cache) if isinstance(data, str | Path) else _from_python(data, kind)
    if kind is not None and kind != _kind(found) and (kind, _kind(found)) != ("domains", "images"):
        raise UserError(f"{found.name} holds {_kind(found)}, not {kind}: leave the kind out, or choose other data.")
    return found


def _sequences(data: Any, kind: str | None, cutting: Cutting | None) -> Sequences | None:
    """Time series: whatever is asked to be, a CSV file whose first column is times in order, and what `generate` writes."""
    if kind not in (None, "series"):
        return None
    asked, wanted = kind == "series", cutting or Cutting()
    if asked and is_frame(data):
        return from_series_sheet(sheet_from_table(_with_index(data), "the data frame"), wanted)
    if asked and isinstance(data, torch.Tensor | np.ndarray):
        array = array_of(data, "the data") if isinstance(data, torch.Tensor) else data
        return from_series_array(array, "series", "the array", wanted)
    path = Path(data).expanduser() if isinstance(data, str | Path) else None
    if path is not None and path.is_dir():
        if own := sorted(path.glob("series*.npz")):
            return from_series_npz(own[-1], wanted)
        return from_series_folder(path, wanted) if asked else None
    if path is None or not path.is_file():
        if asked:
            raise UserError(f"there are no series in {data}: give a csv, Parquet, npz or npy file, or an array [N, T, D].")
        return None
    if path.name.lower().endswith((".csv", ".csv.gz")) and (asked or cutting or looks_like_series(path)):
        return from_series_sheet(sheet_from_csv(path), wanted)
    if path.suffix.lower() == ".npz" and (asked or _has_series(path)):
        return from_series_npz(path, wanted)
    if path.suffix.lower() == ".npy" and asked:
        return from_series_array(np.array(open_npy(path)), path.stem, path.name, wanted)
    if path.suffix.lower() == ".parquet" and asked:
        return from_series_sheet(sheet_from_table(table_from_parquet([path], path.stem), str(path)), wanted)
    if asked:
        raise UserError(f"{path} is no file of series: give a csv, Parquet, npz or npy file.")
    return None


def _with_index(frame: Any) -> Table:
    """A data frame as a table; the dates that are the index of a pandas one become its first column."""
    if type(getattr(frame, "index", None)).__name__ == "DatetimeIndex":
        frame = frame.reset_index(names=frame.index.name or "time")
    return table_from_frame(frame)


def _has_series(path: Path) -> bool:
    with contextlib.suppress(UserError):
        return SERIES in array_names(path)
    return False


def _named(data: str | Path, kind: str | None, cache: Path) -> Collection | Points | Table:
    name, path = str(data), Path(data).expanduser()
    builtin = builtin_names()
    if name in builtin and isinstance(data, str):
        return open_builtin(name, cache)
    if path.is_dir():
        return remembered(path, cache, lambda: _from_any_folder(path, kind))
    if path.exists():
        return _from_file(path, kind)
    if isinstance(data, str) and is_hub_name(data) and not path.parent.exists():
        return from_hub(data)
    raise UserError(
        f"there is no data {name}{did_you_mean(name, list(builtin))}: give a folder or zip of images, an npz, npy, csv or "
        f'Parquet file, a hub name "user/name", or one of {", ".join(builtin)}.'
    )


def _from_any_folder(folder: Path, kind: str | None) -> Collection | Points | Table:
    """Images; or Parquet files as a hub snapshot has them; or the points that `generate` writes."""
    name = folder.resolve().name
    if points := sorted(folder.glob("points*.npy")):
        return points_of(np.concatenate([open_npy(path) for path in points]), name, f"points*.npy in {folder}")
    tables = sorted(folder.glob("*.parquet")) or sorted(folder.glob("data/*.parquet"))
    if tables and tables[0].stem != "metadata":  # which lies beside image files and describes them
        return _from_parquet(tables, name, kind)
    if rows := sorted(folder.glob("rows*.csv")):
        return table_from_csv(rows[0])
    return from_folder(folder)


def _from_file(path: Path, kind: str | None) -> Collection | Points | Table:
    suffix = path.suffix.lower()
    if suffix == ".zip":
        return from_zip(path)
    if suffix == ".npz":
        return from_npz(path, kind)
    if suffix == ".npy":
        return from_npy(path, kind)
    if path.name.lower().endswith((".csv", ".csv.gz")):
        if kind == "points" or (kind is None and holds_points(path)):
            return from_csv(path, kind)
        return table_from_csv(path)
    if suffix == ".parquet":
        return _from_parquet([path], path.stem, kind)
    if suffix in IMAGE_SUFFIXES:
        return from_image(path)
    raise UserError(f"{path} is a {suffix or 'file without suffix'}, where a file of data is .zip, .npz, .npy, .csv or .parquet.")


def _from_parquet(paths: list[Path], name: str, kind: str | None) -> Collection | Table:
    """Images where a column holds bytes, else a table."""
    if kind == "tables" or (kind is None and not holds_images(paths[0])):
        return table_from_parquet(paths, name)
    return from_parquet(paths, name)


def _codec_of(public: Any, schema: Mapping[str, str] | None, target: str | None, cache: Path) -> TableCodec:
    """What is learned of the columns of a public table."""
    found = find(public, "tables", cache)
    assert isinstance(found, Table)
    return TableCodec.fit(found, schema, target)


def read_schema(schema: Mapping[str, str] | Path | str | None) -> Mapping[str, str] | None:
    """The kinds of columns that a schema names: as given, or from a JSON file. Raises UserError where it is none."""
    if schema is None or isinstance(schema, Mapping):
        return schema
    try:
        found = read_json(Path(schema))
    except (OSError, ValueError) as error:
        raise UserError(
            f'{schema} cannot be read as a schema ({error}): give a JSON file like {{"zip": "categorical"}}.'
        ) from error
    if not isinstance(found, dict):
        raise UserError(f'{schema} must hold kinds by the names of columns, like {{"zip": "categorical"}}.')
    return found


def _from_python(data: Any, kind: str | None) -> Collection | Points | Table:
    if is_frame(data):
        pictures = pictures_in_frame(data) if kind in (None, "images", "domains") else None
        return table_from_frame(data) if pictures is None else pictures
    images, labels = data if isinstance(data, tuple) and len(data) == 2 else (data, None)
    if isinstance(images, list) and labels is not None:
        return from_mapstyle(labelled(images, labels))
    if isinstance(images, torch.Tensor):
        images = array_of(images, "the data")
    if isinstance(labels, torch.Tensor):
        labels = array_of(labels, "what holds the labels")
    if isinstance(images, np.ndarray):
        if images.ndim == 2 and (kind == "points" or (kind is None and images.dtype.kind == "f")):
            return points_of(images, "points", "the array")
        return from_memory(images, labels)
    if hasattr(data, "__len__") and hasattr(data, "__getitem__") and not isinstance(data, tuple | dict):
        return from_mapstyle(data)
    raise UserError(
        f"data cannot be of the type {type(data).__name__}: give a path, a name, an array, (images, labels), a data frame, or a data "
        "set with a length and items."
    )
