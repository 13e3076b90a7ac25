"""How the data of a run are opened, split and opened again: other data in the geometry of those that were trained on."""

from collections.abc import Mapping
from typing import Any

from gansmith import kinds
from gansmith.data.cache import cache_folder
from gansmith.data.dataset import Dataset
from gansmith.data.programs import named_in, trusts
from gansmith.data.source import Source, reading
from gansmith.errors import UserError
from gansmith.kinds.opening import open_dataset, read_options
from gansmith.runs.folder import RunFolder
from gansmith.runs.made_here import allow_data, made_here
from gansmith.runs.model_files import FACTS, is_model, read_model
from gansmith.runs.rebuild import codec_of
from gansmith.training import distributed

HELD_OUT = 0.2
"""Share of the data that is kept from training, to judge with, where the source brings no test split."""
HELD_OUT_MOST = 10_000
SMALLEST_DATASET = 8
"""Fewer examples than this cannot be trained on: at least one must be held out."""


def split(dataset: Dataset) -> tuple[Dataset, Dataset]:
    """Training and held-out examples. Raises UserError if there are too few for both."""
    if len(dataset) < SMALLEST_DATASET:
        raise UserError(
            f"Training and judging need at least {SMALLEST_DATASET} examples, but {dataset.name} has {len(dataset)}: add more."
        )
    return kinds.find(dataset.codec.spec.kind).split(dataset, min(HELD_OUT, HELD_OUT_MOST / len(dataset)))


def open_like(training: Dataset, data: Any, originals: bool = False, opening: Mapping[str, Any] | None = None) -> Dataset:
    """Other data, encoded as the training data are; their class names must be known. `opening` is how the training data were opened."""
    return data if isinstance(data, Dataset) else _encoded(training.codec, data, originals, opening)


def _encoded(codec: Any, data: Any, originals: bool = False, opening: Mapping[str, Any] | None = None) -> Dataset:
    """Data encoded as this codec does."""
    source = Source(data)
    kind = kinds.find(codec.spec.kind)
    _, options = read_options(data, kind.name, _options_of(opening or {}))
    with reading(source):
        return kind.open(source, kind.like(codec, options, source), cache=cache_folder(), like=codec, originals=originals)


def open_together(data: Any, opening: Mapping[str, Any]) -> Dataset:
    """Opens the data in the first process before the others, which then find it in the cache."""
    dataset = distributed.in_first(lambda: open_dataset(data, **opening))
    return dataset if dataset is not None else open_dataset(data, **opening)


def data_at_hand(run: RunFolder) -> bool:
    """Whether the data of a run can be opened without being given: it was made on this machine, or the user trusts it."""
    facts = run.facts["data"]
    return run.data is not None or (facts["source"] is not None and (run.trust or trusts() or made_here(facts)))


def run_data(run: RunFolder, data: Any = None, opening: Mapping[str, Any] | None = None) -> Dataset:
    """The data a run was trained on, opened as they were, or `data` in their stead."""
    facts = run.facts["data"]
    if data is None and facts["source"] is None:
        if run.data is not None:
            return run.data
        raise UserError(f"The data of {run.folder} came from Python and are not on disk: give them again.")
    given = opening or {}
    if not run.trust:
        allow_data(run.folder / "run.json", facts, given, other=data is not None)
    with named_in(run.folder / "run.json", run.trust, said=given.get("kind")):
        found = open_together(facts["source"] if data is None else data, {**facts["opening"], **given})
    return found if given or found.fingerprint == facts["fingerprint"] else _as_begun(run, found, data)


def _as_begun(run: RunFolder, found: Dataset, data: Any) -> Dataset:
    """The data encoded as the run's model does, if they are then those it was begun with: a later version may read data otherwise."""
    facts = run.facts["data"]
    if not is_model(run.model_folder) or isinstance(data, Dataset):
        return found
    try:
        codec = codec_of(read_model(run.model_folder)[1]["codec"], run.model_folder / FACTS)
        again = _encoded(codec, facts["source"] if data is None else data, opening=facts["opening"])
    except UserError:
        return found
    return again if again.fingerprint == facts["fingerprint"] else found


def _options_of(opening: Mapping[str, Any]) -> dict[str, Any]:
    """What a run remembers of opening its data, without the kind; the kind's other spellings stand for options."""
    word = opening.get("kind")
    spelled = kinds.spelled(word) if word is not None else {}
    return {**spelled, **{name: value for name, value in opening.items() if name != "kind"}}
