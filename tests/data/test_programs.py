"""Whose word lets a program run: the user's own, never that of a run or model folder."""

import json
import shutil
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import gansmith
from gansmith import gans
from gansmith.cli import main
from gansmith.data import programs
from gansmith.errors import UserError
from gansmith.kinds.images.features.requested import find_extractor
from gansmith.layers.frozen import frozen_network
from gansmith.model import Model
from gansmith.runs.run import Run
from tests import toys

OWN = """
from pathlib import Path

from gansmith.gans import gan

(Path(__file__).parent / "ran").touch()


class Mine(gan.OriginalGAN):
    presets = {"small": gan.OriginalGAN.presets["small"]}
"""
TRAIN = ["--gan.width", "8", "--gan.noise", "4", "--samples", "320", "--batch", "32", "--no-evaluate"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data, a GAN in a file and a run that it was trained in."""
    folder = tmp_path_factory.mktemp("trained")
    np.save(folder / "clusters.npy", toys.points(200).arrays["point"])
    (folder / "mine.py").write_text(OWN)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(["train", "clusters.npy", "--gan", "./mine.py", "--out", "run", *TRAIN]) == 0
    return folder


@pytest.fixture
def strangers(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run that came from a stranger, its GAN beside it."""
    shutil.copytree(trained, tmp_path / "here")
    for path in (tmp_path / "here" / "run" / "run.json", tmp_path / "here" / "run" / "model" / "model.json"):
        before = json.loads(path.read_text())
        facts = json.loads(path.read_text().replace(str(trained), str(tmp_path / "here")))
        facts |= {"programs": before["programs"]} if "programs" in before else {}  # those of the file that was trained
        path.write_text(json.dumps({name: value for name, value in facts.items() if name != "sha256"}))
    (tmp_path / "here" / "ran").unlink()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


COMMANDS = {
    "generate": ["generate", "run", "-n", "2"],
    "generate from the folder of the model": ["generate", "run/model", "-n", "2"],
    "generate with rejection": ["generate", "run", "-n", "2", "--rejection", "80"],
    "evaluate": ["evaluate", "run"],
    "compare": ["compare", "run", "other"],
    "edit": ["edit", "run", "interpolate"],
    "edit average": ["edit", "run", "average"],
    "export": ["export", "run", "--to", "safetensors"],
    "train": ["train", "--resume", "run", "--samples", "640", "--no-evaluate"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_runs_the_file_that_a_run_names_only_with_trust(
    command: str, strangers: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree("run", "other")
    assert main(COMMANDS[command]) == 2
    said = capsys.readouterr().err
    assert f"names the Python file {strangers / 'mine.py'}, which would run on this machine" in said
    assert "--trust" in said
    assert len(said.splitlines()) == 1
    assert not (strangers / "ran").exists()
    main([*COMMANDS[command], "--trust"])  # some go on to refuse points, which are no pictures
    assert "would run on this machine" not in capsys.readouterr().err
    assert (strangers / "ran").exists()


def test_translating_with_a_model_of_points_runs_nothing(strangers: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.new("L", (8, 8)).save("picture.png")
    assert main(["translate", "run", "picture.png", "--trust"]) == 2
    assert "models of points make examples from noise alone" in capsys.readouterr().err
    assert not (strangers / "ran").exists()


def test_translating_runs_the_file_that_a_model_names_only_with_trust(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    own = tmp_path / "mine.py"
    own.write_text("from gansmith.gans import pix2pix\nopen('ran', 'w').close()\n\nclass Mine(pix2pix.Pix2Pix): ...\n")
    data = toys.pairs()
    model = Model(toys.small("pix2pix", data).eval(), data.codec, {"gan": str(own), "data": "toys", "samples": 0})
    model.save(tmp_path / "model")
    Image.new("RGB", (16, 16)).save("picture.png")
    assert main(["translate", "model", "picture.png"]) == 2
    assert f"names the Python file {own}" in capsys.readouterr().err and not Path("ran").exists()
    assert main(["translate", "model", "picture.png", "--trust"]) == 0
    assert Path("ran").exists()


KIND = """
from pathlib import Path

from gansmith.kinds.points.kind import Points

(Path(__file__).parent / "kind ran").touch()


class Mine(Points): ...
"""


@pytest.mark.parametrize("named", ["mine_kind.py", "mine_kind"])
def test_a_kind_of_data_that_a_run_names_runs_only_with_trust(named: str, strangers: Path) -> None:
    place = strangers / named
    file = place if place.suffix else place / "kind.py"
    file.parent.mkdir(exist_ok=True)
    file.write_text(KIND)
    mark = file.parent / "kind ran"
    facts = json.loads(Path("run/run.json").read_text())
    facts["data"]["opening"] = {"kind": str(place)}
    Path("run/run.json").write_text(json.dumps(facts | {"gan": "gan"}))
    model = json.loads(Path("run/model/model.json").read_text())
    Path("run/model/model.json").write_text(json.dumps(model | {"gan": "gan"}))
    for use in (
        lambda: gansmith.evaluate("run", metrics=["frechet"]),
        lambda: gansmith.train(resume="run", samples=640, evaluate=False),
    ):
        with pytest.raises(UserError, match="was not written on this machine"):
            use()
        assert not mark.exists()
    with pytest.raises(UserError, match="would run on this machine"):
        gansmith.train("clusters.npy", resume="run", samples=640, evaluate=False)
    assert not mark.exists()


CALLS: dict[str, Callable[[bool], object]] = {
    "load": lambda trust: gansmith.load("run", trust=trust),
    "Model.load": lambda trust: Model.load("run/model", trust=trust),
    "Run.model": lambda trust: Run("run", trust).model(),
    "Run.generate": lambda trust: Run("run", trust).generate(2),
    "Run.export": lambda trust: Run("run", trust).export("safetensors"),
    "Run.evaluate": lambda trust: Run("run").evaluate(metrics=["frechet"], trust=trust),
    "evaluate": lambda trust: gansmith.evaluate("run", metrics=["frechet"], trust=trust),
    "train": lambda trust: gansmith.train(resume="run", samples=640, evaluate=False, trust=trust),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_call_runs_the_file_that_a_run_names_only_with_trust(call: str, strangers: Path) -> None:
    with pytest.raises(UserError, match="would run on this machine"):
        CALLS[call](False)
    assert not (strangers / "ran").exists()
    CALLS[call](True)
    assert (strangers / "ran").exists()


def test_a_run_is_resumed_with_the_file_named_again_but_with_no_other(
    strangers: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy("mine.py", "other.py")
    assert main(["train", "clusters.npy", "--resume", "run", "--gan", "other.py", "--samples", "640", "--no-evaluate"]) == 2
    assert "mine.py, but" in capsys.readouterr().err
    assert main(["train", "clusters.npy", "--resume", "run", "--gan", "mine.py", "--samples", "640", "--no-evaluate"]) == 0


def test_whoever_trains_a_file_uses_the_run_without_saying_so_again(strangers: Path) -> None:
    options = {"width": 8, "noise": 4}
    run = gansmith.train("clusters.npy", gan="mine.py", options=options, samples=320, evaluate=False, out="another")
    assert len(run.generate(2)) == 2


def test_a_built_in_name_needs_no_trust_and_a_path_among_them_is_none() -> None:
    with programs.named_in(Path("model.json")):
        assert gans.find("gan").__name__ == "OriginalGAN"
        for name in ("../model", "__init__", str(Path(gans.__file__).with_name("gan")), "gan\0", ""):
            with pytest.raises(UserError, match="no GAN named"):
                gans.find(name)


def test_a_model_whose_critic_a_stranger_wrote_generates_without_it_and_is_not_trained(tmp_path: Path) -> None:
    data = toys.images()
    own = tmp_path / "maps.py"
    own.write_text((Path(__file__).parent.parent / "feature_maps.py").read_text() + "\n\nopen(__file__ + '.ran', 'w').close()\n")
    for name in ("projected", "srgan"):
        data = toys.images() if name == "projected" else toys.pairs()
        made = toys.small(name, data, features=f"{own}:maps")
        Model(made.eval(), data.codec, {"gan": name, "data": "toys", "samples": 0}).save(tmp_path / name)
        Path(f"{own}.ran").unlink()
        model = Model.load(tmp_path / name)
        assert model.gan.untrainable is not None and "would run on this machine" in str(model.gan.untrainable)
        assert not Path(f"{own}.ran").exists()
        assert Model.load(tmp_path / name, trust=True).gan.untrainable is None
        assert (tmp_path / name / "programs" / "maps.py.ran").exists()  # as it was when the model was saved


def test_torchscript_and_exported_programs_need_trust_though_the_user_names_them(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # TorchScript itself
        torch.jit.script(torch.nn.Flatten()).save(tmp_path / "net.pt")  # pyright: ignore[reportAttributeAccessIssue]
    program = torch.export.export(torch.nn.Flatten(), (torch.zeros(2, 1, 8, 8),))
    torch.export.save(program, tmp_path / "net.pt2")
    for path in (tmp_path / "net.pt", tmp_path / "net.pt2"):
        with pytest.raises(UserError, match="--trust"):
            find_extractor(path)
        with programs.trusting(True):
            assert find_extractor(path).name == "net"
    with pytest.raises(UserError, match="--trust"):
        frozen_network(str(tmp_path / "net.pt"))
    with pytest.raises(UserError, match="pickle of its author"):
        find_extractor("timm:hf-hub:somebody/network")


def test_a_pickle_in_place_of_a_program_of_torch_is_not_loaded(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str, str]]:
            return open, (str(tmp_path / "ran"), "w")

    torch.save(Bomb(), tmp_path / "net.pt2")
    torch.save(Bomb(), tmp_path / "net.pt")
    for path in (tmp_path / "net.pt", tmp_path / "net.pt2"):
        with pytest.raises(UserError):
            find_extractor(path)
    assert not (tmp_path / "ran").exists()


# ---- files that are no good neighbours ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["json", "torch", "gansmith", "numpy"])
def test_a_file_with_the_name_of_a_module_does_not_replace_it(name: str, tmp_path: Path) -> None:
    before = sys.modules[name]
    (tmp_path / f"{name}.py").write_text(OWN)
    assert gans.find(str(tmp_path / f"{name}.py")).__name__ == "Mine"
    assert sys.modules[name] is before


FAILING = {
    "import sys\nsys.exit(0)": "fails in line 2 (SystemExit: 0)",
    "raise SystemExit": "fails in line 1 (SystemExit)",
    "import sys\n\n1 / 0": "fails in line 3 (ZeroDivisionError: division by zero)",
    "def f(:": "fails in line 1 (SyntaxError",
    "import no_such_module": "No module named 'no_such_module'",
    "raise ValueError('one\\ntwo')": "(ValueError: one)",
    "x = 1": "must define exactly one subclass of gansmith.GAN, but it defines 0",
}


@pytest.mark.parametrize("content", FAILING)
def test_a_file_that_fails_or_ends_the_process_is_one_sentence(
    content: str, strangers: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = set(sys.modules)
    Path("broken.py").write_text(content)
    assert main(["train", "clusters.npy", "--gan", "broken.py"]) == 2
    said = capsys.readouterr().err
    assert FAILING[content] in said and len(said.splitlines()) == 1
    assert content.startswith("x") or not {name for name in set(sys.modules) - before if "broken" in name}


def test_a_function_that_ends_the_process_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text("import sys\n\n\ndef network():\n    sys.exit(0)\n")
    with pytest.raises(UserError, match="fails in line 5 .SystemExit: 0."):
        find_extractor(f"{tmp_path / 'net.py'}:network")


def test_the_word_of_the_user_ends_with_the_call(strangers: Path) -> None:
    Model.load("run", trust=True)
    with pytest.raises(UserError, match="would run"):
        Model.load("run")


def test_facts_name_the_file_by_its_whole_path(strangers: Path) -> None:
    for place in ("run/run.json", "run/model/model.json"):
        assert json.loads(Path(place).read_text())["gan"] == str(strangers / "mine.py")
