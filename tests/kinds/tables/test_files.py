"""Tables as programs and spreadsheets of all countries write them: separators, headers, encodings, words for missing cells."""

import pytest

from gansmith.data.readers.text import separator_of
from gansmith.errors import UserError
from gansmith.kinds.opening import open_dataset
from gansmith.kinds.tables.files import table_from_csv


def read(path, text, encoding="utf-8", **how):
    path.write_bytes(text.encode(encoding))
    return table_from_csv(path, **how)


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        ("a;b,c\n1;2,5\n2;3,7\n", ";"),
        ('"x;y",z\n1,2\n3,4\n', ","),
        ("price;qty, pcs\n1,5;3\n2,5;4\n", ";"),
        ("a\tb, c\n1\t2,5\n", "\t"),
        ("id|name\n1|Smith, A\n2|Jones, B\n", "|"),
        ('a,b\n"one\ntwo; three",3\n"k",4\n', ","),
        ("x\n1\n2\n", ","),
        ("a;b\n1;\n;2\n", ";"),
        ("when,what\n2020-01-01,a;b\n2020-01-02,c\n", ","),
    ],
)
def test_the_separator_is_the_one_that_gives_all_rows_equally_many_cells(text, separator):
    assert separator_of(text.splitlines(keepends=True)) == separator


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("4,7,2\n4,5,6\n7,8,9\n", ["x0", "x1", "x2"]),
        ("Ann,34,Rome\nBob,25,Oslo\nAnn,4,Rome\n", ["x0", "x1", "x2"]),
        ("2020-01-01,5\n2020-01-02,6\n", ["x0", "x1"]),
        ("$5.00,a\n$6.00,b\n", ["x0", "x1"]),
        ("yes,no\nno,no\nyes,yes\n", ["x0", "x1"]),
        ("name,2019,2020\na,1,2\nb,3,4\n", ["name", "2019", "2020"]),
        ("0,1,2,3\n1.5,2,3,4\n2,3,4,5\n", ["0", "1", "2", "3"]),
        ("x,y\na,b\nc,d\n", ["x", "y"]),
        ("x,y\n1,b\n2,d\n", ["x", "y"]),
        ("a,b\n,\n,\n", ["a", "b"]),
    ],
)
def test_a_first_row_like_the_others_is_data(tmp_path, text, names):
    table = read(tmp_path / "t.csv", text)
    assert list(table.columns) == names
    assert any("the first row is read as data" in note for note in table.notes) == (names[0] == "x0")


def test_the_user_says_what_names_columns_and_which_words_are_missing(tmp_path):
    path = tmp_path / "t.csv"
    assert list(read(path, "1,2\n3,4\n", header="yes").columns) == ["1", "2"]
    assert read(path, "a,b\nc,d\n", header="no").columns["x0"].values() == ["a", "c"]
    text = "a,b\nNA,-\n3,None\n"
    assert read(path, text).columns["a"].values() == [None, "3"]
    assert read(path, text, missing=("-", "None")).columns["b"].values() == [None, None]
    assert read(path, text, missing=()).columns["a"].values() == ["NA", "3"]
    path.write_text("a,b\n" + "NA,1\nKE,2\n" * 30)
    assert open_dataset(path, kind="tables", missing="").codec.by_name["a"].choices == ("KE", "NA")
    assert 'NA in "a" is read as a missing cell' in str(open_dataset(path, kind="tables").remarks())


@pytest.mark.parametrize(
    ("encoding", "said"), [("latin-1", "cp1252"), ("cp1252", "cp1252"), ("utf-16", "utf-16"), ("utf-8-sig", "")]
)
def test_other_encodings_are_read_and_said(tmp_path, encoding, said):
    table = read(tmp_path / "t.csv", "a,b\n1,café\n2,Größe\n", encoding)
    assert table.columns["b"].values() == ["café", "Größe"]
    assert table.notes == ((f"t.csv is not in UTF-8 and read as {said} (--encoding says otherwise)",) if said else ())


def test_an_encoding_that_is_named_is_used_and_no_guess_is_said(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes("a,word\n1,ÉÀ\n2,Ôé\n".encode("mac-roman"))
    table = table_from_csv(path, encoding="mac-roman")
    assert table.columns["word"].values() == ["ÉÀ", "Ôé"] and table.notes == ()
    path.write_bytes("a,b\n".encode("utf-8-sig") + b"1,2\n3,5\n" * 30)
    assert [*open_dataset(path, kind="tables", encoding="UTF8").codec.by_name] == ["a", "b"]
    with pytest.raises(UserError, match='"utf-9", which is no encoding'):
        open_dataset(path, kind="tables", encoding="utf-9")
    with pytest.raises(UserError, match="t.csv"):
        table_from_csv(path, encoding="utf-16")


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("gbk", ("名字", "北京", "上海")),
        ("big5", ("名字", "臺北", "韓梅")),
        ("cp932", ("名前", "さくら", "東京")),
        ("cp949", ("이름", "서울", "부산")),
        ("cp1251", ("имя", "Москва", "Киев")),
        ("koi8-r", ("имя", "Москва", "Киев")),
        ("cp1250", ("imię", "Małgorzata", "Łódź")),
        ("cp1250", ("jméno", "Jiří Šimek", "Plzeň")),
    ],
)
def test_tables_of_other_scripts_are_read_whatever_their_encoding(tmp_path, encoding, words):
    name, *cells = words
    table = read(tmp_path / "t.csv", f"a,{name}\n" + "".join(f"{i},{cell}\n" for i, cell in enumerate(cells * 3)), encoding)
    assert table.columns[name].values() == cells * 3


def test_decimal_commas_come_back_as_they_were(tmp_path):
    rows = [f"{i},5;{1000 + 7 * i % 900:,}".replace(",", ".", 1).replace(".", ",", 1) for i in range(60)]
    rows = [f"{i},5;1.{100 + 7 * i % 900},25;a,b" for i in range(60)]
    path = tmp_path / "t.csv"
    path.write_text("\n".join(["price;total;word", *rows]) + "\n")
    data = open_dataset(path, kind="tables", min_count=1)
    assert {name: column.column_type for name, column in data.codec.by_name.items()} == {
        "price": "continuous",
        "total": "continuous",
        "word": "constant",
    }
    made = data.codec.table({"row": data.arrays["row"]})
    assert [";".join(row) for row in zip(*made.values(), strict=True)] == rows
