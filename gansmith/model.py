"""A trained model: what generates, with all it needs to know, and no data at hand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gansmith import __version__
from gansmith.checkpoint import read_tensors, write_atomically, write_tensors
from gansmith.data import load_codec
from gansmith.data.codec import Batch, Codec
from gansmith.errors import UserError, missing_extra
from gansmith.game import GAN
from gansmith.gans import find

FORMAT = 1
"""The version of the model folder; older ones stay loadable."""
CHUNK = 256
"""Examples generated at a time, so that memory stays flat."""


class Model:
    """A GAN's averaged makers, its codec and its card: `model.safetensors` and `model.json`, without pickle."""

    def __init__(self, gan: GAN, codec: Codec[Any], card: Mapping[str, Any]) -> None:
        self.gan, self.codec, self.card = gan, codec, dict(card)

    @classmethod
    def load(cls, path: Path | str, device: str = "cpu") -> Model:
        """Loads a model from a run folder, its model/ folder, a copy of one, or the hub ("user/name"; extra [hub]).

        Raises UserError if there is none.
        """
        folder = Path(path)
        if not folder.exists() and re.fullmatch(r"[\w.-]+/[\w.-]+", str(path)):
            folder = _from_hub(str(path))
        folder = folder / "model" if (folder / "model" / "model.json").is_file() else folder
        try:
            facts = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise UserError(
                f"{path} holds no model: give a run folder or a folder with model.json and model.safetensors; a run has one after its "
                "first checkpoint."
            ) from error
        except ValueError as error:
            raise UserError(f"{folder / 'model.json'} is damaged ({error}): restore it.") from error
        if facts.get("format", 0) > FORMAT:
            raise UserError(f"{folder} was written by a newer gansmith ({facts.get('gansmith')}): upgrade gansmith to use it.")
        tensors, _ = read_tensors(folder / "model.safetensors")
        made = find(facts["gan"])
        codec = load_codec(facts["codec"])
        gan = made(made.Config(**_tuples(facts["config"])), codec.spec)
        for name in gan.makers:
            own = {key.removeprefix(f"{name}/"): tensor for key, tensor in tensors.items() if key.startswith(f"{name}/")}
            gan.players[name].averaged.load_state_dict(own)
        return cls(gan.to(device).eval(), codec, facts["card"])

    def save(self, folder: Path) -> None:
        """Writes model.safetensors and model.json."""
        tensors: dict[str, Tensor] = {}
        for name in self.gan.makers:
            tensors |= {f"{name}/{key}": tensor for key, tensor in self.gan.players[name].averaged.state_dict().items()}
        write_tensors(folder / "model.safetensors", tensors, {"samples": self.gan.clock.samples})
        facts = {
            "format": FORMAT,
            "gansmith": __version__,
            "gan": self.card["gan"],
            "config": vars(self.gan.config),
            "codec": self.codec.to_json(),
            "card": self.card,
        }
        write_atomically(folder / "model.json", json.dumps(facts, indent=2).encode())

    @torch.inference_mode()
    def batches(self, n: int, *, seed: int = 0, truncation: float = 1.0, **where: str) -> Iterator[Batch]:
        """n generated examples as tensors on the CPU, at most CHUNK at a time."""
        rng = torch.Generator().manual_seed(seed)
        was_training = self.gan.training
        self.gan.eval()
        try:
            granted = {key: self.gan.wish(key, value, n) for key, value in where.items()}
            others = {key: value for key, value in where.items() if granted[key] is None}
            own = {key: tensor for key, tensor in granted.items() if tensor is not None}
            condition = {**self.codec.conditions(n, rng, **others), **own}
            for start in range(0, n, CHUNK):
                part = {key: tensor[start : start + CHUNK] for key, tensor in condition.items()}
                batch = self.gan.generate(min(CHUNK, n - start), part, rng=rng, truncation=truncation)
                yield {key: tensor.cpu() for key, tensor in batch.items()}
        finally:
            self.gan.train(was_training)

    def sample(self, n: int, *, seed: int = 0, truncation: float = 1.0, **where: str) -> Batch:
        """n generated examples as tensors."""
        parts = list(self.batches(n, seed=seed, truncation=truncation, **where))
        return {key: torch.cat([part[key] for part in parts]) for key in parts[0]}

    def generate(self, n: int = 64, *, seed: int = 0, truncation: float = 1.0, **where: str) -> list[Any]:
        """n generated examples in the codec's raw form."""
        return [raw for batch in self.batches(n, seed=seed, truncation=truncation, **where) for raw in self.codec.decode(batch)]

    def export(self, to: str = "onnx", out: Path | str = ".") -> Path:
        """Writes the model in another format, to a file or into a folder; see `gansmith.export`."""
        from gansmith.export import export

        return export(self, to, Path(out))


def _from_hub(name: str) -> Path:
    """A local copy of a model on the hub, fetched once."""
    try:
        from huggingface_hub import snapshot_download  # pyright: ignore[reportMissingImports], an extra
    except ImportError as error:
        raise missing_extra("huggingface_hub", "hub", f"There is no folder {name}; as a model on the hub it") from error
    try:
        return Path(snapshot_download(name, allow_patterns=["*.json", "*.safetensors"]))
    except Exception as error:  # the hub's own errors, and every kind of missing network
        raise UserError(
            f"{name} is neither a folder here nor could it be fetched from the hub ({error}): check the name."
        ) from error


def _tuples(config: Mapping[str, Any]) -> dict[str, Any]:
    """JSON knows no tuples, configs no lists."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in config.items()}
