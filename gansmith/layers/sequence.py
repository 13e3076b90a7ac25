"""A model of token sequences: the probability of each token given those before it, and sampling one token after the other."""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, leaky_relu
from torch.special import ndtr

from gansmith.data.tokens import TokenSpec
from gansmith.errors import UserError
from gansmith.layers.causal import CausalTransformer
from gansmith.layers.labels import Label, label_embedding
from gansmith.layers.trust import Trust

Tokens = Int[Tensor, "batch length"]
Before = Int[Tensor, "batch before"]
NEVER = -1e4
"""Added to the logit of a token that the data never have; finite, so that there is a softmax in every precision."""
CHECKED = 8
"""Positions from one look whether every sequence has ended to the next."""


def frequent(spec: TokenSpec) -> tuple[Float[Tensor, " vocabulary"], Float[Tensor, " vocabulary"]]:
    """(logits with which every token is at first as frequent as in the data; what is added to bar those that the data never have)."""
    counts = torch.tensor(spec.frequencies, dtype=torch.float32)
    return (counts.clamp_min(0.5) / counts.sum()).log(), torch.where(counts > 0, 0.0, NEVER)


def on_the_host(tokens: Tokens) -> bool:
    """Whether looking at tokens waits for no other device."""
    return tokens.device.type == "cpu"


class LockedDropout(nn.Dropout):
    """Leaves the same features out at every position of a sequence (Gal & Ghahramani 2016); drawing fewer numbers, it is also quicker."""

    def forward(self, input: Float[Tensor, "batch length features"]) -> Float[Tensor, "batch length features"]:
        if not self.training or not self.p:
            return input
        kept = torch.empty_like(input[:, :1]).bernoulli_(1 - self.p) / (1 - self.p)
        return input * kept


