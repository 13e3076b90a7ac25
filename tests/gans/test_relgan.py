"""RelGAN: memory, soft tokens, temperature, stages."""

import pytest
import torch

from gansmith.errors import UserError
from gansmith.gans.relgan import RelationalMemory
from tests import toys


def gan(**options):
    torch.manual_seed(0)
    return toys.small("relgan", toys.every()["labelled texts"], **options)


def test_soft_tokens_are_those_that_sampling_draws_and_padding_behind_the_end():
    made = gan().eval()
    writer, spec = made.writer if hasattr(made, "writer") else made.generator.network, made.spec
    label, dice = torch.zeros(40, dtype=torch.long), torch.rand(40, spec.shape[0], spec.vocabulary)
    with torch.no_grad():
        soft = writer.soft(dice, label, 1e4)
    torch.testing.assert_close(soft.sum(2), torch.ones(40, spec.shape[0]))
    tokens = soft.argmax(2)
    ended = (tokens == spec.end).int().cumsum(1) - (tokens == spec.end).int() > 0
    assert (tokens[ended] == spec.pad).all() and (tokens[~ended] != spec.pad).all()
    state, read = writer._begin(40, dice)
    logits, _ = writer._next(read, label, state)
    gumbel = -(-dice.clamp_min(1e-9).log()).log()
    assert torch.equal(tokens[:, 0], (logits + gumbel[:, 0]).argmax(1))


def test_the_inverse_temperature_grows_geometrically_over_the_game():
    made = gan(likelihood_share=0.5, inverse_temperature=100.0)
    made.clock.total = 100
    for samples, expected in ((0, 1), (50, 1), (75, 10), (100, 100)):
        made.clock.samples = samples
        assert made.sharpness == pytest.approx(expected)
    with pytest.raises(UserError, match="inverse-temperature must be at least 1"):
        gan(inverse_temperature=0.5)


def test_memory_attends_to_what_is_read_and_keeps_by_its_gate():
    torch.manual_seed(0)
    memory = RelationalMemory(2, 2, 4, 3)
    state = memory.begin(1, torch.zeros(()))
    assert state.shape == (1, 2, 8) and torch.equal(state[0], torch.eye(2, 8))
    one, other = (memory(torch.full((1, 3), value), state) for value in (0.0, 1.0))
    assert not torch.allclose(one, other)
    for gates in (memory.read_gates, memory.memory_gates):
        gates.weight.data.zero_()
        gates.bias.data.copy_(torch.tensor([-50.0] * 8 + [50.0] * 8))
    torch.testing.assert_close(memory(torch.ones(1, 3), state), state)
