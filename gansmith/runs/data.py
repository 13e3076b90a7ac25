"""How the data of a run are opened, split and opened again: other data in the geometry of those that were trained on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gansmith.data.cache import cache_folder
from gansmith.data.dataset import Dataset
from gansmith.data.sources import find, open_dataset
from gansmith.errors import UserError
from gansmith.kinds.images.codec import Codec as ImageCodec
from gansmith.kinds.images.readers.pairs import has_sides
from gansmith.runs.run import Run
from gansmith.training import distributed

HELD_OUT = 0.2
"""Share of the data that is kept from training, to judge with, where the source brings no test split."""
HELD_OUT_MOST = 10_000
FEWEST = 8
"""Fewer examples than this cannot be trained on: at least one must be held out."""

SEQUENCES = ("window", "stride", "returns", "scale", "entity", "time", "static", "columns", "fill")
"""Those for time series."""
PAIRING = ("degrade", "pairing", "swap", "label_maps", "masks")
"""Those for pairs."""
OPENING = (
    "kind",
    "resolution",
    "crop",
    "channels",
    "values",
    "labels",
    "skip_unreadable",
    "schema",
    "target",
    "public",
    *PAIRING,
    *SEQUENCES,
)
"""The options of `open_dataset` that a run remembers."""


def split(dataset: Dataset) -> tuple[Dataset, Dataset]:
    """Training and held-out examples. Raises UserError if there are too few for both."""
    if len(dataset) < FEWEST:
        raise UserError(f"Training and judging need at least {FEWEST} examples, but {dataset.name} has {len(dataset)}: add more.")
    return dataset.split(min(HELD_OUT, HELD_OUT_MOST / len(dataset)))


def open_like(training: Dataset, data: Any, originals: bool = False, opening: Mapping[str, Any] | None = None) -> Dataset:
    """Other data, opened in the geometry of the training data; their class names must be known. `opening` says how pairs were made."""
    codec = training.codec
    if codec.spec.kind == "domains":
        return open_dataset(data, kind="domains", resolution=codec.spec.shape[1:], channels=codec.spec.shape[0])
    if codec.spec.given:
        made = {key: value for key, value in (opening or {}).items() if key in PAIRING}
        if isinstance(data, str | Path) and has_sides(Path(data).expanduser()):  # partners are there, and need not be made
            made = {key: value for key, value in made.items() if key not in ("degrade", "masks")}
        return open_dataset(data, **{"kind": "pairs", "like": codec, **made})
    if codec.spec.kind == "tables":
        return open_dataset(data, kind="tables", like=codec)
    if codec.spec.kind == "series":
        return _series_like(training, data, opening or {})
    if not isinstance(codec, ImageCodec):
        return open_dataset(data)
    spec = codec.spec
    return open_dataset(data, resolution=spec.shape[1:], channels=spec.shape[0], levels=codec.levels, originals=originals)


def _series_like(training: Dataset, data: Any, opening: Mapping[str, Any]) -> Dataset:
    """Other series, read, cut and scaled as the training data are: by the same columns, where they have them."""
    from gansmith.kinds.series.codec import Codec
    from gansmith.kinds.series.source import Cutting, Sequences
    from gansmith.kinds.series.windows import build_series

    codec = training.codec
    assert isinstance(codec, Codec)
    static = (codec.class_name,) if codec.spec.classes else (*codec.numbers, *codec.words)
    wanted = Cutting(
        window=codec.steps,
        returns=bool(codec.heaviness),
        scale=codec.scale,
        entity=opening.get("entity"),
        time=codec.calendar.column if codec.calendar else opening.get("time"),
        static=static,
        columns=codec.columns,
        fill=opening.get("fill"),
        like_known=True,
    )
    found = find(data, "series", cache_folder(), wanted)
    assert isinstance(found, Sequences)
    return build_series(found, wanted, codec)


def open_together(data: Any, opening: Mapping[str, Any]) -> Dataset:
    """Opens the data in the first process before the others, which then find it in the cache."""
    dataset = distributed.in_first(lambda: open_dataset(data, **opening))
    return dataset if dataset is not None else open_dataset(data, **opening)


def run_data(run: Run, data: Any = None, opening: Mapping[str, Any] | None = None) -> Dataset:
    """The data a run was trained on, opened as they were, or `data` in their stead."""
    facts = run.facts["data"]
    if data is None and facts["source"] is None:
        if run.data is not None:
            return run.data
        raise UserError(f"The data of {run.folder} came from Python and are not on disk: give them again.")
    return open_together(facts["source"] if data is None else data, {**facts["opening"], **(opening or {})})
