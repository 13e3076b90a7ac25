"""A page that generates in the visitor's browser, by onnxruntime-web: a folder for any web server.

    gansmith export RUN --to web --out page/
    npm install --prefix page onnxruntime-web
    python -m http.server --directory page

Its seeds are those of `gansmith generate --seeds`. It holds two examples that Python made, and says on loading how near the browser's are.
onnxruntime-web (14 MB) is not part of this package: the page finds it in node_modules beside it, or in ort/, to which the three files are
copied where GANSMITH_ORT_WEB names the folder they lie in.
"""

from __future__ import annotations

import base64
import json
import math
import os
import shutil
from pathlib import Path
from typing import Any

import torch

from gansmith.data.outputs import whole
from gansmith.errors import UserError
from gansmith.export._network import network_of
from gansmith.export.onnx import written
from gansmith.model import Model

FILE = ""
PAGE = ("index.html", "page.js", "page.css")
FILES = (*PAGE, "model.onnx", "facts.json")
RUNTIME = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
"""What of onnxruntime-web a page needs."""
VARIABLE = "GANSMITH_ORT_WEB"
SHOWN = {
    ("channel", "height", "width"): "pictures",
    ("dimension",): "points",
    ("sample",): "sounds",
    ("frame", "channel", "height", "width"): "clips",
}
"""Axes of examples that the page can show."""
SEEDS = (1, 2)
"""Whose examples the page holds to check itself."""
MOST = 2_000_000
"""Numbers in those examples."""


def write(model: Model, path: Path) -> str:
    """Fills the folder and returns how the network was checked. Raises UserError for what the page cannot show or make."""
    page = facts_of(model)
    runtime = runtime_in(os.environ.get(VARIABLE))
    path.mkdir(parents=True, exist_ok=True)
    with whole(path / "model.onnx") as draft:
        checked = written(model, draft, half=False)
    for name in PAGE:
        with whole(path / name) as draft:
            shutil.copyfile(Path(__file__).parent / "_web" / name, draft)
    with whole(path / "facts.json") as draft:
        draft.write_text(json.dumps(page), encoding="utf-8")
    if runtime is None:
        return f"{checked} It needs onnxruntime-web: npm install --prefix {path} onnxruntime-web; then serve the folder."
    (path / "ort").mkdir(exist_ok=True)
    for name in RUNTIME:
        with whole(path / "ort" / name) as draft:
            shutil.copyfile(runtime / name, draft)
    return f"{checked} Serve the folder by any web server."


def runtime_in(place: str | None) -> Path | None:
    """The folder of onnxruntime-web that was named. Raises UserError for one that lacks its files."""
    if not place:
        return None
    folder = Path(place)
    if missing := [name for name in RUNTIME if not (folder / name).is_file()]:
        raise UserError(
            f"{VARIABLE} names {folder}, which lacks {missing[0]}: give the folder dist of the npm package onnxruntime-web."
        )
    return folder


def facts_of(model: Model) -> dict[str, Any]:
    """What the page must know, and the examples by which it checks itself. Raises UserError for a model that it cannot run."""
    spec, codec = model.codec.spec, model.codec
    shows = SHOWN.get(spec.axes)
    if shows is None or (shows == "points" and spec.shape[0] < 2):
        raise UserError(
            f"a page shows pictures, clips, sounds and points, but this model makes {spec.kind}: use --to onnx, or gansmith serve."
        )
    network, inputs = network_of(model)
    if set(inputs) - {"noise", "label"} or inputs.get("noise", torch.zeros(1)).dim() != 2:
        raise UserError(f"a page feeds a network with noise and labels, but this one takes {', '.join(inputs)}: use --to onnx.")
    attributes = getattr(codec, "attributes", None)
    facts: dict[str, Any] = {
        "name": str(model.card.get("data", spec.kind)),
        "gan": str(model.card["gan"]),
        "shows": shows,
        "shape": list(spec.shape),
        "noise": inputs["noise"].shape[1],
        "classes": list(spec.classes),
        "attributes": [
            {"name": name, "low": low, "high": high}
            for name, low, high in (zip(attributes.names, attributes.low, attributes.high, strict=True) if attributes else ())
        ],
        "labelled": "label" in inputs,
        "truncates": not hasattr(network, "mapping"),
        "output": spec.key,
        "seeds": _has_our_seeds(model, inputs["noise"].shape[1]),
    }
    if shows in ("sounds", "clips"):
        facts["rate"] = getattr(spec, "rate", None) or getattr(codec, "rate", None) or 8
    if shows == "points":
        facts |= {name: list(getattr(codec, name)) for name in ("centre", "scale", "low", "high")}
    noise = torch.cat([torch.randn(1, facts["noise"], generator=torch.Generator().manual_seed(seed)) for seed in SEEDS])
    if len(SEEDS) * math.prod(spec.shape) <= MOST:
        given = {"noise": noise, **({"label": inputs["label"][: len(SEEDS)]} if facts["labelled"] else {})}
        with torch.inference_mode():
            made = network(**given).float()
        facts["check"] = {
            "seeds": list(SEEDS),
            "noise": _base64(noise),
            "label": given["label"].tolist() if facts["labelled"] else None,
            "output": _base64(made),
        }
    return facts


def _has_our_seeds(model: Model, width: int) -> bool:
    """Whether `gansmith generate --seeds` draws just the noise that the network takes."""
    try:
        drawn = model.gan.latent(1, torch.Generator().manual_seed(1)).cpu()
    except Exception:  # a GAN without latent rows fails in its own way
        return False
    return torch.equal(drawn, torch.randn(1, width, generator=torch.Generator().manual_seed(1)))


def _base64(values: torch.Tensor) -> str:
    return base64.b64encode(values.contiguous().numpy().astype("<f4").tobytes()).decode()
