"""What the page shows of a judgement beyond the scores."""

import json

import numpy as np
import pytest
from PIL import Image

from gansmith.report.class_shares import class_figure
from gansmith.report.html import write_report
from gansmith.report.judged import ends, neighbours, spreads, where
from gansmith.report.landscape import landscape
from gansmith.report.records import read_records
from gansmith.report.scores import score_table
from gansmith.report.spreads import spread_figure
from tests.report.test_html import Structure

SPREAD = {
    "name": "distance to the nearest training example",
    "low": 0.0,
    "high": 4.0,
    "shares": {"generated": [0.5, 0.5, 0.0, 0.0], "held-out": [0.0, 0.25, 0.5, 0.25]},
    "medians": {"generated": 1.0, "held-out": 2.5},
}
JUDGEMENT = {
    "samples_seen": 400,
    "skipped": {"modes": "the true modes of digits are not known."},
    "neighbours": {"distances": [[0.5, 1.0, 2.0], [0.75, 1.0, 2.0]], "generated_median": 1.0, "held_out_median": 2.5},
    "portrait": {
        "space": "digits-cnn",
        "distances": SPREAD,
        "nearer": 0.25,
        "components": [SPREAD | {"name": "principal component 1"}],
        "classes": {"names": ["0", "1"], "shares": {"training": [0.5, 0.5], "generated": [0.9, 0.1], "held-out": [0.45, 0.55]}},
        "ranking": {"best_balls": [7, 5], "worst_balls": [0, 0]},
        "map": {"method": "t-SNE", "training": [[0.0, 1.0], [0.5, -1.0]], "generated": [[-1.0, 0.25]]},
    },
}


@pytest.fixture
def judged(run_folder):
    (run_folder / "judgement.json").write_text(json.dumps(JUDGEMENT))
    for name in ("best", "worst"):
        Image.fromarray(np.zeros((56, 56), np.uint8)).save(run_folder / "samples" / f"{name}.png")
    return run_folder


def test_the_page_of_a_judged_run_has_all_its_sections_and_misses_nothing(judged):
    page = Structure(write_report(judged).read_text("utf-8"))
    for heading in ("The best and the worst", "Nearest real neighbours", "Distributions", "A map"):
        assert heading in page.words
    assert "What is missing" not in page.text
    assert "modes skipped" in page.text and "not known" in page.text
    drawings = [drawing for drawing in page.all("svg") if "aria-hidden" not in drawing]
    assert all(drawing["role"] == "img" and drawing["aria-label"] for drawing in drawings)
    assert all(image["alt"] for image in page.all("img"))
    assert page.elements.count(("noscript", {})) == 1


def test_neighbours_are_introduced_by_their_distances_and_a_verdict(judged):
    lead = neighbours(read_records(judged))[2] or ""
    assert "0.500 to 0.750 away" in lead and "1.00 over all generated examples and 2.50 over held-out ones" in lead
    assert "25.0% of the generated ones are nearer" in lead and lead.endswith("look for copies.")
    fresh = JUDGEMENT | {"portrait": {"nearer": 0.01}}
    (judged / "judgement.json").write_text(json.dumps(fresh))
    assert "look for copies" not in (neighbours(read_records(judged))[2] or "")


def test_the_best_and_the_worst_say_how_they_were_ranked(judged):
    _, pictures, lead = ends(read_records(judged))
    assert "Ranked by the number of real examples" in (lead or "")
    assert pictures is not None and "near 5 to 7 real examples" in pictures and "near no real example" in pictures


def test_outlines_stand_over_each_other_on_one_axis():
    drawn = spread_figure(SPREAD) or ""
    assert "Medians: real, held out 2.50, generated 1.00" in drawn
    # Both begin and end on the floor at the same places; the highest bin of all reaches the top.
    assert drawn.count('d="M12 144V') == 4 and drawn.count("H328.0V144") == 4
    assert drawn.count("V10.0H") == 2 * 3
    assert drawn.index('class="held-out"') < drawn.index('class="generated"')


def test_of_many_classes_those_that_differ_most_are_shown():
    real = [1 / 50] * 50
    made = [1 / 50] * 48 + [0.0, 2 / 50]
    drawn = class_figure({"names": [f"class {n}" for n in range(50)], "shares": {"training": real, "generated": made}}) or ""
    assert "the 20 classes of 50 that differ most" in drawn
    assert drawn.count('class="dots generated"') == 20
    assert "class 48" in drawn and "class 49" in drawn and "class 47" not in drawn
    assert "Farthest off: class 48, 0.0% against 2.0%" in drawn or "Farthest off: class 49, 4.0% against 2.0%" in drawn


def test_the_map_has_a_plus_for_every_real_and_a_dot_for_every_generated_example():
    drawn = landscape(JUDGEMENT["portrait"]["map"], "digits-cnn") or ""
    assert drawn.count("m-2.5 -2.5v5") == 2
    assert 'd="M12.0 198.0h0"' in drawn
    assert "2 real and 1 generated examples in the features of digits-cnn" in drawn


