"""Tables from Python, with scikit-learn's habits: `TableGAN().fit(df).sample(1000, income=">50K")`, and `Augmenter`."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypedDict, cast

from sklearn.base import BaseEstimator

from gansmith.data.json_files import read_object
from gansmith.data.schema import check, describing
from gansmith.data.values import Budget, Count, Examples, JudgeSeed, Minutes, Names, Seed, Times, checked, within
from gansmith.errors import UserError
from gansmith.kinds.tables.learnable import by_row, framed_array, note_columns, with_new_column, with_tags

if TYPE_CHECKING:
    from gansmith.evaluation.judgement import Judgement
    from gansmith.kinds.tables.codec import TableCodec
    from gansmith.model import Model


class _Facts(TypedDict):
    """What table_gan.json holds."""

    params: dict[str, Any]
    target: str | None


PROBE = 256
"""Of more rows, so many are made first to see whether conditions can be met."""


class TableGAN(BaseEstimator):
    """Learns a table and makes new rows of it. The parameters are those of `gansmith train`.

    A scikit-learn estimator: `get_params`, `set_params` and `clone` work, `fit` returns the estimator, and what was learned ends in an
    underscore. After `fit`: `model_` (`gansmith.Model`), `columns_`, `rules_` (sentences), and `history_`, a mapping for every tick of
    the training: `pandas.DataFrame(made.history_)` has its curves.
    """

    def __init__(
        self,
        gan: str = "rowgan",
        *,
        minutes: Minutes | None = None,
        samples: Budget | None = None,
        batch: Count | None = None,
        options: Mapping[str, Any] | None = None,
        schema: Mapping[str, str] | None = None,
        min_count: Count = 5,
        seed: Seed = 0,
        random_state: Seed | None = None,
        device: str = "auto",
    ) -> None:
        """`minutes` or `samples` (rows seen, repetitions counted) is the budget; without either, 2.5 minutes. Values that fewer rows
        than `min_count` have are not kept (docs/tables.md); 1 keeps all. `random_state` is scikit-learn's name for `seed`, and wins."""
        self.gan, self.minutes, self.samples, self.batch = gan, minutes, samples, batch
        self.options, self.schema, self.min_count, self.device = options, schema, min_count, device
        self.seed, self.random_state = seed, random_state

    # ---- scikit-learn's habits --------------------------------------------------------------------------------------------------

    def set_params(self, **params: Any) -> TableGAN:
        known = self.get_params()
        for name, value in params.items():
            if name not in known:
                raise UserError(f"TableGAN has no parameter {name!r}: its parameters are {', '.join(known)}.")
            setattr(self, name, value)
        return self

    def __sklearn_tags__(self) -> Any:
        return with_tags(super().__sklearn_tags__())

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_")

    def __getstate__(self) -> dict[str, Any]:
        """For pickle and copies: the model as the files that `save` writes."""
        state = {name: value for name, value in self.__dict__.items() if name != "_rows"}
        if (model := state.pop("model_", None)) is not None:
            with TemporaryDirectory() as folder:
                model.save(Path(folder))
                state["files"] = {path.name: path.read_bytes() for path in Path(folder).iterdir()}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        from gansmith.model import Model

        files = state.pop("files", None)
        self.__dict__.update(state)
        if files is not None:
            with TemporaryDirectory() as folder:
                for name, content in files.items():
                    (Path(folder) / name).write_bytes(content)
                self.model_ = Model.load(folder)

    # ---- learning and making ----------------------------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any = None, *, target: str | None = None) -> TableGAN:
        """Learns a data frame (of any library), an array [rows, columns], a path, or a `Dataset`; `y`, if given, becomes the column
        `target` or "target". The columns of an array are called x0, x1, ..., and NaN are missing cells.

        Raises UserError for data that are no table, and scikit-learn's ValueError for arrays that are none of rows and columns.
        """
        from gansmith.model import Model
        from gansmith.planning import plan as planning
        from gansmith.training.devices import choose_device
        from gansmith.training.history import History
        from gansmith.training.trainer import Trainer

        data = self._opened(X, y, target)
        plan = planning.plan(
            data,
            gan=self.gan,
            options=self.options,
            minutes=self.minutes,
            samples=self.samples,
            batch=self.batch,
            seed=self.seed if self.random_state is None else within(Seed, "random_state", self.random_state),
            device=choose_device(self.device),
        )
        gan, history = plan.build(data), History()
        Trainer(gan, data, plan.settings, history).train()
        self.history_ = history.records
        gan.to("cpu")
        card = {"gan": plan.gan, "data": data.name, "examples": len(data), "samples": gan.clock.samples, **gan.facts()}
        card["kept"] = data.codec.kept()
        self.model_, self._rows = Model(gan.eval(), data.codec, card), data
        return self

    def _opened(self, X: Any, y: Any, target: str | None) -> Any:
        from gansmith.data.dataset import Dataset
        from gansmith.data.source import is_frame
        from gansmith.kinds.opening import open_dataset

        self._like, self._array = None, None
        self.target_ = target
        if not is_frame(X) and not isinstance(X, str | Path | Dataset):
            X, self._array = framed_array(X, y, self)
        elif is_frame(X):
            note_columns(X, self)
        if is_frame(X):
            if y is not None:
                self.target_ = target or str(getattr(y, "name", None) or "target")
                X = with_new_column(X, self.target_, by_row(X, y))
            self._like = cast("Any", X)[:1]
        elif y is not None:
            raise UserError("y goes with a data frame: give one, or name the target among its columns with target=.")
        return open_dataset(X, kind="tables", schema=self.schema, target=self.target_, min_count=self.min_count)

    @property
    def columns_(self) -> list[str]:
        return list(self._codec.shown)

    @property
    def rules_(self) -> list[str]:
        return [rule.sentence() for rule in self._codec.rules]

    @checked
    def evaluate(
        self, X: Any, y: Any = None, *, metrics: Names | None = None, samples: Examples | None = None, seed: JudgeSeed = 0
    ) -> Judgement:
        """Judges new rows by real rows that were not learned, which `X` (and `y`) hold as `fit` takes them.

        Every score stands beside a baseline, a ceiling and a 95% interval. Raises UserError if the rows that were learned are not at hand,
        as after `load` and in copies: judging needs them too.
        """
        from gansmith.data.dataset import Dataset
        from gansmith.data.source import is_frame
        from gansmith.evaluation.judge import MAXIMUM, judge
        from gansmith.runs.data import open_like

        model = self._fitted()
        if not hasattr(self, "_rows"):
            raise UserError(
                "judging needs the rows that were learned, which a loaded or copied TableGAN lacks: evaluate it where it was fitted."
            )
        if is_frame(X) and y is not None:
            X = with_new_column(X, str(self.target_), by_row(X, y))
        elif not is_frame(X) and not isinstance(X, str | Path | Dataset):
            X = framed_array(X, y, SimpleNamespace())[0]
            X = X if y is None else with_new_column(X, str(self.target_), y)
        held_out = open_like(self._rows, X)
        count = min(samples or MAXIMUM, max(len(self._rows), len(held_out)))
        fake = Dataset.of(model.sample(count, seed=seed), model.codec, "generated")
        return judge(fake, self._rows, held_out, metrics=metrics, samples=samples, seed=seed, model=model)

    @checked
    def sample(self, n: Examples = 1000, *, seed: Seed = 0, where: Mapping[str, Any] | None = None, **conditions: Any) -> Any:
        """n new rows as a data frame of the library that was fitted (pandas after a file), with its types and order; an array after an
        array, with y as the last column.

        Keywords are conditions, as are the pairs in `where` whatever the names of columns: `income=">50K"`,
        `where={"marital-status": "Divorced", "n": ">5"}`. Raises UserError where no row meets them, and warns where only some do.
        """
        return self._sampled(n, seed, {**(where or {}), **conditions})

    def _sampled(self, n: int, seed: int, where: Mapping[str, Any], first: int = 0) -> Any:
        """n rows that meet the conditions; identifiers begin with the one of number `first`."""
        model, wanted = self._fitted(), {str(name): str(value) for name, value in where.items()}
        if where and n > PROBE and not self._probed(seed, wanted):
            raise UserError(f"none of {PROBE} rows meets the conditions ({self._codec.rarity(wanted)}): ask for less at once.")
        raws = model.generate(n, seed=seed, where=wanted)
        if where and model.as_requested is not None and model.as_requested < n:
            said = " and ".join(f"{name} {value}" for name, value in where.items())
            why = self._codec.rarity(where)
            if not model.as_requested:
                raise UserError(f"none of {n} rows has {said}, as few or none of the data have ({why}): ask for less at once.")
            warnings.warn(f"only {model.as_requested} of {n} rows have {said} ({why}): the others do not.", stacklevel=4)
        return self._framed(self._codec.numbered(raws, first) if first else raws)

    def _probed(self, seed: int, where: Mapping[str, str]) -> bool:
        """Whether some of the first rows meet the conditions."""
        self._fitted().generate(PROBE, seed=seed, where=where)
        return self._fitted().as_requested != 0

    @checked
    def impute(self, X: Any, *, seed: Seed = 0) -> Any:
        """The data frame with its missing cells filled by what the model makes of the others; known cells stay as they are.

        Cells that follow from a rule are computed; what has no value in the data but "missing" stays missing.
        """
        import torch

        from gansmith.kinds.tables.frames import frame_from_columns, table_from_frame

        model = self._fitted()
        table = table_from_frame(X)
        columns = {name: cells.values() for name, cells in table.columns.items()}
        rows = [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
        condition = self._codec.to_impute(rows)
        with torch.inference_mode():
            made = model.codec.decode(model.gan.generate(len(rows), condition, rng=torch.Generator().manual_seed(seed)))
        filled = {
            name: [old if old is not None else new.get(name) for old, new in zip(cells, made, strict=True)]
            for name, cells in columns.items()
        }
        return frame_from_columns(filled, X, {name: cells.dtype for name, cells in table.columns.items()})

    # ---- files ------------------------------------------------------------------------------------------------------------------

    def save(self, folder: Path | str) -> None:
        """Writes the model and the parameters, without pickle: `TableGAN.load` and the commands of gansmith read it."""
        from gansmith.data.atomic import write_atomically

        self._fitted().save(Path(folder))
        params = {name: value for name, value in self.get_params().items() if value is not None}
        write_atomically(Path(folder) / "table_gan.json", json.dumps({"params": params, "target": self.target_}).encode())

    @classmethod
    def load(cls, folder: Path | str, *, trust: bool = False) -> TableGAN:
        """What `save` wrote; `trust` as of `Model.load`. Raises UserError if it is not there."""
        from gansmith.model import Model

        model = Model.load(folder, trust=trust)
        path = Path(folder) / "table_gan.json"
        facts = read_object(path) if path.exists() else {"params": {}, "target": None}
        with describing(path, "facts"):
            check(facts, _Facts)
            made = cls().set_params(**facts["params"])
        made.model_, made.target_, made._like, made._array = model, facts["target"], None, None
        return made

    def _fitted(self) -> Model:
        if not hasattr(self, "model_"):
            raise UserError("this TableGAN has learned nothing yet: call fit first.")
        return self.model_

    @property
    def _codec(self) -> TableCodec:
        return cast("TableCodec", self._fitted().codec)

    def _framed(self, rows: list[dict[str, Any]]) -> Any:
        from gansmith.kinds.tables.frames import frame_from_columns, pandas_from_columns

        codec = self._codec
        columns = {name: [row[name] for row in rows] for name in codec.shown}
        if self._like is None:
            return pandas_from_columns(columns, codec.columns)
        frame = frame_from_columns(columns, self._like, {name: codec.by_name[name].dtype for name in columns})
        return frame if self._array is None else frame.to_numpy(self._array)


class Augmenter(BaseEstimator):
    """Adds generated rows to a training set: to balance the classes of y, or to enlarge it by a share.

    `fit_resample(X, y)` learns from exactly what it is given, so inside cross-validation (an imbalanced-learn pipeline, or by hand in
    each fold) nothing leaks from the rows that are tested on.
    """

    def __init__(self, table_gan: TableGAN | None = None, *, balance: bool = True, share: Times = 1.0, seed: Seed = 0) -> None:
        """With `balance`, every class grows to the size of the largest; else `share` times as many rows are added."""
        self.table_gan, self.balance, self.share, self.seed = table_gan, balance, share, seed

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        own = {"table_gan": self.table_gan, "balance": self.balance, "share": self.share, "seed": self.seed}
        nested = self.table_gan.get_params() if deep and self.table_gan is not None else {}
        return own | {f"table_gan__{name}": value for name, value in nested.items()}

    def set_params(self, **params: Any) -> Augmenter:
        for name, value in params.items():
            outer, _, inner = name.partition("__")
            if outer not in ("table_gan", "balance", "share", "seed"):
                raise UserError(f"Augmenter has no parameter {name!r}: its parameters are table_gan, balance, share and seed.")
            if inner:
                self.table_gan = (self.table_gan or TableGAN()).set_params(**{inner: value})
            else:
                setattr(self, name, value)
        return self

    def _check(self, X: Any, answers: Any) -> None:
        """Raises UserError for what could not be made after training: free text, and classes of too few rows to be kept."""
        from gansmith.kinds.tables.column_types import type_of
        from gansmith.kinds.tables.frames import table_from_frame

        model = self.table_gan or TableGAN()
        prose = [
            name
            for name, cells in table_from_frame(X).columns.items()
            if (dict(model.schema or {}).get(name) or type_of(name, cells, model.min_count)) == "text"
        ]
        if prose:
            raise UserError(f"free text cannot be made, so rows cannot be added with {', '.join(prose)}: leave it out of X.")
        counts = answers.value_counts()
        if self.balance and counts.min() < model.min_count:
            raise UserError(
                f"the class {counts.idxmin()!r} of y has {counts.min()} rows, and what fewer than {model.min_count} have is not kept: "
                "give a TableGAN with min_count=1, or leave the class out."
            )

    def fit(self, X: Any, y: Any) -> Augmenter:
        """Learns the rows of X (a data frame, or an array) with their classes y. Raises UserError where none could be made."""
        self._learned(X, y)
        return self

    def fit_resample(self, X: Any, y: Any) -> tuple[Any, Any]:
        """(X, y) with the generated rows after the given ones: data frames of the library of X, or arrays of arrays."""
        import pandas

        from gansmith.kinds.tables.frames import grown

        rows, answers, name = self._learned(X, y)
        share = within(Times, "share", self.share)
        counts = answers.value_counts()
        if self.balance:
            needed = {value: int(counts.max() - count) for value, count in counts.items() if count < counts.max()}
            parts, first = [], 0
            for value, count in needed.items():
                parts.append(self.table_gan_._sampled(count, self.seed, {str(name): value}, first))
                first += count
        else:
            more = round(share * len(rows))
            parts = [self.table_gan_.sample(more, seed=self.seed)] if more else []
        if rows is X and not isinstance(X, pandas.DataFrame):
            return grown(X, y, parts, name)
        made = pandas.concat([part.astype({name: answers.dtype}) for part in parts]) if parts else None
        if made is not None and len(made):
            rows = pandas.concat([rows, made[list(rows.columns)]], ignore_index=True)
            answers = pandas.concat([answers, made[name]], ignore_index=True)
        elif isinstance(X, pandas.DataFrame):
            return X, answers
        if isinstance(X, pandas.DataFrame):
            return rows, answers
        return rows.to_numpy(getattr(X, "dtype", None)), answers.to_numpy()

    def _learned(self, X: Any, y: Any) -> tuple[Any, Any, str]:
        """(rows, answers, the name of their column) as pandas has them, after `table_gan_` has learned them."""
        import pandas
        from sklearn.base import clone
        from sklearn.utils.multiclass import check_classification_targets

        from gansmith.data.source import is_frame

        if y is None:
            raise UserError("Augmenter requires y to be passed, but the target y is None: give the class of each row.")
        if isinstance(X, str | Path):
            raise UserError(f"Augmenter takes a data frame or an array, but X is a {type(X).__name__}: read it first.")
        rows = X if is_frame(X) else framed_array(X, y, self)[0]
        if rows is X:
            note_columns(X, self)
        name = getattr(y, "name", None)
        index = rows.index if isinstance(rows, pandas.DataFrame) else None
        answers = pandas.Series(by_row(rows, y), index=index, name="target" if name in (None, "") else name)
        if self.balance:
            check_classification_targets(answers)
        self._check(rows, answers)
        self.classes_ = sorted(answers.unique().tolist(), key=str)
        self.table_gan_ = cast("TableGAN", clone(self.table_gan or TableGAN(), safe=False)).fit(
            rows, answers if isinstance(rows, pandas.DataFrame) else y
        )
        return rows, answers, cast("str", self.table_gan_.target_)

    def __sklearn_tags__(self) -> Any:
        tags = with_tags(super().__sklearn_tags__())
        tags.target_tags.required = True
        return tags
