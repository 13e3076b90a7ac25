"""A generator of clips that paints once a clip: a background, and sprites with poses, which a recurrent network places in every frame."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import interpolate, leaky_relu, pad

from gansmith.data.spec import Spec
from gansmith.layers.batch_norm import BatchNorm
from gansmith.layers.bounded import bounded
from gansmith.layers.clips import moved_along
from gansmith.layers.halving import Doubling, Halving
from gansmith.layers.labels import Label, with_label
from gansmith.layers.pyramid import pyramid

SLOPE = 0.2
SUMMARY = 32
"""Dimensions of what the motion begins with knows of the picture."""
COMPACT, SPREAD = 3.0, 0.2
"""What is added to the opacity in the middle of a sprite and taken from it at the edge, and the square of the radius, in halves of the
frame, within which most of that falls: sprites begin as blobs in the middle of their canvas."""
POSE_START, KEPT_START, POSE_SHARPNESS = 0.3, 2.0, 3.0
"""How far poses begin from the sprite, how much of it they keep at first (a logit), how sharply motion chooses among them."""
PALETTE_SHARPNESS = 3.0
"""How sharply a place of a sprite chooses among the colours of the palette."""
TINT = 0.25
"""How much of what tells the colours of painted detail apart remains beside a palette: most of the detail is light and shade."""
BEYOND = 8.0
"""Beyond its canvas a sprite has the opacity of minus this logit."""
NOISE_START = 0.1
"""What the noise of each frame weighs at first: motion begins smooth."""
FORM = 2
"""How sprites are coloured. 1: each pixel chooses a colour of a palette, or there is none; 2: larger parts choose. Models of before have
the lower number."""
GIVEN = ("first", "before", "last")
"""Frames that may be given: that with which a clip begins, the one before that, and that with which it ends."""


@dataclass(frozen=True)
class Given:
    """Frames of real clips that generated ones begin or end with. The first one is always there."""

    frames: Float[Tensor, "batch 3 channels height width"]
    """Those of GIVEN; what is not there is 0."""
    there: Float[Tensor, "batch 3"]
    """1 for those that are there."""
    ended: int = 0
    """How many clips end with a given frame: so many first ones."""

    def planes(self) -> Float[Tensor, "batch planes height width"]:
        """All frames, and a plane for each that says whether it is there."""
        height, width = self.frames.shape[-2:]
        return torch.cat([self.frames.flatten(1, 2), self.there[:, :, None, None].expand(-1, -1, height, width)], 1)

    def backwards(self) -> Given:
        """The clips that end with a given frame, the other way round in time: their last frame as the first one, the first as the last."""
        first, _, last = self.frames[: self.ended].unbind(1)
        there = self.there[: self.ended]
        return Given(
            torch.stack([last, torch.zeros_like(last), first], 1), torch.stack([there[:, 2], 0 * there[:, 1], there[:, 0]], 1)
        )


@dataclass(frozen=True)
class Motion:
    """Of every sprite in every frame."""

    shifts: Float[Tensor, "batch frames sprites 2"]
    """(x, y) in halves of the frame."""
    sizes: Float[Tensor, "batch frames sprites 2"]
    """Logarithms of how much wider and higher it is than painted."""
    poses: Float[Tensor, "batch frames sprites poses"]
    """Shares of its poses."""

    def since(self, frame: Float[Tensor, "batch frames"]) -> Motion:
        """The same motion of sprites that were painted where they are in one frame: 1 there, 0 elsewhere."""
        at = frame[:, :, None, None]
        shifts = self.shifts - (self.shifts * at).sum(1, keepdim=True)
        return Motion(shifts, self.sizes - (self.sizes * at).sum(1, keepdim=True), self.poses)

    def of_first(self, count: int) -> Motion:
        """That of so many first clips."""
        return Motion(self.shifts[:count], self.sizes[:count], self.poses[:count])


def hat_weights(shift: Tensor, size: Tensor, count: int) -> Float[Tensor, "... count count"]:
    """Weights [..., to, from] of linear interpolation along one axis of `count` pixels, 0 from beyond its ends: what is painted is shown
    `size` times as large about the middle and moved by `shift` halves of the axis. Placed twice, along y and x, it is bilinear."""
    place = torch.arange(count, device=shift.device, dtype=shift.dtype)
    middle = (count - 1) / 2
    source = (place - middle - shift[..., None] * (count / 2)) / size[..., None] + middle
    return (1 - (source[..., None] - place).abs()).relu()


class SpriteGenerator(nn.Module):
    """Noise [batch, content + frames * motion] (and label, and given frames) to clips of as many frames as there is noise of."""

    compact: Tensor
    inside: Tensor
    form: Tensor

    def __init__(
        self,
        spec: Spec,
        *,
        width: int,
        noise: int,
        motion_noise: int,
        motion: int,
        unrest: float,
        sprites: int,
        poses: int,
        bend: float,
        stretch: float,
        palette: int,
        crisp: bool,
        reads: bool,
    ) -> None:
        """`reads` says whether it can begin with given frames; for the others see `MotionGAN`'s options."""
        super().__init__()
        self.spec, self.noise, self.motion_noise = spec, noise, motion_noise
        self.sprites, self.poses, self.bend, self.stretch, self.unrest = sprites, poses, bend, stretch, unrest
        _, channels, height, columns = spec.shape
        self.channels, self.side, self.palette = channels, (height, columns), palette
        self.crisp = crisp and palette > 0
        stages, lowest = pyramid(height, columns, 1)
        self.scale = 2 if stages > 1 else 1
        widths = [width * min(8, 2**level) for level in reversed(range(max(1, stages - 1)))]
        self.lowest = (widths[0], *lowest)
        content = noise + spec.label_width
        self.first = nn.Linear(content, math.prod(self.lowest), bias=False)
        self.first_norm = BatchNorm(widths[0])
        self.layers = nn.ModuleList(Doubling(a, b, bias=False) for a, b in zip(widths, widths[1:], strict=False))
        self.norms = nn.ModuleList(BatchNorm(b) for b in widths[1:])
        self.reader = FrameReader(3 * channels + 3, widths, stages) if reads else None
        # what features become: sprites, changes of their poses, flows of poses, a background
        inner = widths[-1]
        self.painted = (sprites * (channels + 1), sprites * poses * (channels + 1) if poses > 1 else 0, channels, 1)
        self.paint = nn.Conv2d(inner, sum(self.painted), 3, padding=1)
        own, changes, background, _ = self.painted
        with torch.no_grad():
            self.paint.weight[own : own + changes] *= POSE_START
            self.paint.weight[own + changes : own + changes + background] = 0  # detail of the background comes later
        self.coarse_shares = nn.Conv2d(inner, sprites * palette, 3, padding=1) if palette else None
        self.register_buffer("form", torch.tensor(FORM))
        self._coloured_as(FORM)
        self.colours = nn.Linear(math.prod(self.lowest), sprites * palette * channels) if palette else None
        self.register_load_state_dict_pre_hook(_of_before)
        self.flows = nn.Conv2d(inner, sprites * poses * 3, 3, padding=1) if poses > 1 else None
        self.background = nn.Conv2d(widths[0], channels, 3, padding=1)
        self.summary = nn.Linear(math.prod(self.lowest), SUMMARY)
        self.begin = nn.Sequential(nn.Linear(content + SUMMARY, 64), nn.LeakyReLU(SLOPE), nn.Linear(64, motion))
        self.motion = nn.GRU(motion_noise + spec.label_width + 4, motion, batch_first=True)
        with torch.no_grad():
            self.motion.weight_ih_l0[:, :motion_noise] *= NOISE_START
        self.place = nn.Linear(motion, sprites * (4 + poses))
        y, x = torch.meshgrid(torch.linspace(-1, 1, height), torch.linspace(-1, 1, columns), indexing="ij")
        self.register_buffer("compact", COMPACT * (2 * torch.exp(-(x**2 + y**2) / SPREAD) - 1), persistent=False)
        self.register_buffer("inside", (1 - x**8) * (1 - y**8), persistent=False)

    def _coloured_as(self, form: int) -> None:
        """Takes one of the ways in which sprites are coloured."""
        self.coarse = form >= FORM
        self.tint = TINT if self.palette and self.coarse else 1.0

    def forward(
        self, noise: Float[Tensor, "batch noise"], label: Label | None = None, given: Given | None = None
    ) -> Float[Tensor, "batch frames channels height width"]:
        """Raises ValueError for given frames where it was not made to read them."""
        steps_noise = noise[:, self.noise :].unflatten(1, (-1, self.motion_noise))
        content = with_label(noise[:, : self.noise], label, self.spec)
        low, fine = self._imagined(content) if given is None else self._read(given)
        motion = self._motion(content, low, steps_noise, label, given)
        if given is None:
            return self._rendered(low, fine, motion, None)
        steps = steps_noise.shape[1]
        place = torch.arange(steps, device=noise.device)
        starts = (place == given.there[:, 1:2]).float()  # the picture is frame 0, or frame 1 after the one before it
        made = self._rendered(low, fine, motion.since(starts), given.frames[:, 0])
        if given.ended:
            back = given.backwards()
            low, fine = self._read(back)
            ends = (place == steps - 1).float().expand(given.ended, -1)
            other = self._rendered(low, fine, motion.of_first(given.ended).since(ends), back.frames[:, 0])
            share = (place / (steps - 1)).to(made.dtype)[:, None, None, None]
            made = torch.cat([torch.lerp(made[: given.ended], other.to(made.dtype), share), made[given.ended :]])
        return _kept(made, given)

    def _imagined(self, content: Tensor) -> tuple[Tensor, Tensor]:
        """Content as features of the lowest resolution, and of half the side of a frame."""
        x = self.first(content).unflatten(1, self.lowest).contiguous(memory_format=torch.channels_last)
        low = x = leaky_relu(self.first_norm(x), SLOPE)
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = leaky_relu(norm(layer(x)), SLOPE)
        return low, x

    def _read(self, given: Given) -> tuple[Tensor, Tensor]:
        """Given frames as features of the same sizes."""
        if self.reader is None:
            raise ValueError("This generator was made without a reader of frames: given frames need --gan.given above 0.")
        return self.reader(given.planes())

    def _motion(self, content: Tensor, low: Tensor, noise: Tensor, label: Label | None, given: Given | None) -> Motion:
        count, steps = noise.shape[:2]
        summary = self.summary(low.flatten(1))
        with torch.autocast(noise.device.type, enabled=False):  # bfloat16 is too coarse for places
            noise = _steadied(noise.float(), self.unrest)
            begin = torch.tanh(self.begin(torch.cat([content.float(), summary.float()], 1)))
            there = noise.new_zeros(count, 3) if given is None else given.there.float()
            left = torch.linspace(1, 0, steps, device=noise.device)
            ahead = (there[:, 2:] * left)[:, :, None]
            inputs = torch.cat([with_label(noise[:, 0, :0], label, self.spec).float(), there], 1)
            inputs = torch.cat([noise, inputs[:, None].expand(-1, steps, -1), ahead], 2)
            moves = self.place(self.motion(inputs, begin[None].contiguous())[0]).unflatten(2, (self.sprites, -1))
            shifts, sizes, poses = moves.split([2, 2, self.poses], 3)
            return Motion(shifts, self.stretch * torch.tanh(sizes), (POSE_SHARPNESS * poses).softmax(3))

    def _rendered(self, low: Tensor, fine: Tensor, motion: Motion, picture: Tensor | None) -> Tensor:
        """Frames; of a picture, its colours are the sprites' and, where nothing was behind them, the background's."""
        whole = interpolate(fine, scale_factor=float(self.scale), mode="bilinear") if self.scale > 1 else fine
        own, changes, detail, kept = self.paint(whole).contiguous().split(self.painted, 1)
        own = own.unflatten(1, (self.sprites, 1, -1))
        background = bounded(interpolate(self.background(low).float(), size=self.side, mode="bilinear") + detail.float())
        if picture is not None:
            background = torch.lerp(background, picture.float(), torch.sigmoid(kept.float() + KEPT_START))
        if picture is None and self.tint < 1:
            own = self._tinted(own)
            if self.poses > 1:
                changes = self._tinted(changes.unflatten(1, (self.sprites, self.poses, -1))).flatten(1, 3)
        palette = self._palette(fine if self.coarse else whole, low) if self.palette and picture is None else None
        if self.crisp and palette is not None:
            return self._chosen(own, changes, *palette, fine, background, motion)
        if palette is not None:
            own = own + self._flat(*palette)
        sheet = self._sheet(own, changes, fine, picture)
        frames = background.to(sheet.dtype).transpose(1, 2).contiguous()[:, None]  # [B, 1, H, C, W]
        for sprite in range(self.sprites):
            colours, opacity = self._placed(sheet[:, sprite], motion, sprite).split([self.channels, 1], 3)
            frames = torch.addcmul(colours, frames, 1 - opacity)
        return frames.transpose(2, 3)

    def _chosen(
        self, own: Tensor, changes: Tensor, shares: Tensor, colours: Tensor, fine: Tensor, background: Tensor, motion: Motion
    ) -> Tensor:
        """Frames of sprites whose colours and edges are chosen after they moved: what is moved are logits, as of signed distances (Green
        2007), so that no colour is mixed of two since a sprite lies between pixels, and none changes since it moves on."""
        edge = self.compact + self.inside.clamp(min=1e-4).log() + BEYOND
        sheet = torch.cat([shares[:, :, None].float(), own[:, :, :, :-1].float(), own[:, :, :, -1:].float() + edge], 3)
        if self.flows is not None:
            more = changes.unflatten(1, (self.sprites, self.poses, -1)).float()
            sheet = self._posed(sheet, sheet + pad(more, (0, 0, 0, 0, self.palette, 0)), fine)
        sheet = sheet.to(fine.dtype)
        frames = background.to(sheet.dtype).transpose(1, 2).contiguous()[:, None]  # [B, 1, H, C, W]
        for sprite in range(self.sprites):
            moved = self._placed(sheet[:, sprite], motion, sprite)
            logits, detail, opacity = moved.split([self.palette, self.channels, 1], 3)
            flat = torch.einsum("bthkw,bkc->bthcw", (PALETTE_SHARPNESS * logits).softmax(3), colours[:, sprite].to(moved.dtype))
            shown = bounded(flat + detail).to(moved.dtype)
            frames = torch.lerp(frames.expand_as(shown), shown, torch.sigmoid(opacity - BEYOND))
        return frames.transpose(2, 3)

    def _placed(
        self, pictures: Float[Tensor, "batch poses planes height width"], motion: Motion, sprite: int
    ) -> Float[Tensor, "batch frames height planes width"]:
        """The poses of a sprite as each frame shows them, 0 beyond their canvas."""
        height, columns = self.side
        shift, size = motion.shifts[:, :, sprite], motion.sizes[:, :, sprite].exp()
        along_y = hat_weights(shift[..., 1], size[..., 1], height).to(pictures.dtype)  # [B, T, H, H]
        along_x = hat_weights(shift[..., 0], size[..., 0], columns).to(pictures.dtype).transpose(2, 3)
        pictures, steps = pictures.transpose(2, 3), shift.shape[1]  # [B, P, H, C, W]
        if self.poses > 1:
            shown = motion.poses[:, :, sprite].to(pictures.dtype) @ pictures.flatten(2)
            moved = along_y @ shown.unflatten(2, (height, -1))
        else:
            moved = (along_y.flatten(1, 2) @ pictures.flatten(1, 2).flatten(2)).unflatten(1, (steps, height))
        return (moved.unflatten(3, (-1, columns)).flatten(2, 3) @ along_x).unflatten(2, (height, -1))

    def _tinted(self, painted: Float[Tensor, "batch sprites poses channels_and_opacity height width"]) -> Tensor:
        """What is painted, with its colours nearer to their mean."""
        colours, opacity = painted.split([self.channels, 1], 3)
        return torch.cat([torch.lerp(colours.mean(3, keepdim=True), colours, self.tint), opacity], 3)

    def _palette(
        self, features: Tensor, low: Tensor
    ) -> tuple[Float[Tensor, "batch sprites colours height width"], Float[Tensor, "batch sprites colours channels"]]:
        """The logits of the colours of a clip's palettes at every place, and these colours."""
        assert self.coarse_shares is not None and self.colours is not None
        colours = self.colours(low.flatten(1)).unflatten(1, (self.sprites, self.palette, self.channels))
        shares = self.coarse_shares(features)
        if self.coarse and self.scale > 1:
            shares = interpolate(shares, scale_factor=float(self.scale), mode="bilinear")
        return shares.unflatten(1, (self.sprites, self.palette)), colours

    def _flat(self, shares: Tensor, colours: Tensor) -> Float[Tensor, "batch sprites 1 channels_and_none height width"]:
        """The colours of the palette, each where its share is the largest; nothing is added to the opacity."""
        shares = (PALETTE_SHARPNESS * shares).softmax(2)
        flat = torch.einsum("bsphw,bspc->bschw", shares, colours.to(shares.dtype))
        return pad(flat, (0, 0, 0, 0, 0, 1))[:, :, None]

    def _sheet(
        self, own: Tensor, changes: Tensor, fine: Tensor, picture: Tensor | None
    ) -> Float[Tensor, "batch sprites poses channels_and_opacity height width"]:
        """All poses of all sprites, colours times opacity: the sprite moved along a flow, and painted anew where a mask says so."""
        first = self._drawn(own, picture, given=picture is not None)
        if self.flows is None:
            return first
        anew = self._drawn(own + changes.unflatten(1, (self.sprites, self.poses, -1)), None, given=picture is not None)
        return self._posed(first, anew, fine).to(first.dtype)

    def _posed(
        self, first: Float[Tensor, "batch sprites 1 planes height width"], anew: Tensor, fine: Tensor
    ) -> Float[Tensor, "batch sprites poses planes height width"]:
        """All poses: the sprite moved along a flow, and painted anew where a mask says so."""
        assert self.flows is not None
        flows = interpolate(self.flows(fine).float(), size=self.side, mode="bilinear")
        flow, kept = flows.unflatten(1, (self.sprites * self.poses, 3)).flatten(0, 1).split([2, 1], 1)
        sources = first.expand(-1, -1, self.poses, -1, -1, -1).flatten(0, 2).float()
        count = fine.shape[0]  # len() would fix the batch of an exported network
        moved = moved_along(sources, self.bend * torch.tanh(flow)).view(count, self.sprites, self.poses, *first.shape[3:])
        kept = torch.sigmoid(kept + KEPT_START).view(count, self.sprites, self.poses, 1, *self.side)
        return torch.lerp(anew.float(), moved, kept)

    def _drawn(self, x: Tensor, picture: Tensor | None, *, given: bool) -> Tensor:
        """Colours, those of the picture if there is one, times opacity, and opacity."""
        colours, opacity = x.split([self.channels, 1], 3)
        middle, inside = (0.0, 1.0) if given else (self.compact.to(x.dtype), self.inside.to(x.dtype))
        opacity = torch.sigmoid(opacity + middle) * inside
        colours = bounded(colours).to(x.dtype) if picture is None else picture[:, None, None].to(x.dtype)
        return torch.cat([colours * opacity, opacity], 3)


