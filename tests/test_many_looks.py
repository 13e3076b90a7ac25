"""Many translations of one image, and domains, from the first command to the last."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gansmith.cli import main
from gansmith.runs.run import Run
from tests import toys

TINY = {
    name: [word for key, value in toys.SMALL[name].items() for word in (f"--gan.{key.replace('_', '-')}", str(value))]
    for name in ("bicyclegan", "starganv2")
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One of bicyclegan on negatives, one of starganv2 on squares of three sizes."""
    root = tmp_path_factory.mktemp("looks")
    pairs = toys.pairs(48)
    for number, pair in enumerate(pairs.codec.decode(pairs.batch(slice(None)))):
        for name, image in (("A", pair.a.image), ("B", pair.b.image)):
            (root / "negatives" / name).mkdir(parents=True, exist_ok=True)
            image.save(root / "negatives" / name / f"{number}.png")
    domains = toys.domains(48)
    for number, raw in enumerate(domains.codec.decode(domains.batch(slice(None)))):
        (root / "squares" / f"size{raw.label}").mkdir(parents=True, exist_ok=True)
        raw.image.save(root / "squares" / f"size{raw.label}" / f"{number}.png")
    for data, gan, more in (("negatives", "bicyclegan", []), ("squares", "starganv2", ["--kind", "domains"])):
        command = ["train", str(root / data), "--gan", gan, "--samples", "64", "--batch", "8", "--out", str(root / gan)]
        assert main([*command, *more, *TINY[gan], "--no-evaluate"]) == 0
    return root


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def test_several_images_are_made_of_one_by_number_and_again_by_seed(runs: Path, tmp_path: Path, capsys):
    picture = runs / "negatives/A/0.png"
    command = ["translate", str(runs / "bicyclegan"), str(picture), "-n", "3", "--page", "--json", "--out"]
    assert main([*command, str(tmp_path / "one")]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [Path(path).name for path in told["outputs"]] == ["0-1.png", "0-2.png", "0-3.png"] and Path(told["page"]).is_file()
    assert main([*command, str(tmp_path / "again")]) == 0
    assert main([*command[:-1], "--seed", "5", "--out", str(tmp_path / "other")]) == 0
    made = [pixels(tmp_path / "one" / f"0-{number}.png") for number in (1, 2, 3)]
    assert (made[0] != made[1]).any()
    assert np.array_equal(made[1], pixels(tmp_path / "again" / "0-2.png"))
    assert (made[1] != pixels(tmp_path / "other" / "0-2.png")).any()


def test_the_style_of_a_reference_is_taken_and_of_a_folder_each(runs: Path, tmp_path: Path):
    command = ["translate", str(runs / "bicyclegan"), str(runs / "negatives/A/0.png"), "--out", str(tmp_path), "--reference"]
    assert main([*command, str(runs / "negatives/B/3.png")]) == 0
    assert (tmp_path / "0.png").is_file()
    references = tmp_path / "references"
    references.mkdir()
    for number in (3, 4):
        Image.fromarray(pixels(runs / f"negatives/B/{number}.png")).save(references / f"{number}.png")
    assert main([*command, str(references)]) == 0
    assert np.array_equal(pixels(tmp_path / "0-3.png"), pixels(tmp_path / "0.png"))


def test_a_domain_is_made_of_a_picture_of_any_size(runs: Path, tmp_path: Path):
    Image.new("RGB", (37, 21), (200, 100, 50)).save(tmp_path / "in.png")
    command = [
        "translate",
        str(runs / "starganv2"),
        str(tmp_path / "in.png"),
        "--out",
        str(tmp_path / "out"),
        "--overwrite",
        "--makes",
    ]
    assert main([*command, "size2"]) == 0
    one = pixels(tmp_path / "out/in.png")
    assert main([*command, "size0"]) == 0
    assert one.shape == (21, 37, 3) and (one != pixels(tmp_path / "out/in.png")).any()
    made = Run(runs / "starganv2").model().translate(Image.new("RGB", (20, 20)), makes="size1", seed=3)
    assert made.size == (20, 20)


@pytest.mark.parametrize(
    ("gan", "options", "sentence"),
    [
        ("starganv2", [], "say with --makes which to make, size0, size1, size2"),
        ("starganv2", ["--makes", "size3"], "but it is size3 (did you mean"),
        ("bicyclegan", ["--makes", "a"], "makes b alone, not a"),
        ("bicyclegan", ["-n", "2", "--reference", "x.png"], "leave one out"),
        ("bicyclegan", ["--reference", "nowhere.png"], "there is no file or folder nowhere.png"),
        ("bicyclegan", ["-n", "0"], "--samples must be at least 1, but it is 0"),
    ],
)
def test_mistakes_are_answered_in_a_sentence(runs: Path, tmp_path: Path, capsys, gan: str, options: list[str], sentence: str):
    Image.new("RGB", (16, 16)).save(tmp_path / "in.png")
    assert main(["translate", str(runs / gan), str(tmp_path / "in.png"), "--out", str(tmp_path / "out"), *options]) == 2
    said = capsys.readouterr().err
    assert sentence in said and said.count("\n") == 1


@pytest.mark.parametrize("gan", ["bicyclegan", "pix2pixhd", "spade"])
def test_games_of_pairs_refuse_two_domains(runs: Path, capsys, gan: str):
    command = [
        "train",
        str(runs / "negatives"),
        "--pairing",
        "none",
        "--kind",
        "pairs",
        "--gan",
        gan,
        "--samples",
        "8",
        "--dry-run",
    ]
    assert main(command) == 2
    assert "two domains: choose --gan" in capsys.readouterr().err
