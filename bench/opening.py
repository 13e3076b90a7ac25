"""Opening image folders and zips: seconds to find the images (nothing is decoded) by their number, which must grow as the number does.

    python bench/opening.py [--most 100000]

The images are one tiny PNG under many names, half of them labelled by labels.csv in half of the cases; each case runs in a process of
its own. The time is that of `from_folder` or `from_zip` with a warm file cache: names, natural order, labels.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from machine import machine

from gansmith.kinds.images.readers.folders import from_folder, from_zip

RESULTS = Path(__file__).parent / "results" / "opening.json"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a49444154789c636000000002000148afa4710000000049454e44ae426082"
)


def make(folder: Path, count: int, labelled: bool) -> Path:
    """A folder of so many images, and the zip of them beside it."""
    folder.mkdir(parents=True)
    names = [f"{number % 100}/{number:07}.png" for number in range(count)]
    for part in range(min(100, count)):
        (folder / str(part)).mkdir()
    for name in names:
        (folder / name).write_bytes(PNG)
    table = "file_name,label\n" + "".join(f"{name},{number % 10}\n" for number, name in enumerate(names))
    if labelled:
        (folder / "labels.csv").write_text(table)
    with zipfile.ZipFile(folder.with_suffix(".zip"), "w") as archive:
        for name in names:
            archive.writestr(name, PNG)
        if labelled:
            archive.writestr("labels.csv", table)
    return folder


def measure(path: Path) -> dict[str, float]:
    """CPU seconds and memory of one opening, in this process."""
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    found = (from_zip if path.suffix == ".zip" else from_folder)(path)
    count = len(list(found.examples))
    seconds = time.process_time() - start
    return {
        "images": count,
        "seconds": seconds,
        "megabytes": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--most", type=int, default=100_000)
    parser.add_argument("--of", type=Path)
    options = parser.parse_args()
    if options.of:
        print(json.dumps(measure(options.of)))
        return
    cases = []
    with tempfile.TemporaryDirectory() as place:
        count = 1000
        while count <= options.most:
            for labelled in (False, True):
                folder = make(Path(place) / f"{count}-{labelled}", count, labelled)
                for path in (folder, folder.with_suffix(".zip")):
                    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)}
                    command = [sys.executable, __file__, "--of", str(path)]
                    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
                    found = json.loads(said)
                    assert found["images"] == count
                    cases.append({"source": "zip" if path.suffix else "folder", "labelled": labelled, **found})
                    print(cases[-1], flush=True)
            count *= 10
    RESULTS.write_text(json.dumps({"machine": machine(), "cases": cases}, indent=1) + "\n")


if __name__ == "__main__":
    main()