class SequenceModel(nn.Module):
    """A GRU or a causal transformer whose outputs are compared with the embeddings of its inputs (tied embeddings, Press & Wolf 2017);
    "end" stands before the first token, and the label at every position.

    Before all that it may read other tokens (`before` [batch, any], "pad" on the left of shorter ones): what a text answers, or what
    stands on both sides of it. `signs` are tokens from `vocabulary` on that occur only there.
    """

    def __init__(
        self,
        spec: TokenSpec,
        *,
        width: int,
        embedding: int,
        layers: int = 1,
        dropout: float = 0.0,
        core: Literal["gru", "transformer"] = "gru",
        heads: int = 4,
        signs: int = 0,
        longest_before: int = 0,
    ) -> None:
        super().__init__()
        self.length, self.vocabulary = spec.shape[0], spec.vocabulary
        self.pad, self.end = spec.pad, spec.end
        self.embedding = nn.Parameter(torch.randn(spec.vocabulary + signs, embedding) / embedding**0.5)
        self.labels = label_embedding(spec, embedding)
        if core == "transformer":
            places = self.length + longest_before
            self.recurrent = CausalTransformer(embedding, width, layers=layers, heads=heads, places=places, dropout=dropout)
        else:
            self.recurrent = nn.GRU(embedding, width, layers, batch_first=True, dropout=dropout if layers > 1 else 0.0)
        self.out = nn.Linear(width, embedding)
        bias, barred = frequent(spec)
        self.bias = nn.Parameter(bias)
        self.dropout = LockedDropout(dropout)
        self.register_buffer("barred", barred, persistent=False)
        self.barred: Tensor

    def forward(
        self,
        noise: Float[Tensor, "batch length"],
        label: Label | None = None,
        temperature: float = 1.0,
        context: Before | None = None,
    ) -> Tokens:
        """A sequence for each row of normal noise; a temperature below 1 draws likelier tokens, 0 the likeliest."""
        return self.sampled(ndtr(noise.float()), label, temperature=temperature, before=context)

    def sampled(
        self,
        dice: Float[Tensor, "batch length"],
        label: Label | None = None,
        *,
        temperature: float = 1.0,
        top_p: float = 1.0,
        prefix: Tokens | None = None,
        may_stop: bool = False,
        before: Before | None = None,
        guidance: float = 0.0,
    ) -> Tokens:
        """Sequences drawn from the model by numbers uniform in [0, 1), one for each token.

        With `top_p` below 1 only the likeliest tokens that together have that probability are drawn (Holtzman et al. 2020). `prefix` has
        the tokens that are given, -1 where none is. With `may_stop` it looks now and then whether all have ended, which waits for a GPU.
        `guidance` g takes logits (1 + g) times those with the label less g times those without (Ho & Salimans 2022), of a model that
        has learned both.
        """
        twice = guidance > 0 and self.labels is not None and label is not None
        own = None if self.labels is None else self.labels(label)
        if twice:
            assert own is not None
            own = torch.cat([own, torch.zeros_like(own)])
            before = None if before is None else torch.cat([before, before])
        state, ended = None, torch.zeros(dice.shape[0], dtype=torch.bool, device=dice.device)
        if before is not None:
            _, state = self._read(before, own, None)
        token = torch.full((dice.shape[0],), self.end, device=dice.device)
        written: list[Tensor] = []
        for position in range(self.length):
            if may_stop and position % CHECKED == 0 and position and bool(ended.all()):
                break
            hidden, state = self._read((torch.cat([token, token]) if twice else token)[:, None], own, state)
            logits = self._logits(hidden[:, 0])
            if twice:
                with_label, without = logits.chunk(2)
                logits = with_label + guidance * (with_label - without)
            token = drawn(logits, dice[:, position], temperature, top_p)
            if prefix is not None:
                token = torch.where(prefix[:, position] >= 0, prefix[:, position], token)
            written.append(torch.where(ended, self.pad, token))
            ended = ended | (token == self.end)
        found = torch.stack(written, 1)
        return torch.nn.functional.pad(found, (0, self.length - len(written)), value=self.pad)

    def rolled_out(
        self, tokens: Tokens, dice: Float[Tensor, "batch length length"], label: Label | None = None
    ) -> Int[Tensor, "batch length length"]:
        """For each place of each sequence one that is the same up to there, and from there on drawn by numbers uniform in [0, 1)."""
        assert isinstance(self.recurrent, nn.GRU)
        n, length = tokens.shape
        own = None if self.labels is None else self.labels(label)
        made = tokens[:, None].repeat(1, length, 1)
        ended = (tokens == self.end).long().cumsum(1) > 0  # whether the given tokens end at or before each place
        token, state = torch.full_like(tokens[:, 0], self.end), None
        states, over = None, ended[:, :0]
        for position in range(length):
            _, state = self._read(token[:, None], own, state)
            token = tokens[:, position]
            if position:  # those that are given all before this place join; states are [layers, places, batch, width]
                states = state[:, None] if states is None else torch.cat([states, state[:, None]], 1)
                over = torch.cat([over, ended[:, position - 1 : position]], 1)
                logits = self._logits(states[-1].transpose(0, 1).flatten(0, 1))
                found = drawn(logits, dice[:, :position, position].flatten()).view(n, position)
                made[:, :position, position] = torch.where(over, self.pad, found)
                over = over | (found == self.end)
                every = None if own is None else own.repeat(position, 1)
                _, states = self._read(found.T.reshape(-1, 1), every, states.flatten(1, 2))
                states = states.unflatten(1, (position, n))
        return made

    def streamed(
        self,
        dice: Float[Tensor, "1 length"],
        label: Label | None = None,
        *,
        temperature: float = 1.0,
        top_p: float = 1.0,
        prefix: Tokens | None = None,
        before: Before | None = None,
    ) -> Iterator[Tokens]:
        """A single sequence as `sampled` draws it, padded behind what is written so far, after each token up to the end."""
        own = None if self.labels is None else self.labels(label)
        state = None if before is None else self._read(before, own, None)[1]
        token = torch.full((1,), self.end, device=dice.device)
        found = torch.full((1, self.length), self.pad, device=dice.device)
        for position in range(self.length):
            hidden, state = self._read(token[:, None], own, state)
            token = drawn(self._logits(hidden[:, 0]), dice[:, position], temperature, top_p)
            if prefix is not None:
                token = torch.where(prefix[:, position] >= 0, prefix[:, position], token)
            found[:, position] = token
            yield found
            if int(token) == self.end:
                return

    def surprise(
        self,
        tokens: Tokens,
        label: Label | None,
        before: Before | None = None,
        kept: Float[Tensor, " batch"] | None = None,
    ) -> Float[Tensor, ""]:
        """The mean negative logarithm of the probability of each token up to the end; the label is not seen where `kept` is 0."""
        if not on_the_host(tokens):  # looking where the ends are would wait for a GPU
            return cross_entropy(self.logits(tokens, label, before, kept).flatten(0, 1), tokens.flatten(), ignore_index=self.pad)
        there = tokens != self.pad
        longest = max(1, int(there.sum(1).amax()))
        tokens, there = tokens[:, :longest], there[:, :longest]
        return cross_entropy(self._logits(self._states(tokens, label, before, kept)[there]), tokens[there])

    def log_probabilities(
        self, tokens: Tokens, label: Label | None, before: Before | None = None
    ) -> Float[Tensor, "batch length"]:
        """Of each token given those before it; 0 behind the end."""
        logits = self.logits(tokens, label, before)
        return -cross_entropy(logits.transpose(1, 2), tokens, reduction="none", ignore_index=self.pad)

    def logits(
        self,
        tokens: Tokens,
        label: Label | None,
        before: Before | None = None,
        kept: Float[Tensor, " batch"] | None = None,
    ) -> Float[Tensor, "batch length vocabulary"]:
        """Of each position, given the tokens before it."""
        return self._logits(self._states(tokens, label, before, kept))

    def _states(
        self, tokens: Tokens, label: Label | None, before: Before | None, kept: Float[Tensor, " batch"] | None
    ) -> Float[Tensor, "batch length width"]:
        """What the logits of each position are computed from."""
        own = None if self.labels is None else self.labels(label)
        if own is not None and kept is not None:
            own = own * kept[:, None]
        seen = torch.cat([torch.full_like(tokens[:, :1], self.end), tokens[:, :-1]], 1)
        states, _ = self._read(seen if before is None else torch.cat([before, seen], 1), own, None, self.dropout)
        return self.dropout(states if before is None else states[:, before.shape[1] :])

    def _read(
        self, tokens: Before, own: Tensor | None, state: Any, dropout: Callable[[Tensor], Tensor] | None = None
    ) -> tuple[Tensor, Any]:
        """States [batch, positions, width] of tokens that follow `state`, each with the label's embedding, and the state behind them."""
        read = self.embedding[tokens] if own is None else self.embedding[tokens] + own[:, None]
        return self.recurrent(read if dropout is None else dropout(read), state)

    def _logits(self, states: Float[Tensor, "*batch width"]) -> Float[Tensor, "*batch vocabulary"]:
        return (self.out(states) @ self.embedding[: self.vocabulary].T + self.bias).float() + self.barred


