"""PacGAN: what a pack is, scores of single examples, refusals."""

import pytest
import torch

from gansmith.errors import UserError
from gansmith.layers.labels import with_label
from gansmith.training.seeds import seed_everything
from tests import toys


def made(**options):
    seed_everything(0)
    data = toys.images(channels=3, classes=3)
    return toys.small("pacgan", data, **options).eval(), data


def test_a_pack_holds_neighbours_in_the_batch_with_their_labels():
    gan, data = made(pack=2)
    batch = data.batch(slice(0, 6))
    planes = with_label(batch["image"], batch["label"], data.codec.spec)
    joined = torch.stack([torch.cat([planes[2 * i], planes[2 * i + 1]]) for i in range(3)])
    torch.testing.assert_close(gan.packs(batch["image"], batch["label"]), gan.critic.network(joined))


def test_every_example_gets_the_score_of_its_pack_also_the_odd_ones():
    gan, data = made(pack=3)
    batch = data.batch(slice(0, 7))
    scores = gan.scores(batch)
    whole = gan.packs(batch["image"][:6], batch["label"][:6])
    torch.testing.assert_close(scores[:6], whole.repeat_interleave(3))
    rows = [6, 0, 1]  # the last pack is filled up from the start
    torch.testing.assert_close(scores[6:], gan.packs(batch["image"][rows], batch["label"][rows]))


def test_a_batch_that_does_not_divide_into_packs_is_refused():
    gan, data = made(pack=4)
    with pytest.raises(UserError, match="multiple of the pack 4, but it is 6"):
        next(gan.play(lambda: data.batch(slice(0, 6))))


def test_an_empty_pack_is_refused():
    with pytest.raises(UserError, match="--gan.pack"):
        made(pack=0)
