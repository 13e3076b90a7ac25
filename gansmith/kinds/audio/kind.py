"""The kind "audio": sounds, speech and music of any rate, brought to one channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gansmith.data.dataset import Dataset
from gansmith.data.preview import Medium, Preview
from gansmith.data.source import Source
from gansmith.data.spec import Spec
from gansmith.kinds.audio import toys
from gansmith.kinds.audio.build import build_audio
from gansmith.kinds.audio.codec import AudioCodec
from gansmith.kinds.audio.options import BUILTIN, Options
from gansmith.kinds.audio.pairs import AudioPairs, MelCodec
from gansmith.kinds.audio.readers.files import FOREIGN, SUFFIXES, wav_bytes
from gansmith.kinds.audio.source import ARRAYS, RATES, recordings_of
from gansmith.kinds.audio.spec import AudioSpec, pitch_of
from gansmith.kinds.audio.speech.codec import PhonemeCodec
from gansmith.kinds.audio.voices import VoiceCodec
from gansmith.kinds.kind import LIKELY, POSSIBLE, SURE, Kind, Match, Sampler

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gansmith.data.inspection import Inspection
    from gansmith.evaluation.extractors import Extractor
    from gansmith.kinds.choice import Choice


RESTORED = ("mel_l1", "mr_stft", "si_sdr", "stoi")
"""The metrics of sounds that were made from others."""
CONVERTED = ("frechet", "coverage", "gan_test")
"""The metrics of voices that were made of others."""
SPOKEN = ("phone_error", "mel_dtw", "frechet")
"""The metrics of speech that was made from text."""


class AudioKind(Kind[Options, AudioCodec]):
    """Sound files, folders and zips of them, arrays of waves, and columns of encoded sounds."""

    unit = "sounds"
    hub_task = "text-to-audio"
    suffixes = (*SUFFIXES, *FOREIGN)
    builtin = BUILTIN
    Options = Options
    Codec = AudioCodec
    Spec = AudioSpec
    gan = "specgan"
    metrics = ("frechet", "precision", "recall", "coverage", "memorisation", "gan_test", "gan_train", "pitch_accuracy")
    half_precision = True
    exported = "as waves from -1 to 1"

    def recognise(self, source: Source) -> Match | None:
        from gansmith.kinds.audio.sound import Sound

        data, path = source.given, source.path
        if isinstance(data, tuple) and len(data) == 2 and isinstance(data[1], int) and hasattr(data[0], "ndim"):
            return Match(SURE, "it is waves and a rate")
        if isinstance(data, list) and data and all(isinstance(one, Sound) for one in data):
            return Match(SURE, "it is a list of sounds")
        if path is None:
            return None
        count = source.count(*self.suffixes)
        if source.is_folder or source.suffix == ".zip":
            if not count:
                return None
            return Match(LIKELY if 2 * count >= len(source.names) else POSSIBLE - 1, f"it has {count:,} sound files")
        if source.suffix == ".npz":
            named = {name.removesuffix(".npy") for name in source.names}
            if not named & set(ARRAYS):
                return None
            return Match(LIKELY, "it holds waves and a rate") if named & set(RATES) else Match(POSSIBLE - 1, "it may hold waves")
        if source.suffix == ".parquet":
            return Match(SURE, "it has a column of sounds") if _holds_sounds(path) else None
        return Match(SURE, "it is a sound file") if count else None

    def open(
        self, source: Source, options: Options, *, cache: Path, like: AudioCodec | None = None, originals: bool = False
    ) -> Dataset:
        return build_audio(recordings_of(source, options), options, cache, like)

    def like(self, codec: Any, options: Options, source: Source) -> Options:
        if codec.spec.task != "pairs":
            return replace(options, degrade=None, noises=None, transcripts=None, convert=codec.spec.task == "domains")
        options = replace(options, convert=False)
        if codec.a.spec.key == "phonemes":
            return replace(options, degrade=None, noises=None, transcripts=codec.a.spec.language)
        return replace(options, degrade=options.degrade or ("mel" if codec.a.spec.key == "mel" else None))

    def load_codec(self, facts: dict[str, Any]) -> Any:
        if "a" in facts:
            return AudioPairs.from_json(facts)
        if facts["spec"]["key"] == "phonemes":
            return PhonemeCodec.from_json(facts)
        if facts["spec"]["key"] == "mel":
            return MelCodec.from_json(facts)
        return (VoiceCodec if facts["spec"].get("source") else AudioCodec).from_json(facts)

    def inspect(self, source: Source, options: Options, *, cache: Path) -> Inspection:
        from gansmith.kinds.audio.inspection import inspected

        return inspected(recordings_of(source, options), options, cache)

    def usual(self, data: Dataset) -> Choice:
        from gansmith.kinds.choice import Choice

        spec = data.codec.spec
        if spec.task == "domains":
            return Choice("maskcyclegan_vc", {}, "it makes each voice of the others, from recordings that say different things")
        if spec.source is not None:
            if spec.source.key == "phonemes":
                return Choice("speech", {}, "it says sentences in the voice of the recordings")
            if spec.source.key == "mel":
                return Choice("advoc", {}, "it makes waves of mel spectra and begins where Griffin-Lim ends")
            return Choice("cmgan", {}, "it makes clean speech of damaged speech")
        return Choice(self.gan, {}, "it learns sounds of a second as pictures of their spectra, in minutes, and takes classes")

    def use(self, spec: Spec) -> str:
        says = spec.source is not None and spec.source.axes == ("phoneme",)
        return "speak" if says else super().use(spec)

    def usual_metrics(self, spec: Spec) -> tuple[str, ...]:
        if spec.task == "domains":
            return CONVERTED
        if spec.source is not None:
            return SPOKEN if spec.source.key == "phonemes" else RESTORED
        left_out = {"pitch_accuracy"} if pitch_of(spec.attributes) is None else set()
        left_out |= {"gan_test", "gan_train"} if len(spec.classes) < 2 else set()
        return tuple(name for name in self.metrics if name not in left_out)

    def baseline_name(self, data: Dataset) -> str:
        return "noise with the mean spectrum"

    def baseline(self, train: Dataset, n: int, seed: int) -> Dataset:
        from gansmith.kinds.audio.rivals import shaped_noise

        return shaped_noise(train, n, seed)

    def rivals(self) -> Mapping[str, Sampler]:
        from gansmith.kinds.audio.rivals import spectrum_gaussian

        return {"Gaussian of mel spectra": spectrum_gaussian}

    def features(self, train: Dataset, seed: int, folder: Path) -> Extractor:
        from gansmith.kinds.audio.features import features_of

        return features_of(train, seed, folder)

    def find_features(self, asked: Any, train: Dataset, seed: int, folder: Path, device: Any) -> Extractor:
        if asked == "classifier":
            return self.features(train, seed, folder)
        from gansmith.kinds.audio.yamnet import requested

        return requested(asked, device)

    def preview(self, codec: Any, raws: Sequence[Any]) -> Preview:
        if codec.spec.key in ("mel", "phonemes"):
            return Preview(codec.preview(raws))
        sounds = [raw.b for raw in raws] if codec.spec.task == "pairs" else raws
        players = (Medium(f"{place}.wav", "audio/wav", wav_bytes(raw)) for place, raw in enumerate(sounds))
        return Preview(codec.preview(raws), tuple(players))

    def toys(self) -> Mapping[str, Dataset]:
        return toys.toys()


def _holds_sounds(path: Path) -> bool:
    """Whether a Parquet file has a column "audio" of encoded files."""
    from gansmith.data.readers.parquet_files import opened_parquet

    with opened_parquet(path) as file:
        schema = file.schema_arrow
        return any(name in schema.names and "binary" in str(schema.field(name).type) for name in ("audio", "sound", "wav"))
