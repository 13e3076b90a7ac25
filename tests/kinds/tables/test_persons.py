"""No person is given away: what is nearly unique, personal or rare is not kept, and what is made in its place is new."""

import json
import re
import uuid
from collections import Counter
from dataclasses import asdict
from datetime import date, timedelta

import numpy as np
import pandas
import pytest

from gansmith import Augmenter, TableGAN
from gansmith.errors import UserError
from gansmith.kinds.opening import inspect_dataset
from gansmith.kinds.tables.build import build_table
from gansmith.kinds.tables.cells import Table, cells_of
from gansmith.kinds.tables.checksums import complete, is_valid
from gansmith.kinds.tables.codec import TableCodec
from gansmith.kinds.tables.column_types import type_of
from gansmith.kinds.tables.columns import Column
from gansmith.kinds.tables.forms import Form, form_of
from gansmith.kinds.tables.knots import KNOTS, knots_of
from gansmith.kinds.tables.personal import recognise

ROWS = 320
GIVEN = ("Ines", "Jana", "Kofi", "Lars", "Mona")
RNG = np.random.default_rng(7)
TINY = {"samples": 64 * 8, "batch": 64, "options": {"width": 16, "critic_width": 16, "blocks": 1}}


def digits(count: int) -> str:
    return "".join(map(str, RNG.integers(0, 10, count)))


def shared(values: list, rows: int = ROWS) -> list:
    return [values[i] for i in RNG.integers(0, len(values), rows)]


def numbers(spell) -> list:
    return [spell(i) for i in range(ROWS)]


