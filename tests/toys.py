"""Small data and small GANs that the tests share."""

from functools import cache
from pathlib import Path
from typing import Any

from gansmith import gans, kinds
from gansmith.data.dataset import Dataset
from gansmith.game import GAN
from gansmith.kinds.images.toys import attributed, domains, images, pairs
from gansmith.kinds.points.toys import points
from gansmith.kinds.series.toys import series
from gansmith.kinds.tables.toys import rows

__all__ = [
    "ENLARGING",
    "SMALL",
    "attributed",
    "domains",
    "every",
    "fitting",
    "images",
    "pairs",
    "points",
    "rows",
    "series",
    "small",
]

_TRANSLATING = {"width": 8, "critic_width": 8, "critic_layers": 1, "half_life": 500}
SMALL: dict[str, dict[str, Any]] = {
    "gan": {"width": 32, "noise": 16},
    "dcgan": {"width": 8, "critic_width": 8, "noise": 16},
    "wgan": {"width": 8, "noise": 16, "critic_moves": 2},
    "wgan_gp": {"width": 8, "noise": 16, "critic_moves": 2},
    "lsgan": {"width": 8, "critic_width": 8, "noise": 16},
    "dragan": {"width": 8, "critic_width": 8, "noise": 16},
    "msgan": {"width": 8, "critic_width": 8, "noise": 16},
    "pacgan": {"width": 8, "critic_width": 8, "noise": 16},
    "infogan": {"width": 8, "critic_width": 8, "categories": (3, 2), "noise": 16},
    "began": {"width": 8, "noise": 16},
    "ebgan": {"width": 8, "noise": 16},
    "vaegan": {"width": 8, "critic_width": 8, "noise": 16},
    "unrolled": {"width": 8, "critic_width": 8, "noise": 16, "steps": 2},
    "sngan": {"width": 8, "critic_width": 8, "noise": 16, "critic_moves": 2},
    "sagan": {"width": 8, "critic_width": 8, "noise": 16},
    "ctgan": {"width": 16, "noise": 8, "pack": 4},
    "tvae": {"width": 16, "noise": 8},
    "ctabgan": {"channels": 4, "noise": 8, "classifier_width": 16, "half_life": 500},
    "dpgan": {"width": 16, "critic_width": 16, "noise": 8, "half_life": 500, "critic_moves": 2},
    "rowgan": {"width": 16, "critic_width": 16, "blocks": 1, "noise": 8, "half_life": 500},
    "pix2pix": {**_TRANSLATING, "halvings": 3},
    "srgan": {"width": 8, "blocks": 1, "critic_width": 8, "critic_layers": 1, "faithful": 0.0, "half_life": 500},
    "esrgan": {"width": 8, "blocks": 1, "growth": 4, "critic_width": 4, "faithful": 0.0, "half_life": 500},
    "fusiongan": {"width": 16, "critic_width": 4, "from_mean": True, "half_life": 500},
    "cut": {**_TRANSLATING, "blocks": 2, "places": 8},
    "real_esrgan": {"width": 8, "blocks": 1, "growth": 4, "critic_width": 4, "faithful": 0.0, "half_life": 500},
    "cyclegan": {**_TRANSLATING, "blocks": 1, "pool": 20},
    "pix2pixhd": {**_TRANSLATING, "halvings": 1, "blocks": 1, "enhancer_blocks": 1, "coarse": 0.0, "critic_scales": 2},
    "bicyclegan": {**_TRANSLATING, "noise": 4, "halvings": 3, "encoder_width": 8, "critic_scales": 2},
    "spade": {**_TRANSLATING, "width": 4, "halvings": 2, "hidden": 8, "critic_scales": 2},
    "starganv2": {"noise": 4, "style": 6, "width": 8, "widest": 16, "halvings": 1, "mapping": 8, "half_life": 500},
    "munit": {**_TRANSLATING, "noise": 4, "blocks": 1, "mapping": 8, "critic_scales": 2},
    "r3gan": {
        "widths": (16, 8),
        "blocks": 1,
        "group_width": 8,
        "noise": 16,
        "class_embedding": 8,
        "gamma": 1.0,
        "gamma_end": 0.1,
        "schedule": None,
        "half_life": 500,
    },
    "stylegan2": {
        "width": 8,
        "widest": 16,
        "style": 16,
        "noise": 16,
        "mapping_layers": 2,
        "penalty_interval": 2,
        "path_length_interval": 2,
        "augment": "ada",
        "augment_samples": 1000,
        "half_life": 500,
    },
    "vqgan": {
        "width": 8,
        "halvings": 2,
        "blocks": 1,
        "codes": 16,
        "depth": 4,
        "critic_width": 8,
        "critic_layers": 1,
        "critic_begins": 0.0,
        "tokeniser_share": 2.0,
        "prior_begins": 0.0,
        "prior_width": 16,
        "prior_layers": 1,
        "prior_heads": 2,
        "learning_rate": 1e-3,
        "half_life": 500,
    },
    "transgan": {
        "width": 8,
        "widest": 16,
        "critic_width": 8,
        "blocks": (1,),
        "heads": 2,
        "expansion": 2,
        "noise": 16,
        "penalty_interval": 2,
        "half_life": 500,
    },
    "fastgan": {"width": 8, "widest": 16, "noise": 16, "half_life": 500},
    "biggan": {"width": 8, "widest": 16, "shared": 8, "noise": 16, "critic_moves": 2, "half_life": 500},
    "acgan": {"width": 8, "widest": 16, "shared": 8, "noise": 16, "critic_moves": 1, "half_life": 500},
    "contragan": {"width": 8, "widest": 16, "shared": 8, "noise": 16, "critic_moves": 1, "embedding": 8, "half_life": 500},
    "reacgan": {"width": 8, "widest": 16, "shared": 8, "noise": 16, "critic_moves": 1, "embedding": 8, "half_life": 500},
    "own": {
        "generator": f"{Path(__file__).parent / 'own_players.py'}:make_generator",
        "critic": f"{Path(__file__).parent / 'own_players.py'}:make_critic",
        "half_life": 500,
    },
    "projected": {
        "features": f"{Path(__file__).parent / 'feature_maps.py'}:maps",
        "width": 8,
        "widest": 16,
        "projected": 8,
        "noise": 16,
        "half_life": 500,
    },
    "seriesgan": {"width": 8, "blocks": 1, "coarsest": 3, "noise": 4, "half_life": 500},
    "timegan": {"width": 6, "layers": 2, "noise": 3, "embedding_share": 0.0, "supervision_share": 0.0, "half_life": 500},
    "doppelganger": {"width": 8, "critic_width": 8, "critic_layers": 2, "noise": 4, "half_life": 500},
    "quantgan": {"width": 6, "dilations": (1, 1, 2), "half_life": 500},
    "rcgan": {"width": 8, "half_life": 500},
    "timevae": {"widths": (8, 8), "noise": 4, "half_life": 500},
    "wavegan": {"width": 4, "noise": 8, "critic_moves": 2, "half_life": 500},
    "advoc": {"width": 16, "blocks": 1, "iterations": 2, "critic_width": 4, "critic_begins": 0.0, "half_life": 500},
    "speech": {
        "width": 16,
        "blocks": 1,
        "decoder_width": 16,
        "decoder_blocks": 1,
        "segment": 16,
        "iterations": 2,
        "critic_width": 4,
        "critic_layers": 1,
        "critic_begins": 0.0,
        "half_life": 500,
    },
    "cmgan": {
        "width": 16,
        "blocks": 1,
        "bands": 12,
        "measure": "mel",
        "critic_width": 2,
        "critic_begins": 0.0,
        "half_life": 500,
    },
    "vocos": {
        "width": 16,
        "blocks": 1,
        "periods": (2,),
        "windows": (128,),
        "critic_width": 2,
        "spectrum_width": 4,
        "half_life": 500,
    },
    "hifigan": {
        "width": 16,
        "kernels": (3,),
        "periods": (2,),
        "windows": (128,),
        "critic_width": 2,
        "spectrum_width": 4,
        "half_life": 500,
    },
    "vits": {
        "width": 8,
        "blocks": 1,
        "posterior_layers": 1,
        "flows": 2,
        "flow_layers": 1,
        "wave_width": 16,
        "kernels": (3,),
        "segment": 8,
        "periods": (2,),
        "windows": (128,),
        "critic_width": 2,
        "spectrum_width": 4,
        "half_life": 500,
    },
    "codec": {
        "codebooks": 2,
        "codes": 8,
        "depth": 4,
        "width": 16,
        "blocks": 1,
        "iterations": 2,
        "critic_begins": 0.0,
        "critic_width": 4,
        "half_life": 500,
    },
    "maskcyclegan_vc": {
        "width": 4,
        "blocks": 1,
        "critic_width": 4,
        "hidden": 4,
        "content": 1.0,
        "iterations": 2,
        "half_life": 500,
    },
    "specgan": {"bands": 16, "iterations": 2, "noise": 8, "width": 4, "critic_width": 4, "class_embedding": 8, "half_life": 500},
    "musegan": {"noise": 8, "width": 16, "branch": 4, "critic_width": 8, "penalty_interval": 2, "half_life": 500},
    "musicgame": {
        "width": 16,
        "blocks": 1,
        "heads": 2,
        "intervals": 4,
        "interval_blocks": 1,
        "critic_width": 8,
        "game_interval": 2,
        "critic_share": 0.0,
        "rounds": 4,
        "half_life": 500,
    },
    "textgan": {"noise": 8, "width": 16, "embedding": 8, "filters": 4, "autoencoder_share": 0.0, "half_life": 500},
    "seqgan": {
        "width": 16,
        "embedding": 8,
        "filters": 4,
        "rollouts": 1,
        "critic_moves": 1,
        "likelihood_share": 0.0,
        "critic_share": 0.0,
        "half_life": 500,
    },
    "sequencegan": {
        "width": 16,
        "embedding": 8,
        "critic_width": 8,
        "likelihood_share": 0.0,
        "critic_share": 0.0,
        "gate_interval": 10_000,
        "tries": 1,
        "half_life": 500,
    },
    "relgan": {"head_width": 8, "embedding": 8, "representations": 3, "filters": 4, "likelihood_share": 0.0, "half_life": 500},
    "latentgan": {
        "code": 8,
        "width": 16,
        "embedding": 8,
        "noise": 8,
        "layers": 2,
        "latent_width": 16,
        "autoencoder_share": 0.0,
        "half_life": 500,
    },
    "organ": {
        "width": 16,
        "embedding": 8,
        "filters": 4,
        "rollouts": 1,
        "critic_moves": 1,
        "likelihood_share": 0.0,
        "critic_share": 0.0,
        "half_life": 500,
    },
    "molgan": {"noise": 8, "widths": (16, 16), "critic_widths": (8, 8), "pooled": 8, "half_life": 500},
    "videogan": {"width": 4, "critic_width": 4, "noise": 8, "half_life": 500},
    "mocogan": {"width": 4, "critic_width": 4, "noise": 8, "motion": 4, "half_life": 500},
    "motiongan": {
        "width": 8,
        "critic_width": 4,
        "noise": 8,
        "motion": 8,
        "motion_noise": 4,
        "penalty_interval": 2,
        "half_life": 500,
    },
    "firstorder": {
        "points": 2,
        "shrink": 2,
        "width": 4,
        "painter_width": 4,
        "widest": 8,
        "levels": 2,
        "halvings": 1,
        "blocks": 1,
        "critic_width": 4,
        "critic_layers": 1,
        "half_life": 500,
    },
    "vid2vid": {"width": 4, "blocks": 1, "rollout": 3, "critic_width": 4, "critic_layers": 1, "half_life": 500},
    "gumbelgan": {
        "width": 16,
        "embedding": 8,
        "critic_width": 8,
        "critic_blocks": 1,
        "likelihood_moves": 1,
        "penalty_interval": 2,
        "half_life": 500,
    },
}
"""Options that make every GAN of this package tiny."""
ENLARGING: tuple[str, ...] = ("srgan", "esrgan", "real_esrgan")
"""GANs of pairs that make images larger than those given; the others keep the size."""


