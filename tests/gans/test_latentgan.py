"""LatentGAN: codes of examples, walks between them, examples moved to another class."""

import pytest
import torch

from gansmith.edit.coding import between, restyled
from gansmith.errors import UserError
from gansmith.kinds.text.text import Text
from gansmith.model import Model
from gansmith.training.seeds import seed_everything
from gansmith.training.trainer import Settings, Trainer
from tests import toys


@pytest.fixture(scope="module")
def model() -> Model:
    """Trained until it writes its few texts again."""
    data = toys.every()["labelled texts"].subset(range(8))
    seed_everything(0)
    gan = toys.small("latentgan", data, code=16, width=64, embedding=32, autoencoder_share=0.9, blur=0.05)
    trainer = Trainer(gan, data, Settings(batch=8, samples=2000))
    trainer.train()
    return Model(gan.eval(), data.codec, {"gan": "latentgan"})


def texts() -> list[Text]:
    data = toys.every()["labelled texts"]
    return data.codec.decode(data.batch(range(8)))


def test_what_was_learned_is_written_again_and_a_walk_begins_and_ends_with_it(model):
    gan, data = model.gan, toys.every()["labelled texts"]
    batch = data.batch(range(8))
    codes = gan.encode(batch)
    torch.testing.assert_close(codes.mean(1), torch.zeros(8), atol=1e-4, rtol=0)
    found = [raw.text for raw in data.codec.decode(gan.decode(codes, {"label": batch["label"]}))]
    assert sum(a == b.text for a, b in zip(found, texts(), strict=True)) >= 6
    known = {raw.text: raw for raw, again in zip(texts(), found, strict=True) if raw.text == again}
    first, last = list(known.values())[:2]
    walked = between(model, [first, last], frames=5, **{"class": first.label})
    assert walked[0].text == first.text and 2 <= len(walked) <= 5
    assert len(between(model, [1, 2], frames=3)) >= 1
    with pytest.raises(UserError, match="needs two seeds"):
        between(model, [1], frames=3)


def test_a_moved_code_lies_nearer_to_the_mean_of_the_other_class(model):
    gan, means = model.gan, model.gan._averaged.means
    codes = gan.encode(toys.every()["labelled texts"].batch(range(8)))
    own = torch.cdist(codes, means).argmin(1)
    moved = gan.moved(codes, 1 - own, 1.0)
    before, after = torch.cdist(codes, means), torch.cdist(moved, means)
    rows = torch.arange(8)
    assert after[rows, 1 - own].mean() < before[rows, 1 - own].mean() - 0.5
    way = means[1 - own] - means[own]
    assert (((moved - codes) * way).sum(1) > 0).all()
    made = restyled(model, texts()[:2], **{"class": "question"})
    assert [raw.label for raw in made] == ["question"] * 2
    with pytest.raises(UserError, match="say to which class"):
        restyled(model, texts()[:1])


def test_models_without_codes_say_so(model):
    data = toys.every()["labelled texts"]
    other = Model(toys.small("sequencegan", data).eval(), data.codec, {"gan": "sequencegan"})
    with pytest.raises(UserError, match="has no codes of examples"):
        between(other, [1, 2])
    with pytest.raises(UserError, match="cannot keep to a given prefix"):
        model.sample(1, prefix="the")
