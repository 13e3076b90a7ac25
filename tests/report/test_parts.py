import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gansmith.cli.data_options import with_data_options
from gansmith.cli.options import parse
from gansmith.cli.train import Train
from gansmith.report.advice import advice, alarms
from gansmith.report.curves import Series, chart, linear_scale, log_scale, thinned, ticks
from gansmith.report.facts import command, flat
from gansmith.report.html import write_report
from gansmith.report.markup import Markup, tag
from gansmith.report.numbers import axis_label, duration, finite, significant
from gansmith.report.pictures import chosen
from gansmith.report.records import read_records
from gansmith.report.scores import BASELINE_AT, CEILING_AT, newest, place, score_table
from gansmith.report.series import groups

few = settings(deadline=None, max_examples=40)


def alarm(name: str, level: str, sentence: str = "Do this.") -> dict[str, str]:
    return {"name": name, "level": level, "sentence": sentence}


def test_numbers_have_three_significant_digits():
    assert [significant(x) for x in (0.6134, 12.34, 1234.5, 0, -0.05, 2.1e-5)] == [
        "0.613",
        "12.3",
        "1,234",
        "0",
        "−0.0500",
        "2.1e−5",
    ]
    assert [axis_label(x) for x in (0.5, 2.0, 20_000, 1e-4, -0.25, 0.1 + 0.2)] == ["0.5", "2", "20k", "1e−4", "−0.25", "0.3"]
    assert [duration(x) for x in (41.7, 200, 3725)] == ["42 s", "3 min 20 s", "1 h 02 min"]
    assert [finite(x) for x in (1, 2.5, True, "3", None, math.nan, math.inf)] == [1.0, 2.5, None, None, None, None, None]


def test_text_is_escaped_and_markup_is_kept():
    assert tag("p", "<b>", Markup("<i></i>"), None, data_x='"') == '<p data-x="&quot;">&lt;b&gt;<i></i></p>'
    assert tag("img", hidden=True, alt=None, class_="a") == '<img hidden class="a">'


def test_a_resumed_run_shows_the_ticks_that_count(run_folder):
    with (run_folder / "log.jsonl").open("a") as file:
        file.write(json.dumps({"samples": 300, "seconds": 9}) + "\n")
    records = read_records(run_folder)
    assert [tick["samples"] for tick in records.ticks] == [100, 200, 300]
    assert records.seconds == 9


def test_a_log_of_an_earlier_version_is_read_under_todays_names(run_folder):
    lines = [json.loads(line) for line in (run_folder / "log.jsonl").read_text().splitlines()]
    old = [{"samples": 100 * (i + 1), "seconds": 1.0 + i, "images_per_second": 123.0, "terms": {}} for i in range(2)]
    new = {**lines[-1], "examples_per_second": 125.0}
    assert "images_per_second" not in json.dumps(lines)
    (run_folder / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in [*old, new]))
    records = read_records(run_folder)
    assert [tick["examples_per_second"] for tick in records.ticks] == [123.0, 123.0, 125.0]
    (speed,) = [series for _, found in groups(records) for series in found if series.name == "examples per second"]
    assert speed.values == [123.0, 123.0, 125.0]
    (run_folder / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in old))
    assert "123 examples per second" in write_report(run_folder).read_text("utf-8")


@few
@given(low=st.floats(-1e6, 1e6), span=st.floats(1e-3, 1e6))
def test_ticks_are_two_to_four_round_numbers_inside_the_range(low, span):
    found = ticks(low, low + span)
    assert 1 <= len(found) <= 4
    assert all(low - 1e-6 * span <= tick <= low + span * (1 + 1e-6) for tick in found)
    assert len({round(b - a, 9) for a, b in zip(found[:-1], found[1:], strict=True)}) <= 1 or len(found) < 3


@few
@given(values=st.lists(st.floats(1e-6, 1e6), min_size=2, max_size=20))
def test_scales_keep_the_order_and_stay_inside_the_drawing(values):
    for scale in (linear_scale(values), log_scale(values)):
        heights = [scale.height(value) for value in sorted(values)]
        assert heights == sorted(heights, reverse=True)
        assert all(10 <= height <= 144 for height in heights)


