"""Damaged files of every format open or are refused in a sentence: nothing else."""

from pathlib import Path

import pytest

from gansmith.errors import UserError
from gansmith.kinds.opening import open_dataset
from tests.data.mutations import mutants, valid_files

FILES = valid_files()


@pytest.mark.parametrize("name", FILES)
def test_damaged_files_open_or_are_refused_in_a_sentence(name: str, tmp_path: Path, cache: Path) -> None:
    content, options = FILES[name]
    path = tmp_path / name
    path.write_bytes(content)
    assert len(open_dataset(path, **options)) >= 1
    said = []
    for mutant in mutants(content, 80, seed=2):
        path.write_bytes(mutant)
        try:
            open_dataset(path, **options)
        except UserError as error:
            said.append(str(error))
    assert len(said) > 3, "the files were hardly damaged"
    assert [sentence for sentence in said if "\n" in sentence or not sentence.endswith(".")] == []
