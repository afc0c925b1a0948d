"""Colour spaces, from tensors to tensors: RGB, HSV, the chroma plane, luma and CIE Lab.

Images are float tensors (..., C, H, W). RGB, HSV, value and luma lie in [0, 1]; hue is in turns.
The *chroma plane* puts hue and saturation together: c = S (cos 2 pi H, sin 2 pi H), a point in the
unit disk. Hue alone is an angle (0.99 and 0.01 are neighbours, their mean 0.5 is not) and means
nothing where saturation is zero; chroma has neither defect.
"""

import math

import torch
from torch import Tensor

LUMA_WEIGHTS = (0.299, 0.587, 0.114)  # ITU-R BT.601


def check_images(tensor: Tensor, channels: int, name: str, unit_range: bool = True) -> Tensor:
    """Return `tensor` as float32 (float64 stays), or raise ValueError saying what is wrong.

    Expected: floats (..., channels, H, W); with `unit_range` finite and in [0, 1], which is not
    checked on a GPU, since each look waits for the device, nor in a compiled function.
    """
    if not isinstance(tensor, Tensor):
        raise ValueError(f"{name}: got {type(tensor).__name__}, expected a torch tensor")
    if tensor.ndim < 3 or tensor.shape[-3] != channels or 0 in tensor.shape[-2:]:
        raise ValueError(
            f"{name}: got shape {tuple(tensor.shape)}, expected (..., {channels}, H, W)"
        )
    if not tensor.is_floating_point():
        raise ValueError(f"{name}: got {tensor.dtype}, expected floats in [0, 1] (divide by 255)")
    if tensor.dtype in (torch.float16, torch.bfloat16):
        tensor = tensor.float()
    read = tensor.device.type == "cpu" and not torch.compiler.is_compiling()
    if unit_range and tensor.numel() and read:
        low, high = (x.item() for x in torch.aminmax(tensor.detach()))
        if not (low >= -1e-4 and high <= 1 + 1e-4):
            raise ValueError(f"{name}: got values from {low:.4g} to {high:.4g}, expected [0, 1]")
    return tensor


def rgb_to_hsv(rgb: Tensor) -> Tensor:
    """RGB (..., 3, H, W) in [0, 1] to hue in turns [0, 1), saturation and value in [0, 1].

    Differentiable where the maximum is unique; grey has hue 0; the round trip of 8-bit colours is
    exact. Raises ValueError for another shape, dtype or range.
    Source: A. R. Smith, "Color Gamut Transform Pairs", SIGGRAPH 1978.
    """
    rgb = check_images(rgb, 3, "rgb_to_hsv")
    red, green, blue = rgb.unbind(-3)
    value = torch.maximum(torch.maximum(red, green), blue)
    delta = value - torch.minimum(torch.minimum(red, green), blue)
    safe = torch.where(delta > 0, delta, 1.0)
    others = torch.where(value == green, 2 + (blue - red) / safe, 4 + (red - green) / safe)
    sixths = torch.where(value == red, (green - blue) / safe, others)
    hue = sixths / 6
    hue = hue + (hue < 0)
    hue = torch.where(hue >= 1, 0.0, hue)  # -1e-9 + 1 rounds to 1, which is red again
    saturation = delta / torch.where(value > 0, value, 1.0)
    return torch.stack((hue, saturation, value), -3)


def hsv_to_rgb(hsv: Tensor) -> Tensor:
    """HSV (..., 3, H, W), hue in turns, to RGB in [0, 1]; the inverse of `rgb_to_hsv`.

    Any hue is taken modulo one turn; saturation and value must lie in [0, 1].
    """
    hsv = check_images(hsv, 3, "hsv_to_rgb", unit_range=False)
    check_images(hsv[..., 1:, :, :], 2, "hsv_to_rgb (saturation and value)")
    return _hue_to_rgb(*hsv.unbind(-3))


def _hue_to_rgb(hue: Tensor, saturation: Tensor, value: Tensor) -> Tensor:
    # A channel falls from V to V (1 - S) as a trapezoid of the distance, in sixths of a turn, to
    # its own hue. In place, as in the functions below: large photographs are memory-bound.
    own = hue.new_tensor([0.0, 2.0, -2.0]).view(3, 1, 1)  # red's, green's, blue's
    sixths = ((hue - hue.round()) * 6).unsqueeze(-3)
    nearness = (sixths - own).abs_().sub_(3).abs_()  # 3 less the distance, the shorter way round
    fall = (value * saturation).unsqueeze(-3)
    return torch.addcmul(value.unsqueeze(-3), fall, nearness.neg_().add_(2).clamp_(0, 1), value=-1)


def luma(rgb: Tensor) -> Tensor:
    """Rec. 601 luma (..., 1, H, W) of RGB (..., 3, H, W): what a black-and-white photo holds."""
    return _luma(check_images(rgb, 3, "luma"))


def _luma(rgb: Tensor) -> Tensor:
    red, green, blue = rgb.split(1, -3)
    first, second, third = LUMA_WEIGHTS
    return (red * first).add_(green, alpha=second).add_(blue, alpha=third)


def value(rgb: Tensor) -> Tensor:
    """HSV's value (..., 1, H, W) of RGB (..., 3, H, W): its largest channel."""
    return check_images(rgb, 3, "value").amax(-3, keepdim=True)


def to_gray(rgb: Tensor, given: str) -> Tensor:
    """The network's input (..., 1, H, W): `value(rgb)` or `luma(rgb)` as `given` says."""
    return {"value": value, "luma": luma}[check_given(given)](rgb)


