"""Weights and facts of a model are of one moment, whole, and of the version that is known."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from gansmith.data import atomic
from gansmith.data.tensors import read_tensors
from gansmith.errors import UserError
from gansmith.model import Model
from gansmith.runs.model_files import FACTS, WEIGHTS, read_model, write_model
from tests import toys


def card(samples: int) -> dict[str, object]:
    return {"gan": "gan", "data": "toys", "samples": samples}


def facts(samples: int) -> dict[str, object]:
    return {"format": 1, "gansmith": "1", "gan": "gan", "config": {"width": samples}, "codec": {}, "card": card(samples)}


def write(folder: Path, samples: int) -> None:
    write_model(folder, {"x": torch.full((5,), float(samples))}, facts(samples))


def test_what_is_written_is_read_and_both_files_say_it(tmp_path: Path) -> None:
    write(tmp_path, 7)
    tensors, found = read_model(tmp_path)
    assert torch.equal(tensors["x"], torch.full((5,), 7.0)) and found == facts(7)
    beside = json.loads((tmp_path / "model.json").read_text())
    assert len(beside.pop("sha256")) == 64 and beside == facts(7)


@pytest.mark.parametrize("written", range(4))
def test_a_kill_before_any_rename_leaves_a_pair_of_one_moment(
    written: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, 1)
    replace, renames = Path.replace, []

    def killed(self: Path, target: Path) -> Path:
        if target.name not in (WEIGHTS, FACTS):  # a draft of one of them
            return replace(self, target)
        if len(renames) == written:
            raise KeyboardInterrupt
        renames.append(target)
        return replace(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(atomic.Path, "replace", killed)
        for samples in (2, 3):
            if written < 2 * (samples - 1):
                with pytest.raises(KeyboardInterrupt):
                    write(tmp_path, samples)
                break
            write(tmp_path, samples)
    tensors, found = read_model(tmp_path)
    assert found == facts(int(tensors["x"][0]))
    assert found["config"] == {"width": {0: 1, 1: 2, 2: 2, 3: 3}[written]}


def test_a_model_alone_in_its_tensor_file_is_read(tmp_path: Path) -> None:
    write(tmp_path, 7)
    (tmp_path / "model.json").unlink()
    assert read_model(tmp_path)[1] == facts(7)


def test_every_flipped_bit_of_the_json_file_is_noticed(tmp_path: Path) -> None:
    write(tmp_path, 7)
    path = tmp_path / "model.json"
    content = path.read_bytes()
    for place in range(8 * len(content)):
        damaged = bytearray(content)
        damaged[place // 8] ^= 1 << place % 8
        path.write_bytes(damaged)
        with pytest.raises(UserError):
            read_model(tmp_path)


def test_a_user_may_change_the_card_and_the_place_of_the_gan_but_nothing_that_the_weights_need(tmp_path: Path) -> None:
    write(tmp_path, 7)
    path = tmp_path / "model.json"
    own = json.loads(path.read_text()) | {"gan": "./mine.py", "card": card(7) | {"licence": "CC0"}}
    path.write_text(json.dumps(own))
    with pytest.raises(UserError, match="if the change is yours, remove its line 'sha256'"):
        read_model(tmp_path)
    del own["sha256"]
    path.write_text(json.dumps(own))
    assert read_model(tmp_path)[1] == own
    path.write_text(json.dumps(own | {"config": {"width": 8}}))
    with pytest.raises(UserError, match="not the one that belongs"):
        read_model(tmp_path)


def test_files_of_two_models_are_no_model(tmp_path: Path) -> None:
    write(tmp_path / "a", 1)
    save_file({"x": torch.ones(5)}, tmp_path / "a" / "model.safetensors", metadata={"gansmith": "{}"})  # of an older version
    with pytest.raises(UserError, match="restore both files from one copy"):
        read_model(tmp_path / "a")
    write(tmp_path / "b", 2)
    (tmp_path / "b" / "model.safetensors").unlink()
    with pytest.raises(UserError, match="holds no weights"):
        read_model(tmp_path / "b")


def test_a_model_of_an_older_version_loads(tmp_path: Path) -> None:
    data = toys.points()
    model = Model(toys.small("gan", data).eval(), data.codec, {"gan": "gan", "data": "toys", "samples": 5})
    model.save(tmp_path / "new")
    tensors, found = read_model(tmp_path / "new")
    (tmp_path / "old").mkdir()
    save_file(tensors, tmp_path / "old" / "model.safetensors", metadata={"gansmith": '{"samples": 5}'})
    (tmp_path / "old" / "model.json").write_text(json.dumps(found, indent=2))
    for key, tensor in Model.load(tmp_path / "old").sample(5).items():
        assert torch.equal(tensor, model.sample(5)[key])
    write_model(tmp_path / "old", *read_model(tmp_path / "old"))
    assert read_tensors(tmp_path / "old" / "model.safetensors")[1] == {"model": found}
    shutil.rmtree(tmp_path / "old")
    with pytest.raises(UserError, match="There is no folder .*old"):
        Model.load(tmp_path / "old")
