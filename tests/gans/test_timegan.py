"""TimeGAN's stages."""

import pytest

from gansmith.errors import UserError
from gansmith.training.seeds import seed_everything
from gansmith.training.trainer import Settings, Trainer
from tests import toys


def test_autoencoder_then_supervisor_then_all_together():
    data = toys.series()
    seed_everything(0)
    gan = toys.small("timegan", data, embedding_share=0.25, supervision_share=0.25)
    trainer = Trainer(gan, data, Settings(batch=16, samples=16 * 16))
    gan.clock.total = 16 * 16
    moved = []
    while gan.clock.samples < gan.clock.total:
        trainer.play_round()
        moved.append(sorted({name.partition("/")[0] for name in trainer.term_means.read()}))
        trainer.term_means.clear()
    assert moved[0] == ["autoencoder"] and moved[4] == ["generator"] and moved[-1] == ["autoencoder", "critic", "generator"]


def test_stages_must_leave_room_for_the_game():
    with pytest.raises(UserError, match=r"take 0\.6 \+ 0\.5"):
        toys.small("timegan", toys.series(), embedding_share=0.6, supervision_share=0.5)
