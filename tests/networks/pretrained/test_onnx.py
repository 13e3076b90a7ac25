"""ONNX files as feature spaces."""

import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch.nn.functional import conv2d, interpolate

from gansmith.data.dataset import Dataset
from gansmith.errors import UserError
from gansmith.networks.pretrained.onnx import from_onnx

KERNEL = np.random.default_rng(0).normal(size=(4, 1, 3, 3)).astype(np.float32)


def negative(path: Path, kind: int) -> Path:
    """Writes a network that changes the sign of points."""
    graph = helper.make_graph(
        [helper.make_node("Neg", ["points"], ["features"])],
        "negative",
        [helper.make_tensor_value_info("points", kind, ["batch", 2])],
        [helper.make_tensor_value_info("features", kind, ["batch", 2])],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


def convolution(path: Path, shape: list[str | int], *, channels: int = 1, last: bool = False) -> Path:
    """Writes a convolution of images of this shape, with its channels last if asked."""
    nodes = [helper.make_node("Conv", ["first" if last else "images", "kernel"], ["answer" if last else "maps"])]
    if last:
        nodes.insert(0, helper.make_node("Transpose", ["images"], ["first"], perm=[0, 3, 1, 2]))
        nodes.append(helper.make_node("Transpose", ["answer"], ["maps"], perm=[0, 2, 3, 1]))
    graph = helper.make_graph(
        nodes,
        "convolution",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("maps", TensorProto.FLOAT, [None] * 4)],
        [numpy_helper.from_array(KERNEL.repeat(channels, 1), "kernel")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


def few(data: Dataset) -> tuple[Dataset, torch.Tensor]:
    data = data.subset(np.arange(70))
    return data, data.batch(slice(None))["image"]


def reference(images: torch.Tensor) -> torch.Tensor:
    return conv2d(images, torch.from_numpy(KERNEL).repeat(1, images.shape[1], 1, 1)).mean((2, 3))


def test_a_dynamic_batch_is_run_as_it_is(tmp_path: Path, striped: tuple[Dataset, Dataset, Dataset]) -> None:
    data, images = few(striped[0])
    space = from_onnx(convolution(tmp_path / "mine.onnx", ["batch", 1, "height", "width"]))
    assert space.name == "mine"
    assert torch.allclose(space.features(data), reference(images), atol=1e-5)


@pytest.mark.parametrize("shape", [["batch", 3, 12, 10], [4, 3, 12, 10]])
def test_images_are_fitted_to_a_fixed_input_and_a_fixed_batch_is_filled(
    tmp_path: Path, striped: tuple[Dataset, Dataset, Dataset], shape: list[str | int]
) -> None:
    data, images = few(striped[0])
    space = from_onnx(convolution(tmp_path / "mine.onnx", shape, channels=3))
    large = interpolate(images, size=(12, 10), mode="bilinear", antialias=True).repeat(1, 3, 1, 1)
    assert torch.allclose(space.features(data), reference(large), atol=1e-5)


def test_channels_may_come_last(tmp_path: Path, striped: tuple[Dataset, Dataset, Dataset]) -> None:
    data, images = few(striped[0])
    space = from_onnx(convolution(tmp_path / "mine.onnx", ["batch", "height", "width", 3], channels=3, last=True))
    assert torch.allclose(space.features(data), reference(images.repeat(1, 3, 1, 1)), atol=1e-5)


def test_points_are_taken_too(tmp_path: Path, on_ring: tuple[Dataset, Dataset, Dataset]) -> None:
    space = from_onnx(negative(tmp_path / "mine.onnx", TensorProto.FLOAT))
    assert torch.equal(space.features(on_ring[1]), -on_ring[1].batch(slice(None))["point"])


def test_the_key_is_that_of_the_content(tmp_path: Path) -> None:
    one = convolution(tmp_path / "one.onnx", ["batch", 1, "height", "width"])
    same = convolution(tmp_path / "same.onnx", ["batch", 1, "height", "width"])
    other = convolution(tmp_path / "other.onnx", ["batch", 1, 8, 8])
    assert from_onnx(one).key == from_onnx(same).key != from_onnx(other).key


def test_what_cannot_be_run_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="there is no such file"):
        from_onnx(tmp_path / "none.onnx")
    (tmp_path / "text.onnx").write_text("no network")
    with pytest.raises(UserError, match="onnxruntime cannot read it"):
        from_onnx(tmp_path / "text.onnx")
    double = negative(tmp_path / "double.onnx", TensorProto.DOUBLE)
    with pytest.raises(UserError, match="one float32 input, but it has points tensor\\(double\\)"):
        from_onnx(double)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UserError, match='pip install "gansmith\\[onnx\\]"'):
        from_onnx(double)
