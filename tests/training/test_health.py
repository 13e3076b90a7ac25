"""Every planted failure is named, and a healthy game raises no alarm."""

import pytest
import torch

from gansmith.training.clock import Clock
from gansmith.training.health import GROWN, Health, Landmarks
from tests import toys

OLD = Clock(samples=5 * GROWN, total=6 * GROWN)


def sketches(count, seed):
    rng = torch.Generator().manual_seed(seed)
    centres = torch.tensor([[2.0, 2.0], [2.0, -2.0], [-2.0, 2.0], [-2.0, -2.0]])
    return centres[torch.randint(0, 4, (count,), generator=rng)] + 0.1 * torch.randn(count, 2, generator=rng)


TRAINING, HELD_OUT = sketches(2000, 0), sketches(256, 1)
EVEN = torch.randn(256, generator=torch.Generator().manual_seed(2)), torch.randn(256, generator=torch.Generator().manual_seed(3))


def names(fake, real_scores=EVEN[0], fake_scores=EVEN[1], clock=OLD, times=2):
    landmarks, health = Landmarks(TRAINING, HELD_OUT), Health()
    found = []
    for _ in range(times):
        found = health.check_probe(landmarks.probe(fake, real_scores, fake_scores), clock)
    return {alarm.name for alarm in found}


def test_examples_like_the_real_ones_raise_no_alarm():
    assert names(sketches(256, 5)) == set()


def test_rows_that_real_held_out_ones_repeat_too_are_no_memorisation():
    few = torch.eye(4).repeat(100, 1)
    landmarks, health = Landmarks(few, few[:64]), Health()
    for _ in range(3):
        found = health.check_probe(landmarks.probe(few[:128], *EVEN), OLD)
    assert "memorisation" not in {alarm.name for alarm in found}


def test_one_example_over_and_over_is_a_collapse():
    assert "collapse" in names(torch.zeros(256, 2) + 2 + 1e-3 * torch.randn(256, 2))


def test_a_missing_mode_is_named():
    fake = sketches(2000, 6)
    assert names(fake[(fake[:, 0] > 0) | (fake[:, 1] > 0)][:256]) == {"dropped_modes"}


def alarms_of(fake, held_out, training=None, **options):
    landmarks, health = Landmarks(CLOUD if training is None else training, held_out, **options), Health()
    scores = EVEN[0][: len(fake)], EVEN[1][: len(fake)]
    found = [health.check_probe(landmarks.probe(fake, *scores), OLD) for _ in range(2)]
    return {alarm.name for alarm in found[1]}


CLOUD = torch.randn(2000, 3, generator=torch.Generator().manual_seed(4))


@pytest.mark.parametrize("count", [16, 32, 64])
def test_few_examples_of_a_probe_miss_no_mode_by_chance(count):
    for seed in range(10):
        real = torch.randn(count + 256, 3, generator=torch.Generator().manual_seed(100 + seed))
        assert alarms_of(real[:count], real[count:], probed=count) == set()


def test_what_is_made_of_something_given_is_held_against_its_partners():
    alike = CLOUD[0] + 0.1 * torch.randn(32, 3, generator=torch.Generator().manual_seed(5))  # of one recording, say
    held_out = torch.cat([alike, torch.randn(224, 3, generator=torch.Generator().manual_seed(6))])
    made = alike + 0.02 * torch.randn(32, 3, generator=torch.Generator().manual_seed(7))
    assert alarms_of(made, held_out, probed=32) == {"collapse"}
    assert alarms_of(made, held_out, probed=32, partners=True) == set()
    assert "collapse" in alarms_of(alike[:1].repeat(32, 1), held_out, probed=32, partners=True)
    lost = torch.where((HELD_OUT < 0).all(1, keepdim=True), -HELD_OUT, HELD_OUT)  # as if one of four were another
    assert alarms_of(lost[:32], HELD_OUT, TRAINING, probed=32, partners=True) == {"dropped_modes"}
    assert alarms_of(HELD_OUT[:32], HELD_OUT, TRAINING, probed=32, partners=True) == set()


def test_copies_of_the_training_set_are_memorisation():
    assert names(TRAINING[:256] + 1e-4) == {"memorisation"}


def test_a_critic_that_says_the_same_of_everything_is_dead():
    assert "dead_critic" in names(sketches(256, 5), torch.full((256,), 0.7), torch.full((256,), 0.7))


