"""The built-in texts: sentences of a small grammar, of which every sentence can be said to be right or wrong."""

import re

import numpy as np

from gansmith.kinds.text.text import Texts

ADJECTIVES = ("old", "young", "quiet", "hungry", "clever", "red", "tall", "sleepy")
NOUNS = ("cat", "dog", "baker", "sailor", "robot", "bird", "painter", "king", "farmer", "doctor")
VERBS = ("see", "find", "follow", "help", "know", "like", "paint", "visit")
PLACES = ("in the garden", "near the river", "on the hill", "at home", "by the sea", "after lunch")
SINGULAR, PLURAL = ("the", "a", "every"), ("the", "two", "many")
BUILTIN_COUNT = 4000


def sentences(count: int = BUILTIN_COUNT, seed: int = 0) -> Texts:
    """Statements ("the old dogs see a cat.") and questions ("does every baker like two kings by the sea?"), which are the classes."""
    rng = np.random.default_rng(seed)
    texts, labels = [], []
    for question, plural in (rng.random((count, 2)) < (0.4, 0.5)).tolist():
        subject, thing = _noun(rng, plural), _noun(rng, bool(rng.random() < 0.5))
        verb = str(rng.choice(VERBS)) + ("" if plural or question else "s")
        place = f" {rng.choice(PLACES)}" if rng.random() < 0.4 else ""
        asked = ("do " if plural else "does ") if question else ""
        texts.append(f"{asked}{subject} {verb} {thing}{place}{'?' if question else '.'}")
        labels.append("question" if question else "statement")
    return Texts(name="sentences", texts=texts, labels=labels)


def is_sentence(text: str) -> bool:
    """Whether the grammar makes this text."""
    return _GRAMMAR.fullmatch(text) is not None


def _noun(rng: np.random.Generator, plural: bool) -> str:
    adjectives = [str(word) for word in rng.choice(ADJECTIVES, rng.choice(3, p=[0.5, 0.35, 0.15]), replace=False)]
    return " ".join([str(rng.choice(PLURAL if plural else SINGULAR)), *adjectives, str(rng.choice(NOUNS)) + "s" * plural])


def _pattern() -> re.Pattern[str]:
    def one_of(words: tuple[str, ...]) -> str:
        return f"(?:{'|'.join(words)})"

    adjectives = f"(?:{one_of(ADJECTIVES)} ){{0,2}}"
    single = f"{one_of(SINGULAR)} {adjectives}{one_of(NOUNS)}"
    several = f"{one_of(PLURAL)} {adjectives}{one_of(NOUNS)}s"
    rest = f" (?:{single}|{several})(?: {one_of(PLACES)})?"
    verb = one_of(VERBS)
    statement = rf"(?:{single} {verb}s|{several} {verb}){rest}\."
    question = rf"(?:does {single}|do {several}) {verb}{rest}\?"
    return re.compile(f"{statement}|{question}")


_GRAMMAR = _pattern()
