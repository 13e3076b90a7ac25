"""Texts as tokens of one length: cut, ended, padded, and read back."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from gansmith.errors import UserError
from gansmith.kinds.opening import open_dataset
from gansmith.kinds.text import codec as module
from gansmith.kinds.text.build import build_texts
from gansmith.kinds.text.codec import TextCodec, usual_size
from gansmith.kinds.text.options import Options
from gansmith.kinds.text.text import Text, Texts

LINES = ("one cat", "two dogs", "three", "four birds sing")


def built(texts=LINES, labels=None, **options):
    return build_texts(Texts(name="lines", texts=list(texts), labels=labels), Options(**options))


def test_a_short_text_has_an_end_and_padding_and_a_full_one_has_neither():
    data = built(["abc", "abcdef"], tokens="characters", length=6)
    spec, rows = data.codec.spec, data.arrays["text"]
    assert rows[0].tolist()[3:] == [spec.end, spec.pad, spec.pad] and spec.end not in rows[1]
    assert rows.dtype == np.uint8 and data.batch(slice(0, 2))["text"].dtype == torch.int64
    assert [raw.text for raw in data.codec.decode(data.batch(slice(0, 2)))] == ["abc", "abcdef"]


def test_a_long_text_is_cut_with_a_word():
    data = built(["abc"] * 9 + ["abcdefgh"], tokens="characters", length=4)
    assert data.codec.decode(data.batch(slice(9, 10)))[0].text == "abcd"
    assert any("1 of 10 texts are longer than 4 tokens" in remark for remark in data.remarks())
    assert not any("longer" in remark for remark in built().remarks())


def test_the_usual_length_leaves_out_the_longest_texts_alone():
    assert built(["ab"] * 200 + ["a" * 100], tokens="characters").codec.spec.shape == (2,)
    assert built(["abcd"] * 200 + ["abcde"], tokens="characters").codec.spec.shape == (5,)
    assert built(["a" * 500] * 10, tokens="characters").codec.spec.shape == (128,)


def test_large_vocabularies_are_packed_in_larger_integers():
    characters = [chr(0x4E00 + place) for place in range(300)]
    assert built(characters, tokens="characters").arrays["text"].dtype == np.uint16


def test_tokens_are_chosen_by_the_amount_of_text(monkeypatch):
    lines = ["the cat sees a dog.", "a bird sings."] * 8
    assert built(lines).codec.vocabulary.by == "characters"
    monkeypatch.setattr(module, "MANY", 100)
    assert built(lines).codec.vocabulary.by == "bytepairs"
    assert built([chr(0x4E00 + place) * 5 for place in range(500)]).codec.vocabulary.by == "characters"
    monkeypatch.setattr(module, "has_tokenizers", lambda: False)
    data = built(lines)
    assert data.codec.vocabulary.by == "characters"
    assert any('pip install "gansmith[text]"' in remark for remark in data.remarks())


def test_the_usual_vocabulary_grows_with_the_root_of_the_text():
    assert [usual_size(count) for count in (1_000, 1_000_000, 10**9)] == [512, 1024, 8192]


def test_other_texts_are_encoded_alike_and_what_is_unknown_is_said():
    data = built(tokens="characters")
    other = build_texts(Texts(name="other", texts=["one £ cat"]), Options(), data.codec)
    assert other.codec is data.codec
    assert [raw.text for raw in other.codec.decode(other.batch(slice(0, 1)))] == ["one � cat"]
    assert any("'£' is not in the vocabulary" in remark for remark in other.remarks())


def test_classes_are_kept_drawn_and_requested():
    data = built(labels=["a", "b", "b", "b"])
    codec = data.codec
    assert codec.spec.classes == ("a", "b") and codec.frequencies == (1, 3)
    assert codec.decode(data.batch(slice(0, 1))) == [Text("one cat", "a")]
    drawn = codec.conditions(4000, torch.Generator().manual_seed(0))["label"]
    assert float(drawn.float().mean()) == pytest.approx(0.75, abs=0.03)
    wanted = codec.conditions(3, torch.Generator(), **{"class": "a"})["label"]
    assert wanted.tolist() == [0, 0, 0]
    with pytest.raises(UserError, match='no class "c"'):
        codec.conditions(3, torch.Generator(), **{"class": "c"})
    with pytest.raises(UserError, match="remove class=a"):
        built().codec.conditions(3, torch.Generator(), **{"class": "a"})


def test_texts_without_classes_are_no_fakes_of_texts_with_them():
    data = built(labels=["a", "b", "b", "b"])
    with pytest.raises(UserError, match="these texts have no classes, where those learned have \\(a, b\\)"):
        build_texts(Texts(name="other", texts=["one"]), Options(), data.codec)


@pytest.mark.parametrize("labels", [None, ["a", "../b", "b", "b"]])
def test_a_folder_that_was_saved_is_read_back(labels, tmp_path):
    data = built(labels=labels)
    raws = data.codec.decode(data.batch(slice(0, 4)))
    first = data.codec.save(raws, tmp_path / "made")
    second = data.codec.save([raws[0]], tmp_path / "made")
    assert {path.suffix for path in first} == {".txt"} and second[0].name == "texts-1.txt"
    assert all((tmp_path / "made") in path.parents for path in first)
    again = open_dataset(tmp_path / "made")
    assert sorted(raw.text for raw in again.codec.decode(again.batch(slice(None)))) == sorted([*LINES, LINES[0]])
    assert bool(again.codec.spec.classes) == bool(labels)


def test_texts_of_several_lines_are_saved_as_json(tmp_path):
    data = built(["one\ntwo", "three\nfour"], tokens="characters")
    raws = data.codec.decode(data.batch(slice(0, 2)))
    (path,) = data.codec.save(raws, tmp_path)
    assert path.suffix == ".jsonl"
    again = open_dataset(path, kind="text")
    assert again.codec.decode(again.batch(slice(None))) == raws


@pytest.mark.parametrize("suffix", [".txt", ".jsonl", ".csv"])
def test_a_file_that_was_written_is_read_back(suffix, tmp_path):
    data = built(['say "no", he said', "  indented", "semi;colon"], labels=["a", "b", "b"])
    raws = data.codec.decode(data.batch(slice(None)))
    data.codec.write(raws, tmp_path / f"made{suffix}")
    options = {} if suffix == ".txt" else {"label": "label", "column": "text"}
    again = open_dataset(tmp_path / f"made{suffix}", kind="text", **options)
    found = again.codec.decode(again.batch(slice(None)))
    assert [raw.text for raw in found] == [raw.text for raw in raws]
    assert suffix == ".txt" or found == raws


def test_several_lines_in_a_text_file_are_set_apart_by_empty_ones(tmp_path):
    data = built(["one\ntwo", "three"], tokens="characters")
    data.codec.write(data.codec.decode(data.batch(slice(None))), tmp_path / "made.txt")
    again = open_dataset(tmp_path / "made.txt", document=True)
    assert [raw.text for raw in again.codec.decode(again.batch(slice(None)))] == ["one\ntwo", "three"]


def test_sketches_tell_other_words_from_other_lengths():
    data = built(["aaaa", "aa", "bbbb"], tokens="characters")
    sketch = data.codec.sketch(data.batch(slice(None)))
    assert (sketch[0] - sketch[1]).norm() < (sketch[0] - sketch[2]).norm()


def test_facts_that_do_not_fit_are_told():
    codec = built(labels=["a", "b", "b", "b"]).codec
    assert isinstance(codec, TextCodec) and codec.fault() is None
    facts = json.loads(json.dumps(codec.to_json()))
    facts["vocabulary"]["pieces"].pop()
    assert "tokens" in (TextCodec.from_json(facts).fault() or "")
    assert "frequencies" in (replace(codec, frequencies=(1,)).fault() or "")


def test_a_prefix_is_requested_in_words_or_refused():
    codec = build_texts(Texts(name="t", texts=["once upon a time", "a cat"] * 8), Options(tokens="characters")).codec
    found = codec.conditions(3, torch.Generator(), prefix="once")["prefix"]
    assert found.shape == (3, codec.length) and (found[:, 4:] == -1).all()
    assert codec.texts(found[:1, :4].numpy()) == ["once"]
    with pytest.raises(UserError, match="'z', which the vocabulary of this model lacks"):
        codec.conditions(1, torch.Generator(), prefix="zoo")
    with pytest.raises(UserError, match="must have 1 to"):
        codec.conditions(1, torch.Generator(), prefix="a" * 99)
