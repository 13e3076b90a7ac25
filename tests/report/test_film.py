"""The film of the samples over time."""

import os

from PIL import Image

from gansmith.report.film import FILM, write_film
from gansmith.report.records import read_records


def test_a_film_has_a_frame_for_every_preview_and_is_made_anew_only_after_new_ones(run_folder):
    for name, grey in (("000100", 40), ("000200", 90), ("000300", 140), ("000400", 190)):
        Image.new("L", (56, 56), grey).save(run_folder / "samples" / f"{name}.png")
    path = write_film(read_records(run_folder))
    assert path == run_folder / "samples" / FILM
    with Image.open(path) as film:
        assert (film.n_frames, film.size) == (4, (56, 56))
    before = path.stat().st_mtime_ns
    assert write_film(read_records(run_folder)) == path and path.stat().st_mtime_ns == before
    os.utime(run_folder / "samples" / "000400.png", (4e9, 4e9))
    write_film(read_records(run_folder))
    assert path.stat().st_mtime_ns != before


def test_two_previews_or_broken_ones_make_no_film(run_folder):
    for name in ("000100.png", "000200.png"):
        (run_folder / "samples" / name).write_bytes(b"no picture")
    assert write_film(read_records(run_folder)) is None and not (run_folder / "samples" / FILM).exists()
