"""torch.compile: the networks of five GANs in whole graphs, penalties too, with the same terms."""

import subprocess
import sys

PROGRAM = """
import torch
from functools import cache, partial
from gansmith.training.seeds import seed_everything
from gansmith.training.trainer import Settings, Trainer, compile_seconds
from tests import toys

settings = {"backend": "aot_eager", "dynamic": False, "fullgraph": True}
for name in ("gan", "dcgan", "wgan", "wgan_gp", "r3gan"):
    terms = []
    for compiled in (False, True):
        seed_everything(0)
        data = toys.images(channels=3, classes=3)
        gan = toys.small(name, data)
        trainer = Trainer(gan, data, Settings(batch=8, samples=10_000, compile=compiled))
        if compiled:
            for player in gan.players.values():
                player.compile(**settings)
            trainer.compiler = cache(partial(torch.compile, **settings))
        for _ in range(2):
            trainer.play_round()
        terms.append(trainer.term_means.read())
    for term, value in terms[0].items():
        assert abs(value - terms[1][term]) <= 1e-4 * max(1, abs(value)), (name, term, value, terms[1][term])
assert compile_seconds() > 0
print("same terms")
"""


def test_gans_play_the_same_game_through_whole_graphs():
    """In a process of its own: the type checker of these tests would break the graphs."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, timeout=600)
    assert done.stdout.strip() == "same terms", done.stderr[-3000:]
