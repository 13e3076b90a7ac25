"""The game: a GAN is its players and one generator function that plays a round and hands each move to the trainer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from gansmith.data.codec import Batch
from gansmith.data.spec import Spec, in_words
from gansmith.errors import UserError
from gansmith.training.clock import Clock
from gansmith.training.ema import Average
from gansmith.training.schedules import Schedule, as_schedule

Draw = Callable[[], Batch]
"""Deals the next batch of real data."""
Look = Callable[[int], Batch]
"""Shows up to so many examples of the real data, drawn at random, the same to every process."""


@dataclass(frozen=True)
class Move:
    """What one player minimises now: the sum of named scalar terms. The names are logged, weighted and plotted."""

    player: Player
    terms: Mapping[str, Tensor]


class Player(nn.Module):
    """Networks that move together, with their optimiser, its schedules, gradient clipping and moving average.

    Calling a player calls its network. Adam is the default optimiser; another one is given as a function of the parameters,
    e.g. `optimizer=partial(torch.optim.RMSprop, lr=5e-5)`.
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        learning_rate: float | Schedule,
        betas: tuple[float, float | Schedule] = (0.9, 0.999),
        optimizer: Callable[..., torch.optim.Optimizer] | None = None,
        max_gradient_norm: float | None = None,
        average: Callable[[nn.Module], Average] | None = None,
    ) -> None:
        """`average` makes the moving average, e.g. `partial(Average, half_life=10_000)`; None keeps none."""
        super().__init__()
        self.network = network
        self.average = average(network) if average else None
        self.learning_rate, self.max_gradient_norm = as_schedule(learning_rate), max_gradient_norm
        self.beta1, self.beta2 = betas[0], as_schedule(betas[1])
        self.learning_rate_scale = 1.0  # halved by a roll-back
        self._moving = [parameter for parameter in network.parameters() if parameter.requires_grad]
        self._make = optimizer or (lambda parameters: torch.optim.Adam(parameters, fused=True))

    @cached_property
    def optimizer(self) -> torch.optim.Optimizer:
        """Made when it is first needed: the first of a process costs a second, which models that only generate do not pay."""
        return self._make(self._moving)

    def forward(self, *inputs: Any, **named: Any) -> Any:
        return self.network(*inputs, **named)

    def compile(self, *arguments: Any, **named: Any) -> None:
        """Runs the network through `torch.compile`; each on its own where a container holds several."""
        several = isinstance(self.network, (nn.ModuleDict, nn.ModuleList))
        for network in self.network.children() if several else (self.network,):
            network.compile(*arguments, **named)

    @property
    def averaged(self) -> nn.Module:
        """The network to generate with: the moving average where there is one."""
        return self.average.network if self.average is not None else self.network

    def moving(self) -> list[nn.Parameter]:
        """The parameters that this player's moves change."""
        return self._moving

    def hold(self, parameters: Iterable[nn.Parameter]) -> None:
        """Takes parameters from those that this player's moves change, before the first of them."""
        held = {id(parameter) for parameter in parameters}
        self._moving = [parameter for parameter in self._moving if id(parameter) not in held]
        for group in self.optimizer.param_groups if "optimizer" in vars(self) else ():
            group["params"] = [parameter for parameter in group["params"] if id(parameter) not in held]

    def minimizes(self, **terms: Tensor) -> Move:
        """A move of this player: minimise the sum of these scalar terms."""
        return Move(self, terms)

    def step(self, clock: Clock) -> None:
        """Applies the gradients: clips, sets what is scheduled, steps the optimiser and clears the gradients."""
        if self.max_gradient_norm is not None:
            nn.utils.clip_grad_norm_(self.moving(), self.max_gradient_norm)
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate(clock) * self.learning_rate_scale
            if "betas" in group:
                group["betas"] = (self.beta1, self.beta2(clock))
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)

    @torch.no_grad()
    def gradient_norm(self) -> Tensor:
        """The norm of all gradients of the player together."""
        gradients = [parameter.grad for parameter in self.moving() if parameter.grad is not None]
        return torch.stack(torch._foreach_norm(gradients)).norm() if gradients else torch.zeros(())

    @torch.no_grad()
    def clamp(self, limit: float) -> None:
        """Clips every weight to [-limit, limit] (the original WGAN's Lipschitz constraint)."""
        for parameter in self.moving():
            parameter.clamp_(-limit, limit)


