"""report.html: everything about a run in one file that opens anywhere, without a network."""

import os
from pathlib import Path

from gansmith.report.page import page
from gansmith.report.records import read_records


def write_report(folder: Path) -> Path:
    """Writes `folder/report.html` from run.json, log.jsonl, evaluations.jsonl and samples/, and returns its path.

    Whatever is missing, empty or cut off (a killed run) is named on the page, which is made all the same. The file replaces
    an older one in one step. Raises UserError if there is no such folder, OSError if it cannot be written.
    """
    document = page(read_records(folder))
    path = folder / "report.html"
    draft = folder / f".report.html.{os.getpid()}"
    try:
        draft.write_text(document, "utf-8", errors="replace")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return path
