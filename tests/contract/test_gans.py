"""What every GAN of this package promises, whatever it is."""

import inspect
import json
from pathlib import Path

import pytest
import torch
from torch.utils._python_dispatch import _disable_current_modes

from gansmith import gans
from gansmith.data.codec import HasSource
from gansmith.game import GAN
from gansmith.training.seeds import seed_everything
from gansmith.training.trainer import Settings, Trainer
from tests import toys
from tests.elsewhere import Elsewhere

NAMES = list(gans.names())
NEED_MORE = ("bicyclegan", "munit", "own", "pix2pixhd", "spade", "vqgan")
"""Those whose usual networks take larger images than toys, or networks of one's own."""
DICE_ON_THE_HOST = ("real_esrgan",)
GOLDEN = Path(__file__).parent / "golden"


def cases() -> list[tuple[str, str]]:
    """Every GAN with every toy that it can learn."""
    return [(name, toy) for name in NAMES for toy in toys.fitting(name)]


def condition_for(trainer: Trainer, n: int) -> dict[str, torch.Tensor]:
    """Conditions as frequent as in the data, and what is given of the first examples."""
    codec = trainer.data.codec
    given = codec.source(trainer.data.batch(slice(0, n))) if isinstance(codec, HasSource) else {}
    return {**codec.conditions(n, torch.Generator().manual_seed(0)), **given}


def trainer_for(name: str, toy: str, **settings) -> Trainer:
    data = toys.every()[toy]
    seed_everything(0)
    return Trainer(toys.small(name, data), data, Settings(**{"batch": 16, "samples": 10_000, **settings}))


every_case = pytest.mark.parametrize(("name", "toy"), cases())


def test_every_gan_is_covered_by_these_tests():
    assert set(NAMES) == set(toys.SMALL)


@pytest.mark.parametrize("name", NAMES)
def test_what_the_usual_presets_say_can_be_built(name):
    data = toys.every()[toys.fitting(name)[0]]
    found = gans.find(name)
    presets = [preset for preset in found.presets.values() if preset.kind in (None, data.codec.spec.kind)]
    for preset in presets[: 1 if name not in NEED_MORE else 0]:
        seed_everything(0)
        assert found(found.Config(**preset.config), data.codec.spec).players
    assert presets


@every_case
def test_a_round_moves_every_player(name, toy):
    trainer = trainer_for(name, toy)
    before = {player: [p.detach().clone() for p in own.moving()] for player, own in trainer.gan.players.items()}
    trainer.play_round()
    for player, own in trainer.gan.players.items():
        assert any(not torch.equal(old, new) for old, new in zip(before[player], own.moving(), strict=True)), player
    assert trainer.gan.clock.rounds == 1 and trainer.gan.clock.samples >= 16


