"""Letters that Pillow's own font lacks."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from gansmith.data import lettering
from gansmith.kinds.text.preview import page


@pytest.fixture
def no_fonts(monkeypatch):
    monkeypatch.setattr(lettering, "found", tuple)


def test_without_another_font_a_square_stands_for_what_is_lacking(no_fonts):
    assert lettering.drawable("a秦\t~") == f"a{lettering.MISSING} ~"
    assert lettering.drawable("Miller, 1 $") == "Miller, 1 $"


def test_a_file_that_is_no_font_is_passed_over(tmp_path, monkeypatch):
    (tmp_path / "mine.ttf").write_bytes(b"no font")
    monkeypatch.setenv("GANSMITH_FONT", str(tmp_path / "mine.ttf"))
    lettering.found.cache_clear()
    try:
        assert lettering.found()[0] == str(tmp_path / "mine.ttf")
        assert lettering.font_for("abc", 13).getlength("abc") > 10
    finally:
        lettering.found.cache_clear()


def test_fonts_are_found_by_the_names_of_their_files_the_broadest_first(tmp_path, monkeypatch):
    for name in ("DejaVuSans.ttf", "readme.txt", "sub/Noto Sans CJK-Regular.ttc", "other/WQY-MicroHei.ttc"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.setattr(lettering, "FOLDERS", {"linux": (str(tmp_path),)})
    monkeypatch.setattr(lettering.sys, "platform", "linux")
    monkeypatch.delenv("GANSMITH_FONT", raising=False)
    lettering.found.cache_clear()
    try:
        names = [place.rpartition("/")[2] for place in lettering.found()]
        assert names == ["Noto Sans CJK-Regular.ttc", "WQY-MicroHei.ttc", "DejaVuSans.ttf"]
    finally:
        lettering.found.cache_clear()


def test_chinese_is_drawn_where_the_machine_has_a_font_for_it():
    if not any(lettering.has(place, "秦") for place in lettering.found()):
        pytest.skip("no font for Chinese here")
    assert lettering.drawable("王小明") == "王小明"
    picture = Image.new("L", (60, 24))
    ImageDraw.Draw(picture).text((0, 0), "王小明", 255, lettering.font_for("王小明", 16))
    columns = np.asarray(picture).max(0).reshape(-1, 4).max(1) > 0
    assert columns[:12].all()  # three letters of double width


def test_long_lines_without_spaces_are_cut_to_the_width(no_fonts):
    picture = np.asarray(page([("春" * 200, None)]).convert("L"))
    assert picture.min() < 100 and (picture[:, -4:] == 255).all()
