"""A page that generates in the browser: what it holds, and that its random numbers are torch's."""

import base64
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from gansmith.edit.seeding import Seeded
from gansmith.errors import UserError
from gansmith.export import export, web
from gansmith.model import Model
from tests.toys import every, small

PAGE = Path(web.__file__).parent / "_web"
NODE = shutil.which("node")


def model(gan: str, toy: str) -> Model:
    data = every()[toy]
    torch.manual_seed(0)
    return Model(small(gan, data).eval(), data.codec, {"gan": gan, "data": toy})


def floats(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), "<f4")


@pytest.mark.skipif(NODE is None, reason="node is not installed here")
def test_the_pages_normal_numbers_are_those_of_torch(tmp_path):
    """More and fewer than sixteen, a last part, large seeds: torch fills tensors in different ways."""
    cases = [(1, 64), (2, 16), (3, 20), (5, 7), (0, 1), (7, 8), (2**40 + 12345, 37), (2**63 - 1, 15)]
    (tmp_path / "page.mjs").write_text((PAGE / "page.js").read_text("utf-8"), encoding="utf-8")
    given = json.dumps([[str(seed), n] for seed, n in cases])
    program = f"import {{ normal }} from './page.mjs'; console.log(JSON.stringify({given}.map(([s, n]) => [...normal(s, n)])))"
    (tmp_path / "run.mjs").write_text(program, encoding="utf-8")
    done = subprocess.run([str(NODE), "run.mjs"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    for (seed, n), found in zip(cases, json.loads(done.stdout), strict=True):
        expected = torch.randn(1, n, generator=torch.Generator().manual_seed(seed))[0].numpy()
        assert np.abs(expected - found).max() < 2e-6, (seed, n)


@pytest.mark.parametrize(("gan", "toy"), [("gan", "labelled"), ("gan", "points"), ("r3gan", "attributes")])
def test_the_page_holds_what_it_needs_and_the_examples_to_check_itself(gan, toy, tmp_path, monkeypatch):
    pytest.importorskip("onnx")
    monkeypatch.delenv(web.VARIABLE, raising=False)
    made = model(gan, toy)
    said: list[str] = []
    assert export(made, "web", tmp_path / "page", said.append) == tmp_path / "page"
    assert {path.name for path in (tmp_path / "page").iterdir()} == set(web.FILES) and "npm install --prefix" in said[0]
    facts = json.loads((tmp_path / "page" / "facts.json").read_text())
    assert facts["seeds"] and facts["noise"] == made.gan.config.noise and facts["shape"] == list(made.codec.spec.shape)
    noise = floats(facts["check"]["noise"]).reshape(2, -1)
    assert np.array_equal(noise[1], torch.randn(1, facts["noise"], generator=torch.Generator().manual_seed(2))[0].numpy())
    if not facts["labelled"]:
        (batch,) = Seeded(made, [1, 2]).batches(2)
        assert np.abs(batch[facts["output"]].numpy().ravel() - floats(facts["check"]["output"])).max() < 1e-5
    with pytest.raises(UserError, match="would be overwritten"):
        export(made, "web", tmp_path / "page")


def test_what_a_page_cannot_show_or_make_is_refused_and_nothing_is_written(tmp_path):
    for gan, toy, said in (("rowgan", "rows", "a page shows pictures"), ("pix2pix", "pairs", "feeds a network with noise")):
        with pytest.raises(UserError, match=said):
            export(model(gan, toy), "web", tmp_path / toy)
        assert not (tmp_path / toy).exists()


def test_a_runtime_that_is_named_is_copied_and_a_wrong_one_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv(web.VARIABLE, str(tmp_path))
    with pytest.raises(UserError, match="lacks ort.wasm.min.mjs"):
        export(model("gan", "points"), "web", tmp_path / "page")
    pytest.importorskip("onnx")
    for name in web.RUNTIME:
        (tmp_path / name).write_text(name)
    export(model("gan", "points"), "web", tmp_path / "page")
    assert (tmp_path / "page" / "ort" / web.RUNTIME[2]).read_text() == web.RUNTIME[2]
    assert "wasm-unsafe-eval" in (tmp_path / "page" / "index.html").read_text()
