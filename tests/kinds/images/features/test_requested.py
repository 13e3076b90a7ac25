"""The feature space that the user conditions for."""

from pathlib import Path

import pytest
from torch import nn

from gansmith.errors import UserError
from gansmith.evaluation.identity import Identity
from gansmith.kinds.images.features import requested as conditions
from gansmith.kinds.images.features.requested import FORMS, find_extractor
from gansmith.networks.pretrained import files
from gansmith.networks.pretrained.given import Given


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """What the makers of spaces were asked for."""
    calls: list[tuple[object, ...]] = []
    for maker in ("from_torchvision", "from_timm", "from_known", "from_function"):
        monkeypatch.setattr(
            files if maker == "from_function" else conditions,
            maker,
            lambda *asked, maker=maker: calls.append((maker, *asked)) or Identity(),
        )
    makers = {suffix: lambda *asked, suffix=suffix: calls.append((suffix, *asked)) or Identity() for suffix in files.FILES}
    monkeypatch.setattr(files, "FILES", makers)
    return calls


def test_every_form_reaches_its_maker(asked: list[tuple[object, ...]]) -> None:
    forms = (
        "torchvision:resnet50",
        "timm:convnext_tiny.fb_in1k",
        "dinov2",
        "clip",
        "mine/net.onnx",
        "a.pt",
        "a.pt2",
        "x.py:make",
    )
    for wish in forms:
        find_extractor(wish, "cpu")
    assert asked == [
        ("from_torchvision", "resnet50", "cpu"),
        ("from_timm", "convnext_tiny.fb_in1k", "cpu"),
        ("from_known", "dinov2", "cpu"),
        ("from_known", "clip", "cpu"),
        (".onnx", Path("mine/net.onnx"), "cpu"),
        (".pt", Path("a.pt"), "cpu"),
        (".pt2", Path("a.pt2"), "cpu"),
        ("from_function", Path("x.py"), "make", "cpu"),
    ]


def test_modules_and_functions_become_spaces_and_spaces_stay_themselves() -> None:
    module, space = nn.Flatten(), Identity()
    found = find_extractor(module)
    assert isinstance(found, Given) and found.network is module
    assert find_extractor(lambda images: images).name == "lambda"
    assert find_extractor(space) is space


def test_unknown_conditions_are_told_with_the_nearest_name_and_all_forms() -> None:
    with pytest.raises(UserError, match='"dinov3" \\(did you mean "dinov2"\\?\\)') as told:
        find_extractor("dinov3")
    assert all(form in str(told.value) for form in FORMS)
    with pytest.raises(UserError, match="give net.py:FUNCTION"):
        find_extractor("net.py")
    with pytest.raises(UserError, match="of type int"):
        find_extractor(64)
