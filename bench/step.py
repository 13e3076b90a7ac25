"""The training step against its textbook form: the same networks and objective as a plain script has them.

    python bench/step.py                 # minutes; writes bench/results/step.json and step.md
    python bench/step.py --toy           # seconds; tiny networks, writes nothing

The textbook form: float32, NCHW, a critic pass each for real and generated examples, double backward, resampling by depthwise
convolution, Adam as it comes, in the generator's step new noise and (r3gan) the critic's pass over real examples again. Ours is a
round of the trainer with everything it does: data, moving average, ledger. Both have the same weights at the start, which is checked.
Each runs in a process of its own, because the trainer changes how a process keeps its memory, with one thread. Blocks of them
alternate, while the others wait; the figure of each is its quickest block in CPU time of the thread.
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from machine import machine
from torch import Tensor, nn
from torch.nn.functional import (
    binary_cross_entropy,
    conv2d,
    conv_transpose2d,
    leaky_relu,
    pixel_shuffle,
    pixel_unshuffle,
    softplus,
)

from gansmith import gans
from gansmith.data.dataset import Dataset
from gansmith.data.fingerprint import fingerprint
from gansmith.game import GAN
from gansmith.kinds.images.codec import ImageCodec
from gansmith.kinds.images.spec import ImageSpec
from gansmith.training.allocator import kept_for_reuse
from gansmith.training.trainer import Settings, Trainer

RESULTS = Path(__file__).parent / "results"
FORMS = ("textbook", "float32", "bfloat16")
Step = Callable[[], None]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A GAN at a size."""

    title: str
    gan: str
    side: int
    channels: int
    batch: int
    options: dict[str, Any]


CASES = [
    Case(
        title="r3gan 32x32, equal mathematics",
        gan="r3gan",
        side=32,
        channels=3,
        batch=32,
        options={"widths": (64,) * 4, "blocks": 1},
    ),
    Case(
        title="r3gan 32x32, simultaneous moves",
        gan="r3gan",
        side=32,
        channels=3,
        batch=32,
        options={"widths": (64,) * 4, "blocks": 1, "simultaneous": True},
    ),
    Case(title="wgan_gp 28x28", gan="wgan_gp", side=28, channels=1, batch=64, options={"width": 64}),
    Case(title="dcgan 64x64", gan="dcgan", side=64, channels=3, batch=64, options={"width": 64, "critic_width": 64}),
    Case(title="dcgan 28x28", gan="dcgan", side=28, channels=1, batch=64, options={"width": 64, "critic_width": 64}),
]
TOYS = {"r3gan": {"widths": (16,) * 4, "group_width": 8}, "wgan_gp": {"width": 8}, "dcgan": {"width": 8, "critic_width": 8}}


def squares(side: int, channels: int, count: int = 512) -> Dataset:
    """Noise will do: the step takes the same time on any picture."""
    pixels = np.random.default_rng(0).integers(0, 256, (count, channels, side, side), dtype=np.uint8)
    spec = ImageSpec(shape=(channels, side, side))
    arrays = {"image": pixels}
    return Dataset(name="noise", codec=ImageCodec(spec=spec), arrays=arrays, fingerprint=fingerprint(arrays))


# ---- the textbook ----------------------------------------------------------------------------------------------------------------


class Blocks(nn.Module):
    """R3GAN's residual blocks as its paper draws them."""

    def __init__(self, ours: nn.Module) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(ours)

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            y = leaky_relu(conv2d(x, block.widen.weight, block.widen.bias), 0.2)
            mixed = conv2d(y, block.mix.weight, block.mix.bias, padding=1, groups=block.mix.groups)
            y = leaky_relu(mixed, 0.2)
            x = x + conv2d(y, block.narrow.weight)
        return x


def triangle(x: Tensor, gain: float) -> Tensor:
    """[1, 2, 1] in both directions, one filter for each channel."""
    taps = torch.tensor([1.0, 2.0, 1.0])
    return (gain * torch.outer(taps, taps) / 16).expand(x.shape[1], 1, 3, 3).contiguous()


