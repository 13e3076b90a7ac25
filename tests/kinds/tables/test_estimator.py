"""TableGAN and Augmenter: scikit-learn's habits."""

import pickle

import numpy as np
import pandas
import pytest
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils.estimator_checks import check_estimator

from gansmith import Augmenter, TableGAN
from gansmith.errors import UserError

TINY = {"samples": 64 * 20, "batch": 64, "options": {"width": 16, "critic_width": 16, "blocks": 1}}


@pytest.fixture(scope="module")
def frame() -> pandas.DataFrame:
    rng = np.random.default_rng(0)
    return pandas.DataFrame(
        {
            "colour": pandas.Categorical(rng.choice(["red", "blue"], 200)),
            "count": rng.integers(0, 90, 200),
            "x": np.where(rng.random(200) < 0.1, np.nan, rng.normal(size=200)),
            "bought": rng.random(200) < 0.2,
        }
    )


@pytest.fixture(scope="module")
def fitted(frame) -> TableGAN:
    return TableGAN(**TINY).fit(frame)


def test_samples_have_the_columns_types_and_conditions(fitted, frame):
    made = fitted.sample(50, colour="red", count=">40")
    assert made.dtypes.to_dict() == frame.dtypes.to_dict() and len(made) == 50
    assert (made.colour == "red").all() and (made["count"] > 40).all()
    pandas.testing.assert_frame_equal(made, fitted.sample(50, colour="red", count=">40"))


def test_what_was_fitted_is_judged_by_new_rows_and_has_a_history(fitted, frame):
    judgement = fitted.evaluate(frame[:150].sample(100, random_state=1), metrics=["column_shapes"])
    assert [score.metric for score in judgement.scores] == ["column_shapes"] and 0 < judgement["column_shapes"].value <= 1
    history = pandas.DataFrame(fitted.history_)
    assert len(history) and history["samples"].is_monotonic_increasing and {"seconds"} < set(history.columns)
    with pytest.raises(UserError, match="judging needs the rows that were learned"):
        pickle.loads(pickle.dumps(fitted)).evaluate(frame)


def test_random_state_is_a_name_of_seed(frame):
    one, other = TableGAN(**TINY, seed=5).fit(frame), TableGAN(**TINY, random_state=5).fit(frame)
    pandas.testing.assert_frame_equal(one.sample(20), other.sample(20))


def test_parameters_are_read_set_and_cloned():
    made = TableGAN(minutes=3, seed=7)
    assert clone(made).get_params() == made.get_params()
    assert made.set_params(seed=8).seed == 8 and repr(made) == "TableGAN(minutes=3, seed=8)"
    with pytest.raises(UserError, match="no parameter 'epochs'"):
        made.set_params(epochs=3)


def test_it_is_the_last_step_of_a_pipeline(frame):
    pipeline = Pipeline([("rows", "passthrough"), ("gan", TableGAN(**TINY))]).fit(frame)
    assert len(pipeline.named_steps["gan"].sample(5)) == 5


def test_a_loaded_model_makes_the_same_rows(fitted, tmp_path):
    fitted.save(tmp_path)
    assert not list(tmp_path.glob("*.pkl")) and {path.suffix for path in tmp_path.iterdir()} == {".json", ".safetensors"}
    made, again = fitted.sample(20, seed=3), TableGAN.load(tmp_path).sample(20, seed=3)
    assert made["count"].tolist() == again["count"].tolist() and made.colour.tolist() == again.colour.tolist()


def test_imputing_fills_gaps_and_keeps_the_rest(fitted, frame):
    holes = frame.copy()
    holes.loc[:9, "count"] = np.nan
    filled = fitted.impute(holes)
    assert (
        filled["count"].notna().all()
        and filled.bought.equals(frame.bought)
        and filled["count"][10:].tolist() == frame["count"][10:].tolist()
    )


def test_before_fit_there_is_a_sentence():
    with pytest.raises(UserError, match="call fit first"):
        TableGAN().sample(3)
    with pytest.raises(UserError, match='target "y" is no column'):
        TableGAN(**TINY).fit(pandas.DataFrame({"a": [1, 2, 3] * 10, "b": ["x", "y", "z"] * 10}), target="y")


def test_the_augmenter_balances_classes_with_new_rows_after_the_given_ones(frame):
    inputs, answers = frame.drop(columns="bought"), frame.bought
    augmenter = clone(Augmenter(TableGAN(**TINY)))
    more, labels = augmenter.fit_resample(inputs, answers)
    assert labels.value_counts().nunique() == 1 and labels.dtype == bool
    pandas.testing.assert_frame_equal(more[: len(inputs)], inputs)
    assert more.dtypes.to_dict() == inputs.dtypes.to_dict()


def test_the_augmenter_sees_no_row_that_it_is_not_given(frame):
    """Learned from one fold alone: its category, which the other fold lacks, is all it can make."""
    fold = frame[frame.colour == "red"]
    augmenter = Augmenter(TableGAN(**TINY), balance=False, share=0.5)
    more, _ = augmenter.fit_resample(fold.drop(columns="bought"), fold.bought)
    assert len(more) == len(fold) + round(len(fold) / 2) and set(more.colour) == {"red"}


EXCEPTIONS = {
    "check_fit2d_1feature": "of ten rows with four different values none has a value in five rows, and what fewer have is not kept",
}
"""What scikit-learn asks and these estimators refuse, with the reason; with min_count=1 they refuse nothing."""


@pytest.mark.parametrize("min_count", [1, 5])
def test_scikit_learns_own_checks_pass(min_count):
    tiny = TableGAN(samples=64 * 4, batch=64, min_count=min_count, options={"width": 16, "critic_width": 16, "blocks": 1})
    check_estimator(tiny, expected_failed_checks=EXCEPTIONS if min_count > 1 else {}, on_skip=None)
    if min_count == 1:
        check_estimator(Augmenter(tiny), on_skip=None)


def test_arrays_are_learned_and_sampled_as_arrays():
    rng = np.random.default_rng(0)
    given, answers = rng.normal(size=(200, 3)), rng.integers(0, 2, 200) * (rng.random(200) < 0.4)
    made = TableGAN(**TINY).fit(given, answers).sample(7)
    assert made.shape == (7, 4) and made.dtype == np.float64 and set(made[:, 3]) <= {0, 1}
    more, labels = Augmenter(TableGAN(**TINY)).fit_resample(given, answers)
    assert (more[:200] == given).all() and np.bincount(labels).tolist() == [(answers == 0).sum()] * 2
    assert TableGAN(**TINY).fit(given.tolist()).sample(3).shape == (3, 3)
    with pytest.raises(ValueError, match="infinity"):
        TableGAN(**TINY).fit(np.full((50, 2), np.inf))


def test_columns_may_be_called_by_numbers_and_by_names_of_parameters():
    rng = np.random.default_rng(0)
    names = ["n", "seed", "self", "length", "truncation", 7]
    frame = pandas.DataFrame(rng.integers(0, 40, (200, 6)), columns=names)
    made = TableGAN(**TINY).fit(frame).sample(20, where={"n": ">5", "seed": "<30", "self": ">3", "length": ">2", 7: "<35"})
    assert list(made.columns) == names and (made["n"] > 5).all() and (made[7] < 35).all()
    more, labels = Augmenter(TableGAN(**TINY)).fit_resample(frame, pandas.Series(["a"] * 150 + ["b"] * 50, name=9))
    assert list(more.columns) == names and labels.value_counts().tolist() == [150, 150]
