"""The commands: what they do, what they say, where they say it, and their exit status."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import gansmith
from gansmith import gans, kinds
from gansmith.cli import COMMANDS, main
from gansmith.cli.generate import Generate
from gansmith.cli.options import conditions_among
from gansmith.cli.output import Output
from gansmith.training import distributed
from tests import toys

HELP = Path(__file__).parent / "help"
FAST = ["--gan", "gan", "--gan.width", "16", "--gan.noise", "8", "--samples", "640"]


@pytest.fixture(scope="module")
def workshop(tmp_path_factory) -> Path:
    """A folder with data, a run on points and a run on labelled images."""
    folder = tmp_path_factory.mktemp("workshop")
    np.save(folder / "clusters.npy", toys.points(400).arrays["point"])
    squares = toys.images(300, classes=3)
    np.savez(folder / "squares.npz", images=squares.arrays["image"][:, 0], labels=squares.arrays["label"])
    before = Path.cwd()
    os.chdir(folder)
    try:
        assert main(["train", "clusters.npy", *FAST, "--no-evaluate"]) == 0
        assert main(["train", "squares.npz", *FAST, "--no-evaluate"]) == 0
    finally:
        os.chdir(before)
    return folder


def picture(path: Path | str) -> Image.Image:
    with Image.open(path) as image:
        return image.copy()


@pytest.fixture(autouse=True)
def at_work(workshop, monkeypatch, capsys) -> None:
    monkeypatch.chdir(workshop)
    capsys.readouterr()


# ---- help ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("argv", [[], *([name] for name in COMMANDS), *(["train", "--gan", name] for name in gans.names())])
def test_help_is_the_text_that_was_agreed_on(argv, capsys, monkeypatch, request):
    monkeypatch.setenv("COLUMNS", "100")
    assert main([*argv, "--help"]) == 0
    said = "".join(f"{line.rstrip()}\n" for line in capsys.readouterr().out.splitlines())
    said, own = _parted(said)
    path = HELP / f"{'-'.join(word.strip('-') for word in ['gansmith', *argv])}.txt"
    if request.config.getoption("--write-help"):
        path.write_text(said, encoding="utf-8")
    assert said == path.read_text(encoding="utf-8"), "run pytest tests/test_cli.py --write-help if the new text is meant"
    assert not own or own == _parted(_help(["train", "--kind", "images"], capsys))[1]


@pytest.mark.parametrize(
    "words",
    [
        "train digits --minutes 3 --help",
        "train --help .",
        "train --gan r3gan --gan.width=8 --batch 4 --help",
        "train --kind audio --seconds 3 -h",
        "list --help gans",
        "generate runs/x --help -n 4 --where class=7",
    ],
)
def test_help_is_shown_beside_words_of_the_command(words, capsys):
    assert main(words.split()) == 0
    assert "usage: gansmith" in capsys.readouterr().out


def test_help_stands_in_groups_and_is_wrapped_at_words(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    text = _help(["train"], capsys)
    titles = [line for line in text.splitlines() if line and line[0] not in " u" and not line.endswith((".", ","))]
    assert titles[-7:] == [
        "What is trained",
        "How long",
        "The run",
        "Speed and memory",
        "Judging",
        "Output",
        "The data (images)",
    ]
    assert max(map(len, text.splitlines())) <= 80
    assert "-1000,400 (write --values=-1000,400)" in " ".join(text.split())


@pytest.mark.parametrize("kind", kinds.names())
def test_the_data_options_of_a_kind_are_those_that_were_agreed_on(kind, capsys, monkeypatch, request):
    """One text for every kind: a new data option changes this file alone."""
    monkeypatch.setenv("COLUMNS", "100")
    found = {_parted(_help([command, "--kind", kind], capsys))[1] for command in ("train", "inspect", "evaluate")}
    assert len(found) == 1
    path, (said,) = HELP / f"data-options-{kind}.txt", found
    if request.config.getoption("--write-help"):
        path.write_text(said, encoding="utf-8")
    assert said == path.read_text(encoding="utf-8"), "run pytest tests/test_cli.py --write-help if the new text is meant"


def _help(argv: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main([*argv, "--help"]) == 0
    return "".join(f"{line.rstrip()}\n" for line in capsys.readouterr().out.splitlines())


def _parted(text: str) -> tuple[str, str]:
    """A help text, and the data options, which stand at its end."""
    lines = text.splitlines(keepends=True)
    kind = next((i for i, line in enumerate(lines) if line.startswith("  --kind KIND")), None)
    if kind is None:
        return text, ""
    first = next((i for i in range(kind + 1, len(lines)) if lines[i].startswith("  --")), len(lines))
    words = " ".join(" ".join(lines[first:]).split())
    return "".join(lines[:first]), "".join(f"{line.strip()}\n" for line in re.split(r" (?=--[a-z-]+ )", words) if line)


def test_the_options_of_a_gan_begin_with_the_values_of_the_preset(capsys):
    usual = gans.find("wgan").presets["small"].config["width"]
    main(["train", "--gan", "wgan", "--preset", "paper", "--help"])
    paper = capsys.readouterr().out
    main(["train", "--gan", "wgan", "--help"])
    small = capsys.readouterr().out
    assert "highest stage; units times eight for points. (default: 64)" in " ".join(paper.replace("│", "").split())
    assert f"highest stage; units times eight for points. (default: {usual})" in " ".join(small.replace("│", "").split())


def test_no_command_at_all_shows_the_overview_and_fails(capsys):
    assert main([]) == 2
    assert "usage: gansmith COMMAND" in capsys.readouterr().err


def test_the_version_is_that_of_the_package(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"gansmith {gansmith.__version__}\n"


@pytest.mark.parametrize(
    ("words", "kept", "conditions"),
    [
        ("RUN --seconds 3 -n 8", "RUN -n 8", ["seconds=3"]),
        ("RUN --logp <3 --qed=.9 --json", "RUN --json", ["logp<3", "qed=.9"]),
        ("--overwrite RUN --age >=-2", "--overwrite RUN", ["age>=-2"]),
        ("RUN --change -3.5 --seed 3 --temperature .8 --top_p 1", "RUN --seed 3 --temperature .8", ["change=-3.5", "top_p=1"]),
        ("RUN --class cat --where size=3", "RUN --where size=3", ["class=cat"]),
        ("RUN --num-samples 3", "RUN --num-samples 3", []),
        ("RUN --sed --json", "RUN --sed --json", []),
        ("RUN --seconds 3 --help", "RUN --seconds 3 --help", []),
    ],
)
def test_options_that_generate_has_not_are_conditions(words, kept, conditions):
    assert conditions_among(words.split(), Generate) == (kept.split(), conditions)


# ---- mistakes -----------------------------------------------------------------------------------------------------------------

MISTAKES = {
    "help nonsense": "gansmith help takes no 'nonsense'",
    "help trian": "gansmith help takes no 'trian' (did you mean \"train\"?)",
    "--help extra": "gansmith --help takes no 'extra'",
    "train --help zzz": "gansmith train --help takes no 'zzz': it shows all options of the command.",
    "train --help batch": "gansmith train --help takes no 'batch' (did you mean \"--batch\"?)",
    "train --minuts 3 --help": 'gansmith train has no option --minuts (did you mean "--minutes"?)',
    "list --help gan": "gansmith list --help takes no 'gan'",
    "--version extra": "gansmith --version takes no 'extra'",
    "trian": "There is no command 'trian' (did you mean \"train\"?)",
    "train": "Training needs data",
    "train nothing-here": "there is no data nothing-here",
    "train clusters.npy more": "gansmith train does not know what to do with 'more'",
    "inspect clusters.npy --=": "--= names no option before its =: see gansmith inspect --help.",
    "train clusters.npy --minuts 3": 'gansmith train has no option --minuts (did you mean "--minutes"?)',
    "train clusters.npy --seed": "--seed takes a whole number, but nothing was given",
    "train clusters.npy --seed --json": "--seed takes a whole number, but nothing was given",
    "generate nothing -n 1e13": "-n takes a whole number, but it is '1e13'",
    "generate nothing --n=many": "-n takes a whole number, but it is 'many'",
    "generate nothing -n": "-n takes a whole number, but nothing was given",
    "train clusters.npy --seed two": "--seed takes a whole number, but it is 'two'",
    "train clusters.npy --minutes soon": "--minutes takes a number, but it is 'soon'",
    "train clusters.npy --minutes 0": "--minutes must be greater than 0",
    "train clusters.npy --minutes nan": "--minutes takes a finite number, but it is nan",
    "train clusters.npy --minutes inf": "--minutes takes a finite number, but it is inf",
    "train clusters.npy --seed 99999999999999999999999": "--seed must be at most 9223372036854775807",
    "train clusters.npy --seed -1": "--seed must be at least 0, but it is -1",
    "train clusters.npy --threads 99999999999999999999999": "--threads must be at most 1,024",
    "train clusters.npy --judge-metrics frechet,frechet": "--judge-metrics names frechet twice",
    "train clusters.npy --keep-best frechet --judge-samples 0": "--judge-samples must be at least 1",
    "train clusters.npy --gan gan --gan.learning-rate nan": "--gan.learning-rate takes a finite number",
    "train clusters.npy --gan gan --gan.learning-rate -1": "--gan.learning-rate must be at least 0",
    "train clusters.npy --gan gan --gan.width 0": "--gan.width must be at least 1",
    "train clusters.npy --precision float16": "--precision takes one of auto, float32, bfloat16, but it is 'float16'",
    "train clusters.npy --device tpu": "--device tpu is not available here",
    "train clusters.npy --devices 0": "--devices must be at least 1, but it is 0",
    "train clusters.npy --mirror --no-mirror": "--mirror and --no-mirror contradict each other",
    "train clusters.npy --epochs 3": "has no option --epochs (did you mean --samples N, which counts examples of real data?)",
    "train clusters.npy --lr 3": "has no option --lr (did you mean --gan.learning-rate?)",
    "train clusters.npy --num 3": "gansmith train has no option --num",
    "train clusters.npy --image_size 3": "has no option --image_size (did you mean --resolution?)",
    "generate runs/clusters-0001 --class 7": "remove class=7. --class was read as --where class=7, since it is no option",
    "generate runs/clusters-0001 --sed 7": 'since it is no option of gansmith generate (did you mean "--seed"?).',
    "generate runs/clusters-0001 --sed": 'has no option --sed (did you mean "--seed"?)',
    "generate runs/clusters-0001 --num-samples 7": "has no option --num-samples (did you mean -n N?)",
    "train clusters.npy --gan wgann": "There is no GAN named 'wgann': did you mean wgan?",
    "train clusters.npy --gan ./mine.py": "mine.py, which does not exist",
    "train clusters.npy --gan gan --preset big": "gan has no preset 'big'",
    "train clusters.npy --gan gan --gan.widht 3": 'no option --gan.widht (did you mean "--gan.width"?)',
    "train clusters.npy --gan gan --gan.width wide": "--gan.width takes a whole number, but it is 'wide'",
    "train clusters.npy --gan gan --gan.loss hinge": "--gan.loss takes one of non_saturating, minimax, but it is 'hinge'",
    "train clusters.npy --gan.widths a": "--gan.widths takes whole numbers",
    "train clusters.npy --gan r3gan --gan.patch 3": "A patch must be 1, 2 or 4 pixels wide, but it is 3: change --gan.patch.",
    "train clusters.npy --gan dcgan --samples 640": "dcgan learns images",
    "train clusters.npy --resume --batch 3 --gan.noise 8": "leave --batch, --gan.noise out, or begin a new run",
    "train clusters.npy --resume runs/none": "There is no run to continue in runs/none",
    "train clusters.npy --out runs/clusters-0001": "runs/clusters-0001 already holds a run",
    "train clusters.npy --out clusters.npy/run --samples 640": "clusters.npy/run could not be written",
    "train clusters.npy --resolution 8": "--resolution is an option for images and video, and these data are of another kind",
    "train squares.npz --channels 2": "channels",
    "train --dry-run": "A dry run needs data",
    "train clusters.npy --judge-metrics fidd": 'there is no metric "fidd"',
    "train clusters.npy --patience 3": "needs a metric: name some with --judge-metrics, or one with --keep-best",
    "train clusters.npy --keep-best frechet --judge-share 2": "--judge-share must be less than 1, but it is 2",
    "train clusters.npy --resume --keep-best recall --patience 3": "leave --keep-best, --patience out, or begin a new run",
    "generate": "gansmith generate needs RUN: see gansmith generate --help.",
    "generate nothing": "nothing holds no model",
    "generate runs/clusters-0001 -n 0": "-n must be at least 1, but it is 0",
    "generate runs/clusters-0001 --where seven": "--where takes key=value",
    "generate runs/clusters-0001 --where seed=7": "points have no classes: remove seed=7",
    "generate runs/clusters-0001 --where class=7": "points have no classes: remove class=7",
    "generate runs/squares-0001 --where class=7": 'there is no class "7"',
    "generate runs/clusters-0001 --out clusters.npy/here": "clusters.npy/here cannot be used (Not a directory)",
    "evaluate": "Judging needs a run folder, or both --real and --fake.",
    "evaluate runs/none": "runs/none is not a run folder",
    "evaluate runs/clusters-0001 --real clusters.npy": "Give either the run runs/clusters-0001",
    "evaluate --real clusters.npy": "Judging needs a run folder, or both --real and --fake.",
    "evaluate --real clusters.npy --fake squares.npz": "squares.npz holds images, not points",
    "evaluate runs/clusters-0001 --metrics frechett": 'there is no metric "frechett" (did you mean "frechet"?)',
    "evaluate runs/clusters-0001 --json none/scores.json": "none/scores.json, whose folder does not exist",
    "evaluate --real clusters.npy --fake squares.npz --json clusters.npy --overwrite": "clusters.npy is read by this command",
    "evaluate runs/clusters-0001 --json squares.npz": "squares.npz exists and would be overwritten: choose another --json",
    "compare runs/clusters-0001 runs/squares-0001 --json squares.npz": "squares.npz exists and would be overwritten",
    "generate runs/clusters-0001 --out squares.npz": "squares.npz exists and would be overwritten",
    "export runs/clusters-0001 --to safetensors --out runs/squares-0001/model": "2 files exist (runs/squares-0001/model/model.s",
    "train clusters.npy --samples 640 --out runs/squares-0001/samples/..": "already holds a run",
    "edit runs/squares-0001 grid --out squares.npz": "--out takes a .png file here, but it is squares.npz",
    "export runs/clusters-0001": "gansmith export needs RUN and --to",
    "export runs/clusters-0001 --to onyx": "--to takes one of onnx, onnx_float16, torch, safetensors, weights, web, but it is 'onyx'",
    "compare": "Comparing needs two or more runs, each named once, but was given none.",
    "compare runs/clusters-0001": "Comparing needs two or more runs",
    "compare runs/clusters-0001 runs/none": "runs/none is not a run folder",
    "compare runs/clusters-0001 runs/squares-0001": "clusters-0001 on clusters, squares-0001 on squares",
    "inspect": "gansmith inspect needs DATA",
    "inspect nothing-here": "there is no data nothing-here",
    "list gan": "gansmith list takes one of gans, kinds, data, metrics, presets, formats, but it is 'gan'",
}


@pytest.mark.parametrize("line", MISTAKES)
def test_a_mistake_is_one_sentence_and_status_2(line, capsys):
    assert main(line.split()) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("gansmith: ")
    assert said.err.count("\n") == 1
    assert MISTAKES[line] in said.err


def test_a_fault_of_ours_is_no_mistake_of_the_user(monkeypatch):
    monkeypatch.setattr("gansmith.model.Model.load", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main(["generate", "runs/clusters-0001"])


def test_a_full_disk_is_a_sentence_without_a_name(capsys, monkeypatch):
    def full(*_, **__):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("numpy.savez", full)
    assert main(["generate", "runs/clusters-0001", "--out", "made.npz"]) == 2
    assert "No space left on device" in capsys.readouterr().err


def test_a_reader_who_has_seen_enough_is_no_error():
    process = subprocess.Popen([sys.executable, "-m", "gansmith", "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    complaint = process.stderr.read()
    process.stderr.close()
    assert process.wait(60) == 0
    assert complaint == b""


def test_a_fault_ends_a_process_with_status_1_and_its_traceback(tmp_path):
    game = "class Broken(gan.OriginalGAN):\n    def play(self, draw):\n        raise ZeroDivisionError\n"
    (tmp_path / "broken.py").write_text(f"from gansmith.gans import gan\n\n\n{game}")
    command = [
        sys.executable,
        "-m",
        "gansmith",
        "train",
        "ring",
        "--gan",
        str(tmp_path / "broken.py"),
        "--out",
        str(tmp_path / "run"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "Traceback" in done.stderr


# ---- train --------------------------------------------------------------------------------------------------------------------


def test_train_leaves_a_judged_run_and_says_what_to_do_next(capsys):
    assert main(["train", "clusters.npy", *FAST, "--out", "made/judged"]) == 0
    said = capsys.readouterr()
    assert "Report:   made/judged/report.html" in said.out
    assert "gansmith generate made/judged" in said.out
    assert "coverage[raw]" in said.out
    assert "100%" in said.err
    assert "coverage" not in said.err
    assert Path("made/judged/report.html").is_file()
    assert gansmith.Run("made/judged").facts["config"]["width"] == 16


def test_train_prints_nothing_but_json_on_stdout_if_asked(capsys):
    assert main(["train", "clusters.npy", *FAST, "--out", "made/json", "--json"]) == 0
    said = capsys.readouterr()
    facts = json.loads(said.out)
    assert facts["run"] == "made/json"
    assert Path(facts["report"]).is_file()
    assert {score["name"] for score in facts["evaluation"]["scores"]} >= {"frechet[raw]", "coverage[raw]"}
    assert "Report:" in said.err


def test_scores_taken_on_the_way_stand_on_the_live_line_and_the_best_model_is_kept(capsys):
    wish = ["--judge-metrics", "recall", "--keep-best", "frechet", "--judge-samples", "50", "--judge-share", "0.9"]
    assert main(["train", "clusters.npy", *FAST, *wish, "--no-evaluate", "--out", "made/best"]) == 0
    said = capsys.readouterr().err
    assert "Judging recall, frechet takes" in said
    assert "recall[raw]" in said.splitlines()[-2]
    assert "best/" in said
    assert main(["generate", "made/best/best", "-n", "3", "--out", "made/kept.npz"]) == 0
    assert main(["evaluate", "made/best/best", "--metrics", "recall", "--samples", "50"]) == 0
    run = gansmith.Run("made/best")
    assert run.records("evaluations.jsonl")[-1]["samples_seen"] == gansmith.load("made/best/best").card["samples"]
    assert main(["compare", "made/best", "made/best/best", "--metrics", "frechet"]) == 0
    assert "best/best" in capsys.readouterr().out


def test_runs_are_numbered_and_reported_even_if_they_are_not_judged():
    assert Path("runs/clusters-0001/report.html").is_file()
    assert not Path("runs/clusters-0001/evaluations.jsonl").exists()
    assert main(["train", "clusters.npy", *FAST, "--no-evaluate"]) == 0
    assert Path("runs/clusters-0002/report.html").is_file()


def test_an_interrupted_training_ends_with_status_130_and_resumes(capsys, monkeypatch):
    from gansmith.watch.live import Live

    tick = Live.tick

    def interrupting(self, record):
        tick(self, record)
        if record["samples"] >= 320:
            os.kill(os.getpid(), signal.SIGTERM)

    command = ["train", "clusters.npy", *FAST, "--no-evaluate", "--out", "made/stopped"]
    with monkeypatch.context() as patch:
        patch.setattr(Live, "tick", interrupting)
        assert main(command) == 130
    assert "Stopped and saved at 320 samples: continue with gansmith train --resume made/stopped" in capsys.readouterr().err
    assert main(["train", "--resume", "made/stopped", "--no-evaluate"]) == 0
    assert "Continuing at 320 samples." in capsys.readouterr().err
    log = gansmith.Run("made/stopped").records("log.jsonl")
    assert log[-1]["samples"] == 640


@pytest.mark.parametrize("resume", [["--resume"], ["--resume", "auto"]])
def test_resume_without_a_run_finds_the_newest_of_the_data(resume, capsys):
    main(["train", "clusters.npy", *FAST, "--no-evaluate", "--out", "runs/clusters-0009"])
    capsys.readouterr()
    assert main(["train", "clusters.npy", "--no-evaluate", *resume]) == 0
    assert "Done: runs/clusters-0009" in capsys.readouterr().err


def test_resume_auto_begins_where_there_is_nothing_to_continue():
    assert main(["train", "clusters.npy", *FAST, "--no-evaluate", "--out", "made/auto", "--resume", "auto"]) == 0
    assert gansmith.Run("made/auto").records("log.jsonl")[-1]["samples"] == 640


def test_a_dry_run_shows_the_plan_and_writes_no_run(capsys):
    before = sorted(Path("runs").iterdir())
    assert main(["train", "squares.npz", *FAST, "--batch", "16", "--dry-run", "--out", "made/dry"]) == 0
    said = capsys.readouterr().out
    assert "gan (preset small) on squares: 300 images [1, 8, 8], 3 classes" in said
    assert "1. critic (minimax)" in said
    assert "2. generator (non_saturating)" in said
    assert "memory: about" in said
    assert sorted(Path("runs").iterdir()) == before
    assert not Path("made/dry").exists()


def test_a_dry_run_in_json_has_the_plan_whole(capsys):
    assert main(["train", "squares.npz", *FAST, "--mirror", "--dry-run", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["mirror"] is True
    assert plan["settings"]["samples"] == 640
    assert plan["config"]["width"] == 16
    assert sum(plan["parameters"]["critic"].values()) == (64 + 3 + 1) * 16 + 17 * 16 + 17
    assert plan["moves"] == ["critic (minimax)", "generator (non_saturating)"]


def test_an_option_that_was_named_is_kept_whatever_the_preset_for_the_data_says(monkeypatch):
    seen = []
    monkeypatch.setattr("gansmith.api.train", lambda data, **named: seen.append(named) or 1 / 0)
    for option in (["--gan.blocks", "2"], ["--gan.blocks=2"], ["--gan.no-simultaneous"], ["--gan.learning_rate", "1e-3"]):
        with pytest.raises(ZeroDivisionError):
            main(["train", "clusters.npy", *option])
    given = [named["options"] for named in seen]
    assert given == [{"blocks": 2}, {"blocks": 2}, {"simultaneous": False}, {"learning_rate": 1e-3}]


def test_options_without_a_named_gan_are_those_of_the_usual_gan_for_the_data(workshop, capsys):
    rows = "size,weight\n" + "".join(f"{'sml'[i % 3]},{i % 7 + i / 100}\n" for i in range(64))
    (workshop / "parcels.csv").write_text(rows, encoding="utf-8")
    assert main(["train", "parcels.csv", "--gan.knots", "3", "--dry-run", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert (plan["gan"], plan["config"]["knots"]) == ("rowgan", 3)


def test_options_of_two_domains_without_a_named_gan_are_those_of_cyclegan(workshop, capsys):
    for side in ("trainA", "trainB"):
        (workshop / "apples" / side).mkdir(parents=True)
        for number in range(10):
            Image.new("RGB", (16, 16), (number * 20, 9, 9)).save(workshop / f"apples/{side}/{number}.png")
    assert main(["train", "apples", "--gan.pool", "3", "--dry-run", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert (plan["gan"], plan["config"]["pool"]) == ("cyclegan", 3)


def test_an_option_is_checked_beside_the_preset_of_the_datas_kind(capsys):
    """Of R3GAN's presets, that for images has plain players, which take no widths, and that for points residual ones."""
    assert main(["train", "clusters.npy", "--gan", "r3gan", "--gan.widths", "64", "--dry-run", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert (plan["preset"], plan["config"]["widths"]) == ("points", [64])
    assert main(["train", "squares.npz", "--gan", "r3gan", "--gan.widths", "64", "--dry-run"]) == 2
    assert "Plain players take their widths" in capsys.readouterr().err


def test_devices_start_as_many_processes_of_the_same_command(monkeypatch):
    started = []
    monkeypatch.setattr(distributed, "launch", lambda devices, command: started.append((devices, command)) or 7)
    assert main(["train", "clusters.npy", "--devices", "2", "--seed=3"]) == 7
    assert main(["train", "clusters.npy", "--devices=3", "--seed", "3"]) == 7
    assert started == [(2, ["train", "clusters.npy", "--seed=3"]), (3, ["train", "clusters.npy", "--seed", "3"])]


def test_a_mistake_in_several_processes_is_said_once_with_status_2():
    command = [sys.executable, "-m", "gansmith", "train", "clusters.npy", "--devices", "2", "--batch", "15", *FAST]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1
    assert "give --batch a multiple of 2" in done.stderr


def test_a_name_whose_suffix_no_file_has_is_a_folder(workshop):
    assert main(["generate", "runs/clusters-0001", "-n", "2", "--out", "made.v1"]) == 0
    assert Path("made.v1").is_dir()


def test_of_several_processes_only_the_first_speaks(capsys, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    assert main(["train", "clusters.npy", "--devices", "0"]) == 2
    output = Output(True)
    output.say("words")
    output.result({"answer": 42})
    assert capsys.readouterr() == ("", "")


def test_tensorboard_is_written_into_the_run():
    pytest.importorskip("tensorboard")
    command = ["train", "clusters.npy", *FAST, "--no-evaluate", "--out", "made/board", "--track", "tensorboard"]
    assert main(command) == 0
    assert list(Path("made/board/tensorboard").glob("events.*"))


# ---- generate -----------------------------------------------------------------------------------------------------------------


def test_generate_saves_a_file_each(capsys):
    assert main(["generate", "runs/squares-0001", "-n", "5", "--where", "class=2", "--json"]) == 0
    said = capsys.readouterr()
    facts = json.loads(said.out)
    assert facts["where"] == {"class": "2"}
    assert [Path(path).name for path in facts["paths"]] == [f"{number:06d}-2.png" for number in range(5)]
    assert all(picture(path).size == (8, 8) for path in facts["paths"])
    assert "5 examples: runs/squares-0001/generated" in said.err


def test_generate_overwrites_nothing_in_a_folder():
    for _ in range(2):
        assert main(["generate", "runs/squares-0001/model", "-n", "3", "--out", "made/files"]) == 0
    assert len(list(Path("made/files").glob("*.png"))) == 6 and len(Path("made/files/labels.csv").read_text().splitlines()) == 7


def test_generate_saves_in_portions(monkeypatch):
    monkeypatch.setattr("gansmith.cli.generate.AT_ONCE", 64 * 100)
    assert main(["generate", "runs/squares-0001", "-n", "300", "--out", "made/portions"]) == 0
    whole = gansmith.load("runs/squares-0001").generate(300)
    files = sorted(Path("made/portions").glob("*.png"))
    assert len(files) == 300
    assert all(picture(path).tobytes() == raw.image.tobytes() for path, raw in zip(files, whole, strict=True))


def test_generate_makes_one_picture_or_arrays():
    assert main(["generate", "runs/squares-0001", "-n", "9", "--seed", "4", "--out", "made/new/nine.png"]) == 0
    assert picture("made/new/nine.png").width > 3 * 8
    assert main(["generate", "runs/squares-0001", "-n", "9", "--seed", "4", "--out", "made/new/nine.npz"]) == 0
    arrays = np.load("made/new/nine.npz")
    sample = gansmith.load("runs/squares-0001").sample(9, seed=4)
    assert arrays["image"].shape == (9, 1, 8, 8)
    assert arrays["classes"].tolist() == ["0", "1", "2"]
    assert arrays["label"].tolist() == sample["label"].tolist()


def test_generated_arrays_are_data_again():
    assert main(["generate", "runs/squares-0001", "-n", "30", "--out", "made/again.npz"]) == 0
    data = gansmith.open_dataset("made/again.npz")
    assert len(data) == 30
    assert data.codec.spec == gansmith.load("runs/squares-0001").codec.spec


# ---- evaluate, export, inspect, list ------------------------------------------------------------------------------------------


def test_evaluate_judges_a_run(capsys):
    assert main(["evaluate", "runs/clusters-0001", "--metrics", "frechet, recall", "--samples", "50", "--json"]) == 0
    said = capsys.readouterr()
    assert [score["name"] for score in json.loads(said.out)["scores"]] == ["frechet[raw]", "recall[raw]"]
    assert "Report: runs/clusters-0001/report.html" in said.err
    assert len(gansmith.Run("runs/clusters-0001").records("evaluations.jsonl")) == 2


def test_evaluate_judges_anybodys_samples_and_writes_json_to_a_file(capsys):
    assert (
        main(["evaluate", "--real", "clusters.npy", "--fake", "clusters.npy", "--metrics", "coverage", "--json", "s.json"]) == 0
    )
    assert "coverage[raw]" in capsys.readouterr().out
    (score,) = json.loads(Path("s.json").read_text())["scores"]
    assert score["value"] > 0.9


def test_export_writes_into_the_run_and_says_how_it_was_checked(capsys):
    assert main(["export", "runs/squares-0001", "--to", "torch"]) == 0
    assert capsys.readouterr().out.startswith("runs/squares-0001/export/model.pt2: equal to torch")
    assert main(["export", "runs/squares-0001", "--to", "safetensors", "--out", "made/shared", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["path"] == "made/shared"
    assert len(gansmith.load("made/shared").generate(2)) == 2


def test_inspect_says_what_is_there(capsys):
    assert main(["inspect", "squares.npz"]) == 0
    said = capsys.readouterr().out
    assert "squares: 300 images." in said
    assert "gansmith train squares.npz would train r3gan" in said
    assert main(["inspect", "squares.npz", "--no-labels", "--resolution", "16", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["resolution"] == [16, 16]
    assert facts["classes"] == {}


@pytest.mark.parametrize(
    ("what", "name"),
    [
        ("gans", "r3gan"),
        ("data", "digits"),
        ("metrics", "frechet"),
        ("formats", "onnx"),
        ("presets", "--gan r3gan --preset small"),
    ],
)
def test_list_names_what_there_is(what, name, capsys):
    assert main(["list", what, "--json"]) == 0
    assert name in json.loads(capsys.readouterr().out)
    assert main(["list", what]) == 0
    assert name in capsys.readouterr().out


def test_list_alone_has_every_section_that_is_quick(capsys):
    assert main(["list", "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)) == {"gans", "kinds", "data", "metrics", "formats"}


def test_list_alone_names_all_in_two_screens(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["list"]) == 0
    text = capsys.readouterr().out
    assert len(text.splitlines()) < 75 and "gansmith list gans" in text
    words = set(re.findall(r"[\w-]+", text))
    assert {*gans.names(), "digits8", "fid", "closer_to_training", "onnx", "music"} <= words


# ---- editing ------------------------------------------------------------------------------------------------------------------


def test_generate_makes_an_example_for_each_seed(capsys):
    assert main(["generate", "runs/squares-0001", "--seeds", "3,5-6", "--out", "three.npz", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["n"] == 3
    assert main(["generate", "runs/squares-0001", "--seeds", "5", "--out", "one.npz"]) == 0
    with np.load("three.npz") as three, np.load("one.npz") as one:
        np.testing.assert_array_equal(three["image"][1], one["image"][0])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--seeds", "8-1"], "--seeds takes numbers below 2^64 and ranges such as 1-8 or 3,7,9, but it is '8-1'."),
        (["--seeds", f"{2**64}"], f"--seeds takes numbers below 2^64 and ranges such as 1-8 or 3,7,9, but it is '{2**64}'."),
        (["--seeds", "1-9999999999"], "--seeds 1-9999999999 has 9,999,999,999 seeds, more than the limit of 1,000,000: give"),
        (["--seeds", "1", "--rejection", "80"], "--seeds names each example, and --rejection leaves some out: give one of them."),
    ],
)
def test_seeds_that_make_no_sense_are_refused(words, said, capsys):
    assert main(["generate", "runs/squares-0001", *words]) == 2
    assert capsys.readouterr().err.startswith(f"gansmith: {said}")


def test_generate_with_rejection_says_how_much_passed(capsys):
    status = main(["generate", "runs/squares-0001", "-n", "20", "--rejection", "50", "--out", "kept.npz"])
    said = capsys.readouterr()
    assert (status == 0 and "% of those made)" in said.out) or "does not score real examples above generated ones" in said.err


@pytest.mark.parametrize(
    ("words", "out"),
    [
        (["interpolate", "--seeds", "1-2", "--frames", "4", "--where", "class=1"], "interpolate.gif"),
        (["grid", "--seeds", "1-4"], "grid.png"),
        (["directions", "--count", "2"], "directions.png"),
        (["directions", "--by", "ganspace", "--count", "2", "--out", "space.png"], "../../../space.png"),
        (["project", "real.png", "--steps", "3"], "real.png"),
        (["fuse", "real.png", "real.png", "--steps", "2", "--frames", "3"], "fuse.png"),
    ],
)
def test_edit_writes_what_it_says(words, out, capsys):
    Image.fromarray(np.full((8, 8), 99, np.uint8)).save("real.png")
    assert main(["edit", "runs/squares-0001", *words, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert Path(facts["out"]).resolve() == (Path("runs/squares-0001/edited") / out).resolve()
    assert picture(facts["out"]).width > 8


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["runs/squares-0001"],
            "gansmith edit needs RUN and an action, one of interpolate, restyle, grid, mix, directions, project, fuse, average",
        ),
        (["runs/squares-0001", "fusee"], "not 'fusee' (did you mean \"fuse\"?)."),
        (["runs/squares-0001", "mix"], "style mixing needs a generator with a style for each layer, which gan lacks"),
        (["runs/squares-0001", "project", "none.png"], "there is no picture none.png"),
        (["runs/squares-0001", "grid", "--vary", "age"], 'there is no attribute "age" to vary: this model has none'),
        (["runs/squares-0001", "grid", "--out", "a.jpg"], "--out takes a .png file here, but it is a.jpg"),
        (["runs/squares-0001", "interpolate", "--seeds", "2,2"], "seed 2 follows itself (the last one is followed by the first)"),
        (
            ["runs/squares-0001", "interpolate", "--per-second", "0"],
            "--per-second must be at least 1, but it is 0",
        ),
        (["runs/squares-0001", "interpolate", "--device", "tpu"], "--device tpu is not available here"),
        (["runs/squares-0001", "--device", "tpu", "grid"], "--device tpu is not available here"),
        (["runs/clusters-0001", "grid"], "but this run makes points by"),
    ],
)
def test_edits_that_cannot_be_made_are_explained(words, said, capsys):
    assert main(["edit", *words]) == 2
    assert said in capsys.readouterr().err


def test_edit_overwrites_nothing_and_says_so_before_it_searches(capsys, monkeypatch):
    Image.fromarray(np.full((8, 8), 99, np.uint8)).save("mine.png")
    before = Path("mine.png").read_bytes()
    monkeypatch.setattr("gansmith.edit.projection.project", lambda *_, **__: pytest.fail("searched"))
    for words, said in (
        (["mine.png", "--out", "x.jpg"], "--out takes a .png file here, but it is x.jpg"),
        (["mine.png", "--out", "mine.png"], "mine.png is read by this command and would be overwritten"),
        (["mine.png", "--out", "mine.png", "--overwrite"], "mine.png is read by this command and would be overwritten"),
        (["absent.png", "--out", "mine.png"], "there is no picture absent.png"),
        (["runs", "--out", "mine.png"], "runs is a folder: give the path of an image file"),
        (["mine.png", "--out", "squares.png"], "squares.npz exists and would be overwritten"),
    ):
        assert main(["edit", "runs/squares-0001", "project", *words]) == 2
        assert said in capsys.readouterr().err
    assert main(["edit", "runs/squares-0001", "fuse", "mine.png", "mine.png", "--out", "x.jpg"]) == 2
    assert "--out takes a .png or .gif or .mp4 file here" in capsys.readouterr().err
    assert Path("mine.png").read_bytes() == before


def test_a_run_is_not_laid_over_files_of_others(capsys):
    Path("album").mkdir()
    Path("album/report.html").write_text("own")
    assert main(["train", "clusters.npy", *FAST, "--out", "album"]) == 2
    assert "album holds report.html, which the run would replace: choose another --out" in capsys.readouterr().err
    assert Path("album/report.html").read_text() == "own" and not Path("album/samples").exists()


def test_labels_are_not_added_to_a_table_of_other_columns(capsys):
    Path("labelled").mkdir()
    Path("labelled/labels.csv").write_text("name;kind\n")
    assert main(["generate", "runs/squares-0001", "-n", "2", "--out", "labelled"]) == 2
    assert "labels.csv has the columns name;kind, so that lines with file, class cannot be added" in capsys.readouterr().err
    assert [path.name for path in Path("labelled").iterdir()] == ["labels.csv"]


def test_every_action_of_edit_has_help(capsys):
    from gansmith.cli.edit import ACTIONS

    for action in ACTIONS:
        assert main(["edit", "RUN", action, "--help"]) == 0
        assert f"gansmith edit RUN {action}" in capsys.readouterr().out


def test_auto_is_a_gan_that_says_why(capsys):
    assert main(["train", "squares.npz", "--gan", "auto", "--dry-run"]) == 0
    assert "--gan auto takes r3gan with --gan.against-overfitting ada: 300 images are little data" in capsys.readouterr().out


def test_on_a_terminal_sentences_are_wrapped_at_words(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "40")
    assert main(["generate", "a-folder-that-is-not-there"]) == 2
    whole = capsys.readouterr().err
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    assert main(["generate", "a-folder-that-is-not-there"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) > 1 and all(len(line) <= 40 for line in lines)
    assert " ".join(lines) == whole.strip()


def test_gans_are_listed_under_what_they_make(capsys):
    assert main(["list", "gans"]) == 0
    headings, under = [], {}
    for line in capsys.readouterr().out.splitlines():
        if line.startswith("  "):
            under[line.split()[0]] = headings[-1].lower()
        else:
            headings.append(line)
    assert len(headings) == len(set(headings))
    for name, heading in under.items():
        made = gans.find(name)
        kinds = ", ".join(made.kinds) or made.learned()
        assert heading == (kinds if "generation" in made.tasks else f"{kinds} to {kinds}"), name
    assert set(under) == set(gans.names())


def test_the_list_of_gans_says_what_is_verified(capsys):
    assert main(["list", "gans", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["dcgan"]
    assert (found["title"], found["year"]) == ("DCGAN", 2016) and found["verified"][0]["data"]
    assert main(["list", "gans"]) == 0
    assert "baseline" in capsys.readouterr().out


def test_attributes_beside_images_are_trained_requested_and_written(tmp_path, capsys):
    folder = tmp_path / "faces"
    folder.mkdir()
    rows = ["file,smiling,age"]
    for number in range(120):
        Image.fromarray(np.full((8, 8), 2 * number, np.uint8)).save(folder / f"{number}.png")
        rows.append(f"{number}.png,{number % 2},{20 + number}")
    (folder / "attributes.csv").write_text("\n".join(rows) + "\n")
    run = str(tmp_path / "run")
    assert main(["train", str(folder), *FAST, "--batch", "8", "--no-evaluate", "--out", run]) == 0
    made = ["generate", run, "-n", "6", "--where", "smiling=1", "--where", "age=30.5", "--out"]
    assert main([*made, str(tmp_path / "made")]) == 0
    lines = (tmp_path / "made" / "attributes.csv").read_text().splitlines()
    assert lines[0] == "file,smiling,age" and lines[1] == "000000.png,1,30.5" and len(lines) == 7
    assert main([*made, str(tmp_path / "made.npz")]) == 0
    with np.load(tmp_path / "made.npz") as arrays:
        assert arrays["attribute_names"].tolist() == ["smiling", "age"] and arrays["attributes"].shape == (6, 2)
    assert main(["edit", run, "grid", "--vary", "age", "--seeds", "1-2"]) == 0
    assert main(["evaluate", run, "--metrics", "precision"]) == 0
    capsys.readouterr()
    assert main(["generate", run, "--where", "agee=3"]) == 2
    assert 'there is no attribute "agee" (did you mean "age"?)' in capsys.readouterr().err


def test_deep_images_of_many_channels_are_trained_judged_and_written_back(tmp_path, capsys):
    bands = np.random.default_rng(0).integers(0, 10_000, (40, 8, 12, 5)).astype(np.uint16)
    np.save(tmp_path / "bands.npy", bands)
    run = tmp_path / "run"
    assert main(["train", str(tmp_path / "bands.npy"), *FAST, "--batch", "8", "--out", str(run)]) == 0
    assert main(["generate", str(run), "-n", "4", "--out", str(tmp_path / "made")]) == 0
    made = np.load(tmp_path / "made" / "000000.npy")
    assert made.dtype == np.uint16 and made.shape == (5, 8, 12)
    assert picture(run / "samples" / "latest.png").mode == "RGB"
    assert (
        main(["evaluate", "--real", str(tmp_path / "bands.npy"), "--fake", str(tmp_path / "made"), "--metrics", "frechet"]) == 2
    )
    assert "examples" in capsys.readouterr().err