def test_a_critic_that_always_wins_against_noise_is_named():
    assert "critic_always_wins" in names(20 * torch.randn(256, 2), EVEN[0] + 50, EVEN[1] - 50)


def test_a_critic_that_wins_while_the_examples_are_good_is_no_alarm():
    assert names(sketches(256, 5), EVEN[0] + 50, EVEN[1] - 50) == set()


def test_young_games_and_passing_symptoms_raise_no_alarm():
    collapsed = torch.zeros(256, 2) + 2
    assert names(collapsed, clock=Clock(samples=100, total=1000)) == set()
    assert names(collapsed, times=1) == set()


def tick(norm):
    return {"gradient_norms": {"generator": norm, "critic": 1.0}}


def test_vanishing_gradients_of_the_generator_are_named():
    health = Health()
    assert all(not health.check_tick(tick(1.0)) for _ in range(6))
    assert not health.check_tick(tick(1e-5))
    assert [alarm.name for alarm in health.check_tick(tick(1e-5))] == ["vanishing_gradients"]
    assert not health.check_tick(tick(0.5))


def test_what_health_remembers_survives_a_checkpoint():
    health, other = Health(), Health()
    for norm in (1.0, 1.0, 1e-6):
        health.check_tick(tick(norm))
    other.load_state(health.state())
    assert [alarm.name for alarm in other.check_tick(tick(1e-6))] == ["vanishing_gradients"]


def test_alarms_are_sentences_that_say_what_to_do():
    landmarks, health = Landmarks(TRAINING, HELD_OUT), Health()
    probe = landmarks.probe(torch.zeros(256, 2), *EVEN)
    health.check_probe(probe, OLD)
    for alarm in health.check_probe(probe, OLD):
        assert ":" in alarm.sentence and alarm.sentence.endswith(".")
        assert alarm.to_json()["level"] == "warning"


@pytest.mark.parametrize("planted", ["constant_generator", "frozen_generator", "constant_critic"])
def test_a_planted_failure_is_found_in_a_real_training(planted, tmp_path, monkeypatch):
    import gansmith

    monkeypatch.setenv("GANSMITH_CACHE", str(tmp_path / "cache"))
    source = (
        "import torch\n"
        "from gansmith.gans.gan import Config as Base, OriginalGAN\n"
        "class Config(Base): pass\n"
        "class Planted(OriginalGAN):\n"
        "    def __init__(self, config, spec):\n"
        "        super().__init__(config, spec)\n"
        "        plant(self)\n"
    )
    bodies = {
        "constant_generator": "    last = gan.generator.network.last\n"
        "    torch.nn.init.zeros_(last.weight)\n    last.requires_grad_(False)\n"
        "    gan.generator._moving = [p for p in gan.generator.network.parameters() if p.requires_grad]\n",
        "frozen_generator": "    gan.generator.learning_rate = lambda clock: 0.0\n    last = gan.generator.network.last\n"
        "    torch.nn.init.normal_(last.weight, 0, 100.0)\n",
        "constant_critic": "    last = gan.critic.network.last\n    torch.nn.init.zeros_(last.weight)\n"
        "    gan.critic.learning_rate = lambda clock: 0.0\n",
    }
    path = tmp_path / "planted.py"
    path.write_text('"""Planted: a failure."""\n' + source + "def plant(gan):\n" + bodies[planted])
    run = gansmith.train(
        toys.points(2048),
        gan=str(path),
        options={"width": 32},
        samples=2 * GROWN,
        batch=256,
        evaluate=False,
        device="cpu",
        out=tmp_path / "run",
    )
    found = {alarm["name"] for record in run.records("log.jsonl") for alarm in record["health"]}
    expected = {"constant_generator": "collapse", "frozen_generator": "critic_always_wins", "constant_critic": "dead_critic"}
    assert expected[planted] in found


def test_a_healthy_training_raises_no_alarm(tmp_path, monkeypatch):
    import gansmith

    monkeypatch.setenv("GANSMITH_CACHE", str(tmp_path / "cache"))
    options = {
        **toys.SMALL["r3gan"],
        "widths": (32,),
        "learning_rate": 2e-3,
        "gamma": 0.1,
        "gamma_end": 0.01,
        "simultaneous": True,
    }
    run = gansmith.train(
        toys.points(2048), gan="r3gan", options=options, samples=2 * GROWN, batch=64, evaluate=False, out=tmp_path / "run"
    )
    assert [record["health"] for record in run.records("log.jsonl") if record["health"]] == []
