"""SequenceGAN: stages, the gate, resampling and what is asked of it."""

import pytest
import torch

from gansmith.errors import UserError
from gansmith.model import Model
from gansmith.training.seeds import seed_everything
from gansmith.training.trainer import Settings, Trainer
from tests import toys


def trainer(**options) -> Trainer:
    data = toys.every()["texts"]
    seed_everything(0)
    gan = toys.small("sequencegan", data, likelihood_share=0.4, critic_share=0.2, **options)
    gan.clock.total = 160
    return Trainer(gan, data, Settings(batch=16, samples=160))


def moved(run: Trainer) -> tuple[str, set[str]]:
    """The stage of the next round, and which players it moves."""
    stage = run.gan.stage
    before = {name: [p.detach().clone() for p in player.moving()] for name, player in run.gan.players.items()}
    run.play_round()
    after = run.gan.players
    return stage, {
        name for name, own in before.items() if any(not torch.equal(a, b) for a, b in zip(own, after[name].moving(), strict=True))
    }


def test_stages_follow_each_other():
    run = trainer()
    found = [moved(run) for _ in range(10)]
    assert [stage for stage, _ in found] == ["likelihood"] * 4 + ["critic"] * 2 + ["game"] * 4
    assert found[0][1] == {"generator"} and found[-1][1] == {"generator", "critic", "judge"}
    assert {"critic", "judge"} <= found[5][1]


def test_without_the_game_the_critics_go_on():
    run = trainer(adversarial=False)
    assert [moved(run)[0] for _ in range(10)][-4:] == ["critic"] * 4


def test_a_critic_that_foretells_nothing_has_no_say():
    gan = trainer(adversarial=False, tries=4).gan.eval()
    assert gan.pooled and gan.trust == 0
    torch.nn.init.normal_(gan.critic.network.weights.weight, std=5)
    made = gan.generate(8, {}, rng=torch.Generator().manual_seed(0))["text"]
    torch.nn.init.zeros_(gan.critic.network.weights.weight)
    assert torch.equal(made, gan.generate(8, {}, rng=torch.Generator().manual_seed(0))["text"])
    trust = gan.critic.network.trust
    for _ in range(30):
        trust.learn(torch.full((16,), 2.0), torch.full((16,), -2.0), 0.1)
    assert gan.trust == 1.5
    for _ in range(60):
        trust.learn(torch.tensor([3.0, -2.0]), torch.tensor([-3.0, 2.0]), 0.1)
    assert 0 < gan.trust < 1


def test_a_model_that_is_saved_knows_how_far_its_critic_is_trusted(tmp_path):
    run = trainer(adversarial=False, tries=4)
    gan = run.gan.eval()
    torch.nn.init.normal_(gan.critic.network.weights.weight, std=5)
    gan.critic.network.trust.learn(torch.full((16,), 2.0), torch.full((16,), -2.0), 0.1)
    model = Model(gan, run.data.codec, {"gan": "sequencegan"})
    model.save(tmp_path / "model")
    loaded = Model.load(tmp_path / "model")
    assert loaded.gan.trust == gan.trust > 0
    assert torch.equal(loaded.sample(8, seed=0)["text"], model.sample(8, seed=0)["text"])
    assert not torch.equal(model.sample(8, seed=0)["text"], model.sample(8, seed=0, critic="1")["text"])


def test_examples_and_samples_are_kept_for_the_critic_of_runs_until_the_end(monkeypatch):
    run = trainer(adversarial=False)
    for _ in range(4):
        run.play_round()
    gan, made = run.gan, []
    samples = gan._samples
    monkeypatch.setattr(gan, "_samples", lambda *given: made.append(samples(*given)) or made[-1])
    for number in range(5):
        run.play_round()
        assert int(gan.real.added) == 16 * (number + 1)
    assert [len(each) for each in made] == [4 * 16] * 2 and int(gan.made.added) == 2 * 4 * 16
    known = {tuple(row) for row in torch.cat(made).tolist()}
    assert {tuple(row) for row in gan.made.some(200)[0].tolist()} <= known
    assert gan.real.tokens.any()
    run.play_round()
    assert not gan.real.tokens.any()  # nothing of the data is left in a finished run


