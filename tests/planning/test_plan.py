"""What will be trained: presets, options, devices, precision, and what a rehearsal tells."""

from dataclasses import replace

import pytest

from gansmith.errors import UserError
from gansmith.gans.r3gan import R3GAN
from gansmith.planning import plan as planning
from tests import toys


def test_without_a_word_it_is_r3gan_with_the_preset_for_the_kind_of_data():
    images, points = planning.plan(toys.images()), planning.plan(toys.points())
    assert (images.gan, images.preset) == ("r3gan", "small")
    assert (points.gan, points.preset) == ("r3gan", "points")
    assert images.settings.minutes == R3GAN.presets["small"].minutes and images.settings.samples is None


def test_pairs_that_are_enlarged_or_repaired_from_near_by_are_for_srgan_and_others_for_pix2pix():
    assert planning.plan(toys.pairs(scale=2)).gan == "srgan" and planning.plan(toys.pairs(side=32)).gan == "pix2pix"
    words = {"noise25": "srgan", "blur2,jpeg30": "srgan", "gray": "pix2pix", "noise10,holes": "pix2pix"}
    assert {word: planning.plan(replace(toys.pairs(side=32), facts={"degrade": word})).gan for word in words} == words


def test_two_domains_get_cyclegan():
    assert planning.plan(toys.pairs(side=32, aligned=False)).gan == "cyclegan"


@pytest.mark.parametrize("facts", [{}, {"degrade": "noise25"}, {"degrade": "gray"}])
@pytest.mark.parametrize("shape", [{"scale": 2}, {"side": 32}, {"side": 32, "aligned": False}])
def test_pairs_get_the_same_gan_for_the_same_reason_with_and_without_auto(facts, shape):
    data = replace(toys.pairs(**shape), facts=facts)
    named, left = planning.plan(data, gan="auto"), planning.plan(data)
    assert named.gan == left.gan and named.because and left.because
    assert named.because.partition(": ")[2] == left.because.partition(": ")[2]
    assert left.because.startswith(f"No GAN is named, so these pairs get {left.gan}: ")


def test_few_minutes_of_a_cpu_get_the_preset_made_for_them_unless_another_is_named():
    few = R3GAN.presets["brief"].most_minutes
    assert few is not None

    def preset(**wish: object) -> str | None:
        return planning.plan(toys.images(), **{"device": "cpu", "threads": 2, **wish}).preset

    assert preset(minutes=few / 2) == "brief" and preset(minutes=few / 2 + 0.01) == "small"
    assert preset(minutes=few / 2, preset="small") == "small"
    assert preset(samples=100) == "small" and preset() == "small"
    assert planning.plan(toys.points(), minutes=0.01).preset == "points"
    assert planning.plan(toys.images(), gan="dcgan", minutes=0.01).preset == "small"


def test_options_change_the_preset_and_a_budget_replaces_its_own():
    plan = planning.plan(toys.images(), options={"noise": 7, "critic_width": 24}, samples=123, batch=8)
    assert plan.config.noise == 7 and plan.config.critic_width == 24
    assert plan.config.network == R3GAN.presets["small"].config["network"]
    assert plan.settings.samples == 123 and plan.settings.minutes is None and plan.settings.batch == 8


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        ({"gan": "dcgann"}, "no GAN named 'dcgann'.*did you mean dcgan"),
        ({"gan": "nothing.py"}, "nothing.py, which does not exist"),
        ({"preset": "smal"}, "no preset 'smal'.*small"),
        ({"options": {"gama": 1}}, "no option 'gama'.*gamma"),
        ({"batch": 0}, "batch must be at least 1"),
        ({"minutes": -1}, "minutes must be greater than 0"),
        ({"device": "tpu"}, "--device tpu is not available"),
        ({"precision": "float16"}, "--precision must be"),
    ],
)
def test_a_wrong_wish_is_refused_in_a_sentence(wish, sentence):
    with pytest.raises(UserError, match=sentence):
        planning.plan(toys.images(), **wish)


def test_points_keep_their_digits():
    assert planning.plan(toys.points(), device="cpu").settings.precision == "float32"


@pytest.mark.parametrize(
    ("gan", "moves"),
    [
        ("gan", ["critic (minimax)", "generator (non_saturating)"]),
        ("wgan_gp", ["critic (wasserstein, penalty)"] * 2 + ["generator (wasserstein)"]),
        ("r3gan", ["critic (relativistic, r1, r2) and generator (relativistic)"]),
    ],
)
def test_a_rehearsal_tells_the_order_of_moves_and_the_cost(gan, moves):
    data = toys.images()
    plan = planning.plan(data, gan=gan, options={"width": 64} if gan != "r3gan" else {}, batch=16)
    rehearsal = planning.rehearse(plan, data)
    assert rehearsal.moves == moves
    assert rehearsal.megabytes > 0 and rehearsal.examples_per_second > 0


def test_accumulated_moves_are_told_once():
    data = toys.images()
    plan = planning.plan(data, gan="gan", options={"width": 8}, batch=16, accumulate=2)
    assert planning.rehearse(plan, data).moves == ["critic (minimax)", "generator (non_saturating)"]


@pytest.mark.parametrize(
    ("instructions", "expected"), [((), "float32"), (("avx512_bf16",), "bfloat16"), (("amx_tile",), "bfloat16")]
)
def test_auto_takes_bfloat16_only_where_the_cpu_has_instructions_for_it(instructions, expected, monkeypatch):
    for name in ("avx512_bf16", "amx_tile"):
        monkeypatch.setattr(f"torch.cpu._is_{name}_supported", lambda name=name: name in instructions)
    assert planning.choose_precision("auto", "cpu", toys.images().codec.spec) == expected
    assert planning.choose_precision("auto", "cpu", toys.points().codec.spec) == "float32"
    assert planning.choose_precision("auto", "cpu", toys.points().codec.spec, half=True) == expected
    assert planning.choose_precision("auto", "cpu", toys.images().codec.spec, half=False) == "float32"


def test_a_gan_may_train_in_bfloat16_where_others_of_its_kind_do_not(monkeypatch):
    monkeypatch.setattr("gansmith.training.precision.computes_bfloat16", lambda device: True)
    found = {
        gan: planning.plan(toys.every()["texts"], gan=gan, device="cpu").settings.precision
        for gan in ("sequencegan", "gumbelgan")
    }
    assert found == {"sequencegan": "bfloat16", "gumbelgan": "float32"}
