"""The space of a published encoder of sentences in a folder as Hugging Face lays it out: MiniLM (Wang et al. 2020; Reimers & Gurevych 2019,
"Sentence-BERT"), E5, BGE and other encoders that are BERT (Devlin et al. 2019) with a mean or the first token behind it.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import gelu, layer_norm, linear, normalize, scaled_dot_product_attention

from gansmith.data.dataset import Dataset
from gansmith.errors import UserError, missing_extra
from gansmith.kinds.text.words import texts_of
from gansmith.networks.pretrained.installed import brought_by

MINILM = "minilm"
"""all-MiniLM-L6-v2, where it is found without being named."""
AT_ONCE = 64
LARGEST = 2 * 2**30
"""The most bytes of a file that is read."""
PREFIXES = ("", "bert.", "model.")
ATTENTION = ("attention.self.query", "attention.self.key", "attention.self.value")


@dataclass(frozen=True)
class Facts:
    """What the JSON files of an encoder say."""

    heads: int
    layers: int
    epsilon: float
    longest: int
    """Tokens, those that are longer are cut."""
    first: bool
    """Whether the first token stands for the text, and not the mean of all."""
    unit: bool
    """Whether features have length 1."""
    lower: bool

    @classmethod
    def of(cls, read: Callable[[str], bytes | None]) -> Facts:
        """From files of a folder. Raises KeyError, TypeError or ValueError where they are not those of a BERT."""
        config = json.loads(_there(read, "config.json"))
        if config["model_type"] != "bert" or config.get("hidden_act", "gelu") != "gelu":
            raise ValueError(f"its config.json describes {config['model_type']} with {config.get('hidden_act')}")
        pooling = json.loads(read("1_Pooling/config.json") or b"{}")
        own = json.loads(read("sentence_bert_config.json") or b"{}")
        modules = json.loads(read("modules.json") or b"[]")
        places = int(config["max_position_embeddings"])
        return cls(
            heads=int(config["num_attention_heads"]),
            layers=int(config["num_hidden_layers"]),
            epsilon=float(config.get("layer_norm_eps", 1e-12)),
            longest=min(places, int(own.get("max_seq_length") or places)),
            first=bool(pooling.get("pooling_mode_cls_token", False)),
            unit=any(str(each.get("type", "")).endswith("Normalize") for each in modules),
            lower=bool(own.get("do_lower_case", False)),
        )


class Encoder:
    """Texts to features, on the device that is asked for."""

    def __init__(self, name: str, read: Callable[[str], bytes | None], device: str | torch.device = "cpu") -> None:
        """`read` gives the bytes of a file of the folder, None where there is none. Raises UserError for a folder of another kind."""
        try:
            from tokenizers import Tokenizer
        except ImportError as error:
            raise missing_extra("tokenizers", "text", "An encoder of sentences") from error
        from safetensors.torch import load

        try:
            self.facts = Facts.of(read)
            weights = _there(read, "model.safetensors")
            self.tokenizer = Tokenizer.from_str(_there(read, "tokenizer.json").decode())
            self.tensors = _named({key: tensor.to(device) for key, tensor in load(weights).items()})
            self.tokenizer.enable_truncation(self.facts.longest)
            self.tokenizer.no_padding()
            self.encode(["a"])
        except Exception as error:  # whatever the parsers of three formats say of what is not theirs
            raise UserError(
                f"{name} holds no encoder of sentences: give a folder with config.json (BERT), model.safetensors and tokenizer.json "
                f"({type(error).__name__}: {error})."
            ) from error
        self.name, self.key = name, f"encoder {hashlib.sha256(weights).hexdigest()} {self.facts}"

    @torch.inference_mode()
    def features(self, data: Dataset) -> Float[Tensor, "batch features"]:
        """Of every text; texts of about the same length are encoded at once."""
        texts = texts_of(data)
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        found: list[Tensor | None] = [None] * len(texts)
        for start in range(0, len(order), AT_ONCE):
            places = order[start : start + AT_ONCE]
            for place, row in zip(places, self.encode([texts[place] for place in places]), strict=True):
                found[place] = row
        return torch.stack([row for row in found if row is not None])

    def encode(self, texts: list[str]) -> Float[Tensor, "batch features"]:
        """Of texts, all at once."""
        rows = [own.ids for own in self.tokenizer.encode_batch([text.lower() for text in texts] if self.facts.lower else texts)]
        length, device = max(map(len, rows)), self.tensors["embeddings.word_embeddings.weight"].device
        tokens = torch.tensor([row + [0] * (length - len(row)) for row in rows], device=device)
        there = torch.tensor([[1.0] * len(row) + [0.0] * (length - len(row)) for row in rows], device=device)
        states = self._states(tokens, there)
        pooled = states[:, 0] if self.facts.first else (states * there[..., None]).sum(1) / there.sum(1, keepdim=True)
        return (normalize(pooled) if self.facts.unit else pooled).cpu()

    def _states(self, tokens: Int[Tensor, "batch length"], there: Float[Tensor, "batch length"]) -> Tensor:
        """The states of the last layer [batch, length, numbers]."""
        own, length = self.tensors, tokens.shape[1]
        x = own["embeddings.word_embeddings.weight"][tokens]
        x = x + own["embeddings.token_type_embeddings.weight"][0] + own["embeddings.position_embeddings.weight"][:length]
        x = self._normed(x, "embeddings.LayerNorm")
        seen = there[:, None, None] > 0
        for layer in range(self.facts.layers):
            at = f"encoder.layer.{layer}."
            parts = (self._through(x, at + part).unflatten(2, (self.facts.heads, -1)).transpose(1, 2) for part in ATTENTION)
            mixed = scaled_dot_product_attention(*parts, attn_mask=seen).transpose(1, 2).flatten(2)
            x = self._normed(x + self._through(mixed, at + "attention.output.dense"), at + "attention.output.LayerNorm")
            more = self._through(gelu(self._through(x, at + "intermediate.dense")), at + "output.dense")
            x = self._normed(x + more, at + "output.LayerNorm")
        return x

    def _through(self, x: Tensor, name: str) -> Tensor:
        return linear(x, self.tensors[f"{name}.weight"], self.tensors[f"{name}.bias"])

    def _normed(self, x: Tensor, name: str) -> Tensor:
        weight, bias = self.tensors[f"{name}.weight"], self.tensors[f"{name}.bias"]
        return layer_norm(x, weight.shape, weight, bias, self.facts.epsilon)


def requested(asked: object, device: str | torch.device) -> Encoder:
    """The space of a folder, or of all-MiniLM-L6-v2 where `$GANSMITH_MINILM`, an installed package or the cache of Hugging Face has it.

    Raises UserError where there is no such folder.
    """
    if asked == MINILM:
        return _minilm(device)
    folder = Path(str(asked)).expanduser()
    if not folder.is_dir():
        raise UserError(
            f"--features of texts is {MINILM}, a folder with an encoder of sentences (config.json, model.safetensors, tokenizer.json), or "
            f"left out for runs of characters and words: it is {asked}."
        )
    return Encoder(folder.name, _of_folder(folder), device)


def _minilm(device: str | torch.device) -> Encoder:
    if named := os.environ.get("GANSMITH_MINILM"):
        return Encoder(MINILM, _of_folder(Path(named).expanduser()), device)
    if packed := brought_by("all_minilm_l6_v2", "model.zip"):
        with zipfile.ZipFile(packed) as file:
            return Encoder(MINILM, lambda name: _of_zip(file, name), device)
    home = Path(os.environ.get("HF_HOME", "~/.cache/huggingface")).expanduser()
    cached = sorted(home.glob("hub/models--sentence-transformers--all-MiniLM-L6-v2/snapshots/*/model.safetensors"))
    if not cached:
        raise UserError(
            "all-MiniLM-L6-v2 is not on this machine: fetch sentence-transformers/all-MiniLM-L6-v2 from Hugging Face and name its folder, "
            "--features FOLDER, or by $GANSMITH_MINILM."
        )
    return Encoder(MINILM, _of_folder(cached[-1].parent), device)


def _of_folder(folder: Path) -> Callable[[str], bytes | None]:
    def read(name: str) -> bytes | None:
        path = folder / name
        if not path.is_file():
            return None
        if path.stat().st_size > LARGEST:
            raise ValueError(f"{name} has more than {LARGEST} bytes")
        return path.read_bytes()

    return read


def _of_zip(file: zipfile.ZipFile, name: str) -> bytes | None:
    if name not in file.namelist():
        return None
    if file.getinfo(name).file_size > LARGEST:
        raise ValueError(f"{name} has more than {LARGEST} bytes")
    return file.read(name)


def _there(read: Callable[[str], bytes | None], name: str) -> bytes:
    """Raises ValueError where there is no such file."""
    if (found := read(name)) is None:
        raise ValueError(f"it has no {name}")
    return found


def _named(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """In float32, without the prefix that some files have."""
    for prefix in PREFIXES:
        if f"{prefix}embeddings.word_embeddings.weight" in tensors:
            return {key[len(prefix) :]: tensor.float() for key, tensor in tensors.items() if key.startswith(prefix)}
    raise ValueError("model.safetensors has no word embeddings")
