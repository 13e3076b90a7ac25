"""Media of previews on the page: played, written out or offered, and no more of them than a page can hold."""

import base64
from pathlib import Path

import pytest

from gansmith.report.media import MEDIA_BYTES, TEXT_CHARACTERS
from gansmith.report.pictures import SLIDER_MEDIA_BYTES
from tests.report.test_html import Structure, read


def add(folder: Path, stem: str, **media: bytes) -> None:
    """Media beside a picture: name_suffix=content."""
    for name, content in media.items():
        (folder / "samples" / f"{stem}.{name.replace('_', '.')}").write_bytes(content)


def sources(page: Structure, element: str, prefix: str) -> list[bytes]:
    found = [attributes.get("src") or attributes.get("href") or "" for attributes in page.all(element)]
    return [base64.b64decode(each.removeprefix(prefix)) for each in found if each.startswith(prefix)]


def test_every_medium_is_shown_in_its_own_way(run_folder):
    add(run_folder, "latest", x0_wav=b"sound", x1_mp4=b"clip", x2_txt=b"words", x3_mid=b"notes", x4_pdb=b"atoms", x5_gif=b"moves")
    page = read(run_folder)
    assert sources(page, "audio", "data:audio/wav;base64,") == [b"sound"]
    assert sources(page, "video", "data:video/mp4;base64,") == [b"clip"]
    assert sources(page, "img", "data:image/gif;base64,") == [b"moves"]
    # no browser plays MIDI
    assert sources(page, "a", "data:audio/midi;base64,") == [b"notes"]
    assert sources(page, "a", "data:application/octet-stream;base64,") == [b"atoms"]
    assert [link["download"] for link in page.all("a") if (link["href"] or "").startswith("data:")] == ["x3.mid", "x4.pdb"]
    assert "words" in page.words and {"x0.wav", "x1.mp4", "x2.txt", "x5.gif"} <= set(page.words)
    assert all("controls" in player and player["aria-label"] for player in [*page.all("audio"), *page.all("video")])
    assert "left out" not in page.text
    (policy,) = [meta["content"] for meta in page.all("meta") if "http-equiv" in meta]
    assert policy is not None and "default-src 'none'" in policy and "media-src data:;" in policy


def test_media_belong_to_their_own_preview(run_folder):
    for stem in ("real", "latest", "neighbours", "000100", "000400", "unknown"):
        add(run_folder, stem, x0_wav=stem.encode())
    page = read(run_folder)
    played = [content.decode() for content in sources(page, "audio", "data:audio/wav;base64,")]
    assert sorted(played) == ["000100", "000400", "latest", "neighbours", "real"]
    (hidden, *_), (*_, last) = [
        [attributes for name, attributes in page.elements if name == "div" and "data-samples" in attributes] for _ in range(2)
    ]
    assert "hidden" in hidden and "hidden" not in last


def test_what_does_not_fit_into_the_page_is_left_out_and_counted(run_folder):
    add(run_folder, "latest", x0_wav=bytes(MEDIA_BYTES + 1), x1_wav=b"a" * (MEDIA_BYTES - 10), x2_wav=b"b" * 11, x3_wav=b"c" * 10)
    page = read(run_folder)
    assert [content[:1] for content in sources(page, "audio", "data:audio/wav;base64,")] == [b"a", b"c"]
    assert "2 files are left out here, so that the page stays small: see the folder samples/." in page.text


def test_the_sounds_under_the_slider_share_their_room(run_folder):
    most = SLIDER_MEDIA_BYTES // 4
    for stem in ("000100", "000200", "000300", "000400"):
        add(run_folder, stem, x0_wav=bytes(most), x1_wav=bytes(1))
    page = read(run_folder)
    assert [len(content) for content in sources(page, "audio", "data:audio/wav;base64,")] == [most] * 4
    assert "4 files are left out here" in page.text
    assert (run_folder / "report.html").stat().st_size < 4e6


def test_a_text_stays_text_and_a_long_one_is_cut(run_folder):
    attack = '</pre><script>alert(1)</script><img src="http://x">'
    add(run_folder, "latest", x0_txt=attack.encode(), x1_txt=b"\xff" + "ö".encode() * TEXT_CHARACTERS * 4)
    page = read(run_folder)
    assert len(page.all("script")) == 1 and attack in page.words
    assert sum(word.count("ö") for word in page.words) == TEXT_CHARACTERS - 1
    assert f"Only its first {TEXT_CHARACTERS:,} characters are shown." in page.text


@pytest.mark.parametrize("strange", ["folder", "link"])
def test_only_files_are_media(run_folder, strange):
    path = run_folder / "samples" / "latest.0.wav"
    if strange == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero")
    assert not read(run_folder).all("audio")
