"""What estimators are given: data frames, arrays and answers, as columns of a table."""

from __future__ import annotations

from typing import Any

from gansmith.errors import UserError
from gansmith.kinds.tables.frames import names_in, with_column


def with_tags(tags: Any) -> Any:
    """scikit-learn's facts of both estimators: cells may be missing and words, and seeds decide what is made."""
    tags.input_tags.allow_nan = tags.input_tags.categorical = tags.input_tags.string = True
    return tags


def framed_array(x: Any, y: Any, estimator: Any) -> tuple[Any, Any]:
    """An array [rows, columns] as a data frame of pandas, and the type of what is sampled. Raises ValueError for other arrays, and
    UserError for a frame that holds no rows yet."""
    import numpy as np
    import pandas
    from sklearn.utils.validation import check_array, check_consistent_length, column_or_1d

    if type(x).__name__ == "LazyFrame":
        raise UserError("X is a LazyFrame, which holds no rows yet: give X.collect().")
    how: dict[str, Any] = {"dtype": None, "ensure_all_finite": "allow-nan", "ensure_min_samples": 2}
    array = check_array(x, **how, estimator=estimator)
    if y is not None:
        check_consistent_length(array, column_or_1d(y))
    estimator.n_features_in_ = array.shape[1]
    frame = pandas.DataFrame({f"x{place}": array[:, place] for place in range(array.shape[1])}).infer_objects()
    common = array.dtype if y is None else np.result_type(array.dtype, np.asarray(y).dtype)
    return frame, common if common.kind in "biuf" else object


def note_columns(x: Any, estimator: Any) -> None:
    """scikit-learn's `n_features_in_` and `feature_names_in_`."""
    import numpy as np

    names = names_in(x)
    estimator.n_features_in_ = len(names)
    if all(isinstance(name, str) for name in names):
        estimator.feature_names_in_ = np.array(names, dtype=object)


def by_row(x: Any, y: Any) -> Any:
    """The answers in the order of the rows: by their index where both are of pandas and hold the same labels, else by position.

    Raises UserError where there are more or fewer answers than rows, and where their labels are others than those of the rows.
    """
    if len(y) != len(x):
        raise UserError(f"X has {len(x)} rows and y {len(y)} answers: give one for each row.")
    if not hasattr(y, "index") or not hasattr(y, "reindex") or not hasattr(x, "index") or y.index.equals(x.index):
        return getattr(y, "array", y)
    if y.index.is_unique and x.index.is_unique and set(y.index) == set(x.index):
        return y.reindex(x.index).array
    if list(y.index) == list(range(len(y))) or list(x.index) == list(range(len(x))):
        return y.array
    raise UserError(
        "the index of y holds other labels than that of x, so it is unclear which answer is whose: give both the same index."
    )


def with_new_column(frame: Any, name: str, values: Any) -> Any:
    """The data frame with one more column."""
    if name in [str(column) for column in names_in(frame)]:
        raise UserError(f'y is to be the column "{name}", but X has one of this name: leave it out, or name another target=.')
    return with_column(frame, name, values)
