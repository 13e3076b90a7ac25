"""Replies: contexts from tabs, from neighbouring lines and from columns."""

import pytest

from gansmith.errors import UserError
from gansmith.kinds.opening import open_dataset
from gansmith.kinds.text.build import as_replies
from gansmith.kinds.text.codec import TextCodec
from gansmith.kinds.text.text import Text, Texts


def test_lines_with_a_tab_hold_both_sides_and_others_answer_the_line_before():
    tabs = as_replies(Texts(name="a", texts=["hi\thello", "no tab", "how are you\tfine\tyes"], places=["1", "2", "3"]))
    assert (tabs.contexts, tabs.texts, tabs.places) == (["hi", "how are you"], ["hello", "fine\tyes"], ["1", "3"])
    lines = as_replies(Texts(name="a", texts=["a", "b", "c", "d"], documents=[0, 0, 1, 1]))
    assert (lines.contexts, lines.texts, lines.documents) == (["a", "c"], ["b", "d"], [0, 1])
    with pytest.raises(UserError, match="holds no dialogue"):
        as_replies(Texts(name="a", texts=["alone"]))


def test_a_column_of_contexts_is_read_and_written_again(tmp_path):
    path = tmp_path / "talk.csv"
    path.write_text("asked,said\n" + "".join(f"how old is {n}?,{n} years\n" for n in range(20)), encoding="utf-8")
    data = open_dataset(path, kind="text", column="said", context="asked")
    codec = data.codec
    assert isinstance(codec, TextCodec) and codec.spec.task == "replies"
    first = codec.decode(data.batch([3]))[0]
    assert first == Text("3 years", None, "how old is 3?")
    assert codec.decode(codec.encode(first)) == [first]
    assert TextCodec.from_json(codec.to_json()) == codec and codec.fault() is None
    codec.write([first], tmp_path / "made.txt")
    assert (tmp_path / "made.txt").read_text(encoding="utf-8") == "how old is 3?\t3 years\n"
    long = codec.encode(Text("3", None, "much " * 50 + "longer"))["context"]
    assert long.shape == (1, codec.spec.context) and (long >= 2).all()
