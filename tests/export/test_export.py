"""Exports of every GAN: each answers like torch, at batch sizes that it was not traced with, and says what it is."""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

import gansmith
from gansmith import gans, kinds
from gansmith.errors import UserError
from gansmith.export import _network, export, exporter_names
from gansmith.kinds.images.codec import ImageCodec
from gansmith.kinds.images.spec import ImageSpec
from gansmith.model import Model
from tests import toys

DATA = {
    "classes": toys.images(side=16, channels=3, classes=3),
    "small": toys.images(side=8, classes=3),
    "colour": toys.images(side=16, channels=3),
    "points": toys.points(),
}
WRITTEN = ("vqgan",)
"""GANs that write an image code by code, whose exports are as long as the codes are many: the smallest data are enough."""
ONCE = [
    (gan, data)
    for gan in toys.SMALL
    for data in ("small" if gan in WRITTEN else "classes", "points")
    if DATA[data].codec.spec.kind in gans.find(gan).kinds and "generation" in gans.find(gan).tasks
]
"""Each GAN with the data that ask most of it."""
CASES = [*ONCE, *((gan, "colour") for gan in ("dcgan", "r3gan", "stylegan2", "biggan", "infogan"))]
"""Without labels, a graph of each way of taking them is a smaller one: what it makes is tested for all GANs in tests/contract."""


def model(gan: str, data: str) -> Model:
    """A model whose every weight matters, also those that start at zero."""
    torch.manual_seed(0)
    made = toys.small(gan, DATA[data]).eval()
    for tensor in made.players["generator"].averaged.parameters():
        tensor.add_(0.1 * torch.randn_like(tensor))
    return Model(made, DATA[data].codec, {"gan": gan, "data": DATA[data].name, "samples": 0})


def inputs(made: Model, n: int) -> dict[str, torch.Tensor]:
    given = {"noise": torch.randn(n, *made.gan.exportable()[1]["noise"].shape[1:])}
    if classes := len(made.codec.spec.classes):
        given["label"] = torch.randint(classes, (n,))
    return given


@pytest.mark.parametrize(("gan", "data"), CASES)
def test_an_onnx_file_answers_like_torch_for_any_batch(gan, data, tmp_path):
    made = model(gan, data)
    path = export(made, "onnx", tmp_path)
    assert path == tmp_path / "model.onnx"
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for n in (1, 3, 8):
        given = inputs(made, n)
        (output,) = session.run([made.codec.spec.key], {name: tensor.numpy() for name, tensor in given.items()})
        assert output.shape == (n, *made.codec.spec.shape)
        with torch.inference_mode():
            expected = made.gan.exportable()[0](**given)
        np.testing.assert_allclose(output, expected.numpy(), atol=2e-5, rtol=0)


@pytest.mark.parametrize("gan", ["rowgan", "ctgan", "doppelganger", "quantgan"])
def test_rows_and_series_are_exported_for_batches_of_any_size(gan, tmp_path):
    """Numbers are brought to their ranks, for which ONNX has no search; what comes out is held against torch by `export`."""
    data = next(iter(kinds.find("tables" if gan in ("rowgan", "ctgan") else "series").toys().values()))
    made = Model(toys.small(gan, data).eval(), data.codec, {"gan": gan, "data": data.name, "samples": 0})
    session = onnxruntime.InferenceSession(export(made, "onnx", tmp_path), providers=["CPUExecutionProvider"])
    for n in (1, 3):
        noise = torch.randn(n, *made.gan.exportable()[1]["noise"].shape[1:])
        (output,) = session.run([data.codec.spec.key], {"noise": noise.numpy()})
        assert output.shape == (n, *data.codec.spec.shape) and np.isfinite(output).all()


def test_clips_of_motiongan_come_in_batches_of_any_size(tmp_path):
    data = toys.every()["labelled clips"]
    made = Model(toys.small("motiongan", data).eval(), data.codec, {"gan": "motiongan"})
    said: list[str] = []
    export(made, "onnx", tmp_path, said.append)
    assert "at batches of 1 and 5" in said[0]


