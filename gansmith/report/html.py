"""report.html: everything about a run in one file that opens anywhere, without a network."""

from pathlib import Path

from gansmith.data.atomic import write_atomically
from gansmith.report.film import write_film
from gansmith.report.page import page
from gansmith.report.records import read_records


def write_report(folder: Path) -> Path:
    """Writes `folder/report.html` from run.json, log.jsonl, evaluations.jsonl and samples/, and returns its path.

    Whatever is missing, empty or cut off (a killed run) is named on the page, which is made all the same. The file replaces
    an older one in one step. Raises UserError if there is no such folder, or if it cannot be written.
    """
    records = read_records(folder)
    write_film(records)
    document = page(records)
    path = folder / "report.html"
    write_atomically(path, document.encode("utf-8", errors="replace"))
    return path