class PlainR3Generator(nn.Module):
    def __init__(self, ours: nn.Module) -> None:
        super().__init__()
        self.ours = ours
        self.stages = nn.ModuleList(Blocks(stage) for stage in ours.stages)

    def forward(self, noise: Tensor) -> Tensor:
        x = self.stages[0](self.ours.enter(noise)[:, :, None, None] * self.ours.basis)
        for stage in self.stages[1:]:
            x = stage(conv_transpose2d(x, triangle(x, 4), stride=2, padding=1, output_padding=1, groups=x.shape[1]))
        return pixel_shuffle(self.ours.leave(x), self.ours.patch)


class PlainR3Critic(nn.Module):
    def __init__(self, ours: nn.Module) -> None:
        super().__init__()
        self.ours = ours
        self.stages = nn.ModuleList(Blocks(stage) for stage in ours.stages)

    def forward(self, image: Tensor) -> Tensor:
        x = self.stages[0](conv2d(pixel_unshuffle(image, self.ours.patch), self.ours.enter.weight))
        for stage in self.stages[1:]:
            x = stage(conv2d(x, triangle(x, 1), stride=2, padding=1, groups=x.shape[1]))
        return self.ours.judge.score((x * self.ours.basis).sum((2, 3))).squeeze(1)


class PlainStridedGenerator(nn.Module):
    """DCGAN's generator with batch norm."""

    def __init__(self, ours: nn.Module) -> None:
        super().__init__()
        first = nn.ConvTranspose2d(ours.first.in_channels, ours.first.out_channels, ours.first.kernel_size, bias=False)
        first.load_state_dict(ours.first.state_dict())
        layers: list[nn.Module] = [first, nn.BatchNorm2d(first.out_channels), nn.ReLU(True)]
        layers[1].load_state_dict(ours.first_norm.state_dict())
        for layer, norm in zip(ours.layers, ours.norms, strict=True):
            layers += [layer, nn.BatchNorm2d(layer.out_channels), nn.ReLU(True)]
            layers[-2].load_state_dict(norm.state_dict())
        self.layers = nn.Sequential(*layers, ours.last, nn.Tanh())

    def forward(self, noise: Tensor) -> Tensor:
        return self.layers(noise[:, :, None, None])


class PlainStridedCritic(nn.Module):
    """DCGAN's critic, with batch norm where ours has it."""

    def __init__(self, ours: nn.Module) -> None:
        super().__init__()
        layers: list[nn.Module] = [ours.first, nn.LeakyReLU(0.2, True)]
        for layer, norm in zip(ours.layers, ours.norms, strict=True):
            layers.append(layer)
            if not isinstance(norm, nn.Identity):
                layers.append(nn.BatchNorm2d(layer.out_channels))
                layers[-1].load_state_dict(norm.state_dict())
            layers.append(nn.LeakyReLU(0.2, True))
        self.layers = nn.Sequential(*layers, ours.last, nn.Flatten(0))

    def forward(self, image: Tensor) -> Tensor:
        return self.layers(image)


def plain_networks(gan: GAN) -> tuple[nn.Module, nn.Module]:
    generator, critic = gan.players["generator"].network, gan.players["critic"].network
    if hasattr(generator, "stages"):
        return PlainR3Generator(generator), PlainR3Critic(critic)
    return PlainStridedGenerator(generator), PlainStridedCritic(critic)


