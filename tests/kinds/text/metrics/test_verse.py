"""The form of verse: lines and rhymes."""

import pytest

from gansmith.kinds.text.metrics.verse import finals, is_regular, lines_of, rhymes

pytest.importorskip("pypinyin")


def test_lines_are_told_by_their_ends():
    assert lines_of("床前明月光，疑是地上霜。举头望明月，低头思故乡。") == [
        "床前明月光",
        "疑是地上霜",
        "举头望明月",
        "低头思故乡",
    ]
    assert is_regular("床前明月光，疑是地上霜。") and not is_regular("床前明月光，疑是霜。") and not is_regular("床前明月光。")
    assert not is_regular("abcde, fghij.")


def test_even_lines_rhyme_with_the_last_one():
    assert rhymes("床前明月光，疑是地上霜。举头望明月，低头思故乡。") == 1.0  # shuang, xiang
    assert rhymes("白日依山尽，黄河入海流。欲穷千里目，更上一层楼。") == 1.0  # liu reads liou, lou
    assert rhymes("白日依山尽，黄河入海月。欲穷千里目，更上一层楼。") == 0.0
    assert rhymes("一行") is None
    assert finals("先") & finals("山")  # xian and shan: the glide does not count
