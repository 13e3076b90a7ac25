"""The trainer's overhead: rounds of a GAN played by the trainer against a hand-written loop of the same networks and maths.

    python bench/overhead.py

Blocks of rounds alternate between the two within one process; the figure is the median of the ratios of neighbouring blocks, in
CPU time of one thread. The hand-written loops do what a script would: forward, losses, backward, optimiser, moving average.
"""

import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from torch.nn.functional import softplus

from gansmith.gans import find
from gansmith.kinds.opening import open_dataset
from gansmith.planning.plan import plan
from gansmith.training.trainer import Trainer

RESULTS = Path(__file__).parent / "results" / "overhead.json"
BLOCKS, SECONDS = 15, 1.5


def handwritten(gan, name: str, images: np.ndarray, labels: np.ndarray, batch: int, half_life: float) -> Callable[[], None]:
    """A step as one would write it for this GAN alone."""
    generator, critic = gan.generator.network, gan.critic.network
    average = gan.generator.average.network
    rates = {"gan": (2e-4, (0.5, 0.999)), "dcgan": (5e-4, (0.5, 0.999)), "r3gan": (2e-3, (0.0, 0.9))}
    learning_rate, betas = rates[name]
    moving = [list(network.parameters()) for network in (generator, critic)]
    optimizers = [torch.optim.Adam(parameters, lr=learning_rate, betas=betas, fused=True) for parameters in moving]
    keep = 0.5 ** (batch / half_life)
    gamma = images[0].size / 80
    new, old = list(generator.state_dict().values()), list(average.state_dict().values())
    floating = [i for i, tensor in enumerate(new) if tensor.is_floating_point()]
    order = np.random.default_rng(0)

    def step() -> None:
        rows = order.integers(0, len(images), batch)
        real = torch.from_numpy(images[rows]).float() / 127.5 - 1
        label = torch.from_numpy(labels[rows])
        noise = torch.randn(batch, gan.config.noise)
        with torch.autocast("cpu", torch.bfloat16):
            fake = generator(noise, label)
        if name == "r3gan":
            both = torch.cat([real, fake])
            with torch.autocast("cpu", torch.bfloat16):
                logits = critic(both, label.repeat(2)).float()
            (slope,) = torch.autograd.grad(logits.sum(), both, create_graph=True)
            norms = slope.float().flatten(1).square().sum(1)
            a, b = logits.chunk(2)
            loss = softplus(-(a - b)).mean() + gamma / 2 * (norms[:batch].mean() + norms[batch:].mean())
            loss.backward(inputs=moving[1], retain_graph=True)
            softplus(-(b - a)).mean().backward(inputs=moving[0])
            optimizers[1].step()
            optimizers[0].step()
        else:
            with torch.autocast("cpu", torch.bfloat16):
                a, b = critic(real, label).float(), critic(fake.detach(), label).float()
            (softplus(-a) + softplus(b)).mean().backward(inputs=moving[1])
            optimizers[1].step()
            with torch.autocast("cpu", torch.bfloat16):
                b = critic(fake, label).float()
            softplus(-b).mean().backward(inputs=moving[0])
            optimizers[0].step()
        for optimizer in optimizers:
            optimizer.zero_grad()
        with torch.no_grad():
            torch._foreach_lerp_([old[i] for i in floating], [new[i] for i in floating], 1 - keep)

    return step


def block(step: Callable[[], None]) -> float:
    """Steps per CPU second over about SECONDS."""
    began, count = time.thread_time(), 0
    while time.thread_time() - began < SECONDS:
        step()
        count += 1
    return count / (time.thread_time() - began)


def main() -> None:
    torch.set_num_threads(1)
    data = open_dataset("digits")
    images, labels = np.ascontiguousarray(data.arrays["image"]), np.asarray(data.arrays["label"])
    results = {}
    for name in ("gan", "dcgan", "r3gan"):
        options = {"penalty_interval": 1} if name == "r3gan" else {}  # as the loop by hand has it
        planned = plan(data, gan=name, options=options, samples=10**9, precision="bfloat16", device="cpu")
        trainer = Trainer(planned.build(data), data, planned.settings)
        trainer.gan.clock.total = 10**9
        twin = find(name)(planned.config, data.codec.spec).train()
        step = handwritten(twin, name, images, labels, planned.settings.batch, planned.config.half_life)
        for warm in (step, trainer.play_round):
            block(warm)
        ratios = []
        for _ in range(BLOCKS):
            by_hand, played = block(step), block(trainer.play_round)
            ratios.append(by_hand / played - 1)
        results[name] = {
            "overhead_median": round(statistics.median(ratios), 4),
            "overhead_quartiles": [round(q, 4) for q in statistics.quantiles(ratios, n=4)],
            "rounds_per_cpu_second": round(played, 1),
        }
        print(name, results[name], flush=True)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({"torch": torch.__version__, "blocks": BLOCKS, "results": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
