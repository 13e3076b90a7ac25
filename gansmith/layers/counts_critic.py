"""A critic that compares two n-gram models, of the data and of samples: it learns in seconds, from each of them at once."""

import math

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from gansmith.data.ngrams import Chain
from gansmith.data.tokens import TokenSpec
from gansmith.layers.labels import Label
from gansmith.layers.trust import LEAST as BETTER
from gansmith.layers.trust import SHARES, Trust

Tokens = Int[Tensor, "batch length"]
SIZE = 2**20
"""Places for values of runs, of which each may stand in two."""
TOKENS = 2**18
"""The most tokens of the data, and of samples, that are counted."""
SCALES = (1.0, 0.5, 0.25, 0.125)
"""What logits are multiplied by: the first with which some share of them foretells."""
LEAST = 64
"""Texts and samples that were not counted, below which nothing can be said of the critic."""
USUAL = 3
"""Tokens of the longest runs that it then counts."""
MULTIPLIERS = (2_654_435_761, 1_597_334_677, 3_812_015_801)
"""Of the two places of a number, and of the mark by which it is known again."""
BEFORE = 0x5BD1E995
"""Makes another number of what stands before a token than of the same run that ends with it."""


class CountsCritic(nn.Module):
    """Tokens to logits: the logarithm of how much likelier they are under an n-gram model of the data than under one of samples.

    Both have interpolated Kneser-Ney smoothing (`Chain`). Data that neither the generator nor the n-gram model of them learned from, and
    new samples, decide how far both look back and how far the logits are trusted. At first all logits are 0.
    """

    def __init__(self, spec: TokenSpec, *, longest: int) -> None:
        super().__init__()
        self.pad, self.end, self.vocabulary, self.longest = spec.pad, spec.end, spec.vocabulary, longest
        self.trust = Trust()
        self.bias = nn.Parameter(torch.zeros(()))
        multipliers = torch.randint(1, 2**31, (longest,), generator=torch.Generator().manual_seed(0)) | 1
        self.register_buffer("multipliers", multipliers, persistent=False)
        self.register_buffer("reach", torch.zeros((), dtype=torch.long))
        self.register_buffer("values", torch.zeros(SIZE, dtype=torch.float16))
        self.register_buffer("marks", torch.zeros(SIZE, dtype=torch.int16))
        self.multipliers: Tensor
        self.reach: Tensor
        """Tokens of the longest runs."""
        self.values: Tensor
        self.marks: Tensor
        """By which the run that has a place is known; 0 where none has it."""

    @torch.no_grad()
    def forward(
        self, tokens: Tokens, label: Label | None = None, before: None = None
    ) -> tuple[Float[Tensor, "batch length"], Float[Tensor, " batch"]]:
        """Logits of the tokens, each with those before it, and of the whole; labels do not matter."""
        found = torch.zeros(tokens.shape, device=tokens.device)
        for size, (run, context) in enumerate(self._runs(tokens)[: int(self.reach)], 1):
            there, value = self._looked_up(run)
            left = self._looked_up(context)[1] if size > 1 else torch.zeros_like(value)
            found = torch.where(there, value, found + left)
        positions = (found * (tokens != self.pad)).cumsum(1) + self.bias
        return positions, positions[:, -1]

    @torch.no_grad()
    def learn(
        self,
        real: Int[Tensor, "texts length"],
        fake: Int[Tensor, "samples length"],
        unseen: Int[Tensor, "others length"],
        unseen_fake: Int[Tensor, "more length"],
    ) -> None:
        """Counts runs of data and samples; those that are unseen decide how far it looks back and how much it counts. Where they are too
        few to say anything, it looks back as far as `USUAL`, and is not trusted."""
        best = math.inf
        if not len(real) or not len(fake):
            return
        most = max(1, TOKENS // max(1, int((real != self.pad).sum(1).float().mean())))
        count = min(len(real), len(fake), most)
        sides = [_spread(part, count).cpu().numpy().astype(np.int64) for part in (real, fake)]
        kept: dict[str, Tensor] = {}
        if min(len(unseen), len(unseen_fake)) < LEAST:
            self._count(sides, min(USUAL, self.longest))
            return
        for reach in range(2, self.longest + 1):
            self._count(sides, reach)
            logits = [self(part)[1].double() - self.bias.double() for part in (unseen, unseen_fake)]
            found = [[foretold(*logits, scale * share) for share in SHARES] for scale in SCALES]
            least = min(loss for row in found for loss, _ in row)
            if least >= best:
                break
            best = least
            place = next((place for place, row in enumerate(found) if min(row)[0] < row[0][0] - BETTER), len(SCALES) - 1)
            self._scale(SCALES[place])
            self.trust.foretold.copy_(torch.tensor([loss for loss, _ in found[place]]))
            share = self.trust.share
            self.bias.fill_(found[place][SHARES.index(share)][1] / share if share else 0.0)
            kept = {name: getattr(self, name).clone() for name in ("reach", "values", "marks")}
        for name, tensor in kept.items():
            getattr(self, name).copy_(tensor)

    def _scale(self, scale: float) -> None:
        """Makes all logits so many times as large."""
        self.values.mul_(scale)

    def _count(self, sides: list[np.ndarray], reach: int) -> None:
        """Fills the table for runs of up to so many tokens, the shortest first, of two sides [rows, length]."""
        rows = np.concatenate(sides)
        both = [Chain(side, reach - 1, self.end).levels_of(rows, self.vocabulary) for side in sides]
        row, position = np.nonzero(rows != self.pad)
        self.values.zero_(), self.marks.zero_(), self.reach.fill_(reach)
        tokens = torch.from_numpy(rows).to(self.values.device)
        for size, (run, context) in enumerate(self._runs(tokens)[:reach], 1):
            real, fake = both[0][size - 1], both[1][size - 1]
            place = np.flatnonzero(position >= size - 2)  # before that, nothing stands there
            at = torch.from_numpy(row[place]).to(run.device), torch.from_numpy(position[place]).to(run.device)
            self._put(run[at], np.log(real[0][place]) - np.log(fake[0][place]))
            if size > 1:
                self._put(context[at], np.log(real[1][place]) - np.log(fake[1][place]))

    def _put(self, numbers: Int[Tensor, " n"], values: Float[np.ndarray, " n"]) -> None:
        """Gives each number a place, if one of its two is free; equal numbers have equal values."""
        numbers, order = numbers.cpu().unique(return_inverse=True)
        own = torch.zeros(len(numbers), dtype=torch.float16)
        own[order] = torch.from_numpy(values).clamp(-60, 60).half()
        places, marks = self._places(numbers.to(self.values.device))
        waiting = torch.ones(len(numbers), dtype=torch.bool, device=places.device)
        own = own.to(places.device)
        for place in places.unbind(1):
            open_ = waiting & (self.marks[place] == 0)
            self.marks[place[open_]] = marks[open_]
            self.values[place[open_]] = own[open_]
            waiting = waiting & ~((self.marks[place] == marks) & (self.values[place] == own) & open_)

    def _looked_up(
        self, numbers: Int[Tensor, "batch length"]
    ) -> tuple[Bool[Tensor, "batch length"], Float[Tensor, "batch length"]]:
        """(whether each number has a value, the value or 0)."""
        places, marks = self._places(numbers)
        found = self.marks[places] == marks[..., None]
        value = torch.where(found[..., 0], self.values[places[..., 0]], self.values[places[..., 1]]).float()
        there = found.any(-1)
        return there, torch.where(there, value, 0.0)

    def _places(self, numbers: Int[Tensor, "*shape"]) -> tuple[Int[Tensor, "*shape 2"], Int[Tensor, "*shape"]]:
        """(the two places of each number, its mark from 1 on)."""
        first, second, third = (numbers * multiplier >> 17 for multiplier in MULTIPLIERS)
        return torch.stack([first % SIZE, second % SIZE], -1), (third % 32_767 + 1).to(torch.int16)

    def _runs(self, tokens: Tokens) -> list[tuple[Int[Tensor, "batch length"], Int[Tensor, "batch length"]]]:
        """Numbers of the run of each length that ends at each position, and of what stands before its last token."""
        length, longest = tokens.shape[1], self.longest
        known = torch.nn.functional.pad(tokens + 1, (longest - 1, 0))
        hashed, found = torch.zeros_like(tokens), []
        context = torch.full_like(tokens, BEFORE)
        for back in range(longest):
            start = longest - 1 - back
            part = known[:, start : start + length] * self.multipliers[back]
            hashed = hashed + part + back
            if back:
                context = context + part + back
            found.append((hashed, context))
        return found


def _spread(part: Int[Tensor, "texts length"], count: int) -> Int[Tensor, "some length"]:
    """So many texts, from the whole of them: they may stand in an order, such as that of a file."""
    return part[torch.arange(count, device=part.device) * len(part) // count]


def foretold(real: Float[Tensor, " n"], fake: Float[Tensor, " m"], share: float) -> tuple[float, float]:
    """(the loss of logistic regression by a share of the logits, each side by half, and the bias at which it is least)."""
    low, high = -1e3, 1e3
    for _ in range(60):
        bias = (low + high) / 2
        slope = float((share * fake + bias).sigmoid().mean() - (-share * real - bias).sigmoid().mean())
        low, high = (low, bias) if slope > 0 else (bias, high)
    loss = torch.nn.functional.softplus(-share * real - bias).mean() + torch.nn.functional.softplus(share * fake + bias).mean()
    return float(loss) / 2, bias
