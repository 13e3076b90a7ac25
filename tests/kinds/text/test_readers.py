"""What is read as text, and the sentence for what is not."""

import gzip
import json
from pathlib import Path

import pytest

from gansmith import kinds
from gansmith.data.source import Source
from gansmith.errors import UserError
from gansmith.kinds.opening import inspect_dataset, open_dataset
from gansmith.runs.data import open_like, split

LINES = [f"line {number} of a text" for number in range(20)]


def texts(data) -> list[str]:
    return [raw.text for raw in data.codec.decode(data.batch(slice(None)))]


def written(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_lines_are_examples_exactly_as_they_stand(tmp_path):
    path = written(tmp_path / "a.txt", "  indented\nlast  \n\nno end")
    data = open_dataset(path)
    assert data.codec.spec.kind == "text" and texts(data) == ["  indented", "last  ", "no end"]
    assert "1 blank lines are left out." in data.remarks()


def test_a_packed_file_is_read(tmp_path):
    written(tmp_path / "a.txt.gz", gzip.compress("\n".join(LINES).encode()))
    assert texts(open_dataset(tmp_path / "a.txt.gz")) == LINES


def test_documents_are_files_of_a_folder_or_set_apart_by_blank_lines(tmp_path):
    written(tmp_path / "one" / "a.txt", "a\nb\n")
    written(tmp_path / "one" / "b.txt", "c\n\nd")
    assert texts(open_dataset(tmp_path / "one", document=True)) == ["a\nb", "c\n\nd"]
    path = written(tmp_path / "many.txt", "a\nb\n\nc\n \n\nd\n")
    assert texts(open_dataset(path, document=True)) == ["a\nb", "c", "d"]


def test_sub_folders_are_classes_unless_they_are_not_wanted(tmp_path):
    for label in ("love", "hate"):
        written(tmp_path / label / "a.txt", f"I {label} it\nso much")
    data = open_dataset(tmp_path)
    assert data.codec.spec.classes == ("hate", "love") and data.codec.frequencies == (2, 2)
    assert open_dataset(tmp_path, labels=False).codec.spec.classes == ()


def test_folders_train_and_test_are_a_split(tmp_path):
    for part, count in (("train", 12), ("test", 3)):
        for label in ("pos", "neg"):
            written(tmp_path / part / label / "a.txt", "\n".join(f"{part} {label} {number}" for number in range(count)))
    data = open_dataset(tmp_path)
    training, held_out = split(data)
    assert (len(training), len(held_out)) == (24, 6) and data.codec.spec.classes == ("neg", "pos")
    assert all(text.startswith("test") for text in texts(held_out))


def test_whole_documents_are_held_out(tmp_path):
    for number in range(10):
        written(tmp_path / f"{number}.txt", "\n".join(f"document {number}, line {line}" for line in range(10)))
    training, held_out = split(open_dataset(tmp_path))
    of_each = [{text.partition(",")[0] for text in texts(side)} for side in (training, held_out)]
    assert not of_each[0] & of_each[1] and len(held_out) == 20


@pytest.mark.parametrize(
    ("suffix", "write"),
    [
        (
            ".csv",
            lambda rows: "id,text,mood\n" + "".join(f'{number},"{text}, ""he""\nsaid",{mood}\n' for number, text, mood in rows),
        ),
        (
            ".jsonl",
            lambda rows: "".join(
                json.dumps({"id": n, "text": f'{text}, "he"\nsaid', "mood": mood}) + "\n" for n, text, mood in rows
            ),
        ),
    ],
)
def test_a_column_of_a_sheet_holds_the_texts_and_another_the_classes(tmp_path, suffix, write):
    rows = [(number, line, "ab"[number % 2]) for number, line in enumerate(LINES)]
    path = written(tmp_path / f"a{suffix}", write(rows))
    data = open_dataset(path, kind="text", label="mood")
    assert texts(data) == [f'{line}, "he"\nsaid' for line in LINES] and data.codec.spec.classes == ("a", "b")
    assert open_dataset(path, column="mood").codec.spec.kind == "text"  # the option tells the kind


def test_a_column_of_a_parquet_file(tmp_path):
    pandas = pytest.importorskip("pandas")
    pandas.DataFrame({"n": range(20), "words": LINES}).to_parquet(tmp_path / "a.parquet")
    assert texts(open_dataset(tmp_path / "a.parquet", kind="text", column="words")) == LINES


def test_a_list_of_strings_is_text():
    data = open_dataset(LINES)
    assert data.codec.spec.kind == "text" and texts(data) == LINES


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8-sig", "naïve café"),
        ("utf-16", "naïve café"),
        ("utf-16-le", "a plain line of text"),
        ("cp1252", "naïve café “quoted” ok"),
        ("cp1251", "Мороз и солнце; день чудесный!"),
        ("koi8-r", "Мороз и солнце; день чудесный!"),
        ("cp1250", "Zażółć gęślą jaźń, mały koń"),
        ("cp1250", "Příliš žluťoučký kůň pěl"),
        ("cp1250", "Jó hűtőt vettem, örülök az esőnek"),
        ("cp1252", "Õhtul söön pühapäeval müüja käest ostetud jäätist"),
        ("cp1252", "São João ouviu o coração; 5 m² e 3 m³"),
        ("gb18030", "秦川雄帝宅，函谷壮皇居。绮殿千寻起"),
    ],
)
def test_encodings_are_detected_and_said(tmp_path, encoding, text):
    path = written(tmp_path / "a.txt", "\n".join([text] * 10).encode(encoding))
    data = open_dataset(path)
    assert texts(data)[0] == text
    name = encoding.removesuffix("-sig")
    assert any(f"read as {name}" in remark for remark in data.remarks()) == (name != "utf-8")


