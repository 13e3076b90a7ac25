"""Growth: does anything cost more for each image, each move, each file, when there are more of them?

    python bench/growth.py                # about 15 minutes on two cores
    python bench/growth.py --files 1000000 --images 10000000 --moves 100000   # what is recorded
    python bench/growth.py --toy          # seconds

Images: dealing batches from memory-mapped arrays of 10^3 to 10^7 images (sparse files, 16x16 gray, the labels real), in CPU time of
one thread. Moves: the memory of a small training over 10^5 moves. Files: opening a folder of tiny PNG files in a new process, first
and second time. Processes: examples a second of two against one, each with one thread.
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from machine import machine

from gansmith.data.dataset import Dataset
from gansmith.kinds.images.codec import ImageCodec
from gansmith.kinds.images.mirrored import mirrored
from gansmith.kinds.opening import open_dataset
from gansmith.planning.plan import plan
from gansmith.training.trainer import Trainer

RESULTS = Path(__file__).parent / "results"
BATCH = 64


def sparse(count: int, folder: Path) -> Dataset:
    """A data set of so many black images that take no room on disk."""
    arrays: dict[str, np.ndarray] = {}
    for key, dtype, shape in (("image", np.uint8, (count, 1, 16, 16)), ("label", np.int64, (count,))):
        arrays[key] = np.lib.format.open_memmap(folder / f"{key}-{count}.npy", "w+", dtype, shape)
    spec = ImageSpec(shape=(1, 16, 16), classes=("a", "b"))
    codec = ImageCodec(spec=spec, frequencies=(count, 0))
    return Dataset(name="sparse", codec=codec, arrays=arrays, fingerprint=str(count))


def images(counts: list[int], batches: int, folder: Path) -> list[dict[str, Any]]:
    """CPU microseconds to deal one image, plain and mirrored: the first time each page of the file is touched, and afterwards.

    The shuffle of an epoch stands apart, since it is paid once an epoch.
    """
    found = []
    for count in counts:
        data = sparse(count, folder)
        line: dict[str, Any] = {"images": count}
        for name, dealt in (("plain", data), ("mirrored", mirrored(data))):
            planned = plan(dealt, gan="gan", batch=BATCH, samples=10**9, device="cpu")
            trainer = Trainer(planned.build(dealt), dealt, planned.settings)
            began = time.thread_time()
            trainer.draw()
            shuffle = (time.thread_time() - began) / len(dealt)
            if name == "plain":
                line["microseconds_first_touch"] = round(1e6 * dealing(trainer, batches), 3)
                for start in range(0, count, 10_000):  # maps every page
                    data.arrays["image"][start : start + 10_000].max()
            line[f"microseconds_{name}"] = round(1e6 * dealing(trainer, batches), 3)
            line[f"microseconds_shuffle_{name}"] = round(1e6 * shuffle, 3)
        print(line, flush=True)
        found.append(line)
        for path in folder.glob("*.npy"):
            path.unlink()
    return found


def dealing(trainer: Trainer, batches: int) -> float:
    """CPU seconds to deal one image, the median of five blocks."""
    blocks = []
    for _ in range(5):
        began = time.thread_time()
        for _ in range(batches // 5):
            trainer.draw()
        blocks.append((time.thread_time() - began) / (batches // 5 * BATCH))
    return statistics.median(blocks)


def moves(count: int) -> dict[str, Any]:
    """Resident memory in megabytes over so many moves of the smallest GAN."""
    data = open_dataset("ring")
    planned = plan(data, gan="gan", options={"width": 16, "noise": 4}, batch=8, samples=10**9, device="cpu")
    trainer = Trainer(planned.build(data), data, planned.settings)
    trainer.gan.clock.total = 10**9
    page, seen, began = resource.getpagesize() / 2**20, [], time.thread_time()
    for number in range(count // 2 + 1):
        if number % (count // 20) == 0:
            trainer.term_means.clear()  # as at a tick
            resident = int(Path("/proc/self/statm").read_text().split()[1]) * page
            seen.append({"moves": 2 * number, "megabytes": round(resident, 1)})
        trainer.play_round()
    took = time.thread_time() - began
    result = {"moves": count, "memory": seen, "cpu_microseconds_a_move": round(1e6 * took / count, 1)}
    print(result, flush=True)
    return result


OPENING = """
import time
from gansmith.kinds.opening import open_dataset
from gansmith.kinds.images.spec import ImageSpec
wall, cpu = time.monotonic(), time.process_time()
data = open_dataset({folder!r})
print(time.monotonic() - wall, time.process_time() - cpu, len(data))
"""


def files(count: int, folder: Path) -> dict[str, Any]:
    """Wall and CPU seconds to open a folder of tiny PNG files in a new process: the first time, and then three times again."""
    from PIL import Image

    pictures, cache = folder / "pictures", folder / "cache"
    made = [folder / f"{value}.png" for value in range(16)]
    for value, path in enumerate(made):
        Image.fromarray(np.full((4, 4), 16 * value, np.uint8)).save(path)
    contents = [path.read_bytes() for path in made]
    for number in range(count):
        if number % 1000 == 0:
            (pictures / f"{number // 1000:05d}").mkdir(parents=True)
        (pictures / f"{number // 1000:05d}" / f"{number}.png").write_bytes(contents[number % 16])
    environment = os.environ | {"GANSMITH_CACHE": str(cache)}
    program = OPENING.format(folder=str(pictures))
    seconds = []
    for _ in range(4):
        said = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True).stdout
        wall, cpu, found = said.split()
        assert int(found) == count
        seconds.append([round(float(wall), 2), round(float(cpu), 2)])
    result = {"files": count, "first_seconds": seconds[0], "again_seconds": seconds[1:]}
    print(result, flush=True)
    shutil.rmtree(pictures)
    return result


def pace(rounds: int) -> None:
    """Played by `processes` in each process: prints the examples a second of the first."""
    from gansmith.training import distributed

    torch.set_num_threads(1)
    distributed.start()
    data = open_dataset("digits")
    planned = plan(data, gan="r3gan", batch=64, samples=10**9, device="cpu")
    trainer = Trainer(planned.build(data), data, planned.settings)
    distributed.broadcast(trainer.gan)
    for _ in range(3):
        trainer.play_round()
    distributed.wait()
    began = time.monotonic()
    for _ in range(rounds):
        trainer.play_round()
    distributed.wait()
    if distributed.leads():
        print(rounds * 64 / (time.monotonic() - began), flush=True)
    distributed.wait()
    os._exit(0)  # gloo's threads may abort an interpreter that takes its time to end


def processes(rounds: int, repeats: int) -> dict[str, Any]:
    """Examples a second of two processes against one, alternating."""
    paces: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(repeats):
        for number, seen in paces.items():
            command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={number}"]
            command += [__file__, "--pace", str(rounds)]
            said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            seen.append(float(said.split()[-1]))
    one, two = (statistics.median(paces[number]) for number in (1, 2))
    result = {
        "examples_a_second": {str(number): [round(value, 1) for value in seen] for number, seen in paces.items()},
        "efficiency": round(two / (2 * one), 3),
        "load_before": round(os.getloadavg()[0], 2),
    }
    print(result, flush=True)
    return result


def table(results: dict[str, Any]) -> str:
    lines = ["# Growth", "", f"{results['machine']}, torch {results['torch']}. `python bench/growth.py`", ""]
    lines += [
        "| images | deal one (CPU us) | mirrored | at a page's first touch | shuffle, once an epoch |",
        "|---|---|---|---|---|",
    ]
    for line in results["images"]:
        cells = [f"{line['images']:,}"]
        cells += [line[f"microseconds_{what}"] for what in ("plain", "mirrored", "first_touch", "shuffle_plain")]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    memory, opened, pair = results["moves"]["memory"], results["files"], results["processes"]
    tenth = memory[len(memory) // 10]
    lines += [
        "",
        f"Memory over {results['moves']['moves']:,} moves: {tenth['megabytes']} MB after {tenth['moves']:,}, "
        f"{memory[-1]['megabytes']} MB at the end; {results['moves']['cpu_microseconds_a_move']} CPU us a move.",
        "",
        f"A folder of {opened['files']:,} PNG files on {opened['on']}: {opened['first_seconds'][0]} s the first time (every file is "
        f"decoded), then {', '.join(f'{wall} s ({cpu} s of CPU)' for wall, cpu in opened['again_seconds'])}.",
        "",
        f"Two processes: {pair['efficiency']:.0%} of twice one (load of the machine before: {pair['load_before']}).",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--images", type=int, default=10**7)
    parser.add_argument("--moves", type=int, default=10**5)
    parser.add_argument("--files", type=int, default=200_000)
    parser.add_argument("--folder", default="/dev/shm" if Path("/dev/shm").is_dir() else None, help="where the files are made")
    parser.add_argument("--toy", action="store_true", help="tiny, and nothing recorded")
    parser.add_argument("--pace", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.pace:
        pace(options.pace)
        return
    torch.set_num_threads(1)
    most, count, number = (10**4, 2000, 2000) if options.toy else (options.images, options.moves, options.files)
    folder = Path(tempfile.mkdtemp(dir=options.folder))
    try:
        results = {
            "machine": machine(),
            "torch": torch.__version__,
            "images": images([10**power for power in range(3, len(str(most)))], 50 if options.toy else 1000, folder),
            "moves": moves(count),
            "files": files(number, folder) | {"on": "tmpfs" if options.folder == "/dev/shm" else "disk"},
            "processes": processes(5 if options.toy else 60, 1 if options.toy else 3),
        }
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(table(results))
    if not options.toy:
        (RESULTS / "growth.json").write_text(json.dumps(results, indent=1) + "\n")
        (RESULTS / "growth.md").write_text(table(results))


if __name__ == "__main__":
    main()
