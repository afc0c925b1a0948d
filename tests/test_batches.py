import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

import colorlib as cl
from colorlib import Config, batches
from colorlib.datasets import augmentation
from colorlib.datasets.pixels import as_pixels, check_pixels, fingerprint
from colorlib.datasets.prepared import pack


class Alone:
    process_index, num_processes, device = 0, 1, torch.device("cpu")


def test_images_and_prepared_arrays_become_the_same_pixels(images, tmp_path):
    array = cl.prepare(images, tmp_path / "hsv.npy")
    pixels = as_pixels(images)
    assert np.array_equal(pixels.permute(0, 2, 3, 1).numpy(), images)
    assert torch.equal(as_pixels(array), pixels)


def test_what_is_larger_than_memory_stays_on_disk(images, tmp_path, monkeypatch):
    """A mapped set, RGB or HSV, gives the batches of the same set in memory."""
    np.save(tmp_path / "rgb.npy", images)
    config = cl.Config(batch_size=8, shift=2)
    order = torch.randperm(64, generator=torch.Generator().manual_seed(0))
    whole = as_pixels(images)
    mapped = [
        np.load(tmp_path / "rgb.npy", mmap_mode="r"),
        cl.prepare(images, tmp_path / "hsv.npy"),
    ]
    assert all(isinstance(as_pixels(array), torch.Tensor) for array in mapped)
    monkeypatch.setattr("colorlib.datasets.pixels.free_memory", lambda: images.nbytes)
    for array in mapped:
        pixels = as_pixels(array)
        assert isinstance(pixels, np.memmap)
        assert fingerprint(pixels) == fingerprint(whole)
        for step, index in enumerate(order.split(8)):
            there = batches.draw_batch(pixels, index, step, config, Alone)
            here = batches.draw_batch(whole, index, step, config, Alone)
            assert torch.equal(there.rgb, here.rgb) and torch.equal(there.gray, here.gray)


def test_training_on_a_mapped_set_gives_the_same_weights(images, tmp_path, monkeypatch):
    np.save(tmp_path / "rgb.npy", images)
    weights = []
    for name, array in (("a", images), ("b", np.load(tmp_path / "rgb.npy", mmap_mode="r"))):
        config = cl.Config(name, widths=(8, 16), down=(0, 0), up=(0,), batch_size=8, epochs=1)
        model, recipe = cl.build(config)
        cl.fit(model, recipe, array, config)
        weights.append(model.state_dict())
        monkeypatch.setattr("colorlib.datasets.pixels.free_memory", lambda: images.nbytes)
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])


def test_shifted_is_a_crop_of_the_mirrored_image(images):
    rgb = as_pixels(images[:5])
    moved = torch.tensor([[0, 3, -3, 15, -2], [0, -1, 4, -15, 2]])
    out = augmentation.shifted(rgb, moved)
    for image, (down, right), got in zip(rgb.numpy(), moved.T.tolist(), out.numpy(), strict=True):
        wide = np.pad(image, ((0, 0), (16, 16), (16, 16)), mode="reflect")
        assert np.array_equal(got, wide[:, 16 - down :, 16 - right :][:, :32, :32])


def test_a_part_of_another_image_is_pasted(images):
    rgb, other = as_pixels(images[:4]), as_pixels(images[4:8])
    side = torch.tensor([[0.0, 1.0, 0.5, 0.0], [0.0, 1.0, 0.5, 1.0]])
    place = torch.tensor([[0.0, 1.0, 0.5, 1.0], [1.0, 0.0, 0.5, 0.0]])
    expected = rgb.clone()
    for i, (y, x, h, w) in enumerate(
        [(0, 24, 8, 8), (8, 0, 24, 24), (8, 8, 16, 16), (24, 0, 8, 24)]
    ):
        expected[i, :, y : y + h, x : x + w] = other[i, :, y : y + h, x : x + w]
    assert torch.equal(augmentation.cutmix(rgb, other, side, place), expected)


def test_a_share_of_a_batch_is_pasted_into(images):
    pixels = as_pixels(images[:64])

    def seen(share):
        config = Config(cutmix=share, shift=0, batch_size=64)
        return batches.draw_batch(pixels, torch.arange(64), 0, config, Alone)

    plain, some, all_ = (seen(share) for share in (0.0, 0.5, 1.0))
    changed = [(s.rgb != plain.rgb).flatten(1).any(1).sum().item() for s in (some, all_)]
    assert 16 < changed[0] < 48 and changed[1] > 60
    value = some.given == 0
    assert torch.allclose(some.gray[value], cl.value(some.rgb)[value])