class FrameReader(nn.Module):
    """Given frames to features of the lowest resolution and of half the side of a frame, with connections across (U-Net)."""

    def __init__(self, channels: int, widths: list[int], stages: int) -> None:
        super().__init__()
        down = widths[::-1]  # from half the side down
        self.down = nn.ModuleList(
            Halving(a, b) if stages > 1 else nn.Conv2d(a, b, 3, padding=1) for a, b in zip([channels, *down], down, strict=False)
        )
        self.down_norms = nn.ModuleList(BatchNorm(b) for b in down)
        self.up = nn.ModuleList(Doubling(a, b, bias=False) for a, b in zip(widths, widths[1:], strict=False))
        self.up_norms = nn.ModuleList(BatchNorm(b) for b in widths[1:])

    def forward(self, planes: Float[Tensor, "batch planes height width"]) -> tuple[Tensor, Tensor]:
        x, seen = planes.contiguous(memory_format=torch.channels_last), []
        for layer, norm in zip(self.down, self.down_norms, strict=True):
            x = leaky_relu(norm(layer(x)), SLOPE)
            seen.append(x)
        low = seen.pop()
        for layer, norm in zip(self.up, self.up_norms, strict=True):
            x = leaky_relu(norm(layer(x)) + seen.pop(), SLOPE)
        return low, x