def check_given(given: str) -> str:
    if given not in ("value", "luma"):
        raise ValueError(f'given: got {given!r}, expected "value" or "luma"')
    return given


def hsv_to_chroma(hsv: Tensor) -> Tensor:
    """HSV (..., 3, H, W) to chroma (..., 2, H, W) = S (cos 2 pi H, sin 2 pi H)."""
    hue, saturation, _ = check_images(hsv, 3, "hsv_to_chroma", unit_range=False).unbind(-3)
    angle = hue * (2 * math.pi)
    return torch.stack((saturation * angle.cos(), saturation * angle.sin()), -3)


def _polar(chroma: Tensor) -> tuple[Tensor, Tensor]:
    """Hue in turns from -1/2 to 1/2, and saturation."""
    x, y = check_images(chroma, 2, "chroma", unit_range=False).unbind(-3)
    return torch.atan2(y, x) / (2 * math.pi), torch.hypot(x, y).clamp(0, 1)


def add_chroma(chroma: Tensor, gray: Tensor, given: str = "value") -> Tensor:
    """Colour `gray` (..., 1, H, W) with chroma (..., 2, H, W): RGB (..., 3, H, W) in [0, 1].

    `given="value"`: max(R, G, B) equals gray. `given="luma"`: the luma equals gray; a colour too
    bright for the gamut is moved towards grey at constant luma until its largest channel is 1.
    """
    check_given(given)
    gray = check_images(gray, 1, "gray").clamp(0, 1)
    if given == "value":
        return _hue_to_rgb(*_polar(chroma), gray.squeeze(-3))
    return apply_relative_chroma(relative_chroma(chroma), gray)


def relative_chroma(chroma: Tensor) -> Tensor:
    """How far each channel is above the luma, as a share of it, (..., 3, H, W) from chroma.

    It depends on the chroma (..., 2, H, W) alone, and its own luma is 0. So it can be blurred and
    scaled, and still keeps a picture's luma.
    """
    hue, saturation = _polar(chroma)
    bright = _hue_to_rgb(hue, saturation, torch.ones_like(hue))
    return bright.div_(_luma(bright)).sub_(1)


def apply_relative_chroma(relative: Tensor, luma: Tensor) -> Tensor:
    """RGB (..., 3, H, W) in [0, 1] of a relative chroma (..., 3, H, W) and luma (..., 1, H, W).

    A colour out of gamut is moved towards grey at constant luma until its channels are 0 to 1.
    `relative` is overwritten unless it needs a gradient: new memory costs more than arithmetic.
    """
    red, green, blue = relative.split(1, -3)
    most = torch.maximum(red, green).maximum(blue)
    least = torch.minimum(red, green).minimum(blue)
    pull = most.mul_(luma).div_((1 - luma).clamp_(min=1e-12)).maximum(least.neg_()).clamp_(min=1)
    picture = relative.clone() if relative.requires_grad else relative
    return picture.mul_(luma / pull).add_(luma).clamp_(0, 1)


# sRGB (IEC 61966-2-1) with its D65 white, 2 degree observer
_RGB_TO_XYZ = (
    (0.412453, 0.357580, 0.180423),
    (0.212671, 0.715160, 0.072169),
    (0.019334, 0.119193, 0.950227),
)
_WHITE = (0.95047, 1.0, 1.08883)


def rgb_to_lab(rgb: Tensor) -> Tensor:
    """sRGB (..., 3, H, W) to CIE Lab under D65: L in [0, 100], a and b about [-110, 110]."""
    rgb = check_images(rgb, 3, "rgb_to_lab").clamp(0, 1)
    power = ((rgb.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4
    linear = torch.where(rgb > 0.04045, power, rgb / 12.92)
    matrix = rgb.new_tensor(_RGB_TO_XYZ) / rgb.new_tensor(_WHITE).view(3, 1)
    xyz = torch.einsum("ij,...jhw->...ihw", matrix, linear)
    root = torch.where(xyz > 0.008856, xyz.clamp(min=0.008856) ** (1 / 3), 7.787 * xyz + 16 / 116)
    x, y, z = root.unbind(-3)
    return torch.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)), -3)


def lightness(gray: Tensor) -> Tensor:
    """CIE L* (N, 1, H, W), 0 to 100, of grey pixels (N, 1, H, W) in [0, 1]."""
    return rgb_to_lab(gray.expand(-1, 3, -1, -1))[:, :1]


def lab_to_rgb(lab: Tensor) -> Tensor:
    """CIE Lab (..., 3, H, W) under D65 to sRGB, clipped to [0, 1] where it leaves the gamut."""
    lightness, a, b = check_images(lab, 3, "lab_to_rgb", unit_range=False).unbind(-3)
    y = (lightness + 16) / 116
    root = torch.stack((y + a / 500, y, (y - b / 200).clamp(min=0)), -3)
    white = lab.new_tensor(_WHITE).view(3, 1, 1)
    cube = root.clamp(min=0.2068966) ** 3
    xyz = white * torch.where(root > 0.2068966, cube, (root - 16 / 116) / 7.787)
    matrix = torch.linalg.inv(torch.tensor(_RGB_TO_XYZ, dtype=torch.float64)).to(xyz)
    linear = torch.einsum("ij,...jhw->...ihw", matrix, xyz)
    power = 1.055 * linear.clamp(min=0.0031308) ** (1 / 2.4) - 0.055
    return torch.where(linear > 0.0031308, power, 12.92 * linear).clamp(0, 1)
