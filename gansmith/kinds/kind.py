"""The protocol of a kind of data: all that gansmith must know about it, in one object."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar

from gansmith.data.options import DataOptions
from gansmith.data.preview import Preview
from gansmith.data.spec import Spec
from gansmith.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

    from gansmith.data.dataset import Dataset
    from gansmith.data.inspection import Inspection
    from gansmith.data.source import Source
    from gansmith.evaluation.extractors import Extractor
    from gansmith.evaluation.judgement import Judgement
    from gansmith.evaluation.sides import Side
    from gansmith.kinds.choice import Choice
    from gansmith.model import Model
    from gansmith.report.records import Records
    from gansmith.report.section import Section

O = TypeVar("O", bound=DataOptions)  # noqa: E741
C = TypeVar("C")

POSSIBLE, LIKELY, SURE = 1, 2, 3
"""How sure a kind is that data are its own: it can read them if asked, they look like its own, or they can hardly be anything else."""

Sampler = Callable[["Dataset", int, int], "Dataset"]
"""A model without a game: (training data, number of examples, seed) to examples."""


@dataclass(frozen=True)
class Match:
    """That a kind can read some data."""

    certainty: int
    """POSSIBLE, LIKELY or SURE."""
    because: str
    """Why, in words that follow "since": "it has 12 pictures"."""


class Kind(ABC, Generic[O, C]):
    """One kind of data. There is one subclass, in `kinds/NAME/kind.py`; a kind of another package is an entry point of the group
    `gansmith.kinds` or a path (`--kind ./my_kind.py`).

    `recognise`, `open`, `Options`, `Codec`, `Spec`, `gan`, `metrics` and `toys` are duties; all else has defaults.
    """

    name: ClassVar[str]
    """The folder's name, by which `--kind` and `Spec.kind` know it."""
    unit: ClassVar[str] = "examples"
    """What its examples are called in sentences: "rows", "windows", "clips"."""
    hub_task: ClassVar[str | None] = None
    """What the Hugging Face hub calls the making of such examples, if it has a word for it."""
    suffixes: ClassVar[tuple[str, ...]] = ()
    """Files that are surely its own: (".wav", ".flac")."""
    spellings: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """Other words for `--kind`, each with the options that it stands for: {"pairs": {"task": "pairs"}}."""
    builtin: ClassVar[Mapping[str, str]] = {}
    """Built-in data of this kind by name, each with one line of description."""

    Options: ClassVar[type[DataOptions]]
    """A frozen dataclass that loads no torch, in `kinds/NAME/options.py`."""
    Codec: ClassVar[type]
    Spec: ClassVar[type[Spec]]
    gan: ClassVar[str]
    """The GAN that is trained where none is named."""
    metrics: ClassVar[tuple[str, ...]]
    """The metrics that are measured where none are named."""
    objectives: ClassVar[tuple[str, ...]] = ()
    """What `reward` can compute of an example, for games that learn by it."""
    half_precision: ClassVar[bool] = False
    """Whether games of this kind train in bfloat16 where the hardware computes in it."""
    rounding: ClassVar[float | None] = None
    """The largest mean error, in the codec's units, that generating in bfloat16 may bring; None keeps generation in float32."""
    length_of_features_matters: ClassVar[bool] = False
    """Whether features that differ in length alone are of other examples, so that only comparing their directions means nothing."""
    exported: ClassVar[str] = "as the codec has it"
    """In which units an exported network answers."""
    neighbours_are_shown: ClassVar[bool] = True
    """Whether previews of single examples beside their nearest training examples mean something."""

    # ---- data in ----------------------------------------------------------------------------------------------------------------

    @abstractmethod
    def recognise(self, source: Source) -> Match | None:
        """How sure it is that it can read this data, and why; None if it cannot. It decodes nothing."""

    @abstractmethod
    def open(self, source: Source, options: O, *, cache: Path, like: C | None = None, originals: bool = False) -> Dataset:
        """The data, decoded and ready to be dealt.

        With `like`, they are encoded as that codec does (held-out and generated data). With `originals`, examples also stay at hand as
        they were before encoding, if the kind has use for that. Raises UserError for data that cannot be read.
        """

    @abstractmethod
    def toys(self) -> Mapping[str, Dataset]:
        """Tiny data, on which the contract tests of kinds, codecs, GANs and metrics run."""

    def inspect(self, source: Source, options: O, *, cache: Path) -> Inspection:
        """What is in the data and what is wrong with it."""
        from gansmith.data.inspection import inspection_of

        return inspection_of(self.open(source, options, cache=cache), self.unit)

    def split(self, data: Dataset, share: float) -> tuple[Dataset, Dataset]:
        """(training, held out): by groups if the data have any (recordings, documents), else at random."""
        return data.split(share)

    def mirrored(self, data: Dataset) -> Dataset:
        """The data twice over, the second time mirrored. Raises UserError if a mirrored example is none of this kind."""
        raise UserError(f"only images can be mirrored, and {data.name} holds {self.name}: leave the option out.")

    def like(self, codec: C, options: O, source: Source) -> O:
        """The options to open other data with, so that they can be encoded as `codec` does: `options` are those of its own data."""
        return options

    def load_codec(self, facts: dict[str, Any]) -> C:
        """The codec that `codec.to_json()` described."""
        return self.Codec.from_json(facts)

    # ---- planning ---------------------------------------------------------------------------------------------------------------

    def usual_gan(self, source: Source, options: O) -> str:
        """The name of the GAN that is trained on this data where none is named, before the data are opened."""
        return self.gan

    def usual(self, data: Dataset) -> Choice:
        """The GAN that is trained on this data where none is named."""
        from gansmith.kinds.choice import Choice

        return Choice(self.gan, {}, "")

    def choose(self, data: Dataset, device: str) -> Choice:
        """The GAN that `--gan auto` takes for this data on this device ("cpu", "cuda:0"), and why."""
        return self.usual(data)

    def precision(self, spec: Spec) -> Literal["float32", "bfloat16"]:
        """In what games on this data train where the hardware computes in bfloat16."""
        return "bfloat16" if self.half_precision else "float32"

    # ---- judging ----------------------------------------------------------------------------------------------------------------

    def usual_metrics(self, spec: Spec) -> tuple[str, ...]:
        """The metrics of this data where none are named."""
        return self.metrics

    def most_compared(self, spec: Spec) -> int | None:
        """How many training examples generated ones are compared with, random ones of more; None for all."""
        return None

    def baseline_name(self, data: Dataset) -> str:
        """What the trivial generator is called beside every score."""
        return "Gaussian"

    def baseline(self, train: Dataset, n: int, seed: int) -> Dataset:
        """n examples of the trivial generator of this data: a Gaussian with the mean and covariance of the training examples."""
        from gansmith.evaluation.gaussian import gaussian

        return gaussian(train, n, seed)

    def rivals(self) -> Mapping[str, Sampler]:
        """Models without a game that stand beside every score, by name."""
        return {}

    def features(self, train: Dataset, seed: int, folder: Path) -> Extractor:
        """The space of distances where none is named; what it learns is kept in `folder`."""
        from gansmith.evaluation.identity import Unpacked

        return Unpacked()

    def find_features(self, asked: Any, train: Dataset, seed: int, folder: Path, device: Any) -> Extractor:
        """The space of distances that the user asked for. Raises UserError where the kind knows none of that name."""
        raise UserError(f"a classifier judges images, but {train.name} holds {self.name}: leave out --features.")

    def inception(self, folder: Path, outputs: tuple[str, ...], **how: Any) -> Any:
        """Inception-v3 with these outputs, for the metrics that are defined in it; None for data that it cannot see."""
        return None

    def patches(self, data: Dataset, seed: int) -> Sequence[Tensor] | None:
        """Patches of examples [n, patches, numbers] at several scales, for the sliced Wasserstein distance; None for data without."""
        return None

    def overview(self, side: Side) -> Mapping[str, Any]:
        """What the report shows of the judged examples besides scores, as JSON."""
        return {}

    # ---- data of several parts ----------------------------------------------------------------------------------------------------

    def has_parts(self, source: Source, options: O) -> bool:
        """Whether the source holds several data sets that are learned each by a model of its own, such as tables with keys."""
        return False

    def train_parts(
        self, source: Source, options: O, folder: Path, train: Callable[[Sequence[str]], int], say: Callable[[str], None]
    ) -> int:
        """Trains the parts into folders in `folder`, each by `train` (which takes words of a command line, without budget and GAN), judges
        them together, and returns the exit status."""
        raise UserError(f"{self.name} have no parts: give one data set.")

    def generate_parts(self, folder: Path, n: int, seed: int, out: Path, *, trust: bool = False) -> list[Path]:
        """Files with n examples of what `train_parts` left in a folder."""
        raise UserError(f"{self.name} have no parts: give one run.")

    # ---- using ------------------------------------------------------------------------------------------------------------------

    def use(self, spec: Spec) -> str:
        """The command that uses a model of such data."""
        return "generate" if spec.source is None else "translate"

    def translates(self, model: Model) -> bool:
        """Whether `gansmith translate` takes this model: whether it makes examples of something given."""
        return bool(model.codec.spec.source_shape)

    def translate(self, argv: list[str]) -> int:
        """`gansmith translate` for models that make this kind of data from something: parses the words and returns the exit status.

        A folder `translation/` with a `command.py` that has a function `run(argv)` stands for it, and is found without loading torch.
        Raises UserError if the kind has nothing to translate.
        """
        raise UserError(f"models of {self.name} make examples from noise alone: use gansmith generate.")

    def translated(self, model: Model, given: Any, **how: Any) -> Any:
        """What a model of pairs or domains makes of one example, in the form and size of that example. Raises UserError for examples and
        options that it cannot take."""
        raise UserError(
            f"examples are translated one by one where they are images, and this model makes {self.name}: generate from it."
        )

    def reward(self, spec: Spec, objective: str) -> Callable[[np.ndarray], np.ndarray]:
        """How good packed examples [N, ...] are at an objective, from 0 to 1 [N]: what games that reward it ask. Raises UserError for an
        objective that the kind cannot compute."""
        raise UserError(f"{self.name} have no objectives that could be computed: choose another GAN.")

    def optimise(self, argv: list[str]) -> int:
        """`gansmith optimise` for models of this kind: parses the words and returns the exit status.

        A folder `optimisation/` with a `command.py` that has a function `run(argv)` stands for it, and is found without loading torch.
        Raises UserError if examples of the kind have nothing that could be optimised.
        """
        raise UserError(f"gansmith optimise takes models of molecules, and this one makes {self.name}: generate from it.")

    # ---- showing ----------------------------------------------------------------------------------------------------------------

    def preview(self, codec: C, raws: Sequence[Any]) -> Preview:
        """A picture of several examples, and media that play them."""
        return Preview(codec.preview(raws))  # pyright: ignore[reportAttributeAccessIssue]

    def beside(self, codec: C, groups: Sequence[Sequence[Any]]) -> Preview:
        """Groups of a generated example and the training examples nearest to it, as many in each."""
        return self.preview(codec, [raw for group in groups for raw in group])

    def artifacts(self, judgement: Judgement, fake: Dataset, train: Dataset, folder: Path) -> None:
        """Files that a judgement leaves in the run's samples/ beside the pictures of neighbours, best and worst."""

    def sections(self, records: Records) -> Iterator[Section]:
        """Sections of the report that only this kind has."""
        return iter(())


__all__ = ["LIKELY", "POSSIBLE", "SURE", "Kind", "Match", "Preview", "Sampler"]
