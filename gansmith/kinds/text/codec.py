"""Texts: tokens of a vocabulary that was found in the data, with an end."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from gansmith.data.codec import Batch
from gansmith.data.dataset import choose
from gansmith.data.outputs import whole
from gansmith.data.spreadsheets import Writer
from gansmith.data.suggestions import did_you_mean, listed
from gansmith.data.tokens import counted, padded, smallest_dtype
from gansmith.errors import UserError
from gansmith.kinds.text.options import Options
from gansmith.kinds.text.preview import page
from gansmith.kinds.text.spec import TextSpec
from gansmith.kinds.text.text import Text, Texts
from gansmith.kinds.text.tokens import REPLACEMENT, SPECIAL, Vocabulary, has_tokenizers

MANY = 200_000
"""Characters from which texts of an alphabet become byte pairs."""
ALPHABET = 400
"""The most different characters of an alphabet; scripts with more write a syllable or word with each."""
COVERED = 0.99
"""The share of texts that the usual length holds."""
SPARED = 1.25
"""If the longest text is at most so many times as long, it holds all."""
LONGEST = {"characters": 128, "words": 64, "bytepairs": 64}
"""The greatest usual length."""
BUCKETS = 128
"""Features of a sketch: tokens, and as many pairs of tokens."""
CONTEXTS = 256
"""Contexts of the training data that a model keeps, for replies where none is asked for."""
PRIME = 92_821
"""Mixes the two tokens of a pair."""


@dataclass(frozen=True)
class TextCodec:
    """Texts as tokens [length] in the smallest integers that hold them when packed, int64 when unpacked.

    Behind a text shorter than `length` stands the token "end", then "pad". Decoding an encoded text gives the text again, up to
    `length` tokens. Characters that the vocabulary lacks become "unknown", which is written as U+FFFD.
    """

    suffixes = (".txt", ".jsonl", ".csv", ".png")
    spec: TextSpec
    vocabulary: Vocabulary
    frequencies: tuple[int, ...] = ()
    """How many texts each class has."""
    contexts: tuple[tuple[int, ...], ...] = ()
    """Tokens of some of what the texts answer, if they are replies."""

    @classmethod
    def fit(cls, found: Texts, options: Options) -> tuple[Self, tuple[str, ...]]:
        """The codec of these texts, and sentences about how it was chosen."""
        vocabulary, notes = _vocabulary([*found.texts, *(found.contexts or ())], options)
        split = vocabulary.split_all(found.texts)
        lengths = np.array(list(map(len, split)))
        usual, most = int(np.quantile(lengths, COVERED, method="higher")), int(lengths.max())
        length = options.length or min(max(2, most if most <= SPARED * usual else usual), LONGEST[vocabulary.by])
        counts = counted(split, length, len(vocabulary))
        classes = tuple(sorted(set(found.labels))) if found.labels is not None else ()
        asked = vocabulary.split_all(found.contexts) if found.contexts is not None else []
        seen = max(1, int(np.quantile(list(map(len, asked)), COVERED, method="higher"))) if asked else 0
        context = min(seen, options.length or LONGEST[vocabulary.by])
        spec = TextSpec(shape=(length,), classes=classes, vocabulary=len(vocabulary), frequencies=counts, context=context)
        kept = [tuple(asked[place][-context:]) for place in choose(len(asked), CONTEXTS, 0)] if asked else []
        return cls(spec, vocabulary, tuple(map(list(found.labels or ()).count, classes)), tuple(kept)), notes

    @property
    def previewed(self) -> int:
        return 24

    @property
    def length(self) -> int:
        return self.spec.shape[0]

    # ---- between texts and tokens -----------------------------------------------------------------------------------------------

    def pack(self, raw: Text) -> dict[str, np.ndarray]:
        packed = {"text": self._row(self.vocabulary.split(raw.text))}
        if self.spec.classes:
            packed["label"] = np.array(self._class(raw.label), np.int64)
        if self.spec.context:
            packed["context"] = self._before(self.vocabulary.split(raw.context or ""))
        return packed

    def pack_all(self, found: Texts) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
        """All texts [N, length], and sentences about what was lost. Raises UserError for classes that were not learned."""
        rows = np.empty((len(found.texts), self.length), self._dtype)
        cut, unknown = 0, set[str]()
        for place, (text, tokens) in enumerate(zip(found.texts, self.vocabulary.split_all(found.texts), strict=True)):
            rows[place] = self._row(tokens)
            cut += len(tokens) > self.length
            if self.spec.unknown in tokens:
                unknown |= self.vocabulary.unknown(text)
        arrays, notes = {"text": rows}, []
        if self.spec.classes:
            labels = found.labels if found.labels is not None else [None] * len(found.texts)
            arrays["label"] = np.array([self._class(label) for label in labels], np.int64)
        if self.spec.context:
            asked = self.vocabulary.split_all(list(found.contexts or [""] * len(found.texts)))
            arrays["context"] = np.stack([self._before(tokens) for tokens in asked])
        if cut:
            notes.append(
                f"{cut:,} of {len(found.texts):,} texts are longer than {self.length} tokens and are cut there (--length takes more)"
            )
        if unknown:
            shown = listed([repr(character) for character in sorted(unknown)], 10)
            notes.append(f"{shown} {'is' if len(unknown) == 1 else 'are'} not in the vocabulary and read as {REPLACEMENT}")
        return arrays, tuple(notes)

    def unpack(self, packed: Mapping[str, np.ndarray]) -> Batch:
        return {key: torch.from_numpy(packed[key].astype(np.int64)) for key in ("text", "label", "context") if key in packed}

    def repack(self, batch: Batch) -> dict[str, np.ndarray]:
        packed = {"text": batch["text"].detach().cpu().numpy().astype(self._dtype)}
        if "label" in batch:
            packed["label"] = batch["label"].detach().cpu().numpy().astype(np.int64)
        if "context" in batch:
            packed["context"] = batch["context"].detach().cpu().numpy().astype(self._dtype)
        return packed

    def encode(self, raw: Text) -> Batch:
        return self.unpack({key: array[None] for key, array in self.pack(raw).items()})

    def decode(self, batch: Batch) -> list[Text]:
        labels = batch["label"].tolist() if "label" in batch else [None] * len(batch["text"])
        texts = map(self._written, batch["text"].tolist())
        asked = map(self._written, batch["context"].tolist()) if "context" in batch else [None] * len(labels)
        return [
            Text(text, None if label is None else self.spec.classes[label], context)
            for text, label, context in zip(texts, labels, asked, strict=True)
        ]

    def texts(self, tokens: np.ndarray) -> list[str]:
        """The texts of packed tokens [N, length]."""
        return [self._written(row) for row in tokens.tolist()]

    @property
    def _dtype(self) -> np.dtype:
        return smallest_dtype(self.spec.vocabulary)

    def _row(self, tokens: list[int]) -> np.ndarray:
        return padded(tokens, self.length, self._dtype)

    def _before(self, tokens: Sequence[int]) -> np.ndarray:
        """The last tokens of what a text answers, with padding before shorter ones."""
        kept = list(tokens)[-self.spec.context :]
        return np.array([self.spec.pad] * (self.spec.context - len(kept)) + kept, self._dtype)

    def _written(self, row: Sequence[int]) -> str:
        kept = row[: row.index(self.spec.end)] if self.spec.end in row else row
        return self.vocabulary.join(kept)

    def _class(self, name: str | None) -> int:
        if name not in self.spec.classes:
            known = listed(self.spec.classes, 20)
            if name is None:
                raise UserError(f"these texts have no classes, where those learned have ({known}): give sub-folders or --label.")
            raise UserError(f'there is no class "{name}"{did_you_mean(name, self.spec.classes)}: the classes are {known}.')
        return self.spec.classes.index(name)

    def read(self, text: str) -> Text:
        """A text of the first class, if there are classes. Raises UserError for what the vocabulary lacks, and without any token."""
        tokens = self.vocabulary.split(text)
        if unknown := self.vocabulary.unknown(text):
            shown = listed([repr(character) for character in sorted(unknown)], 5)
            raise UserError(f"the text has {shown}, which the vocabulary of this model lacks: write it without.")
        if not 0 < len(tokens) <= self.length:
            raise UserError(f"a text must have 1 to {self.length} tokens, but it has {len(tokens)}: make it shorter.")
        return Text(text, self.spec.classes[0] if self.spec.classes else None)

    # ---- what to generate -------------------------------------------------------------------------------------------------------

    def askable(self) -> list[dict[str, Any]]:
        classes = [{"name": "class", "choices": list(self.spec.classes)}] if self.spec.classes else []
        return [*classes, {"name": "prefix"}, {"name": "suffix"}, *([{"name": "context"}] if self.spec.context else [])]

    def conditions(self, n: int, rng: torch.Generator, /, **where: str) -> Batch:
        """Classes [n] as frequent as in the data, or all of the requested one (class="love"); nothing without classes.

        With prefix="Once", "prefix" is its tokens [n, length], -1 behind them; the same of a suffix. Of replies, "context" is what they
        answer [n, any]: that which is asked for, or those of the data. Raises UserError for a class that the data do not have, for a
        prefix that cannot be written with its tokens, and for any other request.
        """
        for part in ("prefix", "suffix"):
            if part in where:
                given = self._part(str(where.pop(part)), part).expand(n, -1)
                return {**self.conditions(n, rng, **where), part: given}
        if self.spec.context and "context" in where:
            before = self._before(self.vocabulary.split(str(where.pop("context"))))
            return {**self._labels(n, rng, where), "context": torch.from_numpy(before.astype(np.int64)).expand(n, -1)}
        labels = self._labels(n, rng, where)
        if not self.spec.context:
            return labels
        chosen = torch.randint(len(self.contexts), (n,), generator=rng).tolist()
        rows = [self._before(self.contexts[place]) for place in chosen]
        return {**labels, "context": torch.from_numpy(np.array(rows, np.int64).reshape(n, -1))}

    def _labels(self, n: int, rng: torch.Generator, where: Mapping[str, str]) -> Batch:
        for key, value in where.items():
            if not self.spec.classes:
                raise UserError(f"this model is unconditional: remove {key}={value}.")
            if key != "class":
                raise UserError(
                    f'"{key}" cannot be requested{did_you_mean(key, ["class"])}: give a class, such as class={self.spec.classes[0]}.'
                )
        if not self.spec.classes:
            return {}
        if "class" in where:
            return {"label": torch.full((n,), self._class(str(where["class"])))}
        shares = torch.tensor(self.frequencies, dtype=torch.float32)
        return {"label": torch.multinomial(shares, n, replacement=True, generator=rng)}

    def _part(self, text: str, part: str) -> Tensor:
        tokens = self.vocabulary.split(text)
        if unknown := self.vocabulary.unknown(text):
            shown = listed([repr(character) for character in sorted(unknown)], 5)
            raise UserError(f"the {part} has {shown}, which the vocabulary of this model lacks: write it without.")
        if not 0 < len(tokens) < self.length:
            raise UserError(f"the {part} must have 1 to {self.length - 1} tokens, but it has {len(tokens)}: make it shorter.")
        return torch.tensor([*tokens, *[-1] * (self.length - len(tokens))])

    # ---- what is shown and kept -------------------------------------------------------------------------------------------------

    def save(self, raws: Sequence[Text], folder: Path) -> list[Path]:
        """texts.txt, one in the sub-folder of each class; texts.jsonl where a text has several lines. Numbered on, none overwritten."""
        groups: dict[Path, list[Text]] = {}
        for raw in raws:
            groups.setdefault(folder / _folder_name(raw.label) if raw.label is not None else folder, []).append(raw)
        paths = []
        for place, members in groups.items():
            place.mkdir(parents=True, exist_ok=True)
            suffix = ".jsonl" if any(map(_has_lines, members)) else ".txt"
            number = 0
            while any((place / f"texts{f'-{number}' if number else ''}{other}").exists() for other in (".txt", ".jsonl")):
                number += 1
            paths.append(place / f"texts{f'-{number}' if number else ''}{suffix}")
            with whole(paths[-1]) as part:
                self.write(members, part)
        return paths

    def write(self, raws: Sequence[Text], path: Path) -> None:
        """All texts as .txt (see `text`), .jsonl or .csv (with their classes), or drawn as .png."""
        if path.suffix == ".png":
            self.preview(raws).save(path)
        elif path.suffix == ".jsonl":
            lines = (json.dumps(_cells(raw), ensure_ascii=False) for raw in raws)
            path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        elif path.suffix == ".csv":
            with open(path, "w", encoding="utf-8", newline="") as file:
                table = Writer(file)
                table.writerow(_cells(raws[0]))
                table.writerows(_cells(raw).values() for raw in raws)
        else:
            path.write_text(f"{self.text(raws)}\n", encoding="utf-8", newline="")

    def text(self, raws: Sequence[Text]) -> str:
        """One text a line; with an empty line between them if any has several lines."""
        between = "\n\n" if any(map(_has_lines, raws)) else "\n"
        return between.join(raw.text if raw.context is None else f"{raw.context}\t{raw.text}" for raw in raws)

    def preview(self, raws: Sequence[Text]) -> Image.Image:
        """The texts, one below the other, each behind its class."""
        return page([(raw.text if raw.context is None else f"{raw.context} -> {raw.text}", raw.label) for raw in raws])

    def sketch(self, batch: Batch) -> Float[Tensor, "batch features"]:
        """How often tokens and pairs of neighbouring tokens occur, in BUCKETS each; the length has no influence."""
        text = batch["text"].cpu()
        there = (text >= self.spec.unknown).float()
        pairs = (text[:, :-1] * PRIME + text[:, 1:]) % BUCKETS
        features = torch.zeros(len(text), 2 * BUCKETS)
        features.scatter_add_(1, text % BUCKETS, there)
        features.scatter_add_(1, BUCKETS + pairs, there[:, 1:])
        return features / there.sum(1, keepdim=True).clamp_min(1)

    def fault(self) -> str | None:
        """What does not fit in facts that were read from a file; None if all fits."""
        if len(self.vocabulary) != self.spec.vocabulary or len(self.vocabulary.numbers) != len(self.vocabulary.pieces):
            return f"has {len(self.vocabulary)} tokens where its spec has {self.spec.vocabulary}, or has one twice"
        if len(self.spec.frequencies) != self.spec.vocabulary:
            return f"has {self.spec.vocabulary} tokens, but {len(self.spec.frequencies)} frequencies of them"
        if len(self.frequencies) != len(self.spec.classes):
            return f"has {len(self.spec.classes)} classes, but {len(self.frequencies)} frequencies of them"
        if bool(self.spec.context) != bool(self.contexts):
            return f"has contexts of {self.spec.context} tokens, but keeps {len(self.contexts)} of them"
        if any(not 0 <= token < self.spec.vocabulary for row in self.contexts for token in row):
            return "keeps contexts of other tokens than its vocabulary has"
        return None

    def to_json(self) -> dict[str, Any]:
        return {
            "spec": self.spec.to_json(),
            "vocabulary": self.vocabulary.to_json(),
            "frequencies": list(self.frequencies),
            **({"contexts": list(map(list, self.contexts))} if self.contexts else {}),
        }

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> Self:
        contexts = tuple(map(tuple, facts.get("contexts", ())))
        return cls(
            TextSpec.from_json(facts["spec"]), Vocabulary.from_json(facts["vocabulary"]), tuple(facts["frequencies"]), contexts
        )


def _vocabulary(texts: Sequence[str], options: Options) -> tuple[Vocabulary, tuple[str, ...]]:
    """The vocabulary that was asked for or suits the texts, and sentences about it."""
    by, why, characters = options.tokens, "", sum(map(len, texts))
    if by == "auto":
        many = characters > MANY and len(set().union(*texts)) <= ALPHABET
        by = "bytepairs" if many or options.vocabulary is not None else "characters"
        if by == "bytepairs" and not has_tokenizers():
            by, why = "characters", '; for byte pairs, which suit so many, run pip install "gansmith[text]"'
    if by == "characters":
        made = Vocabulary.of_characters(texts)
    elif by == "words":
        made = Vocabulary.of_words(texts, options.vocabulary or usual_size(characters) * 8)
    else:
        made = Vocabulary.of_byte_pairs(texts, options.vocabulary or usual_size(characters))
    named = {"characters": "characters", "words": "words and signs", "bytepairs": "byte pairs"}[by]
    return made, (f"a token is one of {len(made) - SPECIAL:,} {named}{why}",)


def usual_size(characters: int) -> int:
    """The usual number of byte pairs for so many characters: a power of two near their root."""
    return int(np.clip(2 ** round(np.log2(max(1, characters)) / 2), 512, 8192))


def _has_lines(raw: Text) -> bool:
    return any(end in part for part in (raw.text, raw.context or "") for end in "\n\r")


def _folder_name(label: str) -> str:
    """A class as the name of a folder that lies where it is put."""
    return label.replace("/", "_").replace("\\", "_").lstrip(".") or "_"


def _cells(raw: Text) -> dict[str, str]:
    context = {"context": raw.context} if raw.context is not None else {}
    return context | {"text": raw.text} | ({"label": raw.label} if raw.label is not None else {})