def test_a_critic_that_counts_learns_in_the_last_round(monkeypatch):
    monkeypatch.setattr("gansmith.layers.counts_critic.LEAST", 1)
    run = trainer(adversarial=False, critic="counts")
    gan = run.gan
    gan.prepare(run.look)
    assert int(gan.real.added) == len(run.data)
    for _ in range(9):
        stage, players = moved(run)
        assert players == ({"generator"} if stage == "likelihood" else set())
    assert int(gan.made.added) and not gan.critic.network.marks.any() and gan.trust == 0
    run.play_round()
    assert (
        gan.critic.network.marks.any() and gan.gauges()["critic_auc"] > 0.5 and gan.trust > 0
    )  # what a model of four rounds writes is easy to tell
    assert not (gan.real.tokens.any() or gan.made.tokens.any() or gan.back.any())  # nothing of the data is left in a finished run
    gan.eval()
    made, plain = (gan.generate(60, {"critic": torch.full((60,), tries)}, rng=torch.Generator())["text"] for tries in (16.0, 1.0))
    assert gan.scores({"text": made}).mean() > gan.scores({"text": plain}).mean()


def test_texts_that_are_kept_back_teach_the_model_nothing_unless_they_occur_twice():
    gan = trainer(adversarial=False, critic="counts").gan
    gan.model.dropout.p = 0.0
    tokens = torch.randint(3, 15, (160, gan.spec.shape[0]), generator=torch.Generator().manual_seed(0))
    tokens[40] = tokens[15]
    gan.prepare(lambda count: {"text": tokens})
    back = gan._kept_back(tokens)
    assert back.nonzero()[:, 0].tolist() == list(range(31, 160, 16))
    assert torch.allclose(gan._surprise(tokens, None, None), gan.model.surprise(tokens[~back], None))
    assert gan._surprise(tokens[back], None, None) > 0  # a batch of them alone is learned after all


def test_a_critic_that_counts_leaves_replies_and_labels_to_others():
    data = toys.every()
    assert toys.small("sequencegan", data["texts"], adversarial=False, critic="counts").counted
    labelled = next(each for each in data.values() if each.codec.spec.kind == "text" and each.codec.spec.conditions)
    gan = toys.small("sequencegan", labelled, adversarial=False, critic="counts")
    assert gan.pooled and not gan.counted
    assert not toys.small(
        "sequencegan", data["texts"], critic="counts", likelihood_share=0.4, critic_share=0.2
    ).pooled  # there is a game


def test_a_critic_of_runs_is_no_player_of_the_game():
    with pytest.raises(UserError, match="no say in the game"):
        trainer(critic="runs")
    with pytest.raises(UserError, match="runs must be between 1 and 16"):
        trainer(runs=0)


def test_a_game_that_makes_nothing_better_is_taken_back():
    run = trainer(gate_interval=1, adversarial_learning_rate=0.5)
    for _ in range(6):
        run.play_round()
    before = {key: value.clone() for key, value in run.gan.generator.averaged.state_dict().items()}
    for _ in range(4):
        run.play_round()
    assert run.gan.taken_back and run.gan.gauges()["taken_back"] == 1 and run.gan.stage == "critic"
    for network in (run.gan.model, run.gan.generator.averaged):
        assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_that_it_was_taken_back_is_part_of_its_state():
    first, second = trainer(), trainer()
    first.gan.taken_back = True
    second.gan.load_state_dict(first.gan.state_dict())
    assert second.gan.taken_back


def test_what_is_asked_of_it_is_granted_or_a_sentence():
    gan = trainer().gan.eval()
    asked = {key: gan.condition_of(key, value, 40) for key, value in (("critic", "3"), ("temperature", "0.5"), ("top_p", "0.9"))}
    made = gan.generate(40, asked, rng=torch.Generator().manual_seed(0))
    assert made.keys() == {"text"} and made["text"].shape == (40, *gan.spec.shape)
    plain = gan.generate(40, {}, rng=torch.Generator().manual_seed(0))["text"]
    assert not torch.equal(made["text"], plain)
    assert gan.condition_of("class", "a", 1) is None
    for key, value in (("critic", "2.5"), ("critic", "0"), ("temperature", "hot"), ("top_p", "7")):
        with pytest.raises(UserError, match=f"{key} must be a number between"):
            gan.condition_of(key, value, 1)
    with pytest.raises(UserError, match="add up to 1"):
        trainer(critic_width=8).gan.__class__(gan.Config(likelihood_share=0.9, critic_share=0.3), gan.spec)


