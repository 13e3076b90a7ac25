"""A game that one can watch and steer while it is played: any GAN on points in the plane or small images, in a process of its own.

    python -m gansmith.serve.play '{"gan": "gan", "data": "ring", "options": {}, "seed": 0}'

Each turn plays some rounds with the dials as they stand (factors on learning rates, factors on terms of the loss, options of the GAN), and
answers what is to be seen: generated examples, where the critic's score grows fastest from each, its landscape, terms, and what the checks
of `training.health` measure.
"""

from __future__ import annotations

import base64
import dataclasses
import io
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gansmith.data.programs import named_in
from gansmith.data.values import options_checked
from gansmith.errors import UserError
from gansmith.game import GAN, Move
from gansmith.kinds.opening import open_dataset
from gansmith.planning.plan import Plan, plan
from gansmith.serve.asked import REQUEST
from gansmith.serve.choices import options_of
from gansmith.serve.worker import fault_of
from gansmith.training.health import PROBED, Landmarks
from gansmith.training.trainer import Trainer

SHOWN = 400
"""Points that are shown of each kind."""
REAL = 4096
"""Real examples that regions are made of."""
ENDLESS = 2**50
"""A budget that no visitor reaches."""
PLANE = (("dimension",), (2,))
"""Axes and shape of examples that are drawn as points."""


class Dialled(Trainer):
    """A trainer whose terms have factors."""

    weights: Mapping[str, float] = {}

    def back_propagate(self, move: Move, keep_graph: bool) -> None:
        player = self.names[id(move.player)]
        terms = {name: term * self.weights.get(f"{player}/{name}", 1.0) for name, term in move.terms.items()}
        super().back_propagate(Move(move.player, terms), keep_graph)


