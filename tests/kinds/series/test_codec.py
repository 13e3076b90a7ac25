"""Time series: read, cut, scaled, decoded, saved and read again."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from gansmith.errors import UserError
from gansmith.kinds import load_codec
from gansmith.kinds.opening import open_dataset
from gansmith.kinds.series.options import Options
from gansmith.kinds.series.series import Series
from gansmith.kinds.series.source import Sequences
from gansmith.kinds.series.windows import build_series
from gansmith.model import Model
from tests import toys


def walk(steps=400, columns=3, seed=0):
    return 100 + np.random.default_rng(seed).standard_normal((steps, columns)).cumsum(0)


def written(path, rows, header=("Date", "Open", "Close")):
    path.write_text("\n".join(",".join(map(str, row)) for row in [header, *rows]) + "\n")
    return path


def dated(count=120, seed=0):
    days = np.busday_offset(np.datetime64("2020-01-01"), np.arange(count))
    return [(day, *(f"{x:.4f}" for x in row)) for day, row in zip(days, walk(count, 2, seed), strict=True)]


def test_a_csv_file_whose_first_column_is_dates_in_order_is_a_series(tmp_path):
    data = open_dataset(written(tmp_path / "prices.csv", dated()), window=10)
    assert data.codec.spec.kind == "series" and data.codec.spec.shape == (10, 2)
    assert any("Date holds the times (weekdays)" in note for note in data.facts["notes"])


def test_a_csv_file_without_dates_is_one_when_asked_for_alone(tmp_path):
    np.savetxt(tmp_path / "x.csv", walk(200), delimiter=",")
    assert open_dataset(tmp_path / "x.csv", kind="series").codec.spec.shape == (24, 3)
    assert open_dataset(tmp_path / "x.csv").codec.spec.kind == "tables"


def test_what_was_encoded_is_decoded(tmp_path):
    data = open_dataset(walk(), kind="series", window=16)
    raws = data.codec.decode(data.batch(slice(0, 5)))
    for raw, packed in zip(raws, data.packed(slice(0, 5))["series"], strict=True):
        np.testing.assert_allclose(raw.values, packed, rtol=1e-5)
    encoded = data.codec.encode(raws[0])["series"]
    torch.testing.assert_close(encoded, data.batch(slice(0, 1))["series"], atol=1e-5, rtol=0)
    assert data.batch(slice(None))["series"].abs().max() <= 1 + 1e-6


def test_scaled_by_their_own_range_series_come_back_too():
    data = open_dataset(walk(), kind="series", window=16, scale="example")
    assert data.codec.spec.shape == (16, 9)
    raws, packed = data.codec.decode(data.batch(slice(0, 5))), data.packed(slice(0, 5))["series"]
    np.testing.assert_allclose(np.stack([raw.values for raw in raws]), packed, rtol=1e-4)
    assert data.batch(slice(None))["series"][:, :, :3].abs().max() == pytest.approx(1, abs=1e-5)


def test_prices_become_returns_and_prices_again():
    prices = np.exp(walk(600, 2) / 100)
    data = open_dataset(prices, kind="series", returns=True, window=32)
    raw = data.codec.decode(data.batch(slice(0, 1)))[0]
    assert raw.values.shape == (33, 2)
    np.testing.assert_allclose(raw.values / raw.values[0], prices[:33] / prices[0], rtol=1e-4)
    assert abs(float(data.batch(slice(None))["series"].mean())) < 0.2


def test_series_of_different_lengths_keep_them():
    raws = [Series(walk(steps, 2)) for steps in (10, 14, 20, 12) * 2]
    data = build_series(Sequences(name="uneven", series=raws, columns=("a", "b")), Options())
    assert data.codec.spec.shape == (20, 3)
    decoded = data.codec.decode(data.batch(slice(None)))
    assert [len(one.values) for one in decoded] == [10, 14, 20, 12] * 2
    np.testing.assert_allclose(decoded[1].values, raws[1].values, rtol=1e-5)


def test_entities_and_static_attributes_of_a_long_table(tmp_path):
    rows = [(e, 2 * e, "north" if e % 2 else "south", t, 10 * e + t) for e in range(6) for t in range(12)]
    path = written(tmp_path / "sensors.csv", rows, ("sensor", "size", "region", "step", "heat"))
    data = open_dataset(path, kind="series", entity="sensor", static=("size", "region"))
    assert data.codec.columns == ("heat",) and data.codec.calendar.times(3) == ["0", "1", "2"]
    assert data.codec.spec.attributes == ("size", "region=north", "region=south")
    raw = data.codec.decode(data.batch(slice(3, 4)))[0]
    assert raw.static["region"] == "north" and raw.static["size"] == pytest.approx(6, abs=1e-4)
    requested = data.codec.conditions(4, torch.Generator().manual_seed(0), region="south", size="8")["label"]
    assert all(static["region"] == "south" for static in map(data.codec._static, requested.numpy()))


def test_one_series_a_row_with_its_class(tmp_path):
    rows = [("ab"[i % 2], *range(i, i + 6)) for i in range(8)]
    data = open_dataset(written(tmp_path / "wide.csv", rows, ("kind", *[f"t{i}" for i in range(6)])), kind="series")
    assert data.codec.spec.classes == ("a", "b") and data.codec.spec.shape == (6, 1)
    raw = data.codec.decode(data.batch(slice(3, 4)))[0]
    assert raw.static == {"kind": "b"} and raw.values[:, 0] == pytest.approx(range(3, 9), abs=1e-4)
    for key in ("kind", "class"):
        assert data.codec.conditions(5, torch.Generator(), **{key: "b"})["label"].tolist() == [1] * 5


def test_what_is_saved_is_read_again_with_dates_classes_and_lengths(tmp_path):
    data = toys.series(classes=2)
    raws = data.codec.decode(data.batch(slice(0, 6)))
    raws[0] = Series(raws[0].values[:7], raws[0].static)
    paths = data.codec.save(raws, tmp_path)
    assert data.codec.save(raws, tmp_path) != paths
    for source in (paths[0], tmp_path):
        again = open_dataset(source, kind="series")
        assert again.codec.columns == ("sine", "cosine") and again.codec.spec.classes
        decoded = again.codec.decode(again.batch(slice(None)))
        assert [len(raw.values) for raw in decoded][:2] == [7, 12]
        np.testing.assert_allclose(decoded[1].values, raws[1].values, atol=1e-4)


def test_dates_are_restored_in_what_is_saved(tmp_path):
    data = open_dataset(written(tmp_path / "prices.csv", dated()), window=10)
    csv, _ = data.codec.save(data.codec.decode(data.batch(slice(0, 2))), tmp_path / "made")
    lines = csv.read_text().splitlines()
    assert lines[0] == "series,Date,Open,Close" and lines[1].startswith("0,2020-01-01,") and lines[10].startswith("0,2020-01-14,")


def test_a_codec_survives_json_and_so_do_its_conditions():
    data = toys.series(classes=2)
    again = load_codec(json.loads(json.dumps(data.codec.to_json())))
    assert again == data.codec
    assert again.preview(again.decode(data.batch(slice(0, 5)))).size == (800, 220)


def test_a_long_series_is_held_out_by_stretches_whose_windows_do_not_overlap():
    steps = np.arange(2000.0)
    data = open_dataset(steps, kind="series", window=20)
    seen = [set(part.packed(slice(None))["series"].ravel().tolist()) for part in (data, data.held_out)]
    assert len(data.held_out) > 200 and not seen[0] & seen[1]
    future = open_dataset(np.exp(steps / 1000), kind="series", window=20, returns=True).held_out
    assert future is not None


def test_windows_beyond_the_training_length_can_be_requested():
    data = toys.series()
    for name in ("seriesgan", "rcgan", "quantgan", "timegan", "doppelganger"):
        model = Model(toys.small(name, data).eval(), data.codec, {"gan": name})
        assert [raw.values.shape for raw in model.generate(2, length="31")] == [(31, 2)] * 2, name
    with pytest.raises(UserError, match="timevae makes series of 12 steps"):
        Model(toys.small("timevae", data).eval(), data.codec, {}).generate(2, length="31")
    with pytest.raises(UserError, match="--length takes a whole number"):
        data.codec.conditions(1, torch.Generator(), length="many")


@pytest.mark.parametrize(
    ("change", "options", "words"),
    [
        (lambda rows: rows[:3], {"window": 3}, "makes 1 examples of 3 steps out of 1 series of up to 3, where at least 2"),
        (lambda rows: [*rows[:5], (rows[5][0], "", "1")], {}, "Open is missing in line 7"),
        (lambda rows: [*rows[:5], (rows[5][0], "nan", "1")], {}, "Open is missing in line 7"),
        (lambda rows: [*rows[:5], (rows[5][0], "1", "soon")], {}, "Close is 'soon' in line 7.*--static"),
        (lambda rows: rows[::-1], {}, "comes before the row above"),
        (lambda rows: [rows[0], *rows], {}, "occurs twice"),
        (lambda rows: rows, {"window": 500}, "window must be at most 120 steps"),
        (lambda rows: rows, {"entity": "Opne"}, "--entity names the column 'Opne'.*did you mean"),
        (lambda rows: rows, {"time": "Open"}, "is no date or time"),
        (lambda rows: [(day, -1, 2) for day, *_ in rows], {"returns": True}, "--returns needs numbers above 0, but Open is -1"),
        (lambda rows: [*rows[:5], rows[5][:2]], {}, "line 7 of .* has 2 cells"),
        (lambda rows: rows, {"scale": "exmple"}, "did you mean"),
        (lambda rows: rows, {"stride": 0}, "--stride must be at least 1"),
    ],
)
def test_what_cannot_be_series_is_answered_in_a_sentence(tmp_path, change, options, words):
    path = written(tmp_path / "prices.csv", change(dated()))
    with pytest.raises(UserError, match=words):
        open_dataset(path, kind="series", **options)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((2, 3, 4, 5)), r"must hold numbers \[N, T, D\]"),
        (np.full((4, 6, 2), np.nan), "missing, infinite or far too large value in series 0 at step 0"),
        (np.array([["a", "b"]]), "must hold numbers"),
    ],
)
def test_arrays_that_are_no_series_are_refused(array, words):
    with pytest.raises(UserError, match=words):
        open_dataset(array, kind="series")


def test_conditions_that_cannot_be_had_are_named():
    codec = toys.series(classes=2).codec
    with pytest.raises(UserError, match='no class "9".*classes are 0, 1'):
        codec.conditions(1, torch.Generator(), **{"class": "9"})
    with pytest.raises(UserError, match='"colour" cannot be requested'):
        codec.conditions(1, torch.Generator(), colour="red")
    uneven = replace(codec, lengths=(3, 4))
    with pytest.raises(UserError, match="leave --length out"):
        uneven.conditions(1, torch.Generator(), length="9")
    with pytest.raises(UserError, match="--window is an option for series"):
        open_dataset("digits8", window=4)
