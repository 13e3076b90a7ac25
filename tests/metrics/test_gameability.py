"""Every metric can be fooled; here each one is, and a companion exposes the cheat in the same judgement."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from gansmith.data.dataset import Dataset
from gansmith.evaluation.judge import judge
from gansmith.evaluation.judgement import Judgement
from gansmith.evaluation.score import Score
from gansmith.kinds.audio.metrics import heard_alone, quality, speakers, words
from gansmith.kinds.molecules.chemistry import fingerprints
from gansmith.kinds.molecules.metrics import frechet_chemnet_distance
from gansmith.kinds.series.metrics import fair_series, timegan_scores
from gansmith.kinds.video.metrics import read_classes
from gansmith.metrics.registry import families, metric_names
from gansmith.networks.pretrained.dists_network import DISTS
from gansmith.networks.pretrained.perceptual_network import LPIPS, TRUNKS
from tests.metrics.cheats import (
    HELD_OUT,
    IMAGES,
    MAPS,
    NOTES,
    PAIRS,
    PARCELS,
    PARCELS_HELD_OUT,
    POINTS,
    RESTORED,
    RING,
    RING_HELD_OUT,
    SAID,
    SENTENCES,
    SOUNDS,
    TABLES,
    TRAIN,
    VOICES,
    WAVES,
    Puppet,
    Squares,
    StandIn,
    alike,
    clip_cheats,
    generator,
    heard,
    map_data,
    molecule_cheats,
    moved_pictures,
    music_cheats,
    pair_data,
    spoken_texts,
    translator,
    verses,
    voice_heard,
)
from tests.metrics.conftest import attributed_data, image_data

GAMES = [
    ("frechet", "images", "copies of the training set", "memorisation"),
    ("frechet", "points", "shuffled columns", "precision"),
    ("fid", "images", "copies of the training set", "data_copying"),
    ("fid_infinity", "images", "copies of the training set, fifty times", "memorisation"),
    ("sfid", "images", "copies of the training set", "memorisation"),
    ("kid", "images", "copies of the training set", "data_copying"),
    ("mmd", "images", "copies of the training set", "memorisation"),
    ("cmmd", "images", "copies of the training set", "authenticity"),
    ("swd", "points", "copies of the training set", "data_copying"),
    ("is", "images", "one clear image per class", "coverage"),
    ("precision", "images", "one real image, over and over", "coverage"),
    ("recall", "points", "wide noise", "density"),
    ("density", "points", "low temperature", "recall"),
    ("coverage", "images", "copies of the training set", "memorisation"),
    ("alpha_precision", "points", "real distances from the mean, in one direction", "beta_recall"),
    ("beta_recall", "images", "copies of the training set", "authenticity"),
    ("authenticity", "images", "noise", "precision"),
    ("memorisation", "images", "noise", "precision"),
    ("memorisation", "images", "four tenths copies, the rest noise", "fls_gap"),
    ("data_copying", "images", "noise", "precision"),
    ("data_copying", "images", "four tenths copies, the rest noise", "fls_gap"),
    ("fls", "points", "low temperature", "coverage"),
    ("fls_gap", "points", "wide noise", "precision"),
    ("cas", "images", "copies of the training set", "memorisation"),
    ("cas", "images", "low temperature", "recall"),
    ("condition_accuracy", "images", "copies of the training set", "memorisation"),
    ("condition_error", "images with attributes", "copies of the training set", "fls_gap"),
    ("ppl", "images", "a generator that ignores its noise", "coverage"),
    ("lpips", "images", "noise", "precision"),
    ("perceptual_diversity", "images", "far too much contrast", "precision"),
    ("ms_ssim", "images", "noise", "precision"),
    ("vendi", "images", "noise", "precision"),
    ("psnr", "pairs", "the mean image", "coverage"),
    ("psnr_y", "pairs", "the mean image", "coverage"),
    ("ssim", "pairs", "the real partner under noise", "precision"),
    ("ssim_y", "pairs", "the real partner under noise", "precision"),
    ("l1", "pairs", "the mean image", "coverage"),
    ("cycle_l1", "pairs", "the image itself", "coverage"),
    ("identity_l1", "pairs", "the image itself", "coverage"),
    ("translation_diversity", "pairs", "noise added for a style", "precision"),
    ("pixel_accuracy", "maps", "every label in its mean colour", "coverage"),
    ("class_accuracy", "maps", "every label in its mean colour", "coverage"),
    ("mean_iou", "maps", "every label in its mean colour", "coverage"),
    ("perceptual_pairs", "pairs", "the real partner under noise", "precision"),
    ("lpips_pairs", "pairs", "the mean image", "coverage"),
    ("dists", "pairs", "the mean image", "coverage"),
    ("entropy", "pairs", "the real partner under noise", "precision"),
    ("deviation", "pairs", "the real partner under noise", "precision"),
    ("spatial_frequency", "pairs", "the real partner under noise", "precision"),
    ("fusion_correlation", "pairs", "the real partner under noise", "precision"),
    ("mutual_information", "pairs", "the real partner under noise", "precision"),
    ("fusion_ssim", "pairs", "the real partner under noise", "precision"),
    ("qabf", "pairs", "the real partner under noise", "precision"),
    ("modes", "points", "shuffled columns", "high_quality"),
    ("high_quality", "points", "one mode", "modes"),
    ("mode_divergence", "points", "as often behind every mode, far away", "high_quality"),
    ("column_shapes", "tables", "shuffled columns", "c2st"),
    ("pair_trends", "tables", "copies of the training set", "row_copies"),
    ("c2st", "tables", "copies of the training set", "row_copies"),
    ("tstr", "tables", "copies of the training set", "row_copies"),
    ("closer_to_training", "tables", "one real row, over and over", "coverage"),
    ("row_copies", "tables", "one real row, over and over", "coverage"),
    ("membership", "tables", "held-out rows, half of them the same", "coverage"),
    ("discriminative", "series", "copies of the training set", "memorisation"),
    ("predictive", "series", "copies of the training set", "memorisation"),
    ("fair_discriminative", "series", "copies of the training set", "memorisation"),
    ("fair_predictive", "series", "copies of the training set", "memorisation"),
    ("tails", "series", "copies of the training set", "memorisation"),
    ("acf", "series", "copies of the training set", "memorisation"),
    ("clustering", "series", "copies of the training set", "memorisation"),
    ("leverage", "series", "copies of the training set", "memorisation"),
    ("correlation", "series", "copies of the training set", "memorisation"),
    ("bleu", "texts", "copies of the training set", "copied_span"),
    ("self_bleu", "texts", "words in random order", "bleu"),
    ("distinct", "texts", "words in random order", "bleu"),
    ("copied_span", "texts", "words in random order", "bleu"),
    ("text_c2st", "texts", "copies of the training set", "copied_span"),
    ("nats", "texts", "copies of the training set", "copied_span"),
    ("reverse_nats", "texts", "copies of the training set", "copied_span"),
    ("oracle_nats", "the oracle's texts", "its likeliest text, over and over", "self_bleu"),
    ("grammatical", "texts", "one real text, over and over", "self_bleu"),
    ("verse_form", "verses", "copies of the training set", "copied_span"),
    ("rhyme", "verses", "copies of the training set", "copied_span"),
    ("valid", "molecules", "one real molecule, over and over", "unique"),
    ("unique", "molecules", "copies of the training set", "novel"),
    ("novel", "molecules", "tokens in random order", "nearest_similarity"),
    ("internal_diversity", "molecules", "tokens in random order", "molecule_c2st"),
    ("nearest_similarity", "molecules", "copies of the training set", "novel"),
    ("scaffold_similarity", "molecules", "copies of the training set", "novel"),
    ("fragment_similarity", "molecules", "copies of the training set", "novel"),
    ("filters", "molecules", "copies of the training set", "novel"),
    ("property_distance", "molecules", "copies of the training set", "novel"),
    ("molecule_c2st", "molecules", "copies of the training set", "novel"),
    ("fcd", "molecules", "copies of the training set", "novel"),
    ("property_correlation", "molecules", "copies of the training set", "novel"),
    ("scale_share", "music", "one simple example, over and over", "melody_distance"),
    ("pitch_classes", "music", "one simple example, over and over", "melody_distance"),
    ("consonance", "music", "one simple example, over and over", "chord_distance"),
    ("chord_distance", "music", "copies of the training set", "copied_music"),
    ("melody_distance", "music", "copies of the training set", "copied_music"),
    ("rhythm_distance", "music", "voices of different examples", "consonance"),
    ("copied_music", "music", "voices of different examples", "consonance"),
    ("music_c2st", "music", "copies of the training set", "copied_music"),
    ("motion_frechet", "clips", "copies of the training set", "memorisation"),
    ("frame_frechet", "clips", "copies of the training set", "memorisation"),
    ("order", "clips", "cross-fades", "motion_error"),
    ("motion_error", "clips", "copies of the training set", "memorisation"),
    ("drift_error", "clips", "shuffled frames", "order"),
    ("loop_seam", "clips", "frozen frames", "motion_error"),
    ("clip_class", "clips", "copies of the training set", "memorisation"),
    ("clip_c2st", "clips", "copies of the training set", "memorisation"),
    ("shape_class", "clips", "frozen frames", "motion_error"),
    ("shape_kept", "clips", "shuffled frames", "order"),
    ("shape_bends", "clips", "frozen frames", "order"),
    ("video_psnr", "moved pictures", "the picture, standing still", "motion_error"),
    ("video_ssim", "moved pictures", "the picture, standing still", "motion_error"),
    ("video_l1", "moved pictures", "the picture, standing still", "motion_error"),
    ("flicker", "moved pictures", "the picture, standing still", "motion_error"),
    ("keypoint_error", "moved pictures", "keypoints that never move", "motion_error"),
    ("transfer_path", "moved pictures", "the picture in other colours", "transfer_kept"),
    ("transfer_kept", "moved pictures", "the picture, standing still", "motion_error"),
    ("gan_test", "sounds", "copies of the training set", "memorisation"),
    ("gan_train", "sounds", "copies of the training set", "memorisation"),
    ("pitch_accuracy", "notes", "copies of the training set", "memorisation"),
    ("mel_l1", "damaged sounds", "the real partner without its beginning", "precision"),
    ("mr_stft", "damaged sounds", "the real partner without its beginning", "precision"),
    ("si_sdr", "damaged sounds", "the real partner half as loud", "precision"),
    ("stoi", "damaged sounds", "the real partner half as loud", "precision"),
    ("mcd", "damaged sounds", "the real partner half as loud", "precision"),
    ("f0_error", "damaged sounds", "the real partner half as loud", "precision"),
    ("voicing", "damaged sounds", "the real partner half as loud", "precision"),
    ("phone_error", "sentences", "the real partner with its first sound drawn out", "precision"),
    ("mel_dtw", "sentences", "the real partner with its first sound drawn out", "precision"),
    ("word_error", "sentences", "the real partner half as loud", "precision"),
    ("pesq", "damaged sounds", "the real partner half as loud", "precision"),
    ("voice_similarity", "voices", "copies of the training set", "memorisation"),
    ("dnsmos", "voices", "copies of the training set", "memorisation"),
]
"""Metric, data, what fools it, what exposes that: docs/judging.md holds the same table."""
HONEST = "fresh real examples"
PAGE = Path(__file__).parents[2] / "docs" / "judging.md"
Court = Callable[[str, str], Judgement]


def honest(cheat: str) -> str:
    """The examples that a cheat is held against: as many fresh ones."""
    return f"{HONEST}, fifty times" if cheat.endswith(", fifty times") else HONEST


@pytest.fixture(scope="module", autouse=True)
def without_published_networks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gansmith.kinds.images.features.inception.Inception.open", lambda *_, **__: StandIn())
        for module, name in (
            (timegan_scores, "CLASSIFIER_STEPS"),
            (timegan_scores, "PREDICTOR_STEPS"),
            (fair_series, "CLASSIFIER_STEPS"),
            (fair_series, "FORECASTER_STEPS"),
        ):
            patch.setattr(module, name, 30)
        patch.setattr(read_classes, "SIDE", 4)
        patch.setattr(words, "LANGUAGES", ("phonemes",))
        patch.setattr(words, "recogniser", lambda: words.Recogniser("stand-in", heard))
        patch.setattr(quality, "listener", lambda: alike)
        patch.setattr(speakers, "encoder", lambda: voice_heard)
        patch.setattr(heard_alone, "listener", lambda: lambda wave: 1 + float(np.abs(wave).max()))
        patch.setattr(LPIPS, "pretrained", lambda _: Squares())
        patch.setattr(frechet_chemnet_distance, "_activations", lambda smiles: fingerprints(smiles)[:, :16].astype(np.float64))
        patch.setattr(DISTS, "pretrained", Squares)
        patch.setenv("TORCH_HOME", str(tmp_path_factory.mktemp("torch")))
        for variable in (
            *(variable for _, _, variable in TRUNKS.values()),
            "GANSMITH_LPIPS_ALEX",
            "GANSMITH_LPIPS_VGG",
            "GANSMITH_DISTS",
        ):
            patch.delenv(variable, raising=False)
        yield


@pytest.fixture(scope="module")
def court(ring: Callable[[np.ndarray], Dataset], remembered: Path) -> Court:
    """Judges each cheat once, by the metrics that the table names for it; honest examples by those of all cheats that are as many."""

    @cache
    def judged(data: str, cheat: str) -> Judgement:
        games = [game for game in GAMES if game[1] == data and cheat in (game[2], honest(game[2]))]
        metrics = {name for metric, _, _, companion in games for name in (metric, companion)}
        rng = np.random.default_rng(2)
        if data == "points":
            fake, train, held_out = map(ring, (POINTS[cheat](rng), RING, RING_HELD_OUT))
            return judge(fake, train, held_out, metrics=sorted(metrics), cache=remembered)
        if data == "tables":
            return judge(TABLES[cheat](), PARCELS, PARCELS_HELD_OUT, metrics=sorted(metrics), cache=remembered)
        if data == "pairs":
            fake = pair_data(PAIRS[cheat](rng), HELD_OUT["image"])
            train, held_out = pair_data(TRAIN["image"]), pair_data(HELD_OUT["image"])
            changes = {"the image itself": 0.0, "noise added for a style": 1.0}.get(cheat, 0.1)
            model = translator(held_out, changes=changes)
            return judge(fake, train, held_out, metrics=sorted(metrics), cache=remembered, model=model)
        if data == "maps":
            train, held_out = (map_data(np.random.default_rng(seed)) for seed in (0, 1))
            return judge(MAPS[cheat](rng), train, held_out, metrics=sorted(metrics), cache=remembered)
        if data == "series":
            return judge(WAVES[cheat], WAVES["training"], WAVES["held out"], metrics=sorted(metrics), cache=remembered)
        if data == "texts":
            train, held_out = SENTENCES["training"], SENTENCES["held out"]
            return judge(SENTENCES[cheat], train, held_out, metrics=sorted(metrics), cache=remembered)
        if data == "the oracle's texts":
            made = spoken_texts()
            return judge(made[cheat], made["training"], made["held out"], metrics=sorted(metrics), cache=remembered)
        if data == "verses":
            made = verses()
            return judge(made[cheat], made["training"], made["held out"], metrics=sorted(metrics), cache=remembered)
        if data == "music":
            made = music_cheats()
            return judge(made[cheat], made["training"], made["held out"], metrics=sorted(metrics), cache=remembered)
        if data == "molecules":
            made = molecule_cheats()
            return judge(made[cheat], made["training"], made["held out"], metrics=sorted(metrics), cache=remembered)
        if data == "clips":
            clips = clip_cheats()
            return judge(clips[cheat], clips["training"], clips["held out"], metrics=sorted(metrics), cache=remembered)
        if data == "moved pictures":
            moved = moved_pictures()
            puppet = Puppet(cheat).as_model(moved["training"])
            return judge(
                moved[cheat], moved["training"], moved["held out"], metrics=sorted(metrics), cache=remembered, model=puppet
            )
        if data in ("sounds", "notes", "damaged sounds", "sentences", "voices"):
            own = {"sounds": SOUNDS, "notes": NOTES, "damaged sounds": RESTORED, "sentences": SAID, "voices": VOICES}[data]
            return judge(own[cheat], own["training"], own["held out"], metrics=sorted(metrics), cache=remembered)
        dressed = attributed_data if data == "images with attributes" else image_data
        fake, train, held_out = map(dressed, (IMAGES[cheat](rng), TRAIN, HELD_OUT))
        model = generator(deaf=cheat == "a generator that ignores its noise")
        return judge(fake, train, held_out, metrics=sorted(metrics), cache=remembered, model=model)

    return judged


def at_least_as_good(score: Score, as_value: float | None) -> bool:
    return as_value is not None and (score.value >= as_value if score.better == "higher" else score.value <= as_value)


def worse_than_the_ceiling(score: Score) -> bool:
    """Beyond its interval."""
    assert score.ceiling is not None
    return score.high < score.ceiling if score.better == "higher" else score.low > score.ceiling


@pytest.mark.parametrize(("metric", "data", "cheat", "companion"), GAMES)
def test_a_cheat_fools_the_metric_and_its_companion_exposes_it(
    metric: str, data: str, cheat: str, companion: str, court: Court
) -> None:
    found = court(data, cheat)
    fresh = court(data, honest(cheat))[metric].value
    assert at_least_as_good(found[metric], fresh) or at_least_as_good(found[metric], found[metric].ceiling)
    assert worse_than_the_ceiling(found[companion])


@pytest.mark.parametrize(("data", "companion"), sorted({(data, companion) for _, data, _, companion in GAMES}))
def test_no_companion_accuses_honest_examples(data: str, companion: str, court: Court) -> None:
    assert not worse_than_the_ceiling(court(data, HONEST)[companion])


def test_every_metric_has_a_cheat() -> None:
    assert {metric for metric, *_ in GAMES} == set(metric_names())


def rows(*header: str) -> list[list[str]]:
    """The cells of the table of docs/judging.md whose columns begin so, without backticks."""
    tables = PAGE.read_text(encoding="utf-8").split("\n\n")
    (table,) = (table for table in tables if table.startswith(f"| {' | '.join(header)} |"))
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def test_the_documentation_has_the_same_table() -> None:
    told = [tuple(row[:4]) for row in rows("metric", "data", "is fooled by", "exposed by")]
    assert told == GAMES


def test_the_documentation_says_of_every_metric_which_way_is_better() -> None:
    arrows = {name: "↓" if better == "lower" else "↑" for metrics in families().values() for name, (better, _) in metrics.items()}
    assert {row[0]: row[1] for row in rows("metric", "better", "says")} == arrows