def test_a_run_that_was_not_judged_shows_no_such_section(run_folder):
    records = read_records(run_folder)
    assert spreads(records)[1] is None and where(records)[1] is None and ends(records)[1] is None
    _, picture, lead = neighbours(records)
    assert picture is not None and "a copy would show here" in (lead or "")


ODD = [None, 3, "x", [], {}, {"a": 1}, [None], [[1, 2], "b"], {"training": [1.0], "generated": [1.0, 2.0]}]


@pytest.mark.parametrize("odd", ODD)
def test_a_judgement_of_unexpected_types_does_not_break_the_page(judged, odd):
    for facts in (
        odd,
        {"portrait": odd, "neighbours": odd, "skipped": odd},
        {"portrait": dict.fromkeys(JUDGEMENT["portrait"], odd), "neighbours": {"distances": odd, "generated_median": odd}},
        {"portrait": {"distances": SPREAD | {"shares": odd}, "map": {"training": odd, "generated": odd}}},
        {"portrait": {"classes": {"names": odd, "shares": odd}, "distances": SPREAD | {"medians": odd, "high": odd}}},
    ):
        (judged / "judgement.json").write_text(json.dumps(facts))
        page = Structure(write_report(judged).read_text("utf-8"))
        assert "Nearest real neighbours" in page.words


def test_scores_are_grouped_by_what_they_tell_of_with_the_notes_below():
    records = [
        {"name": "vendi[cnn]", "value": 3.0, "note": "at most 64", "baseline_name": "noise", "seed": 0},
        {"name": "memorisation[cnn]", "value": 1.0, "baseline_name": "noise", "seed": 0},
        {"name": "of another package", "value": 1.0, "seed": 0},
        {"name": "precision[cnn]", "value": 0.5, "baseline_name": "noise", "seed": 0},
        {"name": "frechet[cnn]", "value": 9.0, "baseline_name": "noise", "seed": 0},
    ]
    table = score_table(records, {"cas": "no labels."}) or ""
    order = ["Quality and diversity in one", "frechet", ">Quality <", "precision", "Diversity", "vendi", "Memorisation", "Other"]
    places = [table.index(word) for word in order]
    assert places == sorted(places)
    assert table.count("noise") == 1 and table.count("<tbody") == 5
    assert "<b>vendi</b> at most 64" in table and "<b>cas skipped</b> no labels." in table
    assert table.index("</table>") < table.index("at most 64")


def test_a_baseline_beyond_the_ceiling_gives_no_scale():
    for better, baseline, ceiling in (("higher", 0.9, 0.6), ("lower", 0.1, 0.2)):
        table = score_table([{"name": "a", "value": 0.5, "baseline": baseline, "ceiling": ceiling, "better": better}]) or ""
        assert "<svg" not in table and "the baseline is beyond the ceiling" in table


def test_the_columns_of_a_table_and_their_pairs_are_drawn(run_folder):
    shares = {"training": [0.7, 0.3], "held-out": [0.6, 0.4], "generated": [0.5, 0.5]}
    spread = {"name": "age", "low": 0.0, "high": 9.0, "shares": shares, "medians": dict.fromkeys(shares, 4.0)}
    table = {
        "columns": [
            {"name": "age", "shape": 0.8, "spread": spread, "classes": None, "missing": {"training": 0.1, "generated": 0.2}},
            {
                "name": "city",
                "shape": 0.9,
                "spread": None,
                "classes": {"names": ["Oslo", "Rome"], "shares": shares},
                "missing": {},
            },
            {"name": "hollow", "shape": None, "spread": None, "classes": None, "missing": {}},
        ],
        "names": ["age", "city"],
        "real": [[1, 0.2], [0.2, 1]],
        "generated": [[1, -0.5], [-0.5, 1]],
    }
    facts = json.loads((run_folder / "run.json").read_text())
    (run_folder / "run.json").write_text(json.dumps({**facts, "data": {**facts["data"], "kind": "tables"}}))
    (run_folder / "judgement.json").write_text(json.dumps({"portrait": {"table": table}}))
    drawn = write_report(run_folder).read_text("utf-8")
    assert "shape 0.800; training 10.0% missing, generated 20.0% missing" in drawn
    assert "city: share of each class" in drawn and "hollow" not in drawn
    assert "Farthest off: age and city, -0.50 against 0.20" in drawn and 'class="less"' in drawn
    table["real"] = [[1, 0.2]]
    facts = json.loads((run_folder / "run.json").read_text())
    (run_folder / "run.json").write_text(json.dumps({**facts, "data": {**facts["data"], "kind": "tables"}}))
    (run_folder / "judgement.json").write_text(json.dumps({"portrait": {"table": table}}))
    assert "Pairs of columns" not in write_report(run_folder).read_text("utf-8")
