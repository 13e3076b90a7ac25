import numpy as np
import pytest
import torch
from PIL import Image

from gansmith.errors import UserError
from gansmith.gans.fusiongan import REACH, Fuser, brightness, laplacian
from gansmith.kinds.images.translation.files import partners_of, translate_file
from gansmith.kinds.images.translation.pictures import translate_picture
from gansmith.kinds.images.translation.tiles import translated
from gansmith.model import Model
from gansmith.training.seeds import seed_everything
from gansmith.training.trainer import Settings, Trainer
from tests import toys


def test_the_generator_has_the_papers_parameters_and_keeps_the_size():
    convolutions = sum(
        parameter.numel() for name, parameter in Fuser(1, 1, 256).named_parameters() if not name.startswith("norm")
    )
    # 2 -> 256 and 256 -> 128 by 5 x 5, 128 -> 64 and 64 -> 32 by 3 x 3, 32 -> 1, and the biases
    assert convolutions == 2 * 256 * 25 + 256 * 128 * 25 + 128 * 64 * 9 + 64 * 32 * 9 + 32 + 256 + 128 + 64 + 32 + 1
    assert Fuser(3, 1, 16)(torch.zeros(2, 4, 9, 5)).shape == (2, 1, 9, 5)


def test_a_pixel_sees_six_others_on_each_side_so_that_tiles_are_exact():
    torch.manual_seed(0)
    fuser = Fuser(1, 1, 16).eval()
    x = torch.rand(1, 2, 40, 40) * 2 - 1
    changed = x.clone()
    changed[:, :, 20, 20] += 1
    moved = (fuser(x) != fuser(changed))[0, 0].nonzero()
    assert moved.min() == 20 - REACH and moved.max() == 20 + REACH
    with torch.inference_mode():
        torch.testing.assert_close(translated(fuser, x, tile=16, overlap=16), fuser(x), atol=1e-5, rtol=0)


def test_the_laplacian_is_that_of_a_loop():
    image = torch.randn(1, 1, 5, 6, dtype=torch.float64)
    padded = np.pad(image[0, 0].numpy(), 1, mode="edge")
    expected = [
        [
            padded[i, j + 1] + padded[i + 2, j + 1] + padded[i + 1, j] + padded[i + 1, j + 2] - 4 * padded[i + 1, j + 1]
            for j in range(6)
        ]
        for i in range(5)
    ]
    np.testing.assert_allclose(laplacian(image)[0, 0].numpy(), expected)


def test_the_colours_of_the_second_image_stay():
    torch.manual_seed(0)
    fuser = Fuser(1, 3, 16).eval()
    x = torch.rand(2, 4, 8, 8) * 2 - 1
    made, b = fuser(x), x[:, 1:]
    difference = made - b
    torch.testing.assert_close(difference, difference[:, :1].expand_as(difference))
    assert brightness(made).abs().max() <= 1 + 1e-5


def test_a_short_training_gets_nearer_to_the_first_images_brightness_and_the_seconds_details():
    data = toys.pairs(64)
    seed_everything(0)
    gan = toys.small("fusiongan", data, width=16, learning_rate=3e-3)
    trainer = Trainer(gan, data, Settings(batch=16, samples=10_000))
    found = []
    for _ in range(60):
        trainer.play_round()
        terms = trainer.term_means.read()
        found.append(terms["generator/brightness"] + terms["generator/details"])
        trainer.term_means.clear()
    assert sum(found[-5:]) < 0.5 * sum(found[:5])


def fusing() -> Model:
    torch.manual_seed(0)
    data = toys.pairs()
    return Model(toys.small("fusiongan", data).eval(), data.codec, {"gan": "fusiongan", "data": "negatives"})


def test_two_pictures_are_fused_to_one(tmp_path):
    pictures = {name: tmp_path / name / "0.png" for name in ("a", "b")}
    for shade, path in zip((30, 200), pictures.values(), strict=True):
        path.parent.mkdir()
        Image.new("RGB", (21, 17), (shade, shade, 255)).save(path)
    model = fusing()
    (partner,) = partners_of([pictures["a"]], pictures["a"], pictures["b"])
    translate_file(model, pictures["a"], tmp_path / "out/0.png", partner)
    with Image.open(tmp_path / "out/0.png") as made:
        assert made.size == (21, 17) and made.mode == "RGB"
    assert partners_of([pictures["a"]], tmp_path / "a", tmp_path / "b") == [pictures["b"]]


def test_mistakes_are_answered_in_a_sentence(tmp_path):
    picture, wider = Image.new("RGB", (20, 20)), Image.new("RGB", (21, 20))
    with pytest.raises(UserError, match="fusiongan fuses two pictures: give --partner"):
        translate_picture(fusing(), picture)
    with pytest.raises(UserError, match=r"must have one size, but the picture and its partner have 20x20 and 21x20"):
        translate_picture(fusing(), picture, partner=wider)
    data = toys.pairs()
    other = Model(toys.small("pix2pix", data).eval(), data.codec, {"gan": "pix2pix"})
    with pytest.raises(UserError, match="leave --partner out"):
        translate_picture(other, picture, partner=picture)
    (tmp_path / "b").mkdir()
    picture.save(tmp_path / "b/1.png")
    with pytest.raises(UserError, match=r"1 of 1 pictures have no partner in .* \(0.png\)"):
        partners_of([tmp_path / "a/0.png"], tmp_path / "a/0.png", tmp_path / "b")
    with pytest.raises(UserError, match="is one file for 2 pictures"):
        partners_of([tmp_path / "a/0.png", tmp_path / "a/1.png"], tmp_path / "a", tmp_path / "b/1.png")
    with pytest.raises(UserError, match="of one size, but b is larger than a"):
        toys.small("fusiongan", toys.pairs(scale=2))


def test_the_content_is_as_of_the_first_and_the_second_or_of_the_stronger():
    rng = torch.Generator().manual_seed(0)
    sharp, flat = torch.rand(2, 1, 16, 16, generator=rng), torch.full((2, 1, 16, 16), 0.25)
    data = toys.pairs(given=1, made=1)
    plain, stronger = toys.small("fusiongan", data), toys.small("fusiongan", data, stronger=True)
    bright, details = plain._kept(sharp, flat)  # type: ignore[operator]
    assert torch.equal(bright, sharp) and details.abs().max() < 1e-6
    for a, b in ((sharp, flat), (flat, sharp)):
        bright, details = stronger._kept(a, b)  # type: ignore[operator]
        torch.testing.assert_close(bright, (sharp + 0.25) / 2)
        torch.testing.assert_close(details, laplacian(sharp))


def test_a_generator_that_changes_the_mean_begins_near_it():
    torch.manual_seed(0)
    x = torch.rand(2, 2, 24, 24) * 2 - 1
    fuser, plain = Fuser(1, 1, 16, from_mean=True), Fuser(1, 1, 16)
    mean = x.mean(1, keepdim=True)
    away, plainly_away = ((made - mean).abs().mean() for made in (fuser(x), plain(x)))
    assert away < 0.5 * plainly_away
    with torch.no_grad():
        fuser.last.weight.zero_()
    torch.testing.assert_close(fuser(x), mean.clamp(-0.99, 0.99), atol=1e-5, rtol=0)
    black = fuser(torch.full((1, 2, 24, 24), -1.0))
    assert black.isfinite().all() and black.min() >= -1