def slopes(critic: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    """Logits and slopes, by double backward."""
    x = x.detach().requires_grad_()
    logits = critic(x)
    return logits, torch.autograd.grad(logits.sum(), x, create_graph=True)[0].flatten(1)


def textbook(case: Case, gan: GAN, data: Dataset) -> Step:
    """The step of a plain script."""
    generator, critic = plain_networks(gan)
    config, images, batch = gan.config, data.arrays["image"], case.batch
    betas = {"r3gan": (0.0, 0.9), "wgan_gp": (0.0, 0.9), "dcgan": (0.5, 0.999)}[case.gan]
    g_optimizer, d_optimizer = (
        torch.optim.Adam(network.parameters(), lr=config.learning_rate, betas=betas) for network in (generator, critic)
    )
    order = np.random.default_rng(1)
    log: list[float] = []

    def draw() -> Tensor:
        return torch.from_numpy(np.stack([images[i] for i in order.integers(0, len(images), batch)])).float() / 127.5 - 1

    def noise() -> Tensor:
        return torch.randn(batch, config.noise)

    def dcgan() -> None:
        real = draw()
        d_optimizer.zero_grad()
        d_real = binary_cross_entropy(critic(real).sigmoid(), torch.ones(batch))
        d_real.backward()
        fake = generator(noise())
        d_fake = binary_cross_entropy(critic(fake.detach()).sigmoid(), torch.zeros(batch))
        d_fake.backward()
        d_optimizer.step()
        g_optimizer.zero_grad()
        g_loss = binary_cross_entropy(critic(fake).sigmoid(), torch.ones(batch))
        g_loss.backward()
        g_optimizer.step()
        log[:] = d_real.item(), d_fake.item(), g_loss.item()

    def wgan_gp() -> None:
        for _ in range(config.critic_moves):
            real, fake = draw(), generator(noise()).detach()
            share = torch.rand(batch, 1, 1, 1)
            _, slope = slopes(critic, share * real + (1 - share) * fake)
            penalty = ((slope.norm(dim=1) - 1) ** 2).mean()
            loss = critic(fake).mean() - critic(real).mean() + config.penalty * penalty
            d_optimizer.zero_grad()
            loss.backward()
            d_optimizer.step()
        g_optimizer.zero_grad()
        g_loss = -critic(generator(noise())).mean()
        g_loss.backward()
        g_optimizer.step()
        log[:] = loss.item(), g_loss.item()

    def r3gan() -> None:
        real, fake = draw(), generator(noise()).detach()
        real_logits, real_slopes = slopes(critic, real)
        fake_logits, fake_slopes = slopes(critic, fake)
        penalties = (real_slopes.square().sum(1) + fake_slopes.square().sum(1)).mean() * config.gamma / 2
        loss = softplus(fake_logits - real_logits).mean() + penalties
        d_optimizer.zero_grad()
        loss.backward()
        d_optimizer.step()
        g_optimizer.zero_grad()
        g_loss = softplus(critic(draw()) - critic(generator(noise()))).mean()
        g_loss.backward()
        g_optimizer.step()
        log[:] = loss.item(), g_loss.item()

    return {"dcgan": dcgan, "wgan_gp": wgan_gp, "r3gan": r3gan}[case.gan]


# ---- the comparison --------------------------------------------------------------------------------------------------------------


def build(case: Case, data: Dataset) -> GAN:
    torch.manual_seed(0)
    made = gans.find(case.gan)
    return made(made.Config(**case.options), data.codec.spec)


def agree(gan: GAN, data: Dataset) -> bool:
    """Whether the plain networks compute what ours do."""
    generator, critic = (network.train(gan.training) for network in plain_networks(gan))
    noise, images = torch.randn(4, gan.config.noise), torch.randn(4, *data.codec.spec.shape)
    pairs = [(generator(noise), gan.players["generator"](noise)), (critic(images), gan.players["critic"](images))]
    return all(torch.allclose(plain, ours, rtol=1e-3, atol=1e-4) for plain, ours in pairs)


def timed(step: Step, seconds: float) -> float:
    """CPU seconds of this thread for one step, over about so many."""
    began, count = time.thread_time(), 0
    while count == 0 or time.thread_time() - began < seconds:
        step()
        count += 1
    return (time.thread_time() - began) / count


def ours(case: Case, data: Dataset, precision: str) -> Step:
    settings = Settings(batch=case.batch, samples=10**9, precision=precision)
    trainer = Trainer(build(case, data), data, settings)
    trainer.gan.clock.total = 10**9
    return trainer.play_round


def serve(case: Case, form: str, pipe: Connection) -> None:
    """Times blocks of a form of the step, as long as seconds come through the pipe."""
    torch.set_num_threads(1)
    data = squares(case.side, case.channels)
    step = textbook(case, build(case, data).train(), data) if form == "textbook" else ours(case, data, form)
    with nullcontext() if form == "textbook" else kept_for_reuse():
        step()
        while (seconds := pipe.recv()) is not None:
            pipe.send(timed(step, seconds))


def compare(case: Case, *, rounds: int, seconds: float, start: Literal["spawn", "fork"] = "spawn") -> dict[str, Any]:
    """`start` is how processes begin: spawned ones share nothing, forked ones begin at once."""
    data = squares(case.side, case.channels)
    assert agree(build(case, data).eval(), data) and agree(build(case, data).train(), data)
    context, pipes = get_context(start), {}
    for form in FORMS:
        pipes[form], there = context.Pipe()
        context.Process(target=serve, args=(case, form, there), daemon=True).start()
    best = dict.fromkeys(FORMS, float("inf"))
    for _ in range(rounds):
        for form, pipe in pipes.items():
            pipe.send(seconds)
            best[form] = min(best[form], pipe.recv())
    for pipe in pipes.values():
        pipe.send(None)
    images = case.batch * case.options.get("critic_moves", 5 if case.gan == "wgan_gp" else 1)
    return {
        **asdict(case),
        "rounds": rounds,
        "milliseconds": {name: round(1000 * second, 1) for name, second in best.items()},
        "images_per_cpu_second": {name: round(images / second, 1) for name, second in best.items()},
        "times_as_fast": {name: round(best["textbook"] / second, 2) for name, second in best.items() if name != "textbook"},
    }


def page(results: list[dict[str, Any]]) -> str:
    lines = [
        "# The training step against its textbook form",
        "",
        f"CPU time, the quickest of alternating blocks each; {machine()}, torch {torch.__version__}. "
        "Real images per CPU second; r3gan and dcgan in one critic and one generator step, wgan_gp in five and one.",
        "",
        "| step | batch | textbook | ours, float32 | ours, bfloat16 | times as fast: float32 | bfloat16 |",
        "|---|---|---|---|---|---|---|",
    ]
    for result in results:
        rate, factor = result["images_per_cpu_second"], result["times_as_fast"]
        lines.append(
            f"| {result['title']} | {result['batch']} | {rate['textbook']} | {rate['float32']} | {rate['bfloat16']} "
            f"| {factor['float32']} | **{factor['bfloat16']}** |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--toy", action="store_true", help="tiny networks, one round each; writes nothing")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each block")
    parser.add_argument("--only", default="", help="cases whose title contains this; the results of others stay")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.toy:
        arguments.rounds, arguments.seconds = 1, 0.0
        torch.optim.Adam([nn.Parameter(torch.zeros(1))])  # the first one takes a second, which forked processes need not repeat
    results = []
    for case in CASES:
        if arguments.only in case.title:
            if arguments.toy:
                case = Case(**{**asdict(case), "batch": 4, "options": {**case.options, **TOYS[case.gan]}})
            start = "fork" if arguments.toy else "spawn"
            results.append(compare(case, rounds=arguments.rounds, seconds=arguments.seconds, start=start))
            print(case.title, results[-1]["milliseconds"], results[-1]["times_as_fast"], flush=True)
    if not arguments.toy:
        RESULTS.mkdir(exist_ok=True)
        file = RESULTS / "step.json"
        before = json.loads(file.read_text())["results"] if file.exists() else []
        found = {result["title"]: result for result in before + results}
        results = [found[case.title] for case in CASES if case.title in found]
        file.write_text(json.dumps({"torch": torch.__version__, "results": results}, indent=1) + "\n")
        file.with_suffix(".md").write_text(page(results))


if __name__ == "__main__":
    main()
