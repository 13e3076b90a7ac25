"""What is in a collection of images and what is wrong with it."""

from dataclasses import replace

from gansmith.data.inspection import Inspection
from gansmith.kinds.images.build import refuse
from gansmith.kinds.images.channels_file import MODES
from gansmith.kinds.images.choose import little_data_advice
from gansmith.kinds.images.readers.collection import Collection
from gansmith.kinds.images.readers.pairs import Pairs
from gansmith.kinds.images.survey import Survey, Wanted, fit_codec, survey


def inspect_images(collection: Collection, wanted: Wanted) -> Inspection:
    """Raises UserError where no image can be read."""
    seen = survey(collection, thorough=True)
    if not seen.sizes:
        refuse(collection, seen.unreadable)
    report = Inspection(
        name=collection.name,
        kind="images",
        unit="images",
        count=sum(seen.sizes.values()),
        sizes={f"{height}x{width}": count for (height, width), count in seen.sizes.most_common()},
        modes=dict(seen.modes.most_common()),
        formats=dict(seen.formats.most_common()),
        ignored=list(collection.ignored),
        unreadable=seen.unreadable,
        duplicates=[names for names in seen.copies.values() if len(names) > 1],
        notes=[*collection.notes, *seen.remarks()],
    )
    if collection.held_out:
        held = survey(collection.held_out, thorough=True)
        report.held_out = sum(held.sizes.values())
        report.unreadable = [*report.unreadable, *held.unreadable]
        report.leaks = [
            [seen.copies[mark][0], name] for mark, names in held.copies.items() if mark in seen.copies for name in names
        ]
    _judge(report, seen, collection, wanted)
    return report


def inspect_pairs(found: Pairs, wanted: Wanted) -> Inspection:
    """The findings of side b, and those of side a; duplicates and leaks are those of b."""
    given, wanted = survey(found.a), replace(wanted, labels=False)
    if not given.sizes:
        refuse(found.a, given.unreadable)
    report = inspect_images(replace(found.b, held_out=found.held_out.b if found.held_out else None), wanted)
    sizes = ", ".join(f"{height}x{width}" for height, width in given.sizes)
    bond = "each belonging to one of side b" if found.aligned else "of another domain than side b"
    report.unit, report.name, report.advice = "pairs", found.name, None
    report.notes = [*found.notes, f"side a has {sum(given.sizes.values())} images of {sizes}, {bond}", *report.notes]
    report.unreadable = [*given.unreadable, *report.unreadable]
    return report


def _judge(report: Inspection, seen: Survey, collection: Collection, wanted: Wanted) -> None:
    codec = fit_codec(seen, collection, wanted)
    report.channels, *resolution = codec.spec.shape
    report.mode = MODES.get(report.channels, f"{report.channels} channels")
    report.resolution = (resolution[0], resolution[1])
    report.classes = dict(zip(codec.spec.classes, codec.frequencies, strict=True))
    report.depth = codec.levels.dtype
    if codec.levels.faint:
        report.notes.append(codec.levels.warning())
    if codec.attributes:
        spans = zip(codec.attributes.low, codec.attributes.high, strict=True)
        report.attributes = dict(zip(codec.attributes.names, spans, strict=True))
    report.advice = little_data_advice(report.count, report.channels)
    report.too_small = sum(count for size, count in seen.sizes.items() if min(size) < min(resolution))