def test_window_shows_a_part_of_the_image(images):
    rgb = as_pixels(images[:3]).float() / 255
    ones = torch.ones(2, 3)
    assert torch.allclose(augmentation.window(rgb, ones), rgb, atol=1e-5)
    narrow = augmentation.window(rgb, ones * torch.tensor([[0.5], [1.0]]))
    wide = F.interpolate(rgb[..., 8:24], size=(32, 32), mode="bilinear")
    assert torch.allclose(narrow[..., 2:-2], wide[..., 2:-2], atol=1e-4)
    small = augmentation.window(
        rgb, ones * torch.tensor([[1.0], [2.0]])
    )  # mirrored above and below
    assert torch.allclose(small[..., :8, :], small[..., 8:16, :].flip(-2), atol=1e-4)
    right, top = torch.tensor([[1.0], [-1.0]]).expand(2, 3), ones / 2
    assert torch.allclose(augmentation.window(rgb, top, right, 16), rgb[..., :16, 16:], atol=1e-5)


def test_a_step_sees_windows_of_the_chosen_size(images):
    config = Config(crop=48, zoom=0.4, batch_size=8)
    large = as_pixels(images.repeat(2, axis=1).repeat(2, axis=2))
    first, again = (batches.draw_batch(large, torch.arange(8), 0, config, Alone) for _ in range(2))
    assert first.rgb.shape == (8, 3, 48, 48) and first.gray.shape == (8, 1, 48, 48)
    assert torch.equal(first.rgb, again.rgb)
    assert len({part.sum().item() for part in first.rgb}) == 8
    check_pixels(large, config, 16)
    with pytest.raises(ValueError, match="multiples of 32"):
        check_pixels(large, config, 32)


def test_pack_writes_what_load_images_reads(images, tmp_path):
    for i, image in enumerate(images[:20]):
        folder = tmp_path / "set" / "train" / "ab"[i % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).resize((40, 50)).save(folder / f"{i}.png")
    packed = pack(tmp_path / "set", tmp_path / "set.npy", size=24)
    assert np.array_equal(packed, cl.load_images(tmp_path / "set", size=24))
    again = cl.load_images(tmp_path / "set.npy", count=7)
    assert isinstance(again, np.memmap) and np.array_equal(again, packed[:7])
    assert sorted(p.name for p in tmp_path.glob("set*")) == ["set", "set.npy"]


def test_pack_leaves_nothing_behind_a_bad_image(images, tmp_path):
    (tmp_path / "set").mkdir()
    Image.fromarray(images[0]).save(tmp_path / "set" / "a.png")
    (tmp_path / "set" / "a.png").write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"none of 1 images can be read.*a\.png: not a readable"):
        pack(tmp_path / "set", tmp_path / "out" / "set.npy")
    assert list((tmp_path / "out").iterdir()) == []
    with pytest.raises(ValueError, match=r"expected a name ending in \.npy"):
        pack(tmp_path / "set", tmp_path / "set.zip")


def test_a_window_is_mirrored_as_grid_sample_does(images):
    rgb = as_pixels(images[:8]).float() / 255
    random = torch.Generator().manual_seed(0)
    share, centre = torch.rand((2, 8), generator=random) * 4, torch.rand((2, 8), generator=random)
    theta = torch.zeros(8, 2, 3)
    theta[:, 0, 0], theta[:, 1, 1] = share
    theta[:, :, 2] = ((1 - share) * centre).T
    grid = F.affine_grid(theta, rgb.shape, align_corners=False)
    known = F.grid_sample(rgb, grid, padding_mode="reflection", align_corners=False)
    assert torch.allclose(augmentation.window(rgb, share, centre), known, atol=1e-4)


def test_sharpening_changes_detail_and_nothing_else():
    flat = torch.full((2, 1, 32, 32), 0.5)
    still = torch.zeros(2, 1, 32, 32)
    assert torch.allclose(augmentation.sharpened(flat, torch.tensor([1.0, -1.0]), still), flat)
    edge = torch.full((2, 1, 32, 32), 0.3)
    edge[..., 16:] = 0.6
    sharp, soft = augmentation.sharpened(edge, torch.tensor([1.0, -1.0]), still)[:, 0, 10, 14:18]
    assert torch.allclose(sharp, torch.tensor([0.3, 0.2, 0.7, 0.6]), atol=1e-6)
    assert torch.allclose(soft, torch.tensor([0.3, 0.4, 0.5, 0.6]), atol=1e-6)
