"""Molecules: tokens of SELFIES or SMILES, or graphs; with properties as conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from gansmith.data.attributes import Attributes, misfit, repacked, unpacked
from gansmith.data.codec import Batch
from gansmith.data.outputs import whole
from gansmith.data.spreadsheets import Writer
from gansmith.data.tokens import counted, padded, smallest_dtype
from gansmith.errors import UserError
from gansmith.kinds.molecules.chemistry import PROPERTIES, canonical, rdkit
from gansmith.kinds.molecules.comparisons import comparisons, is_comparison, meets
from gansmith.kinds.molecules.graphs import atoms_of, is_atom, matrix_of, smiles_of
from gansmith.kinds.molecules.molecule import Molecule
from gansmith.kinds.molecules.preview import drawn
from gansmith.kinds.molecules.requests import parted
from gansmith.kinds.molecules.spec import MoleculeSpec
from gansmith.kinds.molecules.strings import SPECIAL, split, written

LONGEST = {"selfies": 128, "smiles": 160, "graph": 38}
"""The greatest usual length."""
BUCKETS = 128
"""Features of a sketch: tokens, and as many pairs of tokens."""
PRIME = 92_821
"""Mixes the two tokens of a pair."""


@dataclass(frozen=True)
class MoleculeCodec:
    """Molecules as tokens [length] or graphs [atoms, atoms], in the smallest integers that hold them when packed, int64 when unpacked.

    What is encoded is decoded to the same canonical SMILES; graphs lose stereochemistry and isotopes.
    """

    suffixes = (".smi", ".csv", ".sdf", ".png")
    spec: MoleculeSpec
    pieces: tuple[str, ...]
    """What each token from SPECIAL on stands for; of a graph, what each type of atom from 1 on is."""
    attributes: Attributes | None = None

    def __post_init__(self) -> None:
        if self.spec.pieces != self.pieces:
            object.__setattr__(self, "spec", replace(self.spec, pieces=self.pieces))

    @classmethod
    def fit(cls, smiles: Sequence[str], language: str, length: int | None, attributes: Attributes | None = None) -> Self:
        """The codec of valid, canonical SMILES. Raises UserError if none can be written in the language."""
        names = attributes.names if attributes else ()
        if language == "graph":
            atoms = [atoms_of(each) for each in smiles]
            size = length or min(max(map(len, atoms)), LONGEST[language])
            types = tuple(sorted({name for own in atoms if len(own) <= size for name in own}))
            spec = MoleculeSpec(
                shape=(size, size), axes=("atom", "atom"), attributes=names, vocabulary=1 + len(types), language=language
            )
            return cls(spec, types, attributes)
        rows = [tokens for each in smiles if (tokens := split(each, language)) is not None]
        if not rows:
            raise UserError(f"none of these molecules can be written as {language.upper()}: choose another --language.")
        size = length or max(2, min(max(map(len, rows)), LONGEST[language]))
        rows = [row for row in rows if len(row) <= size]
        counts: dict[str, int] = {}
        for row in rows:
            for token in row:
                counts[token] = counts.get(token, 0) + 1
        pieces = tuple(sorted(counts, key=lambda token: (-counts[token], token)))
        numbers = {piece: SPECIAL + place for place, piece in enumerate(pieces)}
        vocabulary = SPECIAL + len(pieces)
        spec = MoleculeSpec(
            shape=(size,),
            attributes=names,
            vocabulary=vocabulary,
            frequencies=counted([[numbers[token] for token in row] for row in rows], size, vocabulary),
            language=language,
        )
        return cls(spec, pieces, attributes)

    @property
    def previewed(self) -> int:
        return 24

    @property
    def length(self) -> int:
        return self.spec.shape[0]

    # ---- between molecules and numbers ------------------------------------------------------------------------------------------

    def numbers(self, smiles: str) -> np.ndarray | None:
        """Packed tokens or graph of one molecule; None if it is too large or has a part that the data lacked."""
        if self.spec.language == "graph":
            return matrix_of(smiles, self.pieces, self.length) if canonical(smiles) is not None else None
        tokens = split(smiles, self.spec.language)
        if tokens is None or len(tokens) > self.length or not all(token in self._number for token in tokens):
            return None
        return padded([self._number[token] for token in tokens], self.length, self._dtype)

    def pack(self, raw: Molecule) -> dict[str, np.ndarray]:
        """Raises UserError for a molecule that cannot be written with these tokens."""
        found = self.numbers(raw.smiles)
        if found is None:
            raise UserError(
                f"{raw.smiles} is no molecule, larger than {self.length} {'atoms' if self.spec.language == 'graph' else 'tokens'}, or has "
                "an atom that the model's data lack: leave it out."
            )
        packed = {self.spec.key: found}
        if self.attributes:
            packed["label"] = np.array(raw.properties, np.float32)
        return packed

    def unpack(self, packed: Mapping[str, np.ndarray]) -> Batch:
        found = {self.spec.key: torch.from_numpy(packed[self.spec.key].astype(np.int64))}
        if self.attributes and "label" in packed:
            found["label"] = unpacked(packed["label"], self.attributes)
        return found

    def repack(self, batch: Batch) -> dict[str, np.ndarray]:
        packed = {self.spec.key: batch[self.spec.key].detach().cpu().numpy().astype(self._dtype)}
        if self.attributes and "label" in batch:
            packed["label"] = repacked(batch["label"], self.attributes)
        return packed

    def encode(self, raw: Molecule) -> Batch:
        return self.unpack({key: array[None] for key, array in self.pack(raw).items()})

    def decode(self, batch: Batch) -> list[Molecule]:
        smiles = self.smiles(batch[self.spec.key].detach().cpu().numpy())
        if not self.attributes or "label" not in batch:
            return [Molecule(each) for each in smiles]
        values = repacked(batch["label"], self.attributes).astype(float).tolist()
        return [Molecule(each, tuple(row)) for each, row in zip(smiles, values, strict=True)]

    def smiles(self, rows: np.ndarray) -> list[str]:
        """The SMILES of packed tokens or graphs, valid or not."""
        if self.spec.language == "graph":
            return [smiles_of(row, self.pieces) for row in rows]
        return [written(row, self.pieces, self.spec.language) for row in rows.tolist()]

    @property
    def _number(self) -> dict[str, int]:
        known = _NUMBERS.get(self.pieces)
        if known is None:
            known = _NUMBERS[self.pieces] = {piece: SPECIAL + place for place, piece in enumerate(self.pieces)}
        return known

    @property
    def _dtype(self) -> np.dtype:
        return smallest_dtype(self.spec.vocabulary)

    def read(self, text: str) -> Molecule:
        """The molecule of a SMILES. Raises UserError for what is none, or cannot be written with these tokens."""
        known = canonical(text)
        if known is None:
            raise UserError(f"{text[:80]!r} is no molecule: give its SMILES.")
        raw = Molecule(known, tuple(0.0 for _ in self.attributes.names) if self.attributes else ())
        self.pack(raw)
        return raw

    # ---- what to generate -------------------------------------------------------------------------------------------------------

    def conditions(self, n: int, rng: torch.Generator, /, **where: str) -> Batch:
        """Properties [n, K] as they occur together in the data, with those set that are requested (qed="0.9").

        Comparisons (logp="<3") of computed properties are left to `complies`, a scaffold and a drug (`parted`) to `completed`. Raises
        UserError for a property that the model does not know, for a value outside of the data's, and for what cannot be compared.
        """
        _, where = parted(where)
        comparisons(where)
        near = {key: value for key, value in where.items() if not is_comparison(value)}
        if not self.attributes:
            for key, value in near.items():
                less = f', or say "{key}<{value}"' if key in PROPERTIES else ""
                raise UserError(
                    f"this model is unconditional: remove {key}={value}, or train it with --properties {key} if the data can say it{less}."
                )
            return {}
        return {"label": self.attributes.draw(n, rng, near)}

    def completed(self, batch: Batch, /, **where: Any) -> Batch:
        """The batch with the scaffold that is asked for, to which parts of each valid molecule are attached; as it is where none fits, or
        where the result could not be written."""
        around, _ = parted(where)
        if around is None:
            return batch
        rows = batch[self.spec.key]
        found = rows.detach().cpu().numpy().copy()
        for place, each in enumerate(self.smiles(found)):
            known = canonical(each)
            made = None if known is None else around.made(known)
            packed = None if made is None else self.numbers(made)
            if packed is not None:
                found[place] = packed
        return batch | {self.spec.key: torch.from_numpy(found).to(rows)}

    def complies(self, batch: Batch, /, **where: Any) -> np.ndarray:
        """bool [N]: which molecules are valid and meet all comparisons (logp="<3"), hold the scaffold and resemble the drug that are asked
        for; where nothing is, all."""
        around, rest = parted(where)
        tests = comparisons(rest)
        if not tests and around is None:
            return np.ones(len(batch[self.spec.key]), bool)
        known = [canonical(each) for each in self.smiles(batch[self.spec.key].detach().cpu().numpy())]
        holds = around.holds if around is not None else lambda _: True
        return np.array([each is not None and meets(each, tests) and holds(each) for each in known], bool)

    # ---- what is shown and kept -------------------------------------------------------------------------------------------------

    def save(self, raws: Sequence[Molecule], folder: Path) -> list[Path]:
        """molecules.smi; with properties, molecules.csv. Numbered on, none overwritten."""
        folder.mkdir(parents=True, exist_ok=True)
        suffix, number = ".csv" if self.attributes else ".smi", 0
        while any((folder / f"molecules{f'-{number}' if number else ''}{other}").exists() for other in (".smi", ".csv")):
            number += 1
        path = folder / f"molecules{f'-{number}' if number else ''}{suffix}"
        with whole(path) as part:
            self.write(raws, part)
        return [path]

    def write(self, raws: Sequence[Molecule], path: Path) -> None:
        """SMILES one a line (.smi), with the properties that were requested (.csv), the valid ones as .sdf, or drawn as .png."""
        names = self.attributes.names if self.attributes else ()
        if path.suffix == ".png":
            self.preview(raws).save(path)
        elif path.suffix == ".csv":
            with open(path, "w", encoding="utf-8", newline="") as file:
                table = Writer(file)
                table.writerow(["smiles", *names])
                table.writerows([raw.smiles, *(f"{value:.6g}" for value in raw.properties)] for raw in raws)
        elif path.suffix == ".sdf":
            _write_sdf(raws, names, path)
        else:
            path.write_text(f"{self.text(raws)}\n", encoding="utf-8")

    def text(self, raws: Sequence[Molecule]) -> str:
        """One SMILES a line."""
        return "\n".join(raw.smiles for raw in raws)

    def preview(self, raws: Sequence[Molecule]) -> Image.Image:
        """A grid of drawn structures."""
        return drawn([raw.smiles for raw in raws])

    def sketch(self, batch: Batch) -> Float[Tensor, "batch features"]:
        """How often tokens and pairs of neighbours occur; of graphs, how often atoms and bonds do."""
        found = batch[self.spec.key].cpu()
        if self.spec.language == "graph":
            atoms, bonds = found.diagonal(dim1=1, dim2=2), found.triu(1).flatten(1)
            features = [(atoms == name).sum(1) for name in range(self.spec.vocabulary)]
            features += [(bonds == order).sum(1) for order in range(1, 4)]
            return torch.stack(features, 1).float() / self.length
        there = (found >= self.spec.unknown).float()
        pairs = (found[:, :-1] * PRIME + found[:, 1:]) % BUCKETS
        features = torch.zeros(len(found), 2 * BUCKETS)
        features.scatter_add_(1, found % BUCKETS, there)
        features.scatter_add_(1, BUCKETS + pairs, there[:, 1:])
        return features / there.sum(1, keepdim=True).clamp_min(1)

    def fault(self) -> str | None:
        """What does not fit in facts that were read from a file; None if all fits."""
        graph = self.spec.language == "graph"
        expected = len(self.pieces) + (1 if graph else SPECIAL)
        if expected != self.spec.vocabulary or len(set(self.pieces)) != len(self.pieces):
            return f"has {expected} tokens where its spec has {self.spec.vocabulary}, or has one twice"
        if graph and (strange := [piece for piece in self.pieces if not is_atom(piece)]):
            return f"has the pieces {', '.join(strange)[:80]}, which are no atoms"
        if not graph and len(self.spec.frequencies) != self.spec.vocabulary:
            return f"has {self.spec.vocabulary} tokens, but {len(self.spec.frequencies)} frequencies of them"
        return misfit(self.attributes, self.spec)

    def to_json(self) -> dict[str, Any]:
        facts: dict[str, Any] = {"spec": self.spec.to_json(), "pieces": list(self.pieces)}
        return facts | ({"attributes": self.attributes.to_json()} if self.attributes else {})

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> Self:
        attributes = Attributes.from_json(facts["attributes"]) if facts.get("attributes") else None
        return cls(MoleculeSpec.from_json(facts["spec"]), tuple(facts["pieces"]), attributes)


_NUMBERS: dict[tuple[str, ...], dict[str, int]] = {}
"""The numbers of tokens by vocabulary, made once."""


def _write_sdf(raws: Sequence[Molecule], names: Sequence[str], path: Path) -> None:
    chem = rdkit()
    from rdkit.Chem import AllChem

    with chem.SDWriter(str(path)) as writer:
        for raw in raws:
            molecule = chem.MolFromSmiles(raw.smiles)
            if molecule is None:
                continue
            AllChem.Compute2DCoords(molecule)  # pyright: ignore[reportAttributeAccessIssue]
            molecule.SetProp("_Name", raw.smiles)
            for name, value in zip(names, raw.properties, strict=False):
                molecule.SetProp(name, f"{value:.6g}")
            writer.write(molecule)