@every_case
def test_generated_examples_have_the_shape_of_the_data_and_depend_on_the_seed_alone(name, toy):
    trainer = trainer_for(name, toy)
    gan, codec = trainer.gan.eval(), trainer.data.codec
    condition = condition_for(trainer, 5)
    with torch.inference_mode():
        a, b, c = (gan.generate(5, condition, rng=torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    example = a[codec.spec.key]
    assert example.shape == (5, *codec.spec.shape) and example.isfinite().all()
    assert example.dtype == trainer.data.batch(slice(0, 1))[codec.spec.key].dtype
    given = codec.spec.source is not None and not hasattr(gan.config, "noise")
    assert torch.equal(example, b[codec.spec.key])
    assert torch.equal(example, c[codec.spec.key]) == given
    assert ("label" in a) == bool(codec.spec.conditions)
    assert len(codec.decode(a)) == 5


@every_case
def test_truncation_to_zero_makes_one_example_per_class(name, toy):
    trainer = trainer_for(name, toy)
    condition = {key: value[:1].expand(4, *value.shape[1:]) for key, value in condition_for(trainer, 1).items()}
    gan = trainer.gan.eval()
    with torch.inference_mode():
        made = gan.generate(4, condition, rng=torch.Generator().manual_seed(0), truncation=0.0)[gan.spec.key]
    torch.testing.assert_close(made, made[:1].expand_as(made))


@pytest.mark.parametrize(
    ("precision", "name", "toy"),
    [("float32", *case) for case in cases()] + [("bfloat16", name, toys.fitting(name)[0]) for name in toys.SMALL],
)
def test_resumed_rounds_equal_uninterrupted_ones_bit_for_bit(precision, name, toy):
    whole = trainer_for(name, toy, precision=precision)
    for _ in range(2):
        whole.play_round()
    tensors, facts = whole.state()
    tensors, facts = {key: value.clone() for key, value in tensors.items()}, json.loads(json.dumps(facts))
    for _ in range(2):
        whole.play_round()

    resumed = trainer_for(name, toy, precision=precision)
    torch.manual_seed(99)
    resumed.load_state(tensors, facts)
    for _ in range(2):
        resumed.play_round()
    expected, found = whole.state(), resumed.state()
    assert {k: v for k, v in expected[1].items() if k != "seconds"} == {k: v for k, v in found[1].items() if k != "seconds"}
    assert expected[0].keys() == found[0].keys()
    for key, tensor in expected[0].items():
        assert torch.equal(tensor, found[0][key]), key
    assert whole.term_means.read() == resumed.term_means.read()


@every_case
def test_between_ticks_a_device_is_neither_waited_for_nor_mixed_with_the_host(name, toy):
    if name in DICE_ON_THE_HOST:
        pytest.skip("the kinds of its degradations are drawn on the CPU, whatever the device")
    trainer = trainer_for(name, toy)
    elsewhere = Elsewhere()
    elsewhere.put([*trainer.gan.parameters(), *trainer.gan.buffers()])

    def draw(plain=trainer.draw):
        with _disable_current_modes():
            batch = {key: tensor.clone() for key, tensor in plain().items()}
        elsewhere.put(batch.values())
        return batch

    trainer.draw = draw
    condition = condition_for(trainer, 4)
    with elsewhere:
        for measure in (False, True):
            trainer.play_round(measure)
        assert elsewhere.waits == []
        trainer.gan.eval().generate(4, condition, rng=torch.Generator().manual_seed(0))
    assert elsewhere.mixed == []


@every_case
def test_bfloat16_terms_and_gradients_are_finite_and_near_float32(name, toy):
    terms = {}
    for precision in ("float32", "bfloat16"):
        trainer = trainer_for(name, toy, precision=precision)
        trainer.play_round(measure=True)
        terms[precision] = trainer.term_means.read()
    for term, value in terms["float32"].items():
        assert terms["bfloat16"][term] == pytest.approx(value, rel=0.1, abs=0.05), term


@every_case
def test_the_exportable_network_makes_what_generate_makes(name, toy, monkeypatch):
    trainer = trainer_for(name, toy)
    gan: GAN = trainer.gan.eval()
    if hasattr(type(gan), "is_fast"):  # exports are in float32 on every machine
        monkeypatch.setattr(type(gan), "is_fast", False)
    network, inputs = gan.exportable()
    condition = {
        key: inputs[name] for key, name in (("label", "label"), ("a", "input"), ("context", "context")) if name in inputs
    }
    if getattr(gan, "partner", False):  # both images of a pair go in together
        condition = dict(
            zip(("a", "target"), inputs["input"].split([gan.spec.source_shape[0], gan.spec.shape[0]], 1), strict=True)
        )
    rng = torch.Generator().manual_seed(3)
    with torch.inference_mode():
        made = gan.generate(2, condition, rng=rng)[gan.spec.key]
        if "noise" in inputs:
            inputs |= {"noise": torch.randn(inputs["noise"].shape, generator=torch.Generator().manual_seed(3))}
        called = network(**inputs) if "context" in inputs else network(*inputs.values())
        torch.testing.assert_close(called, made)


@pytest.mark.parametrize(
    ("name", "toy"),
    [
        case
        for case in cases()
        if toys.every()[case[1]].codec.spec.task == "generation" and toys.every()[case[1]].codec.spec.kind in ("images", "points")
    ],
)
def test_editing_begins_where_generation_does(name, toy):
    """What `latent`, `style` and `paint` make is what `generate` makes, and a style can be reached by gradients."""
    trainer = trainer_for(name, toy)
    gan, spec = trainer.gan.eval(), trainer.gan.spec
    condition = trainer.data.codec.conditions(3, torch.Generator().manual_seed(0))
    with torch.no_grad():
        made = gan.generate(3, condition, rng=torch.Generator().manual_seed(5))[spec.key]
        style = gan.style(gan.latent(3, torch.Generator().manual_seed(5)), condition)
    style.requires_grad_()
    again = gan.paint(style, condition)[spec.key]
    torch.testing.assert_close(again.detach(), made)
    (gradient,) = torch.autograd.grad(again.square().sum(), style)
    assert gradient.abs().sum() > 0


@every_case
def test_the_average_follows_the_generator(name, toy):
    trainer = trainer_for(name, toy)
    start = [p.clone() for p in trainer.gan.players["generator"].averaged.parameters()]
    for _ in range(2):
        trainer.play_round()
    player = trainer.gan.players["generator"]
    moved = sum(float((a - b).abs().sum()) for a, b in zip(start, player.averaged.parameters(), strict=True))
    assert moved > 0
    assert not player.averaged.training and player.network.training


def _recorded(name: str) -> str:
    """The toy whose terms are recorded: the last one of the GAN's first kind."""
    found = toys.fitting(name)
    first = next(iter(gans.find(name).kinds), toys.every()[found[-1]].codec.spec.kind)
    return [toy for toy in toys.fitting(name) if toys.every()[toy].codec.spec.kind == first][-1]


@pytest.mark.parametrize("name", NAMES)
def test_twenty_rounds_have_the_recorded_terms(name, request):
    """Golden terms: a change of mathematics shows here. `pytest tests/contract --write-golden` records missing ones."""
    trainer = trainer_for(name, _recorded(name))
    lines = []
    for _ in range(20):
        trainer.play_round()
        lines.append({term: round(value, 6) for term, value in trainer.term_means.read().items()})
        trainer.term_means.clear()
    path = GOLDEN / f"{name}.json"
    if request.config.getoption("--write-golden") and not path.exists():
        path.write_text(json.dumps(lines, indent=1) + "\n")
    for number, (line, golden) in enumerate(zip(lines, json.loads(path.read_text()), strict=True)):
        assert line == pytest.approx(golden, rel=2e-2, abs=2e-3), f"round {number}"


@pytest.mark.parametrize("name", NAMES)
def test_the_docstring_opens_with_the_name_and_the_paper_and_shows_a_command(name):
    text = (Path(gans.__file__).parent / f"{name}.py").read_text(encoding="utf-8").split('"""')[1]
    assert ":" in text.splitlines()[0]
    assert "gansmith train" in text


@pytest.mark.parametrize("name", NAMES)
def test_every_option_has_a_line_of_explanation(name):
    made = gans.find(name)
    body = inspect.getsource(made.Config).split("def ")[0]
    for field in made.Config.__dataclass_fields__:
        after = body.split(f"    {field}: ")[1].splitlines()[1]
        assert after.strip().startswith('"""'), field
