"""Tables larger than memory: a Parquet file is made piece by piece, opened, learned and generated again; CPU seconds, memory and pace.

    python bench/large_tables.py FOLDER --rows 1000000 --train 200000 --generate 1000000

The table has 30 columns: numbers that depend on each other, categories of 2 to 200 options, dates, moments, truth values, a sum,
missing cells and an identifier. Each step is the command that a user gives, in a process of its own: `train` on a cold cache for one batch
(opening, fitting the codec, packing all rows), `train` on the packed rows, `generate` to Parquet. Memory is the largest that the process
had by itself (RssAnon) and with the pages of files that it mapped (VmHWM), which the system takes back when it needs them. Of generating,
the pace of each tenth of the file is recorded. Steps are added to bench/results/large_tables.json.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from machine import machine

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "bench" / "results" / "large_tables.json"
PIECE = 250_000
"""Rows that are made at a time."""
COLUMNS = 30
TENTHS = 10


def made(rows: int, first: int, rng: np.random.Generator) -> Any:
    """Some rows, as an Arrow table of 30 columns."""
    import pyarrow as pa

    hidden = rng.normal(size=(rows, 3))
    kind = rng.integers(0, 4, rows)
    columns: dict[str, Any] = {"id": pa.array(np.char.add("r", (first + np.arange(rows)).astype(str)))}
    for i in range(9):
        number = hidden @ rng_of(i).normal(size=3) + kind * (i % 3) + rng.normal(size=rows)
        number = np.exp(number / 3) if i % 3 == 0 else number
        columns[f"number{i}"] = pa.array(number.round(3), mask=rng.random(rows) < (0.05 if i % 4 == 1 else 0))
    for i in range(5):
        columns[f"count{i}"] = pa.array(rng.poisson(np.exp(hidden[:, i % 3] / 2 + i / 2)))
    columns["total"] = pa.array(sum(columns[f"count{i}"].to_numpy() for i in range(2)))
    for i, options in enumerate((2, 3, 5, 8, 12, 30, 80, 200)):
        place = np.abs((hidden[:, i % 3] * options / 4 + kind + rng.normal(size=rows) * options / 6).astype(int)) % options
        words = pa.array([f"option {each}" for each in range(options)])
        columns[f"word{i}"] = words.take(pa.array(place))
    day = np.datetime64("2015-01-01") + (hidden[:, 0] * 200 + 900).astype(int)
    columns["day"] = pa.array(day.astype("datetime64[D]"))
    columns["moment"] = pa.array((day.astype("datetime64[s]") + rng.integers(0, 86400, rows)).astype("datetime64[ms]"))
    columns["paid"] = pa.array(hidden[:, 1] + rng.normal(size=rows) > 0.5)
    columns["kind"] = pa.array([f"kind {each}" for each in range(4)]).take(pa.array(kind))
    columns["score"] = pa.array(rng.integers(0, 101, rows).astype(float), mask=rng.random(rows) < 0.1)
    columns["open"] = pa.array(hidden[:, 2] > 0)
    assert len(columns) == COLUMNS
    return pa.table(columns)


def rng_of(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def make(path: Path, rows: int) -> None:
    """The whole table, so many rows at a time."""
    from pyarrow.parquet import ParquetWriter

    rng, writer = np.random.default_rng(0), None
    for first in range(0, rows, PIECE):
        table = made(min(PIECE, rows - first), first, rng)
        writer = writer or ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer:
        writer.close()


def watched(words: list[str], folder: Path, growing: Path | None = None) -> dict[str, Any]:
    """CPU seconds and memory of a command of gansmith, and the pace at which a file grows."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "GANSMITH_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
    child = subprocess.Popen(
        [sys.executable, "-m", "gansmith", *words], cwd=folder, env=environment, stdout=subprocess.PIPE, text=True
    )
    peak, own, seconds, sizes = 0, 0, 0.0, [(0.0, 0)]
    while child.poll() is None:
        time.sleep(0.2)
        try:
            said = dict(line.split(":", 1) for line in Path(f"/proc/{child.pid}/status").read_text().splitlines() if ":" in line)
            times = Path(f"/proc/{child.pid}/stat").read_text().rsplit(")", 1)[1].split()
            if "VmHWM" not in said:
                break
            peak, own = max(peak, int(said["VmHWM"].split()[0])), max(own, int(said["RssAnon"].split()[0]))
            seconds = (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")
        except (FileNotFoundError, ProcessLookupError):
            break
        if growing is not None:
            size = sum(path.stat().st_size for path in growing.parent.glob(f"*{growing.name}*"))
            if size > sizes[-1][1]:
                sizes.append((seconds, size))
    output = child.communicate()[0]
    if child.returncode:
        raise SystemExit(output)
    found = {"cpu_seconds": round(seconds, 1), "own_mb": round(own / 1024), "with_mapped_mb": round(peak / 1024)}
    if len(sizes) > TENTHS:
        times, grown = (np.array(each, float) for each in zip(*sizes[1:], strict=True))
        marks = np.interp(np.linspace(grown[0], grown[-1], TENTHS + 1), grown, times)
        found["seconds_of_each_tenth"] = np.diff(marks).round(2).tolist()
    return found


def note(found: dict[str, Any]) -> None:
    print(json.dumps(found), flush=True)
    records = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    same = ("rows", "step", "options")
    RESULTS.write_text(
        json.dumps([*(old for old in records if any(old.get(key) != found.get(key) for key in same)), found], indent=1) + "\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--train", type=int, default=200_000, help="samples of the training on packed rows")
    parser.add_argument("--generate", type=int, default=1_000_000)
    parser.add_argument("--steps", default="make,open,train,generate")
    parser.add_argument("--options", default="", help="further words of train, e.g. --gan.sweeps=0")
    asked = parser.parse_args()
    folder, steps, more = asked.folder.resolve(), asked.steps.split(","), asked.options.split()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"table{asked.rows}.parquet"
    about: dict[str, Any] = {
        "machine": machine(),
        "seed": 0,
        "columns": COLUMNS,
        "rows": asked.rows,
    }
    about |= {"options": asked.options}
    if "make" in steps and not path.exists():
        began = time.process_time()
        make(path, asked.rows)
        print(f"made in {time.process_time() - began:.0f} CPU seconds, {path.stat().st_size / 1e6:,.0f} MB")
    learn = ["train", str(path), "--kind", "tables", "--no-evaluate", "--threads", "1", "--seed", "0", *more]
    run = folder / f"run{asked.rows}{asked.options.replace(' ', '')}"
    if "open" in steps:
        note(
            about
            | {"step": "open, fit the codec, pack, one batch"}
            | watched([*learn, "--samples", "256", "--out", f"{run}-cold"], folder)
        )
    if "train" in steps:
        words = [*learn, "--samples", str(asked.train), "--out", str(run)]
        note(about | {"step": f"train {asked.train:,} samples"} | watched(words, folder))
    if "generate" in steps:
        out = folder / f"made{asked.rows}.parquet"
        words = ["generate", str(run), "-n", str(asked.generate), "--out", str(out), "--overwrite", "--seed", "0"]
        found = watched(words, folder, out)
        note(
            about
            | {"step": f"generate {asked.generate:,} rows"}
            | found
            | {"rows_per_cpu_second": round(asked.generate / found["cpu_seconds"])}
        )


if __name__ == "__main__":
    main()