def drawn(
    logits: Float[Tensor, "batch vocabulary"], dice: Float[Tensor, " batch"], temperature: float = 1.0, top_p: float = 1.0
) -> Int[Tensor, " batch"]:
    """A token for each row, where the row's number falls in the cumulated probabilities; the likeliest at temperature 0."""
    if temperature == 0:
        return logits.argmax(1)
    shares = (logits / temperature).softmax(1)
    if top_p < 1:
        ordered, order = shares.sort(1, descending=True)
        before = ordered.cumsum(1) - ordered
        shares = torch.zeros_like(shares).scatter(1, order, ordered * (before < top_p))
    reached = shares.cumsum(1)
    return (reached < dice[:, None] * reached[:, -1:]).sum(1).clamp_max(logits.shape[1] - 1)


class SequenceCritic(nn.Module):
    """Tokens (and label) to logits: one for each position, which knows what stands up to it, and one for the whole.

    A GRU reads forwards; beside it convolutions over three tokens see the whole. Labels enter by projection (Miyato & Koyama 2018).
    """

    def __init__(self, spec: TokenSpec, *, width: int, embedding: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.pad, self.end = spec.pad, spec.end
        self.embedding = nn.Embedding(spec.vocabulary, embedding)
        self.recurrent = nn.GRU(embedding, width, batch_first=True)
        self.norm = nn.LayerNorm(width)
        self.position = nn.Linear(width, 1)
        self.enter = nn.Conv1d(embedding, width, 3, padding=1)
        self.second = nn.Conv1d(width, width, 3, padding=2, dilation=2)
        self.hidden = nn.Linear(3 * width, width)
        self.whole = nn.Linear(width, 1)
        self.labels = label_embedding(spec, width)
        self.dropout = nn.Dropout(dropout)
        self.trust = Trust()

    def forward(
        self, tokens: Tokens, label: Label | None = None, before: Before | None = None
    ) -> tuple[Float[Tensor, "batch length"], Float[Tensor, " batch"]]:
        """Logits of the tokens, which stand behind `before` (see `SequenceModel`), and of the whole."""
        length = tokens.shape[1]
        if before is not None:
            tokens = torch.cat([before, torch.full_like(tokens[:, :1], self.end), tokens], 1)
        there = there_of(tokens, self.pad)
        embedded = self.dropout(self.embedding(tokens))
        states, _ = self.recurrent(embedded)
        states = self.dropout(self.norm(states))
        x = leaky_relu(self.enter(embedded.transpose(1, 2)), 0.2)
        x = leaky_relu(x + self.second(x), 0.2) * there[:, None]
        places = torch.arange(there.shape[1], device=tokens.device)
        last = (places * there.long()).amax(1)[:, None, None].expand(-1, 1, states.shape[2])
        count = there.sum(1, keepdim=True).clamp_min(1)
        pooled = torch.cat([x.sum(2) / count, x.amax(2), states.gather(1, last)[:, 0]], 1)
        hidden = self.dropout(leaky_relu(self.hidden(pooled), 0.2))
        score = self.whole(hidden).squeeze(1)
        if self.labels is not None and label is not None:
            score = score + (hidden * self.labels(label)).sum(1)
        return self.position(states[:, -length:]).squeeze(2), score


def in_between(tokens: Tokens, cuts: Float[Tensor, "batch 2"], spec: TokenSpec) -> tuple[Before, Tokens]:
    """(what stands on both sides, [batch, length + 2], for `before`; what stands between) of sequences cut at two random places: a
    sequence a b c becomes "a, sign, c, sign" and "b, end" (fill in the middle, Bavarian et al. 2022). `cuts` are uniform in [0, 1)."""
    n, length = tokens.shape
    count = ((tokens != spec.pad) & (tokens != spec.end)).sum(1, keepdim=True)
    first, second = (cuts * (count + 1)).long().sort(1).values.split(1, 1)
    places = torch.arange(length, device=tokens.device).expand(n, -1)
    middle = tokens.gather(1, (first + places).clamp_max(length - 1))
    middle = torch.where(places < second - first, middle, torch.where(places == second - first, spec.end, spec.pad))
    at = torch.arange(length + 2, device=tokens.device) - (length - count + second - first)  # from the left end of what is given
    behind = second + at - first - 1
    given = tokens.gather(1, torch.where(at < first, at, behind).clamp(0, length - 1))
    given = torch.where(at == first, spec.vocabulary, given)
    given = torch.where(behind == count, spec.vocabulary + 1, given)
    return torch.where(at < 0, spec.pad, given), middle


def there_of(tokens: Tokens, pad: int) -> Float[Tensor, "batch length"]:
    """1 for tokens up to and with the end, 0 behind it."""
    return (tokens != pad).float()


def discounted(rewards: Float[Tensor, "batch length"], discount: float) -> Float[Tensor, "batch length"]:
    """Of each position, the sum of its reward and the later ones, each discounted once more."""
    found, now = [], torch.zeros_like(rewards[:, 0])
    for position in range(rewards.shape[1] - 1, -1, -1):
        now = rewards[:, position] + discount * now
        found.append(now)
    return torch.stack(found[::-1], 1)


def resampled(
    make: Callable[[], Int[Tensor, "batch *shape"]],
    scores: Callable[[Int[Tensor, "batch *shape"]], Float[Tensor, " batch"]],
    tries: int,
    dice: Float[Tensor, " batch"],
) -> Int[Tensor, "batch *shape"]:
    """Of so many sequences for each row, one, drawn with probabilities proportional to the exponential of its critic's logit.

    At its optimum the critic's logit is the logarithm of how much likelier the data are to have the sequence than the model, so that this
    is importance resampling from the residual energy model (Deng et al. 2020, section 4); logits are held within -6 and 4 of their mean.
    """
    every = [make() for _ in range(tries)]
    logits = torch.stack([scores(each) for each in every], 1)
    logits = (logits - logits.mean(1, keepdim=True)).clamp(-6, 4)
    chosen = (logits.softmax(1).cumsum(1) < dice[:, None]).sum(1).clamp_max(tries - 1)
    return torch.stack(every, 1)[torch.arange(len(dice), device=dice.device), chosen]


def refused(gan: str, asked: Collection[str], parts: Sequence[str] = ("prefix", "suffix")) -> None:
    """Raises UserError if what is asked for names a part of a sequence that this GAN would not keep to."""
    for part in parts:
        if part in asked:
            raise UserError(f"{gan} cannot keep to a given {part}: remove it, or train sequencegan.")


def example_inputs(spec: TokenSpec) -> dict[str, Tensor]:
    """Inputs by name for a batch of two of a network that writes from a row of noise: what `GAN.exportable` gives."""
    inputs = {"noise": torch.randn(2, spec.shape[0])}
    if spec.classes:
        inputs["label"] = torch.tensor([0, len(spec.classes) - 1])
    elif spec.attributes:
        inputs["label"] = torch.zeros(2, len(spec.attributes))
    if spec.context:
        inputs["context"] = torch.full((2, spec.context), spec.pad)
    return inputs


def area(real: Float[Tensor, " n"], fake: Float[Tensor, " m"]) -> Float[Tensor, ""]:
    """The area under the ROC curve of a critic's logits: how often a real one is above a generated one."""
    above: Bool[Tensor, "n m"] = real[:, None] > fake[None]
    return above.float().mean() + 0.5 * (real[:, None] == fake[None]).float().mean()