@dataclass(frozen=True, kw_only=True)
class Preset:
    """Settings that belong together: those of a paper, or those that suit a machine."""

    about: str
    """One line for `gansmith list`."""
    kind: str | None = None
    """The kind of data it is made for; None for any."""
    config: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the GAN's Config that differ from its defaults."""
    batch: int
    """The total batch size."""
    samples: int | None = None
    """The budget in samples of real data."""
    minutes: float | None = None
    """The budget in minutes, for presets made for a machine."""
    most_minutes: float | None = None
    """Up to how many minutes of one CPU core it is the best where no preset is named (bench/presets.py); None for any budget."""
    mirror: bool = False
    """Whether the data are doubled by horizontal flips."""


class GAN(nn.Module, ABC):
    """A generative adversarial network: its players, the game they play, and how to generate when it is over.

    A subclass lives in its own file, in `gansmith/gans` or anywhere else (`--gan ./mine.py`). Its state (networks, averages, buffers)
    is all in `state_dict()`. It must not draw from any other source of randomness than torch's generators.
    """

    Config: ClassVar[type]
    """A frozen, keyword-only dataclass of options, every field with a default and a docstring line."""
    presets: ClassVar[Mapping[str, Preset]] = {}
    """Named settings; the first one made for the kind of data is the default."""
    kinds: ClassVar[tuple[str, ...]] = ("images",)
    """The kinds of data it makes (`Spec.kind`)."""
    axes: ClassVar[tuple[tuple[str, ...], ...]] = ()
    """The axes (`Spec.axes`) of examples that it makes whatever their kind: (("dimension",),) of flat rows of numbers."""
    tasks: ClassVar[tuple[str, ...]] = ("generation",)
    """What it does with them (`Spec.task`): make examples from noise, from a partner ("pairs"), or between classes ("domains")."""
    source: ClassVar[tuple[str, ...]] | None = None
    """The kinds of data it makes examples from, if it does; None for the kinds that it makes."""
    source_axes: ClassVar[tuple[tuple[str, ...], ...]] = ()
    """The axes (`Spec.axes`) of what it makes examples from, if it takes only some: (("band", "frame"),) of mel spectra; () for any."""
    opens: ClassVar[Mapping[str, Any]] = {}
    """Options of its kinds of data with which data are opened for it where they are not given: {"degrade": "mel"}."""
    name: ClassVar[str] = ""
    """Its name on the command line: that of its file."""
    judged_by: ClassVar[tuple[str, ...]] = ()
    """The metrics that judge it where none are named; those of its kind of data if empty."""
    makers: ClassVar[tuple[str, ...]] = ("generator",)
    """The players that `generate` needs: their averaged networks are what a model file holds."""
    rewarded: ClassVar[bool] = False
    """Whether it learns by objectives that the kind of data computes (`Kind.reward`)."""
    probed: ClassVar[int] = 256
    """How many generated examples health looks at in a probe: fewer where each takes long to make."""
    half_precision: ClassVar[bool | None] = None
    """Whether it trains in bfloat16 where the hardware computes in it; None leaves that to the kind of data."""
    poisson: ClassVar[bool] = False
    """Whether each draw takes every example with the same small probability, as differential privacy asks, and so varies in size."""

    def __init_subclass__(cls, **named: Any) -> None:
        super().__init_subclass__(**named)
        cls.name = cls.__module__.rpartition(".")[2]

    def __init__(self, config: Any, spec: Spec) -> None:
        """Raises UserError where the options do not fit each other or the data."""
        super().__init__()
        self.config, self.spec, self.clock = config, spec, Clock()
        self.untrainable: UserError | None = None
        """Why this model can only generate: a network that training alone needs is missing or may not run."""
        self.derived: dict[str, Any] = {}
        """Options whose values follow from the data because the configuration leaves them open."""

    @classmethod
    def learned(cls) -> str:
        """What it learns, in words: kinds of data, and examples with certain axes of any kind."""
        return " and ".join([*cls.kinds, *map(in_words, cls.axes)])

    @property
    def players(self) -> dict[str, Player]:
        return {name: child for name, child in self.named_children() if isinstance(child, Player)}

    @abstractmethod
    def play(self, draw: Draw) -> Iterator[Move | tuple[Move, ...]]:
        """One round of the game. Each move is yielded and has been made when the generator resumes.

        Moves yielded together as a tuple are simultaneous: all take their gradients before any player steps.
        """

    def prepare(self, look: Look) -> None:
        """Told once, before the first round: here a game learns what needs no rounds, from examples that do not count as seen."""

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    def generate(self, n: int, condition: Batch, *, rng: torch.Generator, truncation: float = 1.0) -> Batch:
        """n new examples [n, ...] under the codec's keys, with their conditions, from the averaged networks.

        This one feeds `generator` with `config.noise` dimensions of normal noise and, if there are any, labels; games of another
        kind override it. `rng` is a generator on the CPU, so that every device makes the same examples. A truncation below 1
        draws the noise nearer to its mean: likelier examples, less variety (Brock et al. 2019, section 3.1).
        """
        return self.generated(torch.randn(n, self.config.noise, generator=rng), condition, truncation)

    def generated(self, noise: Tensor, condition: Batch, truncation: float = 1.0) -> Batch:
        """The examples of noise [n, D] that was drawn before, of games that do not override `generate`."""
        noise = truncation * noise.to(self.device)
        inputs = [noise, *(condition[key].to(self.device) for key in ("label",) if key in condition)]
        return {self.spec.key: self.players["generator"].averaged(*inputs), **condition}

    # ---- editing: generation in two steps, between which one may reach in ------------------------------------------------------

    def latent(self, n: int, rng: torch.Generator) -> Tensor:
        """n latent rows [n, D] as `generate` draws them first."""
        return torch.randn(n, self.config.noise, generator=rng).to(self.device)

    def style(self, latent: Tensor, condition: Batch, truncation: float = 1.0) -> Tensor:
        """What latent rows become before anything is painted: `mapping` of the generator [n, L, W] where it has one (Karras et al.
        2019: one row per layer), drawn nearer to the mean by its `truncated`; else the rows themselves, shortened."""
        mapping = getattr(self.players["generator"].averaged, "mapping", None)
        if mapping is None:
            return truncation * latent
        label = _label(condition, self.device)
        styles = mapping(latent, label)
        return styles if truncation == 1 else mapping.truncated(styles, label, truncation)

    def paint(self, style: Tensor, condition: Batch) -> Batch:
        """The examples of what `style` answered: `paint(style(latent(n, rng), condition), condition)` is `generate(n, condition)`."""
        generator, label = self.players["generator"].averaged, _label(condition, self.device)
        if hasattr(generator, "mapping"):
            made = generator.synthesis(style)  # pyright: ignore[reportCallIssue]
        else:
            made = generator(style) if label is None else generator(style, label)
        return {self.spec.key: made, **condition}

    def condition_of(self, key: str, value: str, n: int) -> Tensor | None:
        """What the condition of n examples holds for a condition that is not about the data's labels (`--where code1=3`).

        None if this GAN has no condition of that name. Raises UserError for a value that it cannot grant.
        """
        return None

    def values_used(self) -> dict[str, Any]:
        """The values, as used, of options that the configuration leaves open: those that follow from the data, and those that
        follow from the budget once that is known."""
        total = self.clock.total
        over_budget = {"schedule": total, "augment_samples": None if total is None else total // 8}
        known = {name: value for name, value in over_budget.items() if total and getattr(self.config, name, 0) is None}
        return {**self.derived, **known}

    @property
    def conditional(self) -> bool:
        """Whether what it makes depends on the data's labels, if they have any; where not, what it makes has none."""
        return True

    def facts(self) -> dict[str, Any]:
        """What a model's card says of it besides: what privacy it keeps, for example."""
        return {}

    def rolled_back(self, diverged: Mapping[str, Tensor]) -> None:
        """Told when a diverged game went back to an earlier state, with the `state_dict` that it leaves: here a game carries over what
        cannot be taken back, such as privacy that was spent."""

    def scores(self, batch: Batch) -> Tensor:
        """The critic's logits [n] for a batch of examples, real or generated; health watches them."""
        inputs = [batch[self.spec.key], *(batch[key] for key in ("label",) if key in batch)]
        return self.players["critic"](*inputs)

    def gauges(self) -> Mapping[str, float]:
        """Numbers of its own for every line of log, such as how much of a codebook is used."""
        return {}

    def symptoms(self) -> Mapping[str, str]:
        """What is wrong with it that only it can tell, for health: names, each with a sentence of what was seen and what to do."""
        return {}

    def exportable(self) -> tuple[nn.Module, dict[str, Tensor]]:
        """A pure network for export, and example inputs by name for a batch of two; overridden like `generate`."""
        inputs = {"noise": torch.randn(2, self.config.noise)}
        if self.spec.classes:
            inputs["label"] = torch.tensor([0, len(self.spec.classes) - 1])
        elif self.spec.attributes:
            inputs["label"] = torch.zeros(2, len(self.spec.attributes))
        return self.players["generator"].averaged, inputs


def _label(condition: Batch, device: torch.device) -> Tensor | None:
    return condition["label"].to(device) if "label" in condition else None
