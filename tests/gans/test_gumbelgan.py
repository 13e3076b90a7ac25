"""GumbelGAN: what it draws, what it learns, and what is exported of it."""

import numpy as np
import onnxruntime
import pytest
import torch

from gansmith.data.dataset import Dataset
from gansmith.export import export
from gansmith.gans.gumbelgan import Config, GumbelGAN, Writer
from gansmith.kinds.text.build import build_texts
from gansmith.kinds.text.options import Options
from gansmith.kinds.text.spec import TextSpec
from gansmith.kinds.text.text import Texts
from gansmith.model import Model
from gansmith.training.seeds import seed_everything
from gansmith.training.trainer import Settings, Trainer
from tests import toys

PAIRS = ["red cat", "red dog", "old cat", "old dog"] * 8


def writer(toy: str = "labelled texts", **options) -> tuple[Writer, TextSpec]:
    seed_everything(0)
    gan = toys.small("gumbelgan", toys.every()[toy], **options)
    assert isinstance(gan, GumbelGAN)
    return gan.writer.eval(), gan.spec


def test_tokens_are_as_frequent_as_the_writer_thinks():
    """The first token, drawn from normal noise and by the Gumbel-softmax, has the softmax's distribution."""
    network, spec = writer("texts")
    logits, _ = network._next(*network._begin(1, None))
    expected = logits.softmax(1)[0].detach().numpy()
    with torch.no_grad():
        drawn = network(torch.randn(20_000, spec.shape[0]))[:, 0]
        soft = network.soft(torch.rand(5_000, spec.shape[0], spec.vocabulary), None, 0.7)[:, 0].argmax(1)
    for tokens in (drawn, soft):
        shares = np.bincount(tokens.numpy(), minlength=spec.vocabulary) / len(tokens)
        np.testing.assert_allclose(shares, expected, atol=0.025)


def test_soft_tokens_are_one_hot_end_once_and_have_the_gradients_of_the_softmax():
    network, spec = writer()
    label = torch.zeros(64, dtype=torch.int64)
    soft = network.soft(torch.rand(64, spec.shape[0], spec.vocabulary), label, 0.8)
    assert soft.shape == (64, *spec.shape, spec.vocabulary)
    hard = soft.detach().round()
    torch.testing.assert_close(soft.detach(), hard, atol=1e-5, rtol=0)
    assert bool((hard.sum(2) == 1).all())
    for row in hard.argmax(2).tolist():
        behind = row[row.index(spec.end) + 1 :] if spec.end in row else []
        assert set(behind) <= {spec.pad} and spec.pad not in row[: len(row) - len(behind)]
    (gradient,) = torch.autograd.grad(soft[:, -1].square().sum(), network.bias)
    assert gradient.abs().sum() > 0


def test_tokens_that_the_data_never_have_are_never_written():
    network, spec = writer()
    barred = {token for token, count in enumerate(spec.frequencies) if not count}
    assert {spec.pad, spec.unknown} < barred
    with torch.no_grad():
        made = network(torch.randn(2000, spec.shape[0]), torch.zeros(2000, dtype=torch.int64), 5.0)
    assert set(made.flatten().tolist()) & barred == {spec.pad}


@torch.no_grad()
def test_the_surprise_is_the_mean_cross_entropy_of_tokens_up_to_the_end():
    network, spec = writer("texts")
    text = toys.every()["texts"].batch(slice(0, 5))["text"]
    total, count = 0.0, 0
    for row in text.tolist():
        prompt, state = network._begin(1, None)
        for token in row[: row.index(spec.end) + 1] if spec.end in row else row:
            logits, state = network._next(prompt, state)
            total, count = total - float(logits.log_softmax(1)[0, token]), count + 1
            prompt = network.embedding[token][None]
    assert float(network.surprise(text, None)) == pytest.approx(total / count, rel=1e-4)


def test_a_temperature_of_0_writes_the_likeliest_token_and_lower_ones_likelier_tokens():
    network, spec = writer()
    label, noise = torch.zeros(500, dtype=torch.int64), torch.randn(500, spec.shape[0])
    with torch.no_grad():
        cold, warm, hot = (network(noise, label, temperature) for temperature in (0.0, 0.5, 1.0))
        assert len({tuple(row) for row in cold.tolist()}) == 1
        first = network._next(*network._begin(1, label[:1]))[0].argmax(1)
        assert cold[0, 0] == first[0]
        assert float(network.surprise(warm, label)) < float(network.surprise(hot, label))


def pairs(labels: list[str] | None = None) -> Dataset:
    found = Texts(name="pairs", texts=PAIRS, labels=labels)
    return build_texts(found, Options(tokens="words", length=4))


def test_it_learns_to_write_what_it_reads():
    data = pairs()
    seed_everything(0)
    gan = GumbelGAN(Config(width=32, embedding=16, critic_width=16, critic_blocks=1, half_life=300), data.codec.spec)
    trainer = Trainer(gan, data, Settings(batch=32, samples=8_000, threads=1))
    for _ in range(25):
        trainer.play_round()
    with torch.inference_mode():
        made = gan.eval().generate(200, {}, rng=torch.Generator().manual_seed(0))
    found = [raw.text for raw in data.codec.decode(made)]
    assert set(found) >= set(PAIRS) and np.mean([text in PAIRS for text in found]) > 0.9


def test_exports_answer_like_the_model_at_other_batch_sizes(tmp_path):
    data = pairs(labels=["old" if "old" in text else "red" for text in PAIRS])
    seed_everything(0)
    made = Model(toys.small("gumbelgan", data).eval(), data.codec, {"gan": "gumbelgan", "data": "texts", "samples": 0})
    session = onnxruntime.InferenceSession(export(made, "onnx", tmp_path), providers=["CPUExecutionProvider"])
    program = torch.export.load(export(made, "torch", tmp_path / "made.pt2")).module()
    for n in (1, 5):
        noise, label = torch.randn(n, *data.codec.spec.shape), torch.ones(n, dtype=torch.int64)
        expected = made.gan.exportable()[0](noise, label)
        (found,) = session.run(["text"], {"noise": noise.numpy(), "label": label.numpy()})
        assert np.array_equal(found, expected.numpy())
        assert torch.equal(program(noise=noise, label=label), expected)