def test_an_encoding_that_is_named_is_used(tmp_path):
    path = written(tmp_path / "a.txt", "日本の短い文です\n".encode("shift_jis") * 9)
    assert texts(open_dataset(path, encoding="shift_jis"))[0] == "日本の短い文です"
    with pytest.raises(UserError, match="a.txt is not utf-8, as its byte 0 shows"):
        open_dataset(path, encoding="utf-8")
    with pytest.raises(UserError, match='"utf-9", which is no encoding'):
        open_dataset(path, encoding="utf-9")


def test_line_ends_of_all_kinds_end_lines_and_mixed_ones_are_said(tmp_path):
    data = open_dataset(written(tmp_path / "a.txt", "a\r\nb\rc\nd"))
    assert texts(data) == ["a", "b", "c", "d"] and "Its line ends are mixed and all read as one." in data.remarks()
    assert not open_dataset(written(tmp_path / "b.txt", "a\r\nb\r\n")).remarks()[:-1]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "holds no text: give at least 8"),
        (b"\n \n\t\n", "holds only 3 blank lines"),
        (bytes(range(256)) * 20, "is a binary file, where text is expected"),
        (b"one\ntwo \0 three\n" + b"four five six\n" * 30, "holds a NUL at character 8"),
        (b"x" * 17_000_000, "line 1 of .* has 17,000,000 characters, more than the limit"),
    ],
)
def test_what_is_no_text_is_one_sentence(tmp_path, content, said):
    path = written(tmp_path / "a.txt", content)
    with pytest.raises(UserError, match=said) as told:
        open_dataset(path, kind="text")
    assert "\n" not in str(told.value)


def test_a_single_line_is_too_few_to_train_on(tmp_path):
    with pytest.raises(UserError, match="at least 8 examples, but a has 1"):
        split(open_dataset(written(tmp_path / "a.txt", "only this line\n")))


def test_a_damaged_archive_is_one_sentence(tmp_path):
    with pytest.raises(UserError, match="a.txt.gz (cannot be read|unpacks to)"):
        open_dataset(written(tmp_path / "a.txt.gz", gzip.compress(b"one\n" * 100)[:-12]))


@pytest.mark.parametrize(
    ("name", "content", "options", "said"),
    [
        ("a.csv", "a,b\nx,y\n", {}, "has the columns a, b: say which holds the texts with --column"),
        ("a.csv", "text\n", {}, "has no rows below its header"),
        ("a.csv", "text,b\nx,y\n", {"column": "txt"}, '--column names the column "txt" \\(did you mean "text"\\?\\)'),
        ("a.csv", "text,b\nx,\n", {"label": "b"}, '"b" is missing in row 1'),
        ("a.jsonl", '{"text": "a"}\nnot json\n', {}, "line 2 of .* is no JSON"),
        ("a.txt", "a\n", {"column": "text"}, "--column names a column of a CSV"),
    ],
)
def test_sheets_that_do_not_fit_are_one_sentence(tmp_path, name, content, options, said):
    with pytest.raises(UserError, match=said):
        open_dataset(written(tmp_path / name, content), kind="text", **options)


def test_options_that_contradict_each_other_are_refused():
    for options, said in (
        ({"length": 1}, "--length must be at least 2"),
        ({"vocabulary": 10}, "at least 300"),
        ({"vocabulary": 500, "tokens": "characters"}, "leave one of them out"),
    ):
        with pytest.raises(UserError, match=said):
            kinds.find("text").Options(**options)


def test_folders_of_texts_are_recognised_and_others_left_to_their_kinds(tmp_path):
    written(tmp_path / "texts" / "a.txt", "a")
    assert kinds.recognise(Source(tmp_path / "texts")).name == "text"
    for name in ("a.png", "b.png", "notes.txt"):
        written(tmp_path / "pictures" / name, b"\x89PNG\r\n\x1a\n\0\0\0")
    assert kinds.recognise(Source(tmp_path / "pictures")).name == "images"
    written(tmp_path / "code" / "a.py", "print()\n" * 9)
    assert len(open_dataset(tmp_path / "code", kind="text")) == 9


def test_an_inspection_tells_lengths_characters_copies_and_leaks(tmp_path):
    written(tmp_path / "train" / "a.txt", "\n".join([*LINES, LINES[0], "Ω"]))
    written(tmp_path / "test" / "a.txt", "\n".join([LINES[3], "new"]))
    found = inspect_dataset(tmp_path)
    said = " ".join(found.sentences())
    assert found.count == 22 and found.held_out == 2
    assert "A text has 1 to 17 characters" in said and "(letters: Latin, Greek)" in said
    assert found.duplicates == [["train/a.txt, line 1", "train/a.txt, line 21"]]
    assert found.leaks == [["train/a.txt, line 4", "test/a.txt, line 1"]]


def test_other_texts_are_opened_like_those_of_a_column(tmp_path):
    written(tmp_path / "a.csv", "words,n\n" + "".join(f"{line},1\n" for line in LINES))
    written(tmp_path / "b.txt", "line 3 of a text\n")
    data = open_dataset(tmp_path / "a.csv", kind="text", column="words")
    other = open_like(data, tmp_path / "b.txt", opening={"kind": "text", "column": "words"})
    assert other.codec is data.codec and texts(other) == ["line 3 of a text"]


def test_the_built_in_sentences_are_all_grammatical():
    from gansmith.kinds.text.grammar import is_sentence

    data = open_dataset("sentences")
    found = texts(data)
    assert len(found) == 4000 and all(map(is_sentence, found)) and len(set(found)) > 3900
    assert not any(map(is_sentence, ("the cats sees a dog.", "do a cat see a dog?", "the cat see a dog", "")))