@pytest.mark.parametrize("form", ["onnx", "torch"])
def test_a_network_that_fixes_its_batch_is_refused_in_one_sentence(form, tmp_path, monkeypatch):
    class Fixed(torch.nn.Module):
        def forward(self, noise: torch.Tensor) -> torch.Tensor:
            return noise.view(len(noise), 2, 2).flatten(1) + 0

    made = model("gan", "points")
    monkeypatch.setattr(made.gan, "exportable", lambda: (Fixed(), {"noise": torch.randn(2, 4)}))
    with pytest.raises(UserError, match="takes batches of one size alone"):
        export(made, form, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("gan", ["dcgan", "biggan"])
def test_labels_out_of_range_are_refused_in_onnx(gan, tmp_path):
    made = model(gan, "classes")
    session = onnxruntime.InferenceSession(export(made, "onnx", tmp_path), providers=["CPUExecutionProvider"])
    given = {name: tensor.numpy() for name, tensor in inputs(made, 2).items()}
    for label in (3, 99, -1):
        with pytest.raises(onnxruntime.capi.onnxruntime_pybind11_state.InvalidArgument, match="out of data bounds"):
            session.run(None, {**given, "label": np.array([0, label])})
    assert "others are refused" in session.get_modelmeta().custom_metadata_map["inputs"]


@pytest.mark.parametrize(("gan", "data"), ONCE)
def test_a_torch_program_answers_like_the_model_without_gansmith(gan, data, tmp_path):
    made = model(gan, data)
    extra = {"gansmith.json": ""}
    program = torch.export.load(export(made, "torch", tmp_path / "made.pt2"), extra_files=extra).module()
    given = inputs(made, 7)
    torch.testing.assert_close(program(**given), made.gan.exportable()[0](**given))
    assert json.loads(extra["gansmith.json"])["gan"] == gan


@pytest.mark.parametrize("data", ["classes", "points"])
def test_exported_weights_are_a_model_that_generates_the_same(data, tmp_path):
    made = model("gan", data)
    made.card["gan"] = "gan"
    made.save(tmp_path / "first")
    loaded = gansmith.load(tmp_path / "first")
    folder = export(loaded, "safetensors", tmp_path / "second")
    again = gansmith.load(folder)
    key = made.codec.spec.key
    assert torch.equal(again.sample(9, seed=3)[key], made.sample(9, seed=3)[key])
    assert {path.name for path in folder.iterdir()} == {"model.json", "model.safetensors"}


def test_metadata_hold_classes_and_codec(tmp_path):
    made = model("gan", "small")
    properties = {entry.key: entry.value for entry in onnx.load(export(made, "onnx", tmp_path)).metadata_props}
    assert json.loads(properties["classes"]) == ["0", "1", "2"]
    assert "from -1 to 1" in properties["output"]
    assert set(json.loads(properties["inputs"])) == {"noise", "label"}
    codec = ImageCodec.from_json(json.loads(properties["codec"]))
    assert codec.spec == ImageSpec(shape=(1, 8, 8), classes=("0", "1", "2"))


def test_whoever_exports_hears_how_it_was_checked(tmp_path, capsys):
    said = []
    path = export(model("gan", "points"), "torch", tmp_path, said.append)
    assert said == [f"{path}: equal to torch to 0 at batches of 1 and 5."]
    assert capsys.readouterr() == ("", "")


def test_an_export_that_answers_differently_is_refused_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(_network, "TOLERANCE", -1.0)
    with pytest.raises(RuntimeError, match="differs from torch"):
        export(model("gan", "points"), "torch", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_answer_is_noticed():
    network, given = _network.network_of(model("gan", "points"))
    with pytest.raises(RuntimeError, match="differs from torch by"):
        _network.compared(network, given, lambda inputs: network(**inputs) + 1e-3)
    with pytest.raises(RuntimeError, match="differs from torch by nan"):
        _network.compared(network, given, lambda inputs: network(**inputs) * float("nan"))


def test_a_network_in_training_is_left_as_it_was(tmp_path):
    made = model("dcgan", "colour")
    made.gan.train()
    before = {name: tensor.clone() for name, tensor in made.gan.state_dict().items()}
    export(made, "torch", tmp_path)
    assert made.gan.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in made.gan.state_dict().items())


def test_an_unknown_format_is_answered_with_the_known_ones(tmp_path):
    with pytest.raises(
        UserError,
        match=r"There is no format 'onx' \(did you mean \"onnx\"\?\): choose one of onnx, onnx_float16, safetensors, torch, web, weights",
    ):
        export(model("gan", "points"), "onx", tmp_path)


def test_a_missing_extra_is_answered_with_the_command_that_installs_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(UserError, match=r'pip install "gansmith\[onnx\]"'):
        export(model("gan", "points"), "onnx", tmp_path)


def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="could not be written"):
        export(model("gan", "points"), "torch", tmp_path / "file" / "below")


def test_formats_are_the_files_of_the_folder():
    files = {path.stem for path in Path(_network.__file__).parent.glob("*.py") if not path.stem.startswith("_")}
    assert set(exporter_names()) == files == {"onnx", "onnx_float16", "safetensors", "torch", "weights", "web"}
    assert all(line.endswith(".") for line in exporter_names().values())


def test_attributes_are_an_input_of_numbers(tmp_path):
    data = toys.attributed()
    made = Model(toys.small("gan", data).eval(), data.codec, {"gan": "gan", "data": data.name, "samples": 0})
    path = export(made, "onnx", tmp_path)
    properties = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    assert json.loads(properties["attributes"]) == ["bright", "age"]
    assert "every attribute from -1" in json.loads(properties["inputs"])["label"]
    noise, label = torch.randn(3, made.gan.config.noise), torch.tensor([[-1.0, 1.0], [1.0, 0.2], [0.0, 0.0]])
    (output,) = onnxruntime.InferenceSession(path).run(None, {"noise": noise.numpy(), "label": label.numpy()})
    expected = made.gan.players["generator"].averaged(noise, label)
    np.testing.assert_allclose(output, expected.detach().numpy(), atol=1e-5)
