"""Tokens: what texts are cut into, and the vocabulary that gives each a number."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from gansmith.errors import missing_extra

SPECIAL = 3
"""Tokens before those of the vocabulary: pad, end, unknown."""
UNKNOWN = 2
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
"""What an unknown character, and bytes that are no character, are written as."""
PIECES = re.compile(r" ?\w+| ?[^\w\s]|\s")
"""Words and signs, each with the space before it; put together they are the text again."""


@dataclass(frozen=True)
class Vocabulary:
    """Tokens from `SPECIAL` on, by number. `join(split(text))` is the text, if all its characters are known."""

    by: str
    """characters, words or bytepairs."""
    pieces: tuple[str, ...]
    """What each token stands for; of byte pairs, bytes as printable characters (see `_as_bytes`)."""
    merges: tuple[tuple[str, str], ...] = ()
    """Byte pairs only: which pieces are joined, in order."""

    @classmethod
    def of_characters(cls, texts: Iterable[str]) -> Self:
        """Every character, the most frequent first."""
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(text)
        return cls("characters", _by_frequency(counts))

    @classmethod
    def of_words(cls, texts: Iterable[str], size: int) -> Self:
        """At most `size` words and signs that occur at least twice, and every character, in which all other words are spelled."""
        words: Counter[str] = Counter()
        characters: Counter[str] = Counter()
        for text in texts:
            words.update(PIECES.findall(text))
            characters.update(text)
        kept = [piece for piece in _by_frequency(words)[:size] if words[piece] > 1]
        return cls("words", tuple(dict.fromkeys([*kept, *_by_frequency(characters)])))

    @classmethod
    def of_byte_pairs(cls, texts: Iterable[str], size: int) -> Self:
        """All bytes, and the pairs that are joined most often until there are `size` tokens (Sennrich et al. 2016, section 3.2).

        Raises UserError if the package tokenizers is not installed.
        """
        library = _tokenizers("byte pairs")
        maker = _byte_pairs(library, library.models.BPE())
        bytes_ = sorted(_BYTES)
        trainer = library.trainers.BpeTrainer(vocab_size=size, show_progress=False, initial_alphabet=bytes_, min_frequency=2)
        maker.train_from_iterator(texts, trainer)
        facts = json.loads(maker.to_str())["model"]
        pieces = sorted(facts["vocab"], key=facts["vocab"].__getitem__)
        merges = [pair.split(" ") if isinstance(pair, str) else pair for pair in facts["merges"]]
        return cls("bytepairs", tuple(pieces), tuple((first, second) for first, second in merges))

    def __len__(self) -> int:
        return SPECIAL + len(self.pieces)

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The number of each piece."""
        return {piece: SPECIAL + place for place, piece in enumerate(self.pieces)}

    def split(self, text: str) -> list[int]:
        """The tokens of a text. Raises UserError for byte pairs if the package tokenizers is not installed."""
        numbers = self.numbers
        if self.by == "characters":
            return [numbers.get(character, UNKNOWN) for character in text]
        if self.by == "words":
            found: list[int] = []
            for piece in PIECES.findall(text):
                number = numbers.get(piece)
                found += [number] if number is not None else [numbers.get(character, UNKNOWN) for character in piece]
            return found
        return [SPECIAL + number for number in self._encoder.encode(text).ids]

    def split_all(self, texts: Sequence[str]) -> list[list[int]]:
        """The tokens of many texts."""
        if self.by != "bytepairs":
            return list(map(self.split, texts))
        return [[SPECIAL + number for number in found.ids] for found in self._encoder.encode_batch_fast(list(texts))]

    def unknown(self, text: str) -> set[str]:
        """The characters of a text that `split` gives no token of their own."""
        if self.by == "bytepairs":
            return set()
        parts = PIECES.findall(text) if self.by == "words" else text
        return {character for part in parts if part not in self.numbers for character in part if character not in self.numbers}

    def join(self, tokens: Sequence[int]) -> str:
        """The text of tokens, without `SPECIAL` ones but unknown. Bytes that are no character become REPLACEMENT."""
        if self.by != "bytepairs":
            return "".join(
                REPLACEMENT if token == UNKNOWN else self.pieces[token - SPECIAL] for token in tokens if token >= UNKNOWN
            )
        content = b"".join(
            REPLACEMENT.encode() if token == UNKNOWN else self._contents[token - SPECIAL] for token in tokens if token >= UNKNOWN
        )
        return content.decode("utf-8", errors="replace")

    @cached_property
    def _contents(self) -> tuple[bytes, ...]:
        """The bytes of each byte pair."""
        return tuple(bytes(map(_BYTES.__getitem__, piece)) for piece in self.pieces)

    @cached_property
    def _encoder(self) -> Any:
        library = _tokenizers("encoding text as byte pairs")
        known = {piece: place for place, piece in enumerate(self.pieces)}
        return _byte_pairs(library, library.models.BPE(known, list(self.merges)))

    def to_json(self) -> dict[str, Any]:
        return {"by": self.by, "pieces": list(self.pieces), "merges": [list(pair) for pair in self.merges]}

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> Self:
        return cls(facts["by"], tuple(facts["pieces"]), tuple((first, second) for first, second in facts["merges"]))


def has_tokenizers() -> bool:
    """Whether byte pairs can be made here."""
    from importlib.util import find_spec

    return find_spec("tokenizers") is not None


def _by_frequency(counts: Counter[str]) -> tuple[str, ...]:
    return tuple(sorted(counts, key=lambda piece: (-counts[piece], piece)))


def _tokenizers(purpose: str) -> Any:
    try:
        import tokenizers
    except ImportError as error:
        raise missing_extra("tokenizers", "text", purpose) from error
    return tokenizers


def _byte_pairs(library: Any, model: Any) -> Any:
    """A tokenizer over bytes that changes nothing about a text."""
    made = library.Tokenizer(model)
    made.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=False)
    return made


def _as_bytes() -> dict[str, int]:
    """The byte that each printable character stands for in byte-level pieces, as in GPT-2's published vocabulary: printable bytes are
    themselves, the others the characters from 256 on."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + place): byte for place, byte in enumerate(others)}


_BYTES = _as_bytes()