COLUMNS: dict[str, tuple[list, str]] = {
    "account": (numbers(lambda i: str(10**9 + int(RNG.integers(9 * 10**9)))), "account numbers"),
    "of_three_rows": (shared([str(10**8 + int(RNG.integers(9 * 10**8))) for _ in range(100)]), "account numbers"),
    "contact": (shared([f"resident{i}@example.{'net' if i % 3 else 'org'}" for i in range(290)]), "e-mail addresses"),
    "site": (numbers(lambda i: f"https://forum.invalid/u/{i * 7}"), "web addresses"),
    "from": (shared([f"172.16.{i // 200}.{i % 200}" for i in range(300)]), "IP addresses"),
    "via": (numbers(lambda i: f"fe80::{i:x}:9c1d"), "IP addresses"),
    "device": (numbers(lambda i: f"00:1b:44:{i // 256:02x}:{i % 256:02x}:b7"), "device addresses"),
    "uid": (numbers(lambda i: str(uuid.UUID(bytes=RNG.bytes(16), version=4))), "UUIDs"),
    "iban": (numbers(lambda i: complete("iban", f"NL00INGB{digits(10)}")), "IBANs"),
    "paid_by": (numbers(lambda i: complete("luhn", f"5{digits(15)}")), "card numbers"),
    "dni": (numbers(lambda i: complete("dni", f"{digits(8)}A")), "national numbers"),
    "cpf": (numbers(lambda i: complete("cpf", f"{digits(3)}.{digits(3)}.{digits(3)}-00")), "national numbers"),
    "ssn": (numbers(lambda i: f"{i % 700 + 100}-{i % 80 + 10}-{1000 + i}"), "national numbers"),
    "call": (numbers(lambda i: f"+31 6 {digits(4)} {digits(4)}"), "phone numbers"),
    "home phone": (numbers(lambda i: f"0{digits(9)}"), "phone numbers"),
    "LastName": (shared(["Adeyemi", "Brandt", "Castro", "Dahl", "El-Sayed", "Fontaine", "O'Hara"]), "names"),
    "buyer": (numbers(lambda i: f"{GIVEN[i % 5]} {chr(65 + i % 26)}{'abcde'[i // 26 % 5]}x{'ovic' * (i // 130)}r"), "names"),
    "street": (numbers(lambda i: f"Elm {i} b"), "postal addresses"),
    "patient_id": (shared([str(i * 3) for i in range(30)]), "numbers of persons"),
}
IDENTIFIERS: dict[str, list] = {
    "ticket": numbers(lambda i: f"T-{i + 1}"),
    "padded": numbers(lambda i: f"{i + 40:06d}"),
    "negative_id": numbers(lambda i: -5 * i - 1),
    "large_id": numbers(lambda i: 2**62 + 11 * i),
    "order_id": [i // 2 for i in range(ROWS)],
    "digest": numbers(lambda i: RNG.bytes(5).hex()),
    "plate": numbers(lambda i: f"{'KLMN'[i % 4]}{'PQRS'[i // 4 % 4]} {digits(4)}"),
    "two_digits": shared([f"{chr(65 + i % 26)}{i // 26:02d}" for i in range(200)]),
}


def table(**columns: list) -> Table:
    filler = {"filler": ["x", "y"] * (len(next(iter(columns.values()))) // 2)}
    return Table(name="table", columns={name: cells_of(cells, _dtype(cells)) for name, cells in (columns | filler).items()})


def _dtype(cells: list) -> str:
    return "int64" if all(isinstance(cell, int) for cell in cells) else "text"


def fitted(name: str, cells: list, **how) -> tuple[TableCodec, list]:
    made = table(**{name: cells})
    codec = TableCodec.fit(made, **how)
    return codec, codec.table({"row": codec.pack_table(made.columns)})[name]


# ---- recognised -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COLUMNS)
def test_what_is_personal_is_recognised_not_kept_and_made_anew_as_often_the_same(name):
    cells, what = COLUMNS[name]
    codec, made = fitted(name, cells)
    column = codec.by_name[name]
    assert (column.column_type, column.what) == ("personal", what)
    kept = json.dumps(codec.to_json())
    assert not [cell for cell in set(cells) if json.dumps(cell) in kept]
    assert not set(made) & set(cells)
    assert abs(len(set(made)) - len(set(cells))) <= 0.12 * len(set(cells)) + 2
    assert any(what in note for note in codec.notes) and "no value" in codec.kept()[name]


def test_names_and_long_lists_of_codes_of_no_person_stay_what_they_are():
    for name, cells in {
        "city": ["New York", "Los Angeles", "San Jose"] * 40,
        "version": ["1.2.3.4", "1.2.3.5"] * 60,
        "time": [f"{i % 24:02d}:{i % 60:02d}:{i % 7:02d}" for i in range(120)],
        "day": [f"{1960 + i % 50}{1 + i % 12:02d}{1 + i % 28:02d}" for i in range(120)],
        "zip": ["01234", "98765", "00001"] * 40,
        "population": [str(int(10**7 * (1 + i / 40) ** 2)) for i in range(120)],
        "name": ["small parcels", "large parcels"] * 60,
    }.items():
        assert recognise(name, list(dict.fromkeys(cells))) is None, name
        assert type_of(name, cells_of(cells), 5) not in ("personal",), name


@pytest.mark.parametrize("rule", ["iban", "luhn", "dni", "cpf", "nir", "pesel", "nhs"])
def test_new_numbers_carry_check_digits_as_those_of_the_data_do(rule):
    blank = {"iban": "GB00WEST{}", "luhn": "4{}", "dni": "{}X", "cpf": "{}", "nir": "1{}", "pesel": "{}", "nhs": "{}"}[rule]
    length = {"iban": 14, "luhn": 15, "dni": 8, "cpf": 11, "nir": 14, "pesel": 11, "nhs": 10}[rule]
    texts = [complete(rule, blank.format(digits(length))) for _ in range(200)]
    assert not is_valid(rule, texts[0][:-1] + ("A" if texts[0][-1] == "B" else "B") if rule == "dni" else _other(rule, texts[0]))
    form = form_of("national numbers", "n", texts, "text", 5)
    made = [form.text(i) for i in range(1000)]
    assert all(is_valid(rule, text) for text in made) and len(set(made)) == 1000 and not set(made) & set(texts)


def _other(rule: str, text: str) -> str:
    place = 3 if rule == "iban" else len(text) - 1
    return text[:place] + str((int(text[place]) + 1) % 10) + text[place + 1 :]


def test_known_check_digits():
    for rule, text in (("iban", "GB82 WEST 1234 5698 7654 32"), ("luhn", "4111 1111 1111 1111"), ("dni", "12345678Z")):
        assert is_valid(rule, text), text
    for rule, text in (("cpf", "529.982.247-25"), ("pesel", "44051401359"), ("nhs", "943 476 5919"), ("dni", "X1234567L")):
        assert is_valid(rule, text), text


# ---- identifiers ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", IDENTIFIERS)
def test_identifiers_are_new_keep_their_form_and_are_not_kept(name):
    cells = IDENTIFIERS[name]
    codec, _ = fitted(name, cells)
    column = codec.by_name[name]
    assert column.column_type == "identifier"
    made = column.new_identifiers(3000)
    assert len(set(made)) == 3000 and not set(made) & set(cells) and {type(each) for each in made} == {type(cells[0])}
    again = TableCodec.from_json(json.loads(json.dumps(codec.to_json())))
    assert again == codec and again.by_name[name].new_identifiers(5) == made[:5]


@pytest.mark.parametrize(
    ("texts", "shape"),
    [
        ([f"#{18_611 + 3 * i:,}" for i in range(500)], r"#\d\d,\d{3}"),
        ([f"№ {i % 40 + 1}/{100 + 7 * i}" for i in range(500)], r"№ \d\d?/\d{3,4}"),
        ([f"A-{i + 1:04d}/{20 + i % 5}" for i in range(500)], r"A-\d{4}/\d\d"),
        ([f"DE.{137 * i % 900 + 100}.{i % 900 + 100}" for i in range(500)], r"DE\.\d{3}\.\d{3}"),
        ([f"{i * 7919 % 10**6:06d}-{'XYZ'[i % 3]}" for i in range(500)], r"\d{6}-[XYZ]"),
        ([f"REF#{i * 7919 % 10**5:05d}A" for i in range(500)], r"REF#\d{5}A"),
        (
            [str(uuid.UUID(int=(i + 1) * 7919**9 % 2**128, version=4)) for i in range(500)],
            r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
        ),
    ],
)
def test_identifiers_between_marks_keep_their_shape(texts, shape):
    form = Form.from_json(json.loads(json.dumps(asdict(form_of("", "c", texts, "text", 5)))))
    made = [form.text(number) for number in range(3000)]
    assert len(set(made)) == 3000 and not set(made) & set(texts)
    assert all(re.fullmatch(shape, text) for text in made[: len(texts)])


def test_padding_signs_and_widths_stay():
    made = Column.fit("n", cells_of(IDENTIFIERS["padded"]), "identifier").new_identifiers(50)
    assert {len(each) for each in made} == {6} and made[0].startswith("00")
    assert all(
        each < 0 for each in Column.fit("n", cells_of(IDENTIFIERS["negative_id"], "int64"), "identifier").new_identifiers(9)
    )
    assert all(
        each.startswith("T-") for each in Column.fit("n", cells_of(IDENTIFIERS["ticket"]), "identifier").new_identifiers(9)
    )


@pytest.mark.parametrize("dtype", ["int8", "uint8", "Int16", "int64", "uint64", "float64", "float32"])
def test_new_identifiers_fit_into_the_type_of_the_column(dtype):
    top = {"int8": 127, "uint8": 255, "Int16": 2**15 - 1, "int64": 2**63 - 1, "uint64": 2**64 - 1}.get(dtype, 2**30)
    cells = [top - i for i in range(60)] if not dtype.startswith("float") else [float(2**54 + 8 * i) for i in range(60)]
    made = Column.fit("id", cells_of(cells, dtype), "identifier", 5).new_identifiers(60)
    assert len(set(made)) == 60 and not set(made) & set(cells)
    assert (pandas.Series(made).astype(dtype).astype(object) == pandas.Series(made, dtype=object)).all()


def test_missing_identifiers_are_as_frequent_as_in_the_data():
    cells = [None if i % 4 == 0 else f"a-{i}" for i in range(ROWS)]
    codec, made = fitted("tag", cells)
    assert 0.15 < sum(each is None for each in made) / ROWS < 0.35
    assert "25.0% missing" in codec.by_name["tag"].sentence()


def test_rows_that_share_a_person_share_all_that_is_hers():
    persons = RNG.integers(0, 90, ROWS)
    sex = RNG.choice(["f", "m"], 90)
    made = table(
        mail=[f"p{i}@example.net" for i in persons],
        phone=[f"+44 20 {1000 + i} {2000 + i}" for i in persons],
        sex=sex[persons].tolist(),
        amount=RNG.normal(size=ROWS).round(2).tolist(),
    )
    codec = TableCodec.fit(made)
    (repeats,) = codec.repeats
    assert repeats.columns == ("mail", "phone") and repeats.fixed == ("sex",)
    rows = codec.numbered(codec.decode(codec.unpack({"row": codec.pack_table(made.columns)})))
    of_mail = {row["mail"]: (row["phone"], row["sex"]) for row in rows}
    assert all(of_mail[row["mail"]] == (row["phone"], row["sex"]) for row in rows)
    real, new = Counter(Counter(persons.tolist()).values()), Counter(Counter(row["mail"] for row in rows).values())
    assert abs(sum(new.values()) - sum(real.values())) < 20 and max(new) <= max(real)
    assert codec.numbered(rows[:100]) == rows[:100]


def test_a_form_never_makes_one_of_the_data_however_little_room_there_is():
    for texts in ([f"{i:03d}" for i in range(0, 1000, 2)], [f"{a}{b}" for a in "abcdefgh" for b in "abcdefgh"]):
        form = form_of("", "c", texts, "text", 5)
        made = [form.text(i) for i in range(5000)]
        assert len(set(made)) == 5000 and not set(made) & set(texts)
        assert Form.from_json(json.loads(json.dumps(_facts(form)))) == form


def _facts(form: Form) -> dict:
    from dataclasses import asdict

    return asdict(form)


def test_a_schema_says_what_is_personal_an_identifier_or_a_category():
    cells = shared(["blue whale", "grey seal", "orca"])
    codec, made = fitted("animal", cells, schema={"animal": "personal"})
    assert codec.by_name["animal"].what == "values of the same form" and not set(made) & set(cells)
    _, made = fitted("animal", cells, schema={"animal": "identifier"})
    assert not set(made) & set(cells)
    mails = shared([f"list{i}@example.org" for i in range(10)])
    assert set(fitted("mail", mails, schema={"mail": "categorical"})[1]) == set(mails)
    with pytest.raises(UserError, match='no category of "c" is in 5 rows.*--min-count 1 to keep all'):
        TableCodec.fit(table(c=[f"w{i // 2}" for i in range(40)]), {"c": "categorical"})


# ---- rare and extreme values ----------------------------------------------------------------------------------------------------


def test_a_rare_category_is_redrawn_and_a_frequent_one_kept():
    cells = [*shared(["flu", "cold", "cough"], 300), *["gout"] * 4, *["lupus"] * 6]
    codec, made = fitted("diagnosis", cells)
    assert "gout" not in json.dumps(codec.to_json()) and "gout" not in made and "lupus" in made
    assert any("fewer than 5 rows have: 4" in note for note in codec.notes)
    assert "4 rows of rarer ones are redrawn" in codec.kept()["diagnosis"]
    assert "gout" in fitted("diagnosis", cells, min_count=1)[1]
    assert "lupus" not in fitted("diagnosis", cells, min_count=7)[1]


def test_a_word_that_decides_another_gives_no_rare_one_away():
    towns = [*shared(["Bergen", "Turin", "Graz"], 300), *["Nuuk"] * 3]
    lands = {"Bergen": "N", "Turin": "I", "Graz": "A", "Nuuk": "G"}
    codec = TableCodec.fit(table(town=[*towns, "Graz"], land=[lands[town] for town in [*towns, "Graz"]]))
    assert [rule.sentence() for rule in codec.rules] == ["land is decided by town"]
    assert "Nuuk" not in json.dumps(codec.to_json())


@pytest.mark.parametrize(
    "cells",
    [
        RNG.lognormal(10, 1, ROWS).round(2).tolist(),
        RNG.integers(20_000, 900_000, ROWS).tolist(),
        [(date(1929, 3, 17) + timedelta(days=int(day))).isoformat() for day in RNG.integers(0, 28_000, ROWS)],
        [*RNG.integers(20, 60, ROWS - 3).tolist(), 101, 97, 13],
    ],
)
def test_no_number_or_date_of_few_rows_is_kept_and_the_ends_are_rounded_outwards(cells):
    column = Column.fit("n", cells_of(cells), None, 5)
    counts = Counter(map(column.key_of, cells))
    held = {each for each in (*column.values, *column.choices) if isinstance(each, float)}
    rare = {key for key, count in counts.items() if count < 5}
    assert len(held & rare) <= 0.02 * len(rare), held & rare
    keys = sorted(counts)
    assert min(held) <= keys[0] and max(held) >= keys[-1] and not {keys[0], keys[-1]} & held & rare
    assert min(held) >= keys[0] - 0.2 * (keys[-1] - keys[0]) and max(held) <= keys[-1] + 0.2 * (keys[-1] - keys[0])
    cells_again = column.unpack([part.astype(np.float32) for part in column.pack(cells_of(cells), np.random.default_rng(0))])
    ranks = [np.sort([column.key_of(cell) for cell in each]) for each in (cells, cells_again)]
    assert np.abs(np.searchsorted(ranks[0], ranks[1]) - np.arange(ROWS)).max() < 16


def test_frequent_numbers_stay_exact_beside_rare_ones_and_a_far_one_smears_nothing():
    values = np.array([1.0, 2, 3, 4, 5, 6, 7, 8, 9, 9999])
    counts = np.array([50, 50, 2, 50, 1, 1, 1, 50, 50, 30])
    numbers, shares = knots_of(values, counts, 5)
    drawn = np.interp(np.linspace(0, 1, 20_001), shares, numbers)
    assert {1.0, 2.0, 4.0, 8.0, 9.0, 9999.0} <= set(drawn) and 3.0 not in numbers
    assert not ((drawn > 9.5) & (drawn < 9998)).sum() > 3


def test_of_many_numbers_no_more_than_a_few_thousand_means_are_kept():
    values = np.sort(np.random.default_rng(0).standard_cauchy(200_000))
    numbers, shares = knots_of(values, np.ones(len(values), int), 5)
    assert len(numbers) <= KNOTS + 4 and (np.diff(numbers) >= 0).all() and shares[0] == 0 and shares[-1] == 1
    assert not set(numbers) & set(values)


def test_conditions_reach_numbers_that_are_no_knots():
    cells = RNG.integers(0, 5000, ROWS).tolist()
    codec, _ = fitted("size", cells)
    batch = codec.unpack({"row": codec.pack_table(table(size=cells).columns)})
    from gansmith.layers.rows import RowLayout

    for wish in (">700", "<=1500&>=900", ">4000"):
        bounds = codec.conditions(1, None, size=wish)
        inside = RowLayout(codec.spec).within(batch["row"], bounds["low"][0], bounds["high"][0]).numpy()
        assert (inside == codec.complies(batch, size=wish)).mean() > 0.99, wish
    with pytest.raises(UserError, match="never is >9000"):
        codec.conditions(1, None, size=">9000")


# ---- what users see -------------------------------------------------------------------------------------------------------------


def test_inspect_says_of_every_column_what_a_model_keeps(tmp_path):
    path = tmp_path / "people.csv"
    rows = [f"p{i}@example.com,{20 + i % 50},{'flu' if i else 'gout'},{i % 2}" for i in range(200)]
    path.write_text("mail,age,illness,sex\n" + "\n".join(rows) + "\n")
    columns = inspect_dataset(path, kind="tables").columns
    assert columns["mail"].startswith("personal: e-mail addresses") and "no value: the form of new ones" in columns["mail"]
    assert "means of at least 5 rows" in columns["age"] and "1 rows of rarer ones" not in columns["sex"]
    assert "every value" in inspect_dataset(path, kind="tables", min_count=1).columns["age"]
    with pytest.raises(UserError, match="--min-count must be at least 1"):
        inspect_dataset(path, kind="tables", min_count=0)


@pytest.fixture(scope="module")
def people() -> pandas.DataFrame:
    return pandas.DataFrame(
        {
            "id": [f"m{i}" for i in range(160)],
            "mail": [f"q{i % 80}@example.com" for i in range(160)],
            "age": RNG.integers(20, 70, 160),
            "ill": RNG.random(160) < 0.3,
        }
    )


def test_a_model_its_card_and_its_rows_hold_no_person(people, tmp_path):
    model = TableGAN(**TINY).fit(people)
    model.save(tmp_path)
    text = (tmp_path / "model.json").read_text() + (tmp_path / "model.safetensors").read_bytes().decode("latin-1")
    assert "q17@example" not in text and '"m17"' not in text and "no value" in text
    made = model.sample(600)
    assert made.id.is_unique and not set(made.id) & set(people.id) and not set(made.mail) & set(people.mail)
    assert 200 < made.mail.nunique() < 420
    pandas.testing.assert_frame_equal(made[:50], model.sample(50))


def test_the_identifiers_of_an_augmenter_occur_once(people):
    people = people.assign(ill=np.where(np.arange(160) < 20, "a", np.where(np.arange(160) < 50, "b", "c")))
    more, labels = Augmenter(TableGAN(**TINY)).fit_resample(people.drop(columns="ill"), people.ill)
    assert more.id.is_unique and labels.value_counts().nunique() == 1


def test_data_sets_keep_the_count_they_were_given():
    made = table(c=[*["a"] * 30, *["b"] * 27, *["z"] * 3])
    assert "z" not in build_table(made).codec.by_name["c"].choices
    assert "z" in build_table(made, min_count=3).codec.by_name["c"].choices
