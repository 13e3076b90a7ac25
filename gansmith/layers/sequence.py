"""A recurrent model of token sequences: the probability of each token given those before it, and sampling one token after the other."""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, leaky_relu
from torch.special import ndtr

from gansmith.data.tokens import TokenSpec
from gansmith.layers.labels import Label, label_embedding

Tokens = Int[Tensor, "batch length"]
NEVER = -1e4
"""Added to the logit of a token that the data never have; finite, so that there is a softmax in every precision."""
CHECKED = 8
"""Positions from one look whether every sequence has ended to the next."""


class LockedDropout(nn.Dropout):
    """Leaves the same features out at every position of a sequence (Gal & Ghahramani 2016); drawing fewer numbers, it is also quicker."""

    def forward(self, input: Float[Tensor, "batch length features"]) -> Float[Tensor, "batch length features"]:
        if not self.training or not self.p:
            return input
        kept = torch.empty_like(input[:, :1]).bernoulli_(1 - self.p) / (1 - self.p)
        return input * kept


class SequenceModel(nn.Module):
    """A GRU whose outputs are compared with the embeddings of its inputs (tied embeddings, Press & Wolf 2017); "end" stands before the
    first token, and the label at every position."""

    def __init__(self, spec: TokenSpec, *, width: int, embedding: int, layers: int = 1, dropout: float = 0.0) -> None:
        super().__init__()
        self.length, self.vocabulary = spec.shape[0], spec.vocabulary
        self.pad, self.end = spec.pad, spec.end
        self.embedding = nn.Parameter(torch.randn(spec.vocabulary, embedding) / embedding**0.5)
        self.labels = label_embedding(spec, embedding)
        self.recurrent = nn.GRU(embedding, width, layers, batch_first=True, dropout=dropout if layers > 1 else 0.0)
        self.out = nn.Linear(width, embedding)
        counts = torch.tensor(spec.frequencies, dtype=torch.float32)
        self.bias = nn.Parameter(
            (counts.clamp_min(0.5) / counts.sum()).log()
        )  # at first every token is as frequent as in the data
        self.dropout = LockedDropout(dropout)
        self.register_buffer("barred", torch.where(counts > 0, 0.0, NEVER), persistent=False)
        self.barred: Tensor

    def forward(self, noise: Float[Tensor, "batch length"], label: Label | None = None, temperature: float = 1.0) -> Tokens:
        """A sequence for each row of normal noise; a temperature below 1 draws likelier tokens, 0 the likeliest."""
        return self.sampled(ndtr(noise.float()), label, temperature=temperature)

    def sampled(
        self,
        dice: Float[Tensor, "batch length"],
        label: Label | None = None,
        *,
        temperature: float = 1.0,
        top_p: float = 1.0,
        prefix: Tokens | None = None,
        may_stop: bool = False,
    ) -> Tokens:
        """Sequences drawn from the model by numbers uniform in [0, 1), one for each token.

        With `top_p` below 1 only the likeliest tokens that together have that probability are drawn (Holtzman et al. 2020). `prefix` has
        the tokens that are given, -1 where none is. With `may_stop` it looks now and then whether all have ended, which waits for a GPU.
        """
        state, ended = None, torch.zeros(dice.shape[0], dtype=torch.bool, device=dice.device)
        token = torch.full((dice.shape[0],), self.end, device=dice.device)
        written: list[Tensor] = []
        for position in range(self.length):
            if may_stop and position % CHECKED == 0 and position and bool(ended.all()):
                break
            hidden, state = self.recurrent(self._read(self.embedding[token], label)[:, None], state)
            token = drawn(self._logits(hidden[:, 0]), dice[:, position], temperature, top_p)
            if prefix is not None:
                token = torch.where(prefix[:, position] >= 0, prefix[:, position], token)
            written.append(torch.where(ended, self.pad, token))
            ended = ended | (token == self.end)
        found = torch.stack(written, 1)
        return torch.nn.functional.pad(found, (0, self.length - len(written)), value=self.pad)

    def surprise(self, tokens: Tokens, label: Label | None) -> Float[Tensor, ""]:
        """The mean negative logarithm of the probability of each token up to the end."""
        return cross_entropy(self.logits(tokens, label).flatten(0, 1), tokens.flatten(), ignore_index=self.pad)

    def log_probabilities(self, tokens: Tokens, label: Label | None) -> Float[Tensor, "batch length"]:
        """Of each token given those before it; 0 behind the end."""
        return -cross_entropy(self.logits(tokens, label).transpose(1, 2), tokens, reduction="none", ignore_index=self.pad)

    def logits(self, tokens: Tokens, label: Label | None) -> Float[Tensor, "batch length vocabulary"]:
        """Of each position, given the tokens before it."""
        before = torch.cat([torch.full_like(tokens[:, :1], self.end), tokens[:, :-1]], 1)
        states, _ = self.recurrent(self.dropout(self._read(self.embedding[before], label)))
        return self._logits(self.dropout(states))

    def _read(self, embedded: Float[Tensor, "batch *positions embedding"], label: Label | None) -> Tensor:
        if self.labels is None:
            return embedded
        own = self.labels(label)
        return embedded + (own if embedded.dim() == 2 else own[:, None])

    def _logits(self, states: Float[Tensor, "*batch width"]) -> Float[Tensor, "*batch vocabulary"]:
        return (self.out(states) @ self.embedding.T + self.bias).float() + self.barred


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

    def forward(
        self, tokens: Tokens, label: Label | None = None
    ) -> tuple[Float[Tensor, "batch length"], Float[Tensor, " batch"]]:
        there = there_of(tokens, self.pad)
        embedded = self.dropout(self.embedding(tokens))
        states, _ = self.recurrent(embedded)
        states = self.dropout(self.norm(states))
        x = leaky_relu(self.enter(embedded.transpose(1, 2)), 0.2)
        x = leaky_relu(x + self.second(x), 0.2) * there[:, None]
        last = (there.sum(1).long() - 1).clamp_min(0)[:, None, None].expand(-1, 1, states.shape[2])
        count = there.sum(1, keepdim=True).clamp_min(1)
        pooled = torch.cat([x.sum(2) / count, x.amax(2), states.gather(1, last)[:, 0]], 1)
        hidden = self.dropout(leaky_relu(self.hidden(pooled), 0.2))
        score = self.whole(hidden).squeeze(1)
        if self.labels is not None and label is not None:
            score = score + (hidden * self.labels(label)).sum(1)
        return self.position(states).squeeze(2), score


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
    is importance resampling from the residual energy model (Deng et al. 2020, section 4); logits are held within -6 and 4.
    """
    every = [make() for _ in range(tries)]
    logits = torch.stack([scores(each).clamp(-6, 4) for each in every], 1)
    chosen = (logits.softmax(1).cumsum(1) < dice[:, None]).sum(1).clamp_max(tries - 1)
    return torch.stack(every, 1)[torch.arange(len(dice), device=dice.device), chosen]


def area(real: Float[Tensor, " n"], fake: Float[Tensor, " m"]) -> Float[Tensor, ""]:
    """The area under the ROC curve of a critic's logits: how often a real one is above a generated one."""
    above: Bool[Tensor, "n m"] = real[:, None] > fake[None]
    return above.float().mean() + 0.5 * (real[:, None] == fake[None]).float().mean()
