"""From texts as they were found to a data set."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gansmith.data.dataset import Dataset
from gansmith.data.fingerprint import described, fingerprint
from gansmith.errors import UserError
from gansmith.kinds.text.codec import TextCodec
from gansmith.kinds.text.options import Options
from gansmith.kinds.text.text import Texts

MIN_DOCUMENTS = 5
"""With fewer documents, lines are held out at random: a fifth of the documents would be none."""


def build_texts(found: Texts, options: Options, like: TextCodec | None = None) -> Dataset:
    """Texts as a data set; with `like`, they are encoded as that codec does."""
    if options.dialogue:
        found = as_replies(found)
    if like is not None and not like.spec.classes:
        found = replace(found, labels=None)
    if like is not None and not like.spec.context:
        found = replace(found, contexts=None)
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
        return replace(data, held_out=build_texts(found.held_out, replace(options, dialogue=False), codec))
    return data


def as_replies(found: Texts) -> Texts:
    """Texts as replies: where lines have a tab, what stands behind it to what stands before it; else each text to the one before it in its
    document. Raises UserError if there are fewer than two.
    """
    count = len(found.texts)
    if any("\t" in text for text in found.texts):
        kept = [
            place for place, text in enumerate(found.texts) if all(part.strip() for part in text.split("\t", 1)) and "\t" in text
        ]
        parts = [found.texts[place].split("\t", 1) for place in kept]
    else:
        documents = found.documents or [0] * count
        kept = [place for place in range(1, count) if documents[place] == documents[place - 1]]
        parts = [[found.texts[place - 1], found.texts[place]] for place in kept]
    if len(kept) < 2:
        raise UserError(f"{found.name} holds no dialogue: give lines that answer each other, or a tab between context and reply.")
    own = {
        name: [values[place] for place in kept] if (values := getattr(found, name)) is not None else None
        for name in ("labels", "documents", "places")
    }
    notes = (*found.notes, f"{len(kept):,} of {count:,} texts are replies, each to what stands before it")
    contexts, texts = [part[0] for part in parts], [part[1] for part in parts]
    held_out = as_replies(found.held_out) if found.held_out is not None else None
    return replace(found, texts=texts, contexts=contexts, notes=notes, held_out=held_out, **own)
