"""MusicGame: states and tokens, what is hidden and kept, that it learns, and its stages."""

import numpy as np
import pytest
import torch

from gansmith.errors import UserError
from gansmith.gans.musicgame import FRESH, Harmony, blocks_of, states_of, straight_through
from gansmith.layers.labels import one_hot
from gansmith.training.seeds import seed_everything
from gansmith.training.trainer import Settings, Trainer
from tests import toys


def trainer(**options) -> Trainer:
    data = toys.every()["tunes"]
    seed_everything(0)
    return Trainer(toys.small("musicgame", data, **options), data, Settings(batch=16, samples=16 * 60))


def naive(tokens, spec) -> list[int]:
    """The states of one voice, cell by cell."""
    found, pitch = [], 0
    count = spec.vocabulary - spec.first
    for token in tokens:
        if token == spec.hold:
            found.append(pitch + count if pitch else 0)
        else:
            pitch = token - spec.first + 1 if token >= spec.first else 0
            found.append(pitch)
    return found


def test_states_say_what_sounds_and_become_the_same_tokens_again():
    run = trainer()
    spec, tokens = run.gan.spec, run.data.batch(np.arange(20))["music"]
    states = states_of(tokens, spec)
    assert states.tolist() == [[naive(voice, spec) for voice in piece] for piece in tokens.tolist()]
    silent = (tokens == spec.hold) & (states == 0)
    assert torch.equal(run.gan.filler.tokens(states), torch.where(silent, spec.rest, tokens))


def test_a_pitch_that_goes_on_behind_another_one_begins():
    run = trainer()
    count, first = run.gan.filler.pitches, run.gan.spec.first
    states = torch.tensor([[[3, 3 + count, 5 + count, 0, 5 + count, 5 + count]]])
    assert run.gan.filler.tokens(states).tolist() == [[[first + 2, 1, first + 4, 0, first + 4, 1]]]


def test_harmony_is_the_same_in_every_key():
    torch.manual_seed(0)
    harmony = Harmony(4, 8, 4)
    sounding = (torch.rand(2, 30, 8) < 0.2).float()
    sounding[:, -5:] = 0
    higher = sounding.roll(5, 1)
    torch.testing.assert_close(harmony(higher)[:, :, 5:], harmony(sounding)[:, :, :-5])
    elsewhere = sounding.clone()
    elsewhere[:, 3, 7] = 1 - elsewhere[:, 3, 7]
    assert not torch.allclose(harmony(elsewhere)[..., 0], harmony(sounding)[..., 0])  # the key is that of the whole window


def test_cells_are_filled_in_few_at_first_and_some_are_drawn_anew_then(monkeypatch):
    filler = trainer(rounds=20).gan.eval().filler
    known, logits = [], filler.logits
    monkeypatch.setattr(filler, "logits", lambda states, mask, label: known.append(mask) or logits(states, mask, label))
    mask = torch.zeros(16, *filler.spec.shape)
    mask[:, 0] = 1
    filler(torch.randn(16, filler.noise), None, torch.full(mask.shape, filler.spec.rest), mask)
    counts = [float(part.mean()) for part in known]
    assert counts[:8] == sorted(counts[:8]) and counts[0] == 0.25 and counts[1] < 0.28 and counts[7] < 1
    assert all(0.8 < count < 0.95 for count in counts[8:])
    assert all((after >= before).all() for before, after in zip(known[:7], known[1:8], strict=True))
    assert all((part[:, 0] == 1).all() for part in known)


def test_the_critic_hears_tokens():
    run = trainer()
    tokens = run.gan.filler.tokens(states_of(run.data.batch(np.arange(8))["music"], run.gan.spec))
    heard = run.gan._heard(one_hot(states_of(tokens, run.gan.spec), run.gan.filler.states))
    assert torch.equal(heard, one_hot(tokens, run.gan.spec.vocabulary).flatten(1))


def test_something_is_hidden_in_every_example_and_anything_may_be():
    run = trainer()
    tokens = run.data.batch(np.arange(400) % len(run.data))["music"]
    hidden = 1 - run.gan._hidden(tokens)
    assert hidden.flatten(1).amax(1).min() == 1 and hidden.flatten(1).amin(1).min() == 0
    assert 0.3 < float(hidden.mean()) < 0.8
    assert blocks_of(run.gan.spec)[0] == run.gan.spec.bar and blocks_of(run.gan.spec)[-1] == 1


