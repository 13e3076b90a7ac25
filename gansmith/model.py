"""A trained model: what generates, with all it needs to know, and no data at hand."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gansmith import __version__, kinds
from gansmith.data.codec import Batch, Codec, Completes, Complies, HasSource, Numbers, Spelled, unlabelled
from gansmith.data.dataset import Dataset
from gansmith.data.programs import named_in
from gansmith.data.readers.limits import check
from gansmith.data.schema import describing
from gansmith.data.suggestions import did_you_mean
from gansmith.data.values import PLACE, Examples, Name, Seed, Somewhere, Speed, Truncation, checked
from gansmith.errors import UserError, missing_extra
from gansmith.game import GAN
from gansmith.inference import TRIED, Optimized, optimize_for_inference
from gansmith.runs.model_files import FACTS, FORMAT, WEIGHTS, is_model, read_checked, write_model
from gansmith.runs.programs import PROGRAMS, copies_in, save_programs
from gansmith.runs.rebuild import codec_of, game_of, load_weights, try_out
from gansmith.tasks.speaking import Speaks
from gansmith.tasks.streaming import Streams
from gansmith.training.allocator import kept_for_reuse
from gansmith.training.devices import choose_device
from gansmith.training.precision import choose_precision
from gansmith.watch.shown import Examples as Shown

CHUNK = 256
"""Examples generated at a time, so that memory stays flat."""
FIRST, MANY = 64, 1024
"""Examples in a block up to so many; large blocks are faster, small ones waste less where few are made."""
TOGETHER = 4
"""Rows that are computed together at least. CPU kernels round a row alike in batches of any multiple of it, unlike in smaller ones."""
RETRIES = 20
"""How often examples are made anew that do not meet the conditions."""
MOST_RETRIES = 24
"""How often blocks are made anew in all."""
FRUITLESS = 2
"""After so many times it is given up where the last time helped too little to come to an end."""
TINY = 512
"""Numbers in examples up to which MANY are made at a time after the first MANY."""
NUMBERS = 2**22
"""Numbers in the examples that are made of images at a time: networks from image to image keep much of them in memory."""


class Model:
    """A GAN's averaged makers, its codec and its card: `model.safetensors` and `model.json`, without pickle."""

    def __init__(self, gan: GAN, codec: Codec[Any], card: Mapping[str, Any], inputs: Dataset | None = None) -> None:
        """`inputs` are the real examples of which others are made, where the codec's spec says that something is given."""
        self.gan, self.card, self.inputs = gan, dict(card), inputs
        self.learned_from = codec
        """The codec of the data, by which the networks are built anew."""
        self.codec = codec if not codec.spec.conditions or gan.conditional else unlabelled(codec)
        """That of what is generated: networks that take no labels make examples without."""
        self.precision: str | None = None
        """float32 or bfloat16 once the weights change no more, so that they may be prepared to generate faster."""
        self._optimized: Optimized | None = None
        self.as_requested: int | None = None
        """How many of the examples generated last meet the conditions, if the codec can tell."""

    @classmethod
    def load(cls, path: os.PathLike[str] | str, device: str = "cpu", precision: str = "float32", *, trust: bool = False) -> Model:
        """Loads a model from a run folder, its model/ folder, a copy of one, or the hub ("user/name"; extra [hub]).

        With the precision "bfloat16", or "auto" where the hardware computes in it, images are generated faster. Of four models (gan,
        r3gan twice, stylegan2), pixels then differed by 0.04 to 0.29 of 256 brightnesses on average, single ones by up to 7; a model
        that differs by more than half a brightness on average stays in float32.

        A model may name a Python file as its GAN, which runs only with `trust`. Raises UserError if there is no model, and if it names
        such a file without `trust`.
        """
        if (kept := _HELD.get()) is not None and kept[0] == Path(path):
            return kept[1]
        device = choose_device(device)
        folder = model_at(path)
        tensors, facts, sealed = read_checked(folder)
        with named_in(folder / FACTS, trust, copies=copies_in(folder, facts)):
            codec = codec_of(facts["codec"], folder / FACTS)
            gan = game_of(facts["gan"], facts["config"], codec, folder / FACTS, tensors)
        for name in gan.makers:
            load_weights(gan.players[name].averaged, tensors, folder / WEIGHTS, f"{name}/")
        if not sealed:  # nothing says that codec and configuration are those of these weights
            with describing(folder / FACTS, "facts"):
                try_out(gan.eval(), codec)
        model = cls(gan.to(device).eval(), codec, facts["card"])
        model.precision = choose_precision(precision, device, codec.spec)
        return model

    def save(self, folder: Path) -> None:
        """Writes model.safetensors and model.json."""
        tensors: dict[str, Tensor] = {}
        for name in self.gan.makers:
            tensors |= {f"{name}/{key}": tensor for key, tensor in self.gan.players[name].averaged.state_dict().items()}
        facts = {
            "format": FORMAT,
            "gansmith": __version__,
            "gan": self.card["gan"],
            "config": vars(self.gan.config),
            "codec": self.learned_from.to_json(),
            "card": self.card,
        }
        if programs := save_programs(folder, facts):
            facts["programs"] = programs
        write_model(folder, tensors, facts)

    def _repr_html_(self) -> str:
        from gansmith.watch.shown import model

        return model(self)

    @property
    def optimized(self) -> Optimized:
        """The GAN prepared to generate, of a model whose weights change no more."""
        if self._optimized is None:
            condition = self.codec.conditions(TRIED, torch.Generator().manual_seed(0))
            self._optimized = optimize_for_inference(self.gan, condition, self.precision == "bfloat16")
        return self._optimized

    @checked
    @torch.inference_mode()
    def batches(
        self,
        n: Examples,
        *,
        seed: Seed = 0,
        truncation: Truncation = 1.0,
        where: Mapping[str, str] | None = None,
        **conditions: str,
    ) -> Iterator[Batch]:
        """n generated examples as tensors on the CPU, at most CHUNK at a time. Conditions are keywords, or in `where` whatever their names.

        The first n examples of a seed are the same whatever n is: they are made in blocks whose sizes do not depend on n, with a stream
        of labels and one of noise for each, and of the last block the end is cut off.
        """
        wanted = {**_asked(where), **conditions}
        self.as_requested, self._retries = None, MOST_RETRIES
        was_training = self.gan.training
        self.gan.eval()
        from_images = bool(self.codec.spec.source_shape)
        if self.draws_first:
            try:
                with kept_for_reuse() if n > CHUNK else nullcontext():
                    for start, noise, condition in self.drawn(n, seed=seed, where=wanted):
                        batch = self.painted(noise, condition, truncation)
                        yield {key: tensor[: n - start].cpu() for key, tensor in batch.items()}
            finally:
                self.gan.train(was_training)
            return
        makes = self.optimized.generate if self.precision and not from_images else self.gan.generate
        size = prod(self.codec.spec.shape)
        most = min(CHUNK, NUMBERS // size) if from_images else MANY if size <= TINY else CHUNK
        try:
            with kept_for_reuse() if n > CHUNK else nullcontext():
                for start, size in _blocks(n, max(1, most), whole=isinstance(self.codec, Complies)):
                    condition = {**self._conditions(size, _stream(seed, start, 0), wanted), **self._given(start, size)}
                    make = partial(makes, size, condition, rng=_stream(seed, start, 1), truncation=truncation)
                    batch = self._as_requested(partial(self._completed, make, wanted), wanted, n - start)
                    yield {key: tensor[: n - start].cpu() for key, tensor in batch.items()}
        finally:
            self.gan.train(was_training)

    @property
    def draws_first(self) -> bool:
        """Whether all noise is drawn before anything is computed, so that rows of several requests may be computed in one batch."""
        own = type(self.gan)
        plain = own.generate is GAN.generate and own.generated is GAN.generated
        return plain and not self.codec.spec.source_shape and not isinstance(self.codec, Complies)

    @checked
    def drawn(
        self, n: Examples, *, seed: Seed = 0, where: Mapping[str, str] | None = None
    ) -> Iterator[tuple[int, Tensor, Batch]]:
        """(start, noise [rows, D], condition [rows, ...]) of at least n examples, a multiple of TOGETHER rows at a time."""
        parts: list[tuple[Tensor, Batch]] = []
        first = 0
        for start, size in _blocks(max(n, TOGETHER), CHUNK, whole=False):
            condition = self._conditions(size, _stream(seed, start, 0), _asked(where))
            noise = torch.randn(size, self.gan.config.noise, generator=_stream(seed, start, 1))
            parts.append((noise, condition))
            if (start + size) % TOGETHER == 0:
                yield (
                    first,
                    torch.cat([noise for noise, _ in parts]),
                    {key: torch.cat([own[key] for _, own in parts]) for key in condition},
                )
                parts, first = [], start + size

    @checked
    @torch.inference_mode()
    def painted(self, noise: Tensor, condition: Batch, truncation: Truncation = 1.0) -> Batch:
        """The examples of noise that was drawn, on the model's device."""
        makes = self.optimized if self.precision else self.gan
        return makes.generated(noise, condition, truncation)

    def check(self, where: Mapping[str, str]) -> None:
        """Raises UserError for conditions that this model cannot grant."""
        self._conditions(1, _stream(0, 0, 0), where)

    def _conditions(self, n: int, rng: torch.Generator, where: Mapping[str, str]) -> Batch:
        """Conditions of n examples, as frequent as in the data but for what is asked for."""
        granted = {key: self.gan.condition_of(key, value, n) for key, value in where.items()}
        others = {key: value for key, value in where.items() if granted[key] is None}
        return {**self.codec.conditions(n, rng, **others), **{key: own for key, own in granted.items() if own is not None}}

    def _completed(self, make: Callable[[], Batch], where: Mapping[str, str]) -> Batch:
        """A batch with what the conditions add to its examples, if the codec can."""
        batch, codec = make(), self.codec
        return codec.completed(batch, **where) if where and isinstance(codec, Completes) else batch

    def _as_requested(self, make: Callable[[], Batch], where: Mapping[str, str], needed: int) -> Batch:
        """A batch whose examples meet the conditions, judged as they would be saved where the codec can: others are made anew, a few times.
        Of those that meet them, the first `needed` are counted."""
        batch = make()
        codec = self.codec
        if not where or not isinstance(codec, Complies):
            return batch
        filled = 0
        kept = torch.from_numpy(codec.complies(batch, **where))
        for trial in range(RETRIES if self.as_requested != 0 else 0):  # 0: none of those before met them
            missing = int((~kept).sum())
            if not missing or not self._retries or (trial >= FRUITLESS and filled * RETRIES < missing):
                break
            self._retries -= 1
            again = make()
            fits = torch.from_numpy(codec.complies(again, **where))
            gaps, fitting = torch.where(~kept)[0], torch.where(fits)[0]
            places, rows = gaps[: len(fitting)], fitting[: len(gaps)]
            batch = {key: tensor.index_copy(0, places, again[key][rows]) for key, tensor in batch.items()}
            kept[places] = True
            filled = len(rows)
        self.as_requested = (self.as_requested or 0) + int(kept[:needed].sum())
        return batch

    def _given(self, start: int, count: int) -> Batch:
        """What examples are made from, where they are: that of the real ones in `inputs`, in their order, round and round."""
        if not isinstance(self.codec, HasSource):
            return {}
        if self.inputs is None:
            raise UserError("This model makes images of images: give it some with gansmith translate RUN INPUT.")
        return self.codec.source(self.inputs.batch(np.arange(start, start + count) % len(self.inputs)))

    def _check_room(self, n: int) -> None:
        """Raises UserError for so many examples that they cannot be in memory together."""
        what = f"What is to be made of {n:,} examples together"
        check("array_bytes", 4 * n * prod(self.codec.spec.shape), what, "bytes")

    @checked
    def sample(
        self,
        n: Examples,
        *,
        seed: Seed = 0,
        truncation: Truncation = 1.0,
        where: Mapping[str, str] | None = None,
        **conditions: str,
    ) -> Batch:
        """n generated examples as tensors."""
        self._check_room(n)
        parts = list(self.batches(n, seed=seed, truncation=truncation, where=where, **conditions))
        return {key: torch.cat([part[key] for part in parts]) for key in parts[0]}

    @checked
    def generate(
        self,
        n: Examples = 64,
        *,
        seed: Seed = 0,
        truncation: Truncation = 1.0,
        where: Mapping[str, str] | None = None,
        **conditions: str,
    ) -> list[Any]:
        """n generated examples in the codec's raw form, in a list that notebooks show as pictures."""
        self._check_room(n)
        batches = self.batches(n, seed=seed, truncation=truncation, where=where, **conditions)
        raws = [raw for batch in batches for raw in self.codec.decode(batch)]
        return Shown(self.codec.numbered(raws) if isinstance(self.codec, Numbers) else raws, self.codec)

    @checked
    @torch.inference_mode()
    def streamed(self, *, seed: Seed = 0, truncation: Truncation = 1.0, where: Mapping[str, str] | None = None) -> Iterator[str]:
        """One example, written as text after each of its tokens.

        Raises UserError for a model that does not write token by token.
        """
        if not isinstance(self.gan, Streams) or not isinstance(self.codec, Spelled):
            raise UserError(f"{self.gan.name} does not write {self.codec.spec.kind} token by token: generate whole ones.")
        self.gan.eval()
        condition = self._conditions(1, _stream(seed, 0, 0), _asked(where))
        for batch in self.gan.stream(condition, rng=_stream(seed, 0, 1), truncation=truncation):
            yield str(self.codec.decode(batch)[0])

    def translate(self, given: Any, **how: Any) -> Any:
        """What a model of pairs or domains makes of an example, e.g. of a picture of any size.

        `how` are the options of its kind of data, e.g. of `gansmith.kinds.images.kind.Images.translated`. Raises UserError for kinds that
        are not translated one by one.
        """
        return kinds.find(self.codec.spec.kind).translated(self, given, **how)

    @checked
    def speak(self, text: str, *, speed: Speed = 1.0, vocoder: Model | None = None, speaker: Name | None = None) -> Any:
        """The text as speech, in the codec's raw form; `speed` 2 takes half as long, `vocoder` is a model that makes the wave, `speaker`
        the name of a voice or its number from 1.

        Raises UserError for a model that does not speak, for text that cannot be said, and for a vocoder that does not fit.
        """
        if not isinstance(self.gan, Speaks):
            raise UserError(f"this model of {self.gan.name} does not speak: give one that was trained with transcripts.")
        if not isinstance(text, str) or not text.strip():
            raise UserError("there is nothing to say: give a sentence.")
        return self.gan.speak(self.codec, text, speed=speed, vocoder=vocoder.gan if vocoder else None, speaker=speaker)

    @checked
    def export(self, to: Name = "onnx", out: Somewhere = ".", overwrite: bool = False) -> Path:
        """Writes the model in another format, to a file or into a folder; see `gansmith.export`."""
        from gansmith.export import export

        return export(self, to, Path(out), overwrite=overwrite)


_HELD: ContextVar[tuple[Path, Model] | None] = ContextVar("_HELD", default=None)


@contextmanager
def held(path: Path, model: Model) -> Iterator[None]:
    """Lets `Model.load` of this path answer with the model itself, where one process runs several commands on one model."""
    token = _HELD.set((path, model))
    try:
        yield
    finally:
        _HELD.reset(token)


def model_at(path: os.PathLike[str] | str) -> Path:
    """The folder with the files of a model: that of a run, its model/ folder, a copy of one, or of the hub ("user/name"; extra [hub]).

    Raises UserError if there is none.
    """
    folder = PLACE.of("the model", path)
    parent = folder.parent
    if not folder.exists() and parent != Path() and (parent.is_dir() or parent == Path("runs")):  # a run, no name of the hub
        there = sorted(own.name for own in parent.iterdir()) if parent.is_dir() else []
        raise UserError(f"There is no folder {Path(path)}{did_you_mean(folder.name, there)}: give that of a run or of a model.")
    if not folder.exists() and re.fullmatch(r"[\w.-]+/[\w.-]+", str(path)):
        folder = _from_hub(str(path))
    folder = folder / "model" if is_model(folder / "model") else folder
    if folder.is_file():
        raise UserError(f"{Path(path)} is a file, where the folder of a run or a model is expected: give that.")
    if not is_model(folder):
        raise UserError(
            f"{Path(path)} holds no model: give a run folder or a folder with model.json and model.safetensors; a run has one "
            "after its first checkpoint."
        )
    return folder


def _blocks(n: int, most: int, whole: bool) -> Iterator[tuple[int, int]]:
    """The starts and sizes of the blocks in which n examples are made: 1, 1, 2, 4, ..., so that few cost little, then FIRST up to MANY
    and `most` after it; with `whole`, CHUNK from the beginning."""
    start = 0
    while start < n:
        first = CHUNK if whole else min(FIRST, 1 << max(0, start.bit_length() - 1))
        size = most if start >= MANY else min(most, first)
        yield start, size
        start += size


def _asked(where: Mapping[str, str] | None) -> Mapping[str, str]:
    """What is asked for. Raises UserError for anything but names with values."""
    if where is not None and not isinstance(where, Mapping):
        raise UserError(f"where takes names with values, such as {{'class': '7'}}, but it is {where!s:.80}.")
    return {str(key): value for key, value in (where or {}).items()}


def _stream(seed: int, start: int, purpose: int) -> torch.Generator:
    """Random numbers for one purpose in the block that begins here, independent of those for others."""
    words = np.random.SeedSequence([seed, start, purpose]).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(words[0]))


def _from_hub(name: str) -> Path:
    """A local copy of a model on the hub, fetched once."""
    try:
        from huggingface_hub import snapshot_download  # pyright: ignore[reportMissingImports], an extra
    except ImportError as error:
        raise missing_extra("huggingface_hub", "hub", f"There is no folder {name}; as a model on the hub it") from error
    try:
        return Path(snapshot_download(name, allow_patterns=["*.json", "*.safetensors", f"{PROGRAMS}/*.py"]))
    except Exception as error:  # the hub's own errors, and every kind of missing network
        why = str(error).strip().partition("\n")[0].rstrip(".") or type(error).__name__
        raise UserError(
            f"{name} is neither a folder here nor could it be fetched from the hub ({why}): check the name and the connection."
        ) from error
