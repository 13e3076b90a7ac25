"""The strength that follows overfitting, pseudo augmentation, and the one piece that holds the four ways."""

import pytest
import torch

from gansmith.augment.adaptive import AdaptiveStrength
from gansmith.augment.against_overfitting import AgainstOverfitting
from gansmith.augment.pseudo import deceive
from gansmith.errors import UserError
from gansmith.gans.r3gan import R3GAN, Config
from gansmith.training.clock import Clock
from tests import toys


def test_the_strength_rises_by_what_was_seen_over_the_full_swing_while_the_critic_is_too_sure():
    strength = AdaptiveStrength(full_swing=1000, interval=100)
    for _ in range(3):
        strength.observe(torch.ones(50), Clock())
    assert float(strength.p) == pytest.approx(0.1)  # the third batch still waits for its interval
    for _ in range(30):
        strength.observe(torch.ones(50), Clock())
    assert float(strength.p) == 1.0


def test_the_strength_settles_where_the_signs_meet_the_target():
    """A critic whose signs fall with the strength: E[sign] = 1 - p, so p settles at 0.4 for the target 0.6."""
    torch.manual_seed(0)
    strength = AdaptiveStrength(target=0.6, full_swing=20_000, interval=200)
    for _ in range(400):
        sure = (1 + (1 - float(strength.p))) / 2  # the share of positive logits
        strength.observe(torch.where(torch.rand(200) < sure, 1.0, -1.0), Clock())
    assert float(strength.p) == pytest.approx(0.4, abs=0.08)


def test_without_a_swing_of_its_own_an_eighth_of_the_budget_is_taken():
    strength = AdaptiveStrength(full_swing=None, interval=10)
    strength.observe(torch.ones(10), Clock())  # the budget is not known yet
    assert float(strength.p) == 0
    strength.observe(torch.ones(10), Clock(total=800))
    assert float(strength.p) == pytest.approx(0.1)


def test_the_state_of_the_strength_is_all_in_its_state_dict():
    whole, resumed = AdaptiveStrength(full_swing=1000, interval=100), AdaptiveStrength(full_swing=1000, interval=100)
    whole.observe(torch.ones(250), Clock())
    whole.observe(torch.ones(70), Clock())
    resumed.load_state_dict(whole.state_dict())
    for strength in (whole, resumed):
        strength.observe(-torch.ones(40), Clock())
    assert whole.state_dict() == resumed.state_dict() and float(whole.p) != 0.25


def test_generated_examples_pass_for_real_as_often_as_said_and_in_their_own_row():
    torch.manual_seed(0)
    real, fake = torch.zeros(4000, 2), torch.arange(4000.0)[:, None].expand(-1, 2).clone().requires_grad_()
    mixed = deceive(real, fake, torch.tensor(0.3))
    replaced = mixed[:, 0] > 0
    assert float(replaced.float().mean()) == pytest.approx(0.3, abs=0.03)
    assert torch.equal(mixed[replaced], fake[replaced].detach()) and not mixed.requires_grad
    assert torch.equal(deceive(real, fake, torch.tensor(0.0)), real)


@pytest.mark.parametrize(("kind", "changes", "replaces"), [("none", 0, 0), ("diffaugment", 1, 0), ("ada", 1, 0), ("apa", 0, 1)])
def test_each_way_does_what_it_is_called(kind, changes, replaces):
    torch.manual_seed(0)
    piece = AgainstOverfitting(kind, full_swing=1)
    images, fake = torch.rand(8, 3, 8, 8), torch.full((8, 3, 8, 8), 5.0)
    if kind == "ada":
        assert torch.equal(piece(images), images)  # a strength of 0 at first
    piece.observe(torch.ones(300), Clock())
    assert torch.equal(piece(images), images) != bool(changes)
    assert torch.equal(piece.passing_for_real(images, fake), images) != bool(replaces)


@pytest.mark.parametrize("kind", ["diffaugment", "ada", "apa"])
def test_r3gan_follows_its_paired_logits(kind):
    data = toys.images(channels=3)
    gan = toys.small("r3gan", data, against_overfitting=kind, simultaneous=True)
    gan.clock.total = 800
    for _ in range(8):
        moves = next(gan.play(lambda: data.batch(slice(0, 32))))
        assert all(term.isfinite() for move in moves for term in move.terms.values())
    strength = gan.overfitting.strength
    assert (strength is None) == (kind == "diffaugment")
    if strength is not None:
        assert int(strength.seen) == 0 and 0 <= float(strength.p) <= 1  # 256 seen: it has moved


def test_two_ways_of_augmentation_and_augmented_points_are_refused():
    with pytest.raises(UserError, match="either --gan.augment or"):
        Config(augment=0.5, against_overfitting="ada")
    with pytest.raises(UserError, match="leave out --gan.against-overfitting"):
        R3GAN(Config(widths=(16,), against_overfitting="apa"), toys.points().codec.spec)


@pytest.mark.parametrize("kind", ["diffaugment", "ada"])
def test_all_frames_of_a_clip_are_changed_in_the_same_way(kind):
    torch.manual_seed(0)
    overfitting = AgainstOverfitting(kind)
    if overfitting.strength is not None:
        overfitting.strength.p.fill_(1.0)
    still = (torch.rand(6, 1, 3, 16, 16) * 2 - 1).expand(-1, 5, -1, -1, -1)
    changed = overfitting.clips(still)
    torch.testing.assert_close(changed, changed[:, :1].expand_as(changed))
    moved = [tuple((clip[0] - still[0, 0]).abs().mean((1, 2)).tolist()) for clip in changed]
    assert len(set(moved)) == 6 and all(max(far) > 0.01 for far in moved)


def test_clips_stay_as_they_are_where_nothing_was_asked():
    video = torch.rand(2, 3, 3, 8, 8)
    assert AgainstOverfitting("none").clips(video) is video
