import math

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from gansmith import gans
from gansmith.data.codec import HasSource
from gansmith.export import export
from gansmith.export.onnx import lowered
from gansmith.model import Model
from gansmith.tasks.translation import Translating
from tests import toys


def test_in_float16_every_weight_is_half_as_large_and_the_network_answers_like_torch_at_any_size(tmp_path):
    data = toys.pairs(scale=2)
    for gan, own in (("srgan", data), ("pix2pix", toys.pairs())):
        torch.manual_seed(0)
        model = Model(toys.small(gan, own).eval(), own.codec, {"gan": gan, "data": "negatives"})
        path = export(model, "onnx_float16", tmp_path / gan)
        weights = [tensor for tensor in onnx.load(path).graph.initializer if math.prod(tensor.dims) > 8]
        assert len(weights) > 4 and {tensor.data_type for tensor in weights} <= {onnx.TensorProto.FLOAT16, onnx.TensorProto.INT64}
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        for batch, rows, columns in ((1, 2, 3), (3, 5, 4)):
            x = torch.randn(batch, 3, 8 * rows, 8 * columns)
            (made,) = session.run(["output"], {"input": x.half().numpy()})
            with torch.inference_mode():
                expected = model.gan.exportable()[0](x)
            assert made.dtype == np.float16 and made.shape == expected.shape
            np.testing.assert_allclose(made.astype(np.float32), expected.numpy(), atol=0.02)


TRANSLATING = sorted(name for name in gans.names() if issubclass(gans.find(name), Translating))


@pytest.mark.parametrize(("gan", "options"), [("pix2pix", {"lab": True}), *((name, {}) for name in TRANSLATING)])
def test_what_is_exported_runs_with_weights_and_images_in_float16(gan: str, options: dict):
    """As it is traced for ONNX: wherever float32 crept in between, torch refuses to multiply."""
    enlarging = gan in toys.ENLARGING
    data = toys.domains() if gan == "starganv2" else toys.pairs(scale=1 + enlarging, given=1 if options else 3)
    network, examples = toys.small(gan, data, **options).eval().exportable()
    with torch.inference_mode():
        expected = network(**examples)
        made = network.half()(**{name: lowered(tensor) for name, tensor in examples.items()})
    np.testing.assert_allclose(made.float().numpy(), expected.float().numpy(), atol=0.05)


@pytest.mark.parametrize(
    ("gan", "scale", "multiple", "options"),
    [
        ("srgan", 2, 1, {}),
        ("pix2pix", 1, 8, {}),
        ("pix2pix", 1, 8, {"residual": True}),
        ("pix2pix", 1, 8, {"blends": True}),
        ("pix2pix", 1, 8, {"lab": True}),
        ("cyclegan", 1, 8, {}),
        ("cut", 1, 8, {}),
        ("esrgan", 2, 2, {}),
        ("esrgan", 2, 1, {"folded": False, "repeat_edges": True}),
        ("real_esrgan", 2, 2, {}),
        ("pix2pixhd", 1, 8, {}),
        ("spade", 1, 4, {}),
        ("fusiongan", 1, 1, {}),
    ],
    ids=lambda case: str(case),
)
def test_onnx_takes_images_of_any_size_under_the_usual_names(gan: str, scale: int, multiple: int, options: dict, tmp_path):
    data = toys.pairs(scale=scale, given=1 if "lab" in options else 3)
    assert isinstance(data.codec, HasSource)
    model = Model(toys.small(gan, data, **options).eval(), data.codec, {"gan": gan, "data": "negatives"})
    channels = model.gan.exportable()[1]["input"].shape[1]
    session = onnxruntime.InferenceSession(export(model, "onnx", tmp_path), providers=["CPUExecutionProvider"])
    assert [one.name for one in session.get_inputs()] == ["input"] and [one.name for one in session.get_outputs()] == ["output"]
    for batch, rows, columns in ((1, 2, 3), (3, 5, 4)):
        x = torch.rand(batch, channels, multiple * rows, multiple * columns) * 2 - 1
        (made,) = session.run(["output"], {"input": x.numpy()})
        with torch.inference_mode():
            expected = model.gan.exportable()[0](x)
        assert made.shape == (batch, 3, scale * multiple * rows, scale * multiple * columns)
        np.testing.assert_allclose(made, expected.numpy(), atol=1e-4)


@pytest.mark.parametrize(("gan", "multiple"), [("bicyclegan", 8), ("munit", 8), ("starganv2", 4)])
def test_onnx_takes_the_noise_of_styles_beside_images_of_any_size(gan: str, multiple: int, tmp_path):
    data = toys.domains() if gan == "starganv2" else toys.pairs()
    model = Model(toys.small(gan, data).eval(), data.codec, {"gan": gan, "data": "toys"})
    session = onnxruntime.InferenceSession(export(model, "onnx", tmp_path), providers=["CPUExecutionProvider"])
    names = [one.name for one in session.get_inputs()]
    given = {"input": torch.randn(3, 3, multiple * 5, multiple * 4), "noise": torch.randn(3, 4)}
    given |= {"label": torch.tensor([2, 0, 1])} if gan == "starganv2" else {}
    assert names == list(given)
    (made,) = session.run(["output"], {name: tensor.numpy() for name, tensor in given.items()})
    with torch.inference_mode():
        expected = model.gan.exportable()[0](**given)
    np.testing.assert_allclose(made, expected.numpy(), atol=1e-4)
