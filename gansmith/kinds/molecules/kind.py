"""The kind "molecules": SMILES and SDF files, as SELFIES, SMILES or graphs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gansmith.data.dataset import Dataset
from gansmith.data.preview import Medium, Preview
from gansmith.data.source import Source
from gansmith.errors import UserError
from gansmith.kinds.kind import POSSIBLE, SURE, Kind, Match, Sampler
from gansmith.kinds.molecules import toys
from gansmith.kinds.molecules.assembled import assembled
from gansmith.kinds.molecules.build import opened_molecules
from gansmith.kinds.molecules.chemistry import PROPERTIES
from gansmith.kinds.molecules.codec import MoleculeCodec
from gansmith.kinds.molecules.molecule import Molecule, Molecules
from gansmith.kinds.molecules.options import BUILTIN, Options
from gansmith.kinds.molecules.readers import SDF, SMILES_FILES, TABLES, from_list, read, smiles_column
from gansmith.kinds.molecules.spec import MoleculeSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gansmith.data.inspection import Inspection
    from gansmith.evaluation.extractors import Extractor
    from gansmith.kinds.choice import Choice


class MoleculeKind(Kind[Options, MoleculeCodec]):
    """SMILES files, tables with a column of SMILES, SDF files, folders of them, and lists of SMILES."""

    unit = "molecules"
    suffixes = (*SMILES_FILES, *SDF)
    builtin = BUILTIN
    Options = Options
    Codec = MoleculeCodec
    Spec = MoleculeSpec
    gan = "sequencegan"
    metrics = (
        *("valid", "unique", "novel", "internal_diversity", "nearest_similarity", "scaffold_similarity", "fragment_similarity"),
        *("filters", "property_distance"),
        *("molecule_c2st", "frechet", "precision", "recall", "memorisation"),
    )
    objectives = PROPERTIES
    half_precision = True
    exported = "as tokens or matrices: see the pieces in model.json"

    def recognise(self, source: Source) -> Match | None:
        data, path = source.given, source.path
        if isinstance(data, list | tuple) and data and all(isinstance(each, str) for each in data):
            return Match(POSSIBLE - 1, "it is a list of strings")
        if path is None:
            return None
        if source.is_folder:
            count = source.count(*SMILES_FILES, *SDF)
            if count:
                return Match(SURE if 2 * count > len(source.names) else POSSIBLE, f"it has {count} files of molecules")
            tables = [name for name in source.names[:10] if name.lower().endswith(TABLES)]
            if tables and all(smiles_column(path / name) for name in tables):
                return Match(SURE, "its tables have a column of SMILES")
            return Match(POSSIBLE - 1, "it has tables") if tables else None
        if path.name.lower().endswith(self.suffixes):
            return Match(SURE, "it is a file of molecules")
        if source.suffix in TABLES:
            column = smiles_column(path)
            return Match(SURE, f'its column "{column}" holds SMILES') if column else Match(POSSIBLE - 1, "it has columns")
        return Match(POSSIBLE - 1, "it may have a SMILES a line") if source.suffix == ".txt" else None

    def open(
        self, source: Source, options: Options, *, cache: Path, like: MoleculeCodec | None = None, originals: bool = False
    ) -> Dataset:
        return opened_molecules(molecules_of(source, options), options, cache, like)

    def like(self, codec: MoleculeCodec, options: Options, source: Source) -> Options:
        named = source.path is not None and source.path.name.lower().endswith(TABLES)
        return replace(options, smiles=options.smiles if named else None)

    def inspect(self, source: Source, options: Options, *, cache: Path) -> Inspection:
        from gansmith.kinds.molecules.inspection import inspected

        return inspected(molecules_of(source, options), options)

    def usual_gan(self, source: Source, options: Options) -> str:
        return "molgan" if options.language == "graph" else self.gan

    def usual(self, data: Dataset) -> Choice:
        from gansmith.kinds.choice import Choice

        if data.codec.spec.axes == ("atom", "atom"):
            return Choice("molgan", {}, "it learns graphs of atoms and bonds")
        return Choice(self.gan, {}, "it learns tokens one by one, then a critic of what it writes, and takes properties")

    def most_compared(self, spec: MoleculeSpec) -> int | None:
        return 20_000

    def baseline_name(self, data: Dataset) -> str:
        return "independent cells" if data.codec.spec.axes == ("atom", "atom") else "independent tokens"

    def baseline(self, train: Dataset, n: int, seed: int) -> Dataset:
        from gansmith.kinds.molecules.rivals import independent_parts

        return independent_parts(train, n, seed)

    def rivals(self) -> Mapping[str, Sampler]:
        from gansmith.kinds.molecules.rivals import add_carbon, ngrams

        return {"n-grams, or a carbon added": ngrams, "a carbon added": add_carbon}

    def features(self, train: Dataset, seed: int, folder: Path) -> Extractor:
        from gansmith.kinds.molecules.features import FingerprintFeatures

        return FingerprintFeatures(train, seed, folder)

    def reward(self, spec: MoleculeSpec, objective: str) -> Callable[[np.ndarray], np.ndarray]:
        from gansmith.kinds.molecules.rewards import reward

        return reward(spec, objective)

    def preview(self, codec: MoleculeCodec, raws: Sequence[Molecule]) -> Preview:
        return Preview(codec.preview(raws), (Medium("molecules.txt", "text/plain", f"{codec.text(raws)}\n".encode()),))

    def toys(self) -> Mapping[str, Dataset]:
        return toys.toys()


def molecules_of(source: Source, options: Options) -> Molecules:
    """The molecules of a source. Raises UserError where it holds none."""
    if isinstance(source.given, list | tuple):
        return from_list(source.given)
    if source.path is None:
        if source.given in BUILTIN:
            return assembled()
        raise UserError(f"there are no molecules {source.said()}: give a .smi, .csv or .sdf file, or a list of SMILES.")
    return read(source.path, options)