def test_a_logarithmic_scale_gives_every_decade_the_same_height():
    scale = log_scale([1e-3, 1.0])
    steps = [scale.height(10.0**power) - scale.height(10.0 ** (power + 1)) for power in (-3, -2, -1)]
    assert steps == pytest.approx([steps[0]] * 3)


@few
@given(values=st.lists(st.floats(-1e3, 1e3), min_size=25, max_size=90))
def test_thinning_keeps_the_mean_and_the_extremes(values):
    length = len(values) - len(values) % 10
    values = values[:length]
    thin = thinned(Series(name="x", samples=list(range(length)), values=values), most=10)
    assert len(thin.values) == 10 and thin.samples[-1] == length - 1
    assert min(thin.low) == min(values) and max(thin.high) == max(values)
    assert sum(thin.values) / 10 == pytest.approx(sum(values) / length, abs=1e-9)


def test_values_that_are_not_finite_leave_a_gap_a_mark_and_a_note():
    drawn = chart(Series(name="x", samples=[1, 2, 3, 4, 5], values=[1.0, 2.0, math.nan, 4.0, math.inf]))
    assert drawn is not None
    assert "2 of 5 values were not finite" in drawn and 'class="broken"' in drawn
    assert 'data-samples="1 2 4"' in drawn
    assert chart(Series(name="x", samples=[1], values=[math.nan])) is None


def test_the_log_switch_is_there_only_if_all_is_positive():
    def switch(values: list[float]) -> bool:
        return "data-log-toggle" in (chart(Series(name="x", samples=[1, 2], values=values)) or "")

    assert switch([0.1, 2.0])
    assert not switch([0.0, 2.0]) and not switch([-1.0, 2.0])


@pytest.mark.parametrize("values", [[3.0], [0.0, 0.0], [1e-300, 1e300], [5.0] * 1000])
def test_odd_curves_are_drawn(values):
    drawn = chart(Series(name="x", samples=list(range(len(values))), values=values))
    assert drawn is not None and "nan" not in drawn


def test_the_curves_of_a_run_are_its_terms_by_player_and_everything_else(run_folder):
    found = {heading: [series.name for series in curves] for heading, curves in groups(read_records(run_folder))}
    assert found == {
        "Scores over time": ["precision[digits-cnn]"],
        "Terms": ["critic/relativistic", "critic/r1", "generator/relativistic"],
        "Gradient norms": ["critic", "generator"],
        "Learning rates": ["critic", "generator"],
        "Machine": ["examples per second", "memory (MB)"],
    }


def test_a_lazy_term_is_drawn_where_it_occurred(run_folder):
    lines = [{"samples": n, "terms": {"critic/loss": 1.0} | ({"critic/r1": 2.0} if n % 2 else {})} for n in range(1, 6)]
    (run_folder / "log.jsonl").write_text("\n".join(map(json.dumps, lines)))
    curves = dict(groups(read_records(run_folder)))["Terms"]
    assert [list(series.samples) for series in curves] == [[1, 2, 3, 4, 5], [1, 3, 5]]


def test_the_place_on_the_bar_is_the_share_of_the_way():
    assert place(0.1, 0.1, 0.9) == BASELINE_AT and place(0.9, 0.1, 0.9) == pytest.approx(CEILING_AT)
    assert place(250.0, 500.0, 0.0) == pytest.approx((BASELINE_AT + CEILING_AT) / 2)
    assert place(-100.0, 0.1, 0.9) == 1.0 and place(100.0, 0.1, 0.9) == 99.0


def test_the_newest_record_of_every_score_is_shown_with_its_place():
    records = [
        {"name": "a", "value": 1.0},
        {"name": "b", "value": 2.0},
        {"name": "a", "value": 3.0},
        {"name": "b", "value": None},
    ]
    assert [record["value"] for record in newest(records)] == [3.0, 2.0]
    table = score_table([{"name": "frechet[cnn]", "value": 20.0, "baseline": 100.0, "ceiling": 0.0, "better": "lower"}])
    assert table is not None and "80% of the way from baseline to ceiling" in table and "lower is better" in table
    for value, words in ((-0.1, "worse than the baseline"), (1.2, "beyond the ceiling")):
        assert words in (score_table([{"name": "a", "value": value, "baseline": 0.0, "ceiling": 1.0}]) or "")
    assert "<svg" not in (score_table([{"name": "a", "value": 1.0, "baseline": 0.5, "ceiling": 0.5}]) or "")
    assert score_table([]) is None


