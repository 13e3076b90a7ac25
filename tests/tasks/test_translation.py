"""Pairs from the first command to the last."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gansmith.cli import main
from gansmith.data.paired import PairedCodec
from gansmith.errors import UserError
from gansmith.runs.run import Run
from tests import toys

TINY = ["--gan.width", "4", "--gan.critic-width", "4", "--gan.critic-layers", "1"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A and B of 120 pairs."""
    root = tmp_path_factory.mktemp("negatives")
    data = toys.pairs(120)
    assert isinstance(data.codec, PairedCodec)
    for number, pair in enumerate(data.codec.decode(data.batch(slice(None)))):
        for name, image in (("A", pair.a.image), ("B", pair.b.image)):
            (root / name).mkdir(exist_ok=True)
            image.save(root / name / f"{number}.png")
    return root


@pytest.fixture(scope="module")
def run(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "negatives-0001"
    command = ["train", str(folder), "--gan", "pix2pix", "--samples", "800", "--batch", "8", "--out", str(out), *TINY]
    assert main([*command, "--keep-best", "psnr"]) == 0
    return out


def test_a_run_on_pairs_is_judged_by_the_partners_and_previews_them(run: Path):
    scores = {record["name"]: record for record in Run(run).records("evaluations.jsonl")}
    assert scores["psnr[pixels]"]["baseline"] > 0 and "ssim[pixels]" in scores
    assert (run / "best" / "model.json").is_file() and (run / "report.html").stat().st_size > 10_000
    with Image.open(run / "samples/latest.png") as preview:
        assert preview.width > preview.height  # strips of given, made and real


def test_it_is_judged_again_and_by_other_pairs(run: Path, folder: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["evaluate", str(run), "--metrics", "psnr,l1", "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert main(["evaluate", str(run), "--metrics", "psnr", "--data", str(folder), "--json"]) == 0
    other = json.loads(capsys.readouterr().out)
    assert [score["name"] for score in again["scores"]] == ["psnr[pixels]", "l1[pixels]"]
    assert [score["name"] for score in other["scores"]] == ["psnr[pixels]"]


def test_pictures_of_any_size_are_translated_with_a_page(
    run: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "in").mkdir()
    Image.new("RGB", (37, 21), (200, 200, 200)).save(tmp_path / "in" / "0.png")
    command = ["translate", str(run), str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--targets", str(folder / "B")]
    assert main([*command, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["outputs"] == [str(tmp_path / "out/0.png")] and Path(told["page"]).is_file()
    with Image.open(tmp_path / "out/0.png") as made:
        assert made.size == (37, 21)


def test_inspecting_says_that_there_are_pairs(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["inspect", str(folder)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert (
        "120 pairs" in said
        and "Side a has 120 images of 16x16, each belonging to one of side b" in said
        and "train pix2pix" in said
    )


def test_a_model_of_images_is_told_to_translate(run: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["generate", str(run), "-n", "2"]) == 2
    assert "gansmith translate RUN INPUT" in capsys.readouterr().err


def test_two_domains_are_learnt_both_ways_and_not_judged_by_partners_they_have_not(folder: Path, tmp_path: Path):
    from gansmith import api

    options = {"width": 4, "critic_width": 4, "critic_layers": 1, "pool": 5, "blocks": 1}
    opened = {"gan": "cyclegan", "options": options, "batch": 4, "evaluate": False, "kind": "pairs", "pairing": "none"}
    runs = [api.train(folder, out=tmp_path / name, samples=64, **opened) for name in ("one", "again")]
    one, again = (run.model().gan.players["generator"].averaged.state_dict() for run in runs)
    for name, tensor in one.items():
        np.testing.assert_array_equal(tensor.numpy(), again[name].numpy())
    with Image.open(folder / "A/0.png") as picture:
        made = [np.asarray(runs[0].model().translate(picture, makes=side)) for side in ("b", "a")]
    assert (made[0] != made[1]).any()
    judgement = runs[0].evaluate(metrics=["psnr", "frechet"], samples=20)
    assert "no such pairs" in judgement.skipped["psnr"] and judgement.scores[0].metric == "frechet"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--gan", "dcgan"], "dcgan is for examples alone, but these data are pairs: choose --gan pix2pix"),
        (["--gan", "pix2pix", "--gan.crop", "64"], "crops of 64 pixels do not fit into images of 16x16"),
        (["--gan", "pix2pix"], "a critic of 3 layers needs images of 32 pixels, but they have 16"),
        (["--gan", "cyclegan", "--channels", "1", "--pairing", "all"], "--pairing takes one of names, none"),
        (["--resolution", "8", "--gan", "srgan", "--swap", "--degrade", "x2"], "cannot be swapped"),
    ],
)
def test_mistakes_are_answered_in_a_sentence(folder: Path, capsys: pytest.CaptureFixture[str], options: list[str], sentence: str):
    preset = ["--preset", "paper"] if options[:2] == ["--gan", "pix2pix"] and len(options) == 2 else []
    assert main(["train", str(folder), "--samples", "8", "--dry-run", *options, *preset]) == 2
    said = capsys.readouterr().err
    assert sentence in said and said.count("\n") == 1


@pytest.mark.parametrize("gan", ["pix2pix", "srgan", "esrgan", "real_esrgan", "pix2pixhd", "spade", "bicyclegan", "fusiongan"])
def test_images_that_do_not_belong_together_are_refused_by_those_that_hold_one_to_the_other(gan):
    with pytest.raises(
        UserError, match=f"^{gan} needs images that belong together, but these are two domains: choose --gan cyclegan"
    ):
        toys.small(gan, toys.pairs(side=32, aligned=False))


@pytest.mark.parametrize("gan", ["cyclegan", "cut", "munit"])
def test_two_domains_are_learned_by_those_that_cross(gan):
    assert toys.small(gan, toys.pairs(side=32, aligned=False)).crosses and toys.small("starganv2", toys.domains()).crosses
