"""Pictures say that they were made, by what and from which seed."""

import json
import zipfile

import pytest
from PIL import Image

from gansmith import demos
from gansmith.cli import main
from gansmith.data.origin import KEY, made_by, mark


@pytest.fixture
def model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    demos.place_model("digits", tmp_path / "digits")
    return tmp_path


def test_generated_pictures_carry_model_seed_and_conditions(model):
    assert main(["generate", "digits", "-n", "2", "--seed", "7", "--where", "class=3", "--out", "made"]) == 0
    pictures = sorted((model / "made").glob("*.png"))
    assert len(pictures) == 2
    with Image.open(pictures[0]) as picture:
        said = json.loads(picture.info[KEY])
        assert picture.info["Software"] == "gansmith"
    assert said["gan"] == "r3gan" and said["data"] == "digits" and said["seed"] == 7 and said["where"] == {"class": "3"}
    assert main(["generate", "digits", "-n", "2", "--seeds", "4,9", "--out", "all.zip"]) == 0
    with (
        zipfile.ZipFile("all.zip") as archive,
        archive.open(sorted(n for n in archive.namelist() if n.endswith(".png"))[0]) as file,
    ):
        assert json.loads(Image.open(file).info[KEY])["seed"] == [4, 9]


def test_a_mark_names_nobodys_folders_and_ends_with_the_writing():
    with made_by({"gan": "/home/somebody/my_gan.py", "data": "faces", "samples": 5}, seed=0, where={}):
        said = json.loads(mark() or "")
    assert said["gan"] == "my_gan.py" and said["seed"] == 0 and "where" not in said
    assert mark() is None
