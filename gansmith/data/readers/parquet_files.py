"""Parquet files, opened within limits; what pyarrow raises becomes a sentence."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gansmith.data.readers.files import check_ends
from gansmith.data.readers.json_text import parsed
from gansmith.data.readers.limits import check
from gansmith.errors import UserError, missing_extra


@contextmanager
def opened_parquet(path: Path, streamed: bool = False) -> Iterator[Any]:
    """The `pyarrow.parquet.ParquetFile`, of any number of cells if it is `streamed`, so that no memory holds them together.

    Inside the block, whatever a damaged file makes pyarrow raise becomes a UserError.
    """
    try:
        import pyarrow
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise missing_extra("pyarrow", "parquet", "reading Parquet files") from error
    try:
        check_ends(path)
        with ParquetFile(path) as file:
            facts = file.metadata
            check("columns", len(file.schema_arrow.names), str(path), "columns")
            check("cells", 0 if streamed else facts.num_rows * max(1, len(file.schema_arrow.names)), str(path), "cells")
            yield file
    except UserError:
        raise
    except (OSError, ValueError, TypeError, KeyError, OverflowError, MemoryError, pyarrow.ArrowException) as error:
        why = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(f"{path} cannot be read as Parquet ({why}): download or write it again.") from error


def hub_features(schema: Any, where: str) -> Mapping[str, Any]:
    """What the metadata of the Hugging Face hub say of the columns; nothing where they say something else than the hub does."""
    found: Any = (schema.metadata or {}).get(b"huggingface", b"{}")
    try:
        found = parsed(found, where)
    except (UnicodeDecodeError, json.JSONDecodeError, ValueError):  # of no use, but of no harm to the images either
        return {}
    for part in ("info", "features"):
        found = found.get(part) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}