def test_a_prefix_is_what_examples_begin_with():
    gan, prefix = trainer().gan.eval(), torch.full((9, trainer().gan.spec.shape[0]), -1)
    prefix[:, :3] = torch.tensor([4, 5, 6])
    made = gan.generate(9, {"prefix": prefix}, rng=torch.Generator().manual_seed(0))
    assert (made["text"][:, :3] == prefix[:, :3]).all() and "prefix" not in made


def test_what_is_filled_in_stands_between_what_was_given():
    gan = trainer(infill=0.5).gan.eval()
    end, length = gan.spec.end, gan.spec.shape[0]
    prefix, suffix = torch.full((5, length), -1), torch.full((5, length), -1)
    prefix[:, :3], suffix[:, :2] = torch.tensor([4, 5, 6]), torch.tensor([7, 8])
    for condition in ({"prefix": prefix, "suffix": suffix}, {"suffix": suffix}):
        made = gan.generate(5, {**condition, "critic": torch.full((5,), 2.0)}, rng=torch.Generator().manual_seed(0))
        assert made.keys() == {"text"}
        for row in made["text"].tolist():
            kept = row[: row.index(end)] if end in row else row
            assert kept[-2:] == [7, 8] and ("prefix" not in condition or kept[:3] == [4, 5, 6])
    with pytest.raises(UserError, match="has not learned to fill in between"):
        trainer().gan.generate(5, {"suffix": suffix}, rng=torch.Generator())
    with pytest.raises(UserError, match="infill must be at least 0"):
        trainer(infill=1.0)


def test_filling_in_is_learned_in_a_share_of_the_rounds(monkeypatch):
    run, seen = trainer(infill=0.25), []
    monkeypatch.setattr(run.gan.model, "surprise", lambda tokens, label, before=None, kept=None: seen.append(before))
    for run.gan.clock.rounds in range(8):
        run.gan._surprise(torch.full((4, run.gan.spec.shape[0]), 4), None, None)
    assert [before is not None for before in seen] == [False, False, False, True] * 2


def test_replies_are_written_to_what_they_answer_and_a_wrong_context_counts_as_generated():
    data = toys.every()["replies"]
    seed_everything(0)
    gan = toys.small("sequencegan", data, likelihood_share=0.5, critic_share=0.5)
    batch, shown = data.batch(range(8)), []
    label = None
    critic = gan.critic.network.forward
    gan.critic.network.forward = lambda tokens, label, before: shown.append((tokens, before)) or critic(tokens, label, before)
    gan._critics(batch["text"], batch["text"], label, batch["context"])
    (tokens, before), context = shown[0], batch["context"]
    assert torch.equal(tokens, torch.cat([batch["text"]] * 3))
    assert torch.equal(before, torch.cat([context, context, context[[7, *range(7)]]]))
    condition = data.codec.conditions(6, torch.Generator().manual_seed(0), context="the old dogs")
    assert condition["context"].shape == (6, gan.spec.context) and len(condition["context"].unique(dim=0)) == 1
    made = gan.eval().generate(6, condition, rng=torch.Generator().manual_seed(0))
    assert {raw.context for raw in data.codec.decode(made)} == {"the old dogs"}
    assert len(data.codec.conditions(50, torch.Generator().manual_seed(0))["context"].unique(dim=0)) > 10


def test_guidance_is_for_models_with_classes():
    data = toys.every()["labelled texts"]
    gan = toys.small("sequencegan", data, likelihood_share=0.5, critic_share=0.5)
    assert gan.condition_of("guidance", "2", 3).tolist() == [2.0] * 3
    with pytest.raises(UserError, match="without classes or properties"):
        trainer().gan.condition_of("guidance", "2", 3)
    with pytest.raises(UserError, match="without --gan.label-dropout"):
        toys.small("sequencegan", data, label_dropout=0.0).condition_of("guidance", "2", 3)