def test_it_learns_what_hides_beyond_frequencies():
    run = trainer(width=32, game=0.0, learning_rate=1e-2)
    tokens = run.data.batch(np.arange(48))["music"]
    states = states_of(tokens, run.gan.spec)

    def surprise() -> float:
        torch.manual_seed(1)
        mask = run.gan._hidden(tokens)
        with torch.no_grad():
            return float(
                run.gan._surprise(run.gan.filler.logits(one_hot(states, run.gan.filler.states), mask, None), states, mask)
            )

    before = surprise()
    for _ in range(60):
        run.play_round()
    now = surprise()
    assert now < 0.75 * before, (now, before)


def test_what_is_given_is_kept_and_the_temperature_matters():
    gan = trainer().gan.eval()
    data = toys.every()["tunes"].batch(np.arange(6))["music"]
    mask = torch.zeros(data.shape)
    mask[:, 0] = 1
    mask[:, 1, : gan.spec.bar] = 1
    made = gan.generate(6, {"given": data, "mask": mask}, rng=torch.Generator().manual_seed(0))["music"]
    assert torch.equal(made[mask > 0], data[mask > 0]) and not torch.equal(made, data)
    free = [gan.generate(6, {}, rng=torch.Generator().manual_seed(0), truncation=heat)["music"] for heat in (1.0, 0.2)]
    assert not torch.equal(*free)


def test_the_critic_alone_learns_at_the_end_and_draws():
    run = trainer(critic_share=0.5)
    run.gan.clock.total, run.gan.clock.samples = 960, 700
    before = {name: [p.detach().clone() for p in player.moving()] for name, player in run.gan.players.items()}
    run.play_round()
    moved = {
        name: any(not torch.equal(a, b) for a, b in zip(before[name], run.gan.players[name].moving(), strict=True))
        for name in before
    }
    assert moved == {"generator": False, "critic": True}
    gan = run.gan.eval()
    made = gan.generate(5, {"critic": gan.condition_of("critic", "3", 5)}, rng=torch.Generator().manual_seed(0))
    assert made.keys() == {"music"} and gan.condition_of("key", "C", 5) is None
    for wrong in ("0", "many", "2.5"):
        with pytest.raises(UserError, match="critic must be a whole number between 1 and 64"):
            gan.condition_of("critic", wrong, 5)


def test_the_critic_learns_against_a_pool_to_which_a_few_pieces_are_added():
    run = trainer(critic_share=0.5)
    gan, tokens = run.gan.eval(), toys.every()["tunes"].batch(np.arange(16))["music"]
    seen = [gan._made(tokens, None)[0] for _ in range(2)]
    assert gan.pooled == 2 * FRESH and seen[0].shape == tokens.shape
    known = {row.numpy().tobytes() for row in gan.pool[: 2 * FRESH].long()}
    assert {row.numpy().tobytes() for part in seen for row in part} <= known
    assert not gan.pool[2 * FRESH :].any()


def test_longer_pieces_begin_as_windows_do_and_go_on_bar_by_bar():
    gan, codec = trainer().gan.eval(), toys.every()["tunes"].codec
    bar, steps = gan.spec.bar, gan.spec.shape[1]
    condition = codec.conditions(3, torch.Generator().manual_seed(0), bars="5")
    made = gan.generate(3, condition, rng=torch.Generator().manual_seed(0))["music"]
    assert made.shape == (3, gan.spec.shape[0], 5 * bar) and codec.decode({"music": made})[0].steps == 5 * bar
    window = gan.generate(3, {}, rng=torch.Generator().manual_seed(0))["music"]
    assert torch.equal(made[:, :, :steps], window)
    assert torch.equal(codec.conditions(3, torch.Generator(), length=str(5 * bar))["length"], condition["length"])
    for name, wrong in (("bars", "1"), ("bars", "many"), ("length", "33"), ("bars", "9" * 12)):
        with pytest.raises(UserError, match="must be whole bars"):
            codec.conditions(1, torch.Generator(), **{name: wrong})
    with pytest.raises(UserError, match="makes windows alone"):
        toys.small("musegan", toys.every()["tunes"]).generate(1, condition, rng=torch.Generator())


def test_draws_are_one_hot_with_gradients():
    logits = torch.randn(3, 2, 4, 5, requires_grad=True)
    made = straight_through(logits, torch.rand(logits.shape), 0.7)
    torch.testing.assert_close(made.detach().sort(-1).values, one_hot(torch.full((3, 2, 4), 4), 5))
    (made * torch.randn_like(made)).sum().backward()
    assert logits.grad is not None and logits.grad.abs().sum() > 0


def test_options_that_cannot_be():
    with pytest.raises(UserError, match="--gan.width must be a multiple of --gan.heads"):
        trainer(width=15)
    with pytest.raises(UserError, match="--gan.given must lie between 0 and 1"):
        trainer(given=1.5)
