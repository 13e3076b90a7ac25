"""From texts as they were found to a data set."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gansmith.data.dataset import Dataset
from gansmith.data.fingerprint import described, fingerprint
from gansmith.kinds.text.codec import TextCodec
from gansmith.kinds.text.options import Options
from gansmith.kinds.text.text import Texts

MIN_DOCUMENTS = 5
"""With fewer documents, lines are held out at random: a fifth of the documents would be none."""


def build_texts(found: Texts, options: Options, like: TextCodec | None = None) -> Dataset:
    """Texts as a data set; with `like`, they are encoded as that codec does."""
    if like is not None and not like.spec.classes:
        found = replace(found, labels=None)
    codec, chosen = (like, ()) if like is not None else TextCodec.fit(found, options)
    arrays, lost = codec.pack_all(found)
    notes = (*found.notes, *chosen, *lost)
    several = found.documents is not None and len(set(found.documents)) >= MIN_DOCUMENTS
    data = Dataset(
        name=found.name,
        codec=codec,
        arrays=arrays,
        fingerprint=fingerprint(arrays, described(codec)),
        groups=np.array(found.documents) if several else None,
        facts={"notes": notes} if notes else {},
    )
    if found.held_out is not None:
        return replace(data, held_out=build_texts(found.held_out, options, codec))
    return data