def test_alarms_are_gathered_by_name_the_worst_first():
    lines = [
        {"samples": 1, "health": [alarm("collapse", "warning", "old")]},
        {"samples": 2, "health": [alarm("not finite", "error")]},
        {"samples": 3, "health": [alarm("collapse", "warning", "new")]},
    ]
    worst, other = alarms(lines)
    assert (worst.name, worst.times) == ("not finite", 1)
    assert (other.sentence, other.first, other.last, other.times) == ("new", 1, 3, 2)
    words = advice(lines)
    assert "once, at 2 samples; not after that" in words and "2 times, from 1 to 3 samples; still so at the end" in words


@pytest.mark.parametrize(("final", "stands"), [(30, True), (39, True), (40, False)])
def test_an_alarm_of_a_check_made_now_and_then_stands_until_its_next_turn(final, stands):
    lines = [{"samples": n, "health": [alarm("collapse", "warning")] if n in (20, 30) else []} for n in range(10, final + 1)]
    assert ("still so at the end" in advice(lines)) == stands


def test_what_the_run_said_stands_under_its_health():
    words = advice([{"samples": 1}], [{"sentence": "The game diverged & went back."}, {"other": 1}])
    assert "No alarm, but" in words and words.count("<li>") == 1 and "diverged &amp; went back" in words


def test_the_command_is_written_for_a_shell(run_folder):
    run = json.loads((run_folder / "run.json").read_text())
    run["data"]["name"] = "my photos"
    (run_folder / "run.json").write_text(json.dumps(run))
    expected = "gansmith train 'my photos' --gan r3gan --batch 64 --seed 3 --samples 1000 --gan.width 32 --gan.gamma.start 0.15"
    assert command(read_records(run_folder)) == f"{expected} --gan.no-flips"
    (run_folder / "run.json").write_text(json.dumps(run | {"command": ["gansmith", "train", "a b"]}))
    assert command(read_records(run_folder)) == "gansmith train 'a b'"


def test_the_command_reads_the_data_and_judges_on_the_way_as_the_run_did(run_folder):
    run = json.loads((run_folder / "run.json").read_text()) | {"config": {}, "mirror": False}
    opening = {"resolution": [64, 48], "crop": "pad", "labels": False, "skip_unreadable": True}
    run["data"] |= {"source": "/photos", "opening": opening, "kind": "images"}
    run["examination"] = {"metrics": ["frechet", "recall"], "samples": 500, "share": 0.1, "keep_best": "frechet", "patience": 4}
    (run_folder / "run.json").write_text(json.dumps(run))
    words = command(read_records(run_folder)).split()
    assert words[:5] == ["gansmith", "train", "/photos", "--gan", "r3gan"]
    expected = "--no-mirror --resolution 64x48 --crop pad --no-labels --skip-unreadable --judge-metrics frechet,recall"
    assert words[11:] == f"{expected} --judge-samples 500 --judge-share 0.1 --keep-best frechet --patience 4".split()
    options = parse(with_data_options(Train, words[2:]), words[2:3] + words[5:], "gansmith train")
    assert options.examination() | {"judge_metrics": None} == {
        "judge_samples": 500,
        "judge_share": 0.1,
        "keep_best": "frechet",
        "patience": 4,
        "judge_metrics": None,
    }
    assert options.opening.opening() == {"resolution": "64x48", "crop": "pad", "labels": False, "skip_unreadable": True}


def test_nested_facts_become_dotted_names():
    assert flat({"a": {"b": 1, "c": [1, 2]}, "d": None, "e": True, "f": {}}) == {
        "a.b": "1",
        "a.c": "1, 2",
        "d": "—",
        "e": "yes",
        "f": "none",
    }


@few
@given(count=st.integers(1, 300))
def test_chosen_previews_are_at_most_forty_with_the_first_and_the_last(count, tmp_path_factory):
    previews = [(index, tmp_path_factory.getbasetemp()) for index in range(count)]
    samples = [sample for sample, _ in chosen(previews)]
    assert len(samples) == min(count, 40) == len(set(samples))
    assert samples[0] == 0 and samples[-1] == count - 1
