"""TabDDPM, a rival: Gaussian diffusion of numbers beside multinomial diffusion of choices (Kotelnikov et al. 2023; Hoogeboom et al. 2021).

Written from the papers, on the rows that gansmith's codec makes of a table: numbers are normal scores of ranks, as in the paper, and
choices one-hot. Used by bench/tables.py; the settings are those of the paper's range that suit minutes of one core.
"""

import math
import time

import numpy as np
import torch
from torch import Tensor, nn

from gansmith.kinds.tables.spec import TableSpec
from gansmith.layers.rows import RowLayout

TINY = 1e-30


class Denoiser(nn.Module):
    """Noisy rows and their times to the noise of numbers and the logits of choices: the paper's network."""

    def __init__(self, width: int, hidden: int = 256, layers: int = 3, times: int = 128) -> None:
        super().__init__()
        self.times = times
        self.enter = nn.Linear(width, times)
        self.clock = nn.Sequential(nn.Linear(times, times), nn.SiLU(), nn.Linear(times, times))
        sizes = [times, *[hidden] * layers]
        blocks = [part for one, other in zip(sizes[:-1], sizes[1:], strict=True) for part in (nn.Linear(one, other), nn.ReLU())]
        self.body = nn.Sequential(*blocks, nn.Linear(hidden, width))

    def forward(self, row: Tensor, t: Tensor) -> Tensor:
        pitch = torch.exp(-math.log(10_000) * torch.arange(self.times // 2) / (self.times // 2))
        angle = t[:, None] * pitch
        return self.body(self.enter(row) + self.clock(torch.cat([angle.cos(), angle.sin()], 1)))


class RowDiffusion:
    """Rows learned by diffusion for so many CPU seconds, and drawn again."""

    def __init__(self, spec: TableSpec, steps: int = 100) -> None:
        self.layout, self.steps = RowLayout(spec), steps
        self.network = Denoiser(self.layout.width)
        self.average = Denoiser(self.layout.width)
        at = torch.arange(steps + 1, dtype=torch.float64) / steps
        left = torch.cos((at + 0.008) / 1.008 * math.pi / 2).square()  # the cosine schedule of Nichol & Dhariwal 2021
        self.alpha = (left[1:] / left[:-1]).clamp(0.001, 0.9999).float()
        self.kept = self.alpha.cumprod(0)
        sizes = [len(group) for group in self.layout.logits(torch.zeros(1, self.layout.width))[0]]
        there = self.layout.logits(torch.zeros(1, self.layout.width))[0] > -1
        assert len(sizes) == self.layout.choices
        self.even = there / there.sum(1, keepdim=True).clamp_min(1)

    def choices(self, row: Tensor) -> Tensor:
        return self.layout.logits(row).clamp_min(0)

    def join(self, choices: Tensor, numbers: Tensor) -> Tensor:
        """A row that the network sees: numbers are not gated while they are noise."""
        row = numbers.new_zeros(len(numbers), self.layout.width)
        if self.layout.choices:
            row = row.index_copy(1, self.layout.choice, choices.flatten(1)[:, self.layout.back])
        return row.index_copy(1, self.layout.number, numbers) if self.layout.numbers else row

    def posterior(self, now: Tensor, first: Tensor, t: Tensor) -> Tensor:
        """The shares of x_{t-1} given x_t and (a guess of) x_0; those of x_0 at the last step."""
        kept = torch.where(t > 0, self.kept[(t - 1).clamp_min(0)], torch.ones(()))[:, None, None]
        alpha = self.alpha[t][:, None, None]
        shares = (alpha * now + (1 - alpha) * self.even) * (kept * first + (1 - kept) * self.even)
        return shares / shares.sum(-1, keepdim=True).clamp_min(TINY)

    def guess(self, network: nn.Module, choices: Tensor, numbers: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        found = network(self.join(choices, numbers), t.float() * (1000 / self.steps))
        return self.layout.logits(found).softmax(-1), found[:, self.layout.number]

    def loss(self, row: Tensor) -> Tensor:
        t = torch.randint(self.steps, (len(row),))
        kept = self.kept[t][:, None]
        noise, numbers = torch.randn(len(row), self.layout.numbers), row[:, self.layout.number]
        first, total = self.choices(row), torch.zeros(())
        shares = kept[:, :, None] * first + (1 - kept[:, :, None]) * self.even
        now = drawn(shares)
        guessed, found = self.guess(self.network, now, kept.sqrt() * numbers + (1 - kept).sqrt() * noise, t)
        if self.layout.numbers:
            total = total + (found - noise).square().mean()
        if self.layout.choices:
            true, own = self.posterior(now, first, t), self.posterior(now, guessed, t)
            apart = (true * (true.clamp_min(TINY).log() - own.clamp_min(TINY).log())).sum(-1)
            total = total + self.steps / 100 * apart.sum(1).mean() / self.layout.choices
        return total

    def fit(self, rows: Tensor, seconds: float, seed: int, batch: int = 1024, rate: float = 2e-3) -> int:
        """Learns rows [N, W] for so many CPU seconds; returns the number of steps."""
        torch.manual_seed(seed)
        began, done = time.process_time(), 0
        optimizer = torch.optim.AdamW(self.network.parameters(), lr=rate, weight_decay=1e-4, fused=True)
        while (spent := (time.process_time() - began) / seconds) < 1:
            optimizer.param_groups[0]["lr"] = rate * (1 - spent)
            optimizer.zero_grad()
            self.loss(rows[torch.randint(len(rows), (min(batch, len(rows)),))]).backward()
            optimizer.step()
            done += 1
            with torch.no_grad():
                for old, new in zip(self.average.parameters(), self.network.parameters(), strict=True):
                    old.lerp_(new, 1 if done < 50 else 0.01)
        return done

    @torch.no_grad()
    def sample(self, count: int, seed: int) -> Tensor:
        """Rows [count, W]."""
        torch.manual_seed(seed)
        numbers, choices = torch.randn(count, self.layout.numbers), drawn(self.even.expand(count, *self.even.shape))
        for step in reversed(range(self.steps)):
            t = torch.full((count,), step)
            guessed, noise = self.guess(self.average, choices, numbers, t)
            alpha, kept = self.alpha[step], self.kept[step]
            before = self.kept[step - 1] if step else torch.ones(())
            first = ((numbers - (1 - kept).sqrt() * noise) / kept.sqrt()).clamp(-5, 5)
            mean = (before.sqrt() * (1 - alpha) * first + alpha.sqrt() * (1 - before) * numbers) / (1 - kept)
            spread = ((1 - before) / (1 - kept) * (1 - alpha)).sqrt()
            numbers = mean + spread * torch.randn_like(numbers)
            choices = drawn(self.posterior(choices, guessed, t))
        return self.layout.assemble(choices, numbers)


def drawn(shares: Tensor) -> Tensor:
    """Options drawn as often as their shares say, one-hot."""
    if not shares.shape[1]:
        return shares
    place = (shares.clamp_min(TINY).log() - torch.empty_like(shares).exponential_().log()).argmax(-1)
    return nn.functional.one_hot(place, shares.shape[-1]).to(shares.dtype)


def generated(data: object, seconds: float, count: int, seed: int) -> tuple[np.ndarray, dict[str, float]]:
    """Packed rows of a diffusion model of a data set of tables, and what they cost."""
    rows = data.batch(slice(None))["row"]  # type: ignore[attr-defined]
    model = RowDiffusion(data.codec.spec)  # type: ignore[attr-defined]
    began = time.process_time()
    done = model.fit(rows, seconds, seed)
    trained = time.process_time() - began
    made = torch.cat([model.sample(min(4096, count - first), seed + first) for first in range(0, count, 4096)])
    spent = {"cpu_seconds": round(trained, 1), "with_generating": round(time.process_time() - began, 1), "rounds": done}
    return data.codec.repack({"row": made})["row"], spent  # type: ignore[attr-defined]