def _of_before(generator: SpriteGenerator, state: dict[str, Tensor], prefix: str, *_: Any) -> None:
    """Models of before colour their sprites as they did: `FORM`."""
    if f"{prefix}paint.weight" not in state:
        return
    form, coarse = f"{prefix}form", f"{prefix}coarse_shares"
    if form not in state:
        state[form] = torch.tensor(2 if f"{coarse}.weight" in state or not generator.palette else 1)
    generator._coloured_as(int(state[form]))
    if generator.palette and f"{coarse}.weight" not in state:
        for name in ("weight", "bias"):
            none = torch.zeros_like(getattr(generator.coarse_shares, name))
            state[f"{coarse}.{name}"] = state.pop(f"{prefix}shares.{name}", none)
            state.setdefault(f"{prefix}colours.{name}", torch.zeros_like(getattr(generator.colours, name)))


def _steadied(noise: Tensor, unrest: float) -> Tensor:
    """Noise [batch, frames, numbers] of which all but the share `unrest` is that of the first frame: what it sets in motion goes on."""
    return math.sqrt(1 - unrest**2) * noise[:, :1] + unrest * noise


def _kept(made: Tensor, given: Given) -> Tensor:
    """Clips with the given frames as they are: the first, or the one before it and the first, and the last."""
    first, before, last = given.there[:, :, None, None, None].unbind(1)
    frames, own = list(made.unbind(1)), given.frames.to(made.dtype)
    frames[0] = torch.where(before > 0, own[:, 1], torch.where(first > 0, own[:, 0], frames[0]))
    frames[1] = torch.where(before > 0, own[:, 0], frames[1])
    frames[-1] = torch.where(last > 0, own[:, 2], frames[-1])
    return torch.stack(frames, 1)
