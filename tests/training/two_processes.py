"""Trained by test_distributed in one and in two processes: prints nothing, leaves its weights and terms behind."""

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path

import torch
from safetensors.torch import save_file

from gansmith.training import distributed
from gansmith.training.seeds import seed_everything
from gansmith.training.trainer import Settings, Trainer
from tests import toys


def play(out: Path, cases: Iterable[str]) -> None:
    """Trains GAN:TOY:ROUNDS each, and writes weights and terms."""
    for name, toy, rounds in (case.split(":") for case in cases):
        data = toys.every()[toy]
        seed_everything(0)
        trainer = Trainer(toys.small(name, data), data, Settings(batch=32, samples=10**6))
        distributed.broadcast(trainer.gan)
        for player in trainer.gan.players.values():  # plain descent: Adam magnifies rounding errors where gradients are tiny
            player.optimizer = torch.optim.SGD(player.moving(), lr=0.01)
        for _ in range(int(rounds)):
            trainer.play_round()
        stem = f"{name}-{toy}-{distributed.processes()}-{distributed.rank()}"
        save_file({key: tensor.contiguous() for key, tensor in trainer.gan.state_dict().items()}, out / f"{stem}.safetensors")
        (out / f"{stem}.json").write_text(json.dumps(trainer.term_means.read()))


def main() -> None:
    torch.set_num_threads(1)
    distributed.start()
    out = Path(sys.argv[1])
    play(out, sys.argv[2:])
    if distributed.processes() > 1:
        odd = torch.nn.Parameter(torch.zeros(3))
        odd.grad = torch.ones(3) if distributed.leads() else None
        try:
            distributed.average_gradients([odd, torch.nn.Parameter(torch.zeros(2))])
        except ValueError as error:
            (out / f"odd-{distributed.rank()}.txt").write_text(str(error))
    distributed.wait()
    distributed.stop()
    os._exit(0)  # all is written; gloo's threads may abort an interpreter that takes its time to end


if __name__ == "__main__":
    main()