def every() -> dict[str, Dataset]:
    """The toys of every kind of data by name."""
    return {name: data for kind in kinds.names() for name, data in _of(kind).items()}


def fitting(name: str) -> list[str]:
    """The toys that a GAN can learn; of pairs, those whose scale it makes. Those of its first kind come first. GANs of points learn other
    flat rows too, which need no test of their own."""
    made = gans.find(name)
    found = []
    others = [kind for kind in kinds.names() if kind not in made.kinds and ("dimension",) not in made.axes]
    for kind in (*made.kinds, *others):
        for toy, data in _of(kind).items():
            if kind not in made.kinds and data.codec.spec.axes not in made.axes:
                continue
            if made.rewarded and not kinds.find(kind).objectives:
                continue
            pairs = data.codec.spec.task == "pairs"
            source = data.codec.spec.source
            if source is not None and made.source_axes and source.axes not in made.source_axes:
                continue
            if data.codec.spec.task in made.tasks and (not pairs or (toy == "small pairs") == (name in ENLARGING)):
                found.append(toy)
    return found


@cache
def _of(kind: str) -> dict[str, Dataset]:
    return dict(kinds.find(kind).toys())


def small(name: str, data: Dataset, **options: Any) -> GAN:
    """The GAN of this name, tiny, for this data."""
    made = gans.find(name)
    return made(made.Config(**{**SMALL[name], **options}), data.codec.spec)
