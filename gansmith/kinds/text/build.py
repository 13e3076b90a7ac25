"""From texts as they were found to a data set."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from gansmith.data.dataset import Dataset
from gansmith.data.fingerprint import described, fingerprint
from gansmith.kinds.text.codec import TextCodec
from gansmith.kinds.text.options import Options
from gansmith.kinds.text.text import Texts

FEWEST_DOCUMENTS = 5
"""With fewer documents, lines are held out at random: a fifth of the documents would be none."""


def build_texts(found: Texts, options: Options, like: TextCodec | None = None) -> Dataset:
    """Texts as a data set; `like` is the codec of others, which these are to be encoded as."""
    if like is not None and not like.spec.classes:
        found = replace(found, labels=None)
    codec, chosen = (like, ()) if like is not None else TextCodec.fit(found, options)
    arrays, lost = codec.pack_all(found)
    notes = (*found.notes, *chosen, *lost)
    facts: dict[str, Any] = {"notes": notes} if notes else {}
    if found.documents is not None and len(set(found.documents)) >= FEWEST_DOCUMENTS:
        facts["documents"] = np.array(found.documents)
    data = Dataset(name=found.name, codec=codec, arrays=arrays, fingerprint=fingerprint(arrays, described(codec)), facts=facts)
    if found.held_out is not None:
        return replace(data, held_out=build_texts(found.held_out, options, codec))
    return data


def split_by_document(data: Dataset, share: float, seed: int = 0) -> tuple[Dataset, Dataset]:
    """(training, held out): whole documents, in random order, until they hold the share; lines at random where there are too few."""
    documents = data.facts.get("documents")
    if data.held_out is not None or documents is None:
        return data.split(share, seed)
    of_each = documents if data.indices is None else documents[data.indices]
    names, counts = np.unique(of_each, return_counts=True)
    order = np.random.Generator(np.random.Philox(key=seed)).permutation(len(names))
    taken = np.cumsum(counts[order]) - counts[order] < share * len(data)
    held = np.isin(of_each, names[order[taken]])
    return data.subset(np.flatnonzero(~held)), data.subset(np.flatnonzero(held))
