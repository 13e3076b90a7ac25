"""Runs on the Hugging Face hub: a folder with model, card and pictures, and its upload (extra `hub`)."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

from gansmith.data.atomic import make_folder, write_atomically
from gansmith.data.preview import media_beside
from gansmith.errors import UserError, missing_extra
from gansmith.report.card import model_card
from gansmith.report.records import read_records
from gansmith.runs.folder import RunFolder
from gansmith.runs.model_files import FACTS, WEIGHTS, read_model
from gansmith.runs.programs import copies_in

NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
MEDIA = 8
"""The most media of the newest preview that go along."""


def gather(run: RunFolder, folder: Path, name: str, licence: str | None = None) -> list[Path]:
    """Writes what the hub gets into `folder`: the model, README.md, and the newest preview; returns the files.

    The data, checkpoints and logs of the run stay at home. Raises UserError if the run has no model, if its programs have changed, or if
    the folder holds something.
    """
    if folder.exists() and any(folder.iterdir()):
        raise UserError(f"{folder} holds files already: name an empty or new folder with --out.")
    source = run.model_folder
    if not (source / WEIGHTS).is_file():
        raise UserError(f"{source} holds no model yet: train further, until the first checkpoint.")
    _, facts = read_model(source)
    copies = copies_in(source, facts)
    for copy in copies.values():
        copy.check()
    make_folder(folder)
    wanted = [source / FACTS, source / WEIGHTS, *(copy.path for copy in copies.values())]
    written = [_copied(path, folder / path.relative_to(source)) for path in wanted if path.is_file()]
    records = read_records(run.folder)
    shown: list[str] = []
    if records.previews:
        _, picture = records.previews[-1]
        media = media_beside(picture)
        shown.append("samples.png")
        written.append(_copied(picture, folder / shown[0]))
        for path, _ in list(zip(media.values(), range(MEDIA), strict=False)):
            shown.append(f"samples.{path.name.partition('.')[2]}")
            written.append(_copied(path, folder / shown[-1]))
    write_atomically(folder / "README.md", model_card(records, name, facts, shown, licence).encode())
    return [*written, folder / "README.md"]


def push(run: RunFolder, name: str, *, private: bool = False, licence: str | None = None) -> str:
    """Uploads model, card and pictures of a run to the hub under "user/name", and returns the address of the page.

    Raises UserError for another form of name, without the package huggingface_hub, and with the hub's own words if it refuses.
    """
    check_name(name)
    try:
        from huggingface_hub import HfApi  # pyright: ignore[reportMissingImports], an extra
    except ImportError as error:
        raise missing_extra("huggingface_hub", "hub", "Uploading a model") from error
    with tempfile.TemporaryDirectory(prefix="gansmith-push-") as place:
        folder = Path(place) / "model"
        gather(run, folder, name, licence)
        try:
            hub = HfApi()
            address = hub.create_repo(name, private=private, exist_ok=True)
            hub.upload_folder(repo_id=name, folder_path=str(folder), commit_message=f"{run.facts['gan']}, from gansmith")
        except Exception as error:  # the hub's own errors, and every kind of missing network
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            raise UserError(
                f"{name} could not be uploaded ({reason}): log in with hf auth login, and check name and network."
            ) from error
    return str(address)


def check_name(name: str) -> None:
    """Raises UserError unless this is "user/name"."""
    if not NAME.fullmatch(name):
        raise UserError(f"A model on the hub has a name of the form user/name, but {name!r:.80} came: change it.")


def _copied(source: Path, to: Path) -> Path:
    make_folder(to.parent)
    shutil.copyfile(source, to)
    return to
