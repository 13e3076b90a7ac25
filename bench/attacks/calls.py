"""Calls from Python with arguments out of range, of another type, or no data."""

from __future__ import annotations

from collections.abc import Iterator

from attacks.place import Attack, Place


def calls(place: Place) -> Iterator[Attack]:
    """Arguments that are out of range, of another type, or no data."""
    number = ["math.nan", "math.inf", "-1", "10**30", "'3'", "True", "[1]", "np.ones(2)", "1j", "b'3'", "object()"]
    zero = ["0"]
    points, images = "place.runs / 'points'", "place.runs / 'images'"
    numeric = {
        "gansmith.train(place.points, gan='gan', options={{'width': 8, 'noise': 4}}, evaluate=False, out='run', **{{**dict(samples=64, batch=16, threads=1), '{name}': {value}}})": ("minutes", "samples", "batch", "accumulate", "threads", "seed", "patience"),
        "gansmith.train(place.points, gan='gan', options={{'width': 8, 'noise': 4}}, samples=64, evaluate=False, out='run', judge_metrics=['frechet'], {name}={value})": ("judge_samples", "judge_share"),
        "gansmith.train(place.points, gan='gan', samples=64, evaluate=False, out='run', options={{'{name}': {value}}})": ("width", "noise", "learning_rate"),
        f"gansmith.load({points}).generate(**{{{{'n': 2, '{{name}}': {{value}}}}}})": ("n", "seed", "truncation"),
        f"gansmith.load({points}).sample(**{{{{'n': 2, '{{name}}': {{value}}}}}})": ("n", "seed", "truncation"),
        f"list(gansmith.load({points}).batches(**{{{{'n': 2, '{{name}}': {{value}}}}}}))": ("n", "seed", "truncation"),
        "gansmith.evaluate(real=place.points, fake=place / 'others.npy', metrics=['frechet'], {name}={value})": ("samples", "seed"),
        f"gansmith.compare([{points}, place.runs / 'points2'], metrics=['frechet'], {{name}}={{value}})": ("samples", "seed"),
        f"from gansmith.edit.interpolation import interpolate; interpolate(gansmith.load({images}), [1, 2], {{name}}={{value}})": ("frames", "truncation"),
        f"from gansmith.edit.directions import find_directions; find_directions(gansmith.load({images}), {{name}}={{value}})": ("count", "seed"),
        f"from gansmith.edit.grids import class_grid; class_grid(gansmith.load({images}), [1], {{name}}={{value}})": ("truncation",),
        f"from gansmith.edit.grids import style_grid; style_grid(gansmith.load({images}), [1], [2], {{name}}={{value}})": ("layers", "truncation"),
        "gansmith.load(place.runs / 'pairs').translate(PIL.Image.open(place / 'picture.png'), {name}={value})": ("tile", "overlap", "seed"),
        "gansmith.open_dataset(place / 'images', {name}={value})": ("channels", "resolution"),
        "gansmith.open_dataset(place / 'series.npz', kind='series', {name}={value})": ("window", "stride"),
        "gansmith.open_dataset(place / 'lines.txt', kind='text', {name}={value})": ("length", "vocabulary"),
        "gansmith.TableGAN(samples=32, {name}={value}).fit(place / 'rows.csv')": ("minutes", "batch", "seed"),
        "from gansmith.data.readers.limits import raise_limits; raise_limits(pixels={value})": ("pixels",),
    }  # fmt: skip
    fine = {("seed", "0"), ("truncation", "0"), ("overlap", "0"), ("judge_metrics", "0")}
    for code, arguments in numeric.items():
        for name in arguments:
            for value in (*number, *zero):
                if (name == "resolution" and value in ("'3'", "[1]")) or (name == "pixels" and value in ("'3'",)):
                    continue
                yield place.call("Python", code.format(name=name, value=value), (name, value) not in fine)
    frames = {
        "no rows": "pd.DataFrame({'a': []})",
        "no columns": "pd.DataFrame()",
        "no columns but rows": "pd.DataFrame(index=range(40))",
        "double columns": "pd.DataFrame([[1, 2]] * 40, columns=['a', 'a'])",
        "integer columns": "pd.DataFrame([[1, 2]] * 20 + [[3, 4]] * 20)",
        "multi-index columns": "pd.DataFrame([[1, 2]] * 20 + [[3, 5]] * 20, columns=pd.MultiIndex.from_tuples([('a', 'b'), ('a', 'c')]))",
        "lists": "pd.DataFrame({'a': [[1], [2]] * 20})",
        "dicts": "pd.DataFrame({'a': [{'b': 1}] * 40})",
        "intervals": "pd.DataFrame({'a': pd.interval_range(0, 40)})",
        "objects": "pd.DataFrame({'a': [object() for _ in range(40)]})",
        "mixed": "pd.DataFrame({'a': [1, 'x', None, 2.5] * 10})",
        "complex": "pd.DataFrame({'a': np.arange(40) * 1j})",
        "periods": "pd.DataFrame({'a': pd.period_range('2020', periods=40, freq='D')})",
        "time zones": "pd.DataFrame({'a': pd.date_range('2020', periods=40, tz='UTC')})",
        "deltas": "pd.DataFrame({'a': pd.to_timedelta(range(40), unit='s')})",
        "categories": "pd.DataFrame({'a': pd.Categorical(['x', 'y'] * 20)})",
        "nothing": "pd.DataFrame({'a': [None] * 40})",
        "huge": "pd.DataFrame({'a': [10**300 + n for n in range(40)]})",
        "sparse": "pd.DataFrame({'a': pd.arrays.SparseArray([0, 0, 1, 2] * 10)})",
        "bytes": "pd.DataFrame({'a': [b'x', b'\\xff'] * 20})",
        "functions": "pd.DataFrame({'a': [print] * 40})",
        "None as a name": "pd.DataFrame([[1, 2]] * 20 + [[2, 3]] * 20, columns=[None, 'a'])",
    }
    for frame in frames.values():
        yield place.call("Python", f"gansmith.open_dataset({frame})", False)
        yield place.call(
            "Python",
            f"gansmith.TableGAN(samples=32, batch=8, options={{'width': 8, 'critic_width': 8, 'blocks': 1}}).fit({frame}).sample(3)",
            False,
        )
        yield place.call("Python", f"gansmith.inspect({frame})", False)
    data = ["None", "5", "3.5", "object()", "{}", "[]", "()", "''", "b''", "print", "gansmith", "[None]", "[[], []]", "{'a': 1}", "range(40)", "iter([])", "np.array(5)", "np.zeros((0, 2))", "np.array(['a'] * 40)", "np.array([object()] * 40)", "np.full((40, 2), np.nan)", "np.zeros((40, 2), complex)", "np.zeros((2,) * 12)", "torch.zeros(40, 2).to_sparse()", "torch.zeros(40, 2, dtype=torch.bfloat16)", "torch.zeros(40, 2, dtype=torch.complex64)", "torch.zeros(40, 2, device='meta')", "torch.zeros(40, 2, requires_grad=True)", "torch.quantize_per_tensor(torch.zeros(40, 2), 0.1, 0, torch.qint8)", "torch.zeros(0)", "torch.tensor(3)", "np.ma.masked_array(np.zeros((40, 2)), mask=True)", "np.memmap('m', mode='w+', shape=(40, 2))", "(np.zeros((40, 8, 8)), np.zeros(3))", "(np.zeros((40, 8, 8)), None)", "[PIL.Image.new('RGB', (8, 8)), 5]", "[PIL.Image.new('RGB', (0, 0))] * 30", "['a'] * 30", "[b'a'] * 30", "np.zeros((40, 8, 8, 3), 'datetime64[s]')", "np.rec.array([(1, 'a')] * 40)", "'a\\0b'", "Path('a\\0b')", "'a' * 5000", "'x' * 10**6", "'\\udcff'", "type('D', (), {'__len__': lambda s: 10**12, '__getitem__': lambda s, i: (torch.zeros(1, 8, 8), 0)})()", "type('D', (), {'__len__': lambda s: 40, '__getitem__': lambda s, i: 1 / 0})()", "type('D', (), {'__len__': lambda s: -1, '__getitem__': lambda s, i: 0})()", "type('D', (), {'__len__': lambda s: 40, '__getitem__': lambda s, i: None})()"]  # fmt: skip
    fine_data = (
        "bfloat16",
        "requires_grad",
        "memmap",
        "['a'] * 30",
        "[b'a']",
        "masked",
        "None)",
        "zeros((40, 8, 8)), None",
        "10**12",
        "rec.array",
        "np.array(['a'",
    )
    for value in data:
        must = not any(word in value for word in fine_data)
        yield place.call("Python", f"gansmith.open_dataset({value})", must)
        yield place.call("Python", f"gansmith.inspect({value})", must)
        yield place.call(
            "Python",
            f"gansmith.train({value}, gan='gan', options={{'width': 8, 'noise': 4}}, samples=32, batch=8, threads=1, evaluate=False, out='run')",
            must,
        )
        yield place.call("Python", f"gansmith.evaluate(real={value}, fake={value}, samples=30)", must)
    strange = ["None", "5", "''", "[]", "{}", "object()", "Path('a\\0b')", "b'x'", "3.5", "True"]
    for value in strange:
        if value != "None":
            yield place.call("Python", f"gansmith.load({value})", True)
            yield place.call("Python", f"gansmith.Run({value})", True)
            yield place.call("Python", f"gansmith.compare({value})", True)
            yield place.call("Python", f"gansmith.train(place.points, gan={value}, samples=32, out='run')", True)
            yield place.call("Python", f"gansmith.train(place.points, preset={value}, gan='gan', samples=32, out='run')", True)
            yield place.call("Python", f"gansmith.train(place.points, device={value}, gan='gan', samples=32, out='run')", True)
            yield place.call("Python", f"gansmith.train(place.points, precision={value}, gan='gan', samples=32, out='run')", True)
            yield place.call(
                "Python",
                f"gansmith.train(place.points, options={value}, gan='gan', samples=32, out='run')",
                value not in ("{}", "[]", "''"),
            )
            yield place.call("Python", f"gansmith.train(place.points, out={value}, gan='gan', samples=32)", value not in ("''",))
            yield place.call("Python", f"gansmith.train(place.points, resume={value}, out='run', gan='gan', samples=32)", True)
            yield place.call("Python", f"gansmith.open_dataset(place.points, kind={value})", True)
            yield place.call(
                "Python",
                f"gansmith.evaluate(real=place.points, fake=place.points, metrics={value})",
                value not in ("[]", "{}", "''"),
            )
            yield place.call("Python", f"gansmith.load({points}).generate(2, class_={value})", True)
            yield place.call("Python", f"gansmith.load(place.runs / 'rows').generate(2, age={value})", True)
            yield place.call("Python", f"gansmith.load(place.runs / 'images').generate(2, **{{'class': {value}}})", True)
            yield place.call("Python", f"gansmith.load({points}).export({value})", True)
            yield place.call("Python", f"gansmith.load({points}, device={value})", True)
            yield place.call("Python", f"gansmith.load({points}, precision={value})", True)
        yield place.call("Python", f"gansmith.load(place.runs / 'pairs').translate({value})", True)
    yield place.call("Python", "gansmith.train(place.points, nonsense=3)", True)
    yield place.call(
        "Python", "gansmith.train(place.points, gan=Path('gan'), samples=32, out='run', options={'width': 8, 'noise': 4})", False
    )
    yield place.call("Python", "gansmith.evaluate()", True)
    yield place.call("Python", "gansmith.evaluate(real=place.points)", True)
    yield place.call("Python", "gansmith.compare([])", True)
    yield place.call("Python", "gansmith.TableGAN().sample(3)", True)
    yield (
        place.call("Python", "gansmith.TableGAN(nonsense='x').fit(place / 'rows.csv')", False)
        if False
        else place.call("Python", "gansmith.TableGAN().set_params(nonsense=1)", True)
    )
