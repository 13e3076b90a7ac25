"""Rows of another package, made in an environment of its own, for bench/tables.py.

    python bench/table_rivals.py NAME HOW TRAIN.csv MADE.csv ROWS

HOW is the number of epochs (ctgan, tvae: package ctgan 0.12.1), of trees (arf: arfpy 0.1.1, Watson et al. 2023),
TREESxLEVELSxCOPIES (forest: ForestDiffusion 1.0.6, Jolicoeur-Martineau et al. 2024; in the paper 100x50x100), or EPOCHSxFEATURES (realtab:
REaLTabFormer 0.2.4, Solatorio & Dupriez 2023: its six layers with so many features, 768 in the paper, without its test of overfitting).
Prints the CPU seconds of training, and with generating.
"""

import contextlib
import sys
import tempfile
import time
import warnings

import numpy
import pandas

marks: list[float] = []
"""CPU seconds when reading, training and generating were over."""


def mark() -> None:
    marks.append(time.process_time())


def of_arf(frame: pandas.DataFrame, discrete: list[str], how: str, rows: int) -> pandas.DataFrame:
    numpy.in1d = numpy.isin  # arfpy 0.1.1 is older than NumPy 2
    from arfpy import arf

    for c in discrete:
        frame[c] = pandas.Series(frame[c].astype(str).tolist(), dtype=object)
    for c in frame:
        frame[c] = frame[c] if c in discrete else frame[c].astype(float)
    model = arf.arf(x=frame, num_trees=int(how), verbose=False)
    model.forde()
    mark()
    return model.forge(n=rows).astype(dict.fromkeys(discrete, object))


def of_forest(frame: pandas.DataFrame, discrete: list[str], how: str, rows: int) -> pandas.DataFrame:
    from ForestDiffusion import ForestDiffusionModel

    trees, levels, copies = map(int, how.split("x"))
    columns = frame.columns.tolist()
    kinds: list[list[int]] = [[], [], []]
    words = {c: sorted(frame[c].astype(str).unique()) for c in discrete}
    coded = frame.copy()
    for place, c in enumerate(columns):
        if c in words:
            coded[c] = frame[c].astype(str).map({word: code for code, word in enumerate(words[c])})
            kinds[0 if len(words[c]) == 2 else 1].append(place)
        elif (frame[c] == frame[c].round()).all():
            kinds[2].append(place)
    model = ForestDiffusionModel(
        coded.to_numpy(dtype=float),
        n_t=levels,
        n_estimators=trees,
        duplicate_K=copies,
        diffusion_type="flow",
        n_jobs=1,
        seed=0,
        bin_indexes=kinds[0],
        cat_indexes=kinds[1],
        int_indexes=kinds[2],
    )
    mark()
    made = pandas.DataFrame(model.generate(batch_size=rows), columns=columns)
    for c in discrete:
        made[c] = [words[c][int(min(max(round(code), 0), len(words[c]) - 1))] for code in made[c]]
    return made


def of_realtab(frame: pandas.DataFrame, discrete: list[str], how: str, rows: int) -> pandas.DataFrame:
    import torch
    from realtabformer import REaLTabFormer
    from transformers import GPT2Config

    torch.set_num_threads(1)
    epochs, width = map(int, how.split("x"))
    folder = tempfile.mkdtemp()
    model = REaLTabFormer(
        model_type="tabular",
        tabular_config=GPT2Config(n_layer=6, n_embd=width, n_head=max(1, width // 64)),
        epochs=epochs,
        batch_size=32,
        gradient_accumulation_steps=1,
        checkpoints_dir=f"{folder}/checkpoints",
        samples_save_dir=f"{folder}/samples",
        full_save_dir=f"{folder}/full",
        logging_steps=10**6,
        save_strategy="no",
        report_to="none",
        use_cpu=True,
        learning_rate=5e-4,
    )
    model.fit(frame, device="cpu", n_critic=0)
    mark()
    return model.sample(n_samples=rows, gen_batch=256, device="cpu")


def of_ctgan(frame: pandas.DataFrame, discrete: list[str], how: str, rows: int) -> pandas.DataFrame:
    from ctgan import CTGAN

    model = CTGAN(epochs=int(how), enable_gpu=False)
    model.fit(frame, discrete)
    mark()
    return model.sample(rows)


def of_tvae(frame: pandas.DataFrame, discrete: list[str], how: str, rows: int) -> pandas.DataFrame:
    from ctgan import TVAE

    model = TVAE(epochs=int(how), enable_gpu=False)
    model.fit(frame, discrete)
    mark()
    return model.sample(rows)


def main() -> None:
    warnings.filterwarnings("ignore")
    name, how, train, out, rows = sys.argv[1:6]
    frame = pandas.read_csv(train)
    discrete = [c for c in frame if frame[c].dtype.kind not in "if"]
    for c in frame:
        frame[c] = frame[c].fillna("missing" if c in discrete else frame[c].median())
    makers = {"arf": of_arf, "forest": of_forest, "realtab": of_realtab, "ctgan": of_ctgan, "tvae": of_tvae}
    mark()
    with contextlib.redirect_stdout(sys.stderr):  # what packages print is not ours
        made = makers[name](frame.copy(), discrete, how, int(rows))
    mark()
    for c in discrete:
        made[c] = made[c].where(made[c] != "missing")
    made.to_csv(out, index=False)
    print(marks[1] - marks[0], marks[2] - marks[0])


if __name__ == "__main__":
    main()
