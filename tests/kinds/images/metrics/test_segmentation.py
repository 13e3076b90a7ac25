import numpy as np
import pytest
import torch
from sklearn.metrics import confusion_matrix, jaccard_score

from gansmith.errors import UserError
from gansmith.evaluation.judge import judge
from gansmith.kinds.images.metrics.segmentation import class_accuracy, confusion, mean_iou, pixel_accuracy
from tests.metrics.cheats import map_data

NAMES = ["pixel_accuracy", "class_accuracy", "mean_iou"]


def test_the_counts_and_their_means_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    given, found = rng.integers(0, 4, (2, 30, 20))
    counts = confusion(given, found, 4)
    assert np.array_equal(counts, confusion_matrix(given.ravel(), found.ravel()))
    assert pixel_accuracy(counts) == pytest.approx((given == found).mean())
    assert mean_iou(counts) == pytest.approx(jaccard_score(given.ravel(), found.ravel(), average="macro"))
    recalls = [(found[given == label] == label).mean() for label in range(4)]
    assert class_accuracy(counts) == pytest.approx(np.mean(recalls))
    assert mean_iou(confusion(np.zeros((2, 2), int), np.zeros((2, 2), int), 3)) == 1  # labels that are nowhere do not count


def test_a_segmenter_of_the_users_own_is_asked(tmp_path):
    train, held_out, fresh = (map_data(np.random.default_rng(seed)) for seed in range(3))

    def bright(image: torch.Tensor) -> torch.Tensor:
        """Label 1 where it is bright."""
        return torch.cat([-image, image], 1)

    scores = judge(fresh, train, held_out, metrics=NAMES, cache=tmp_path, segmenter=bright)
    assert all(score.value > 0.97 and score.ceiling > 0.97 and "bright" in score.name for score in scores.scores)
    wrong = map_data(np.random.default_rng(2), shuffled=True)
    assert judge(wrong, train, held_out, metrics=NAMES, cache=tmp_path, segmenter=bright)["mean_iou"].value < 0.6
    with pytest.raises(UserError, match=r"should answer with logits \[batch, 2, height, width\].*came: change it"):
        judge(fresh, train, held_out, metrics=NAMES, cache=tmp_path, segmenter=lambda image: image)


def test_without_maps_of_labels_the_score_is_skipped_with_a_sentence(tmp_path):
    from tests.metrics.cheats import HELD_OUT, TRAIN, pair_data

    train, held_out = pair_data(TRAIN["image"]), pair_data(HELD_OUT["image"])
    found = judge(held_out, train, held_out, metrics=["mean_iou", "cycle_l1", "translation_diversity"], cache=tmp_path)
    assert "--label-maps" in found.skipped["mean_iou"] and "both directions" in found.skipped["cycle_l1"]
    assert "many images of one" in found.skipped["translation_diversity"]
