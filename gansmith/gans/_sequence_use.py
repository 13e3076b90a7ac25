"""How trained sequence models write: conditions, resampling by a critic, token by token, and between what is given."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.special import ndtr

from gansmith.data.codec import Batch
from gansmith.data.tokens import TokenSpec
from gansmith.errors import UserError
from gansmith.game import GAN, Player
from gansmith.gans._sequence_options import Config
from gansmith.layers.counts_critic import CountsCritic
from gansmith.layers.ngram_critic import NgramCritic
from gansmith.layers.sequence import SequenceCritic, SequenceModel, example_inputs, refused, resampled


class SequenceUse(GAN):
    """A GAN whose generator is a sequence model, and whose critic may draw among its samples."""

    spec: TokenSpec
    config: Config
    generator: Player
    critic: Player

    @property
    def _critic(self) -> SequenceCritic | NgramCritic | CountsCritic:
        assert isinstance(self.critic.network, SequenceCritic | NgramCritic | CountsCritic)
        return self.critic.network

    @property
    def trust(self) -> float:
        """What the critic's logits count: the share of them with which it foretold best; 0 is none."""
        return self._critic.trust.share

    def condition_of(self, key: str, value: str, n: int) -> Tensor | None:
        """critic=4 draws one of four by the critic's logits; temperature=0.8; top_p=0.9; guidance=2 writes more plainly of the label."""
        limits = {"critic": (1, 64), "temperature": (0, 10), "top_p": (0.01, 1), "guidance": (0, 20)}
        if key not in limits:
            return None
        low, high = limits[key]
        try:
            number = float(value)
        except ValueError:
            number = float("nan")
        if not low <= number <= high or (key == "critic" and number % 1):
            raise UserError(f"{key} must be a number between {low} and {high}, but it is {value!r}.")
        if key == "guidance" and not (self.spec.conditions and self.config.label_dropout):
            lacks = "classes or properties" if not self.spec.conditions else "--gan.label-dropout"
            raise UserError(f"this model was trained without {lacks}, so that there is no guidance: remove guidance={value}.")
        return torch.full((n,), number)

    def generate(self, n: int, condition: Batch, *, rng: torch.Generator, truncation: float = 1.0) -> Batch:
        """n sequences; the truncation is the temperature. The condition may also hold a "prefix" and a "suffix" [n, length], -1 where
        nothing is given, the "context" [n, any] that they answer, and numbers under "temperature", "top_p", "guidance" and "critic" (see
        `condition_of`). Raises UserError for a suffix, if the model has not learned to fill in."""
        model, length = self.generator.averaged, self.spec.shape[0]
        assert isinstance(model, SequenceModel)
        label, prefix, suffix, context = (
            condition[key].to(self.device) if key in condition else None for key in ("label", "prefix", "suffix", "context")
        )
        numbers = ("temperature", "top_p", "guidance", "critic")
        how = {name: float(condition[name][0]) for name in numbers if name in condition and n}
        temperature, before = truncation * how.get("temperature", 1.0), context
        if suffix is not None:
            given = self._around(prefix, suffix)
            before = given if context is None else torch.cat([context, given], 1)

        def make() -> Tensor:
            dice = ndtr(torch.randn(n, length, generator=rng)).to(self.device)
            made = model.sampled(
                dice,
                label,
                temperature=temperature,
                top_p=how.get("top_p", 1.0),
                prefix=prefix if suffix is None else None,
                may_stop=True,
                before=before,
                guidance=how.get("guidance", 0.0),
            )
            return made if suffix is None else self._joined(prefix, made, suffix)

        tries, trust, network = int(how.get("critic", self.config.tries)), self.trust, self._critic
        if tries == 1 or not trust:
            made = make()
        else:
            dice = torch.rand(n, generator=rng).to(self.device)
            made = resampled(make, lambda tokens: trust * network(tokens, label, context)[1], tries, dice)
        kept = {key: value for key, value in condition.items() if key not in ("prefix", "suffix", *how)}
        return {self.spec.key: made, **kept}

    def stream(self, condition: Batch, *, rng: torch.Generator, truncation: float = 1.0) -> Iterator[Batch]:
        """One sequence after each of its tokens, with what `generate` takes but "suffix" and "guidance"; "critic" has no say."""
        refused(f"{self.name} with --stream", condition, ("suffix", "guidance"))
        model = self.generator.averaged
        assert isinstance(model, SequenceModel)
        parts = {key: condition[key].to(self.device) for key in ("label", "prefix", "context") if key in condition}
        how = {name: float(condition[name][0]) for name in ("temperature", "top_p") if name in condition}
        dice = ndtr(torch.randn(1, self.spec.shape[0], generator=rng)).to(self.device)
        for tokens in model.streamed(
            dice,
            parts.get("label"),
            temperature=truncation * how.get("temperature", 1.0),
            top_p=how.get("top_p", 1.0),
            prefix=parts.get("prefix"),
            before=parts.get("context"),
        ):
            yield {self.spec.key: tokens, **{key: condition[key] for key in ("label", "context") if key in condition}}

    def _around(self, prefix: Tensor | None, suffix: Tensor) -> Tensor:
        """What stands on both sides as `in_between` arranges it [n, any]."""
        if not self.config.infill:
            raise UserError(
                "this model has not learned to fill in between: remove the suffix, or train it with --gan.infill 0.5."
            )
        sign = self.spec.vocabulary
        rows = []
        for place, behind in enumerate(suffix.tolist()):
            ahead = [] if prefix is None else prefix[place].tolist()
            rows.append([*(token for token in ahead if token >= 0), sign, *(token for token in behind if token >= 0), sign + 1])
        most = max(map(len, rows), default=0)
        return torch.tensor([[self.spec.pad] * (most - len(row)) + row for row in rows], device=suffix.device).view(-1, most)

    def _joined(self, prefix: Tensor | None, middle: Tensor, suffix: Tensor) -> Tensor:
        """The three parts in a row [n, length]; the middle is cut where the others leave no room."""
        length, rows = self.spec.shape[0], []
        for place, (between, behind) in enumerate(zip(middle.tolist(), suffix.tolist(), strict=True)):
            ahead = [] if prefix is None else [token for token in prefix[place].tolist() if token >= 0]
            last = [token for token in behind if token >= 0]
            own = [token for token in between if token not in (self.spec.pad, self.spec.end)]
            row = [*ahead, *own[: length - len(ahead) - len(last)], *last]
            rows.append([*row, self.spec.end, *[self.spec.pad] * length][:length])
        return torch.tensor(rows, device=middle.device).view(-1, length)

    def scores(self, batch: Batch) -> Tensor:
        return self.critic(batch[self.spec.key], batch.get("label"), batch.get("context"))[1]

    def exportable(self) -> tuple[nn.Module, dict[str, Tensor]]:
        return self.generator.averaged, example_inputs(self.spec)