class Game:
    """A GAN, its data and its dials."""

    def __init__(self, gan: str, data: str, options: Mapping[str, Any], seed: int) -> None:
        """Raises UserError for a GAN that cannot learn these data, and for options that it does not take."""
        self.data = open_dataset(data)
        self.plan: Plan = plan(self.data, gan=gan, options=dict(options), samples=ENDLESS, seed=seed, device="cpu", threads=1)
        self.codec: Any = self.data.codec
        self.options = dict(options)
        self.plane = (self.codec.spec.axes, self.codec.spec.shape) == PLANE
        rows = np.random.default_rng(0).permutation(len(self.data))
        self.held_out = self.data.batch(rows[:PROBED])
        sketches = self.codec.sketch(self.data.batch(rows[PROBED : PROBED + REAL]))
        self.landmarks = Landmarks(sketches, self.codec.sketch(self.held_out))
        self.trainer = self._trainer(self.plan.build(self.data))
        self.seconds = 0.0

    @property
    def gan(self) -> GAN:
        return self.trainer.gan

    def _trainer(self, gan: GAN) -> Dialled:
        return Dialled(gan, self.data, self.plan.settings)

    def card(self) -> dict[str, Any]:
        """What the page must know to show and steer it."""
        card: dict[str, Any] = {
            "gan": self.plan.gan,
            "data": self.data.name,
            "players": list(self.gan.players),
            "batch": self.plan.settings.batch,
            "options": [
                {**each, "value": _plain(getattr(self.plan.config, each["name"]))} for each in options_of(type(self.plan.config))
            ],
            "plane": self.plane,
            "command": f"gansmith train {self.data.name} --gan {self.plan.gan}",
        }
        if self.plane:
            real = self.codec.repack(self.data.batch(slice(0, SHOWN)))[self.codec.spec.key]
            card |= {"real": _rounded(real), "low": list(self.codec.low), "high": list(self.codec.high)}
        else:
            card["picture"] = self._picture(self.data.batch(slice(0, 64)))
        return card

    # ---- playing ----------------------------------------------------------------------------------------------------------------

    def turn(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Plays rounds until their number or time is reached. Raises UserError for dials that there are not."""
        self._dial(asked)
        began = time.monotonic()
        self.gan.train()
        rounds = 0
        while rounds < asked["rounds"] and time.monotonic() - began < asked["seconds"]:
            self.trainer.play_round(measure=True)
            rounds += 1
        self.seconds += time.monotonic() - began
        means = self.trainer.term_means.read()
        self.trainer.term_means.clear()
        return {
            "samples": self.gan.clock.samples,
            "rounds": rounds,
            "seconds": round(self.seconds, 3),
            "terms": {name: _finite(mean) for name, mean in means.items() if "|" not in name},
            "norms": {name.partition("|")[0]: _finite(mean) for name, mean in means.items() if "|" in name},
            **self._seen(asked["landscape"]),
        }

    def _dial(self, asked: Mapping[str, Any]) -> None:
        for name, factor in asked["rates"].items():
            if name not in self.gan.players:
                raise UserError(f"there is no player {name!r}: this game has {' and '.join(self.gan.players)}.")
            self.gan.players[name].learning_rate_scale = factor
        self.trainer.weights = dict(asked["weights"])
        if changed := {name: value for name, value in asked["options"].items() if self.options.get(name) != value}:
            self._change(changed)

    def _change(self, changed: Mapping[str, Any]) -> None:
        """Goes on with other options and the same weights; optimisers begin anew. Raises UserError where the weights no longer fit."""
        known = {field.name for field in dataclasses.fields(self.plan.config)}
        if unknown := set(changed) - known:
            raise UserError(f"{self.plan.gan} has no option {min(unknown)!r}.")
        options_checked(type(self.plan.config), changed)
        held = {name: _like(getattr(self.plan.config, name), own) for name, own in changed.items()}
        config = dataclasses.replace(self.plan.config, **held)
        gan, clock = type(self.gan)(config, self.codec.spec), self.gan.clock
        try:
            gan.load_state_dict(self.gan.state_dict())
        except RuntimeError as error:
            names = " and ".join(changed)
            raise UserError(
                f"{names} changes the networks, so that what was learned no longer fits: begin a new game."
            ) from error
        order, weights = self.trainer.order, self.trainer.weights
        self.plan = dataclasses.replace(self.plan, config=config)
        self.options |= changed
        self.trainer = self._trainer(gan)
        self.trainer.order, self.trainer.weights = order, weights
        self.gan.clock.samples, self.gan.clock.total = clock.samples, clock.total

    # ---- what is seen -----------------------------------------------------------------------------------------------------------

    def _seen(self, side: int) -> dict[str, Any]:
        with _as_it_is(self.gan):
            fake = self.gan.generate(PROBED + SHOWN, self.codec.conditions(PROBED + SHOWN, _rng()), rng=_rng(), truncation=1.0)
        fake = {key: value.detach().float() if value.is_floating_point() else value for key, value in fake.items()}
        if not bool(torch.isfinite(fake[self.codec.spec.key]).all()):
            return {"diverged": True}
        seen: dict[str, Any] = {"health": self._health({key: value[:PROBED] for key, value in fake.items()})}
        if not self.plane:
            return {**seen, "picture": self._picture({key: value[:64] for key, value in fake.items()})}
        shown = {key: value[:SHOWN] for key, value in fake.items()}
        points = self.codec.repack(shown)[self.codec.spec.key]
        seen["points"] = _rounded(points)
        with _evaluating(self.gan):
            seen["slopes"] = self._slopes(shown)
            seen["landscape"] = self._landscape(side) if side else None
        return seen

    def _health(self, fake: Mapping[str, Tensor]) -> dict[str, float | None]:
        with _evaluating(self.gan), torch.no_grad():
            scores = [self.gan.scores(dict(batch)).float() for batch in (self.held_out, fake)]
        probe = self.landmarks.probe(self.codec.sketch(dict(fake)), *scores)
        return {name: _finite(value) for name, value in dataclasses.asdict(probe).items()}

    def _slopes(self, fake: Mapping[str, Tensor]) -> list[Any] | None:
        """Where the critic's score grows fastest from each point [N, 2], in the data's units; None if it sees no single points."""
        key, at = self.codec.spec.key, fake[self.codec.spec.key].clone().requires_grad_()
        try:
            (slope,) = torch.autograd.grad(self.gan.scores({**fake, key: at}).sum(), at)
        except RuntimeError:
            return None
        return _rounded(slope.numpy() * np.asarray(self.codec.scale, np.float32))

    def _landscape(self, side: int) -> dict[str, Any] | None:
        """The critic's scores over the plane [side, side], row by row from the bottom, brought to bytes between `low` and `high`."""
        axes = [torch.linspace(low, high, side) for low, high in zip(self.codec.low, self.codec.high, strict=True)]
        grid = torch.stack(torch.meshgrid(*axes, indexing="xy"), -1).flatten(0, 1).numpy()
        try:
            with torch.no_grad():
                scores = self.gan.scores(dict(self.codec.unpack({self.codec.spec.key: grid}))).float().flatten()
        except RuntimeError:
            return None
        if len(scores) != side * side or not bool(torch.isfinite(scores).all()):
            return None
        low, high = float(scores.min()), float(scores.max())
        steps = ((scores - low) / ((high - low) or 1.0) * 255).round().to(torch.uint8).numpy()
        return {"side": side, "low": low, "high": high, "bytes": base64.b64encode(steps.tobytes()).decode()}

    def _picture(self, batch: Mapping[str, Tensor]) -> str:
        content = io.BytesIO()
        self.codec.preview(self.codec.decode(batch)).save(content, "PNG")
        return f"data:image/png;base64,{base64.b64encode(content.getvalue()).decode()}"


@contextmanager
def _evaluating(gan: GAN) -> Iterator[None]:
    was = gan.training
    gan.eval()
    try:
        yield
    finally:
        gan.train(was)


@contextmanager
def _as_it_is(gan: GAN) -> Iterator[None]:
    """Lets `generate` use the networks as they move, not their slow averages."""
    held = {name: gan.players[name].average for name in gan.makers}
    try:
        for name in held:
            gan.players[name].average = None
        with _evaluating(gan), torch.no_grad():
            yield
    finally:
        for name, average in held.items():
            gan.players[name].average = average


def _rng() -> torch.Generator:
    """The same noise in every turn, so that each example can be followed."""
    return torch.Generator().manual_seed(0)


def _rounded(values: np.ndarray) -> list[Any]:
    return np.round(values.astype(np.float64), 4).tolist()


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int | float | str) else None


def _like(now: Any, value: Any) -> Any:
    """A number of JSON in the type that the option has."""
    return float(value) if isinstance(now, float) and not isinstance(value, bool) else value


def main(argv: list[str]) -> int:
    """The process: says what the game is, then answers turns until its standard input ends."""
    given = json.loads(argv[0])
    out, lock = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1), threading.Lock()
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)

    def say(answer: Mapping[str, Any]) -> None:
        with lock:
            out.write(f"{json.dumps(answer)}\n")

    try:
        with named_in(REQUEST):
            game = Game(given["gan"], given["data"], given["options"], given["seed"])
        say({"ready": game.card()})
    except Exception as error:
        say({"failed": fault_of(error)})
        return 1
    for line in sys.stdin:
        request = json.loads(line)
        if "cancel" in request:
            continue
        try:
            with named_in(REQUEST):
                result = game.turn(request)
            say({"id": request["id"], "result": result})
        except Exception as error:
            say({"id": request["id"], **fault_of(error)})
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
