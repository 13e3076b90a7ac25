"""GANs and players of one's own travel with their model, and run only where they are trusted and unchanged."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch

import gansmith
from gansmith.data.programs import RefusedError
from gansmith.errors import UserError
from gansmith.runs.programs import copies_in
from tests import own_players

PAGE = Path(__file__).parents[2] / "docs" / "write-your-own-gan.md"
TINY = {"samples": 32, "batch": 16, "threads": 1, "evaluate": False}


@pytest.fixture
def pictures():
    return np.random.default_rng(0).integers(0, 256, (40, 16, 16), np.uint8)


@pytest.fixture
def run(tmp_path, pictures):
    (tmp_path / "my_gan.py").write_text(re.search(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)[1])
    return gansmith.train(pictures, gan=str(tmp_path / "my_gan.py"), options={"width": 4}, out=tmp_path / "run", **TINY)


def elsewhere(run, tmp_path):
    """The model in another place, where the GAN's file is not; what it makes, and its folder."""
    made = gansmith.load(run.folder, trust=True).sample(3, seed=1)["image"]
    moved = run.model_folder.rename(tmp_path / "moved")
    (tmp_path / "my_gan.py").unlink()
    return made, moved


def test_a_model_works_where_the_file_of_its_gan_is_not(run, tmp_path):
    made, moved = elsewhere(run, tmp_path)
    with pytest.raises(RefusedError, match=rf"names the Python file {moved / 'programs' / 'my_gan.py'}, which would run"):
        gansmith.load(moved)
    model = gansmith.load(moved, trust=True)
    assert torch.equal(model.sample(3, seed=1)["image"], made)
    model.save(tmp_path / "again")
    (moved / "programs" / "my_gan.py").unlink()
    assert torch.equal(gansmith.load(tmp_path / "again", trust=True).sample(3, seed=1)["image"], made)


def test_a_program_that_was_changed_or_lost_is_said(run, tmp_path):
    _, moved = elsewhere(run, tmp_path)
    program = moved / "programs" / "my_gan.py"
    program.write_text(program.read_text() + "\n")
    with pytest.raises(UserError, match=r"my_gan\.py has changed since the model was saved"):
        gansmith.load(moved, trust=True)
    program.unlink()
    with pytest.raises(UserError, match=r"my_gan\.py is missing"):
        gansmith.load(moved, trust=True)


def test_what_was_trained_is_what_is_saved_though_the_file_changes_meanwhile(run, tmp_path):
    before = gansmith.load(run.folder, trust=True).sample(2, seed=1)["image"]
    text = (tmp_path / "my_gan.py").read_text()
    (tmp_path / "my_gan.py").write_text(
        text.replace("noise: int = 64", "noise: int = 3").replace("PlainGenerator(spec", "nothing(spec")
    )
    assert (run.model_folder / "programs" / "my_gan.py").read_text() == text
    assert torch.equal(gansmith.load(run.folder, trust=True).sample(2, seed=1)["image"], before)


def test_a_run_goes_on_elsewhere(run, tmp_path, pictures):
    (tmp_path / "my_gan.py").unlink()
    longer = gansmith.train(pictures, out=run.folder, resume=True, samples=64, threads=1, evaluate=False, trust=True)
    assert longer.records("log.jsonl")[-1]["samples"] == 64


@pytest.mark.parametrize("file", ["../../evil.py", "/evil.py", "programs/../evil.py", "programs/a/b.py", "programs/evil.sh"])
def test_a_model_names_no_program_outside_of_its_folder(tmp_path, file):
    with pytest.raises(UserError, match="should be programs/NAME.py"):
        copies_in(tmp_path, {"programs": {"/x/my.py": {"file": file, "sha256": ""}}})


def test_players_of_ones_own_travel_too(tmp_path, pictures):
    own = tmp_path / "nets.py"
    own.write_text(Path(own_players.__file__).read_text())
    options = {"generator": f"{own}:make_generator", "critic": f"{own}:make_critic"}
    run = gansmith.train(pictures, gan="own", options=options, out=tmp_path / "run", **TINY)
    facts = json.loads((run.model_folder / "model.json").read_text())
    assert facts["programs"].keys() == {str(own)}
    made = gansmith.load(run.folder, trust=True).sample(2, seed=1)["image"]
    own.unlink()
    assert torch.equal(gansmith.load(run.folder, trust=True).sample(2, seed=1)["image"], made)
