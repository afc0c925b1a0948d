import numpy as np
import pytest
import torch
from PIL import Image

import colorlib as cl


@pytest.mark.parametrize("size", [(200, 120), (33, 70), (1, 1), (20, 300)])
def test_photograph_keeps_size_and_luma(net, size):
    random = np.random.default_rng(0)
    gray = random.integers(0, 256, size[::-1], dtype=np.uint8)
    result = cl.colorize_photo(gray, net, vividness=1)
    assert result.size == size and result.mode == "RGB"
    rgb = np.asarray(result).astype(float)
    luma = rgb @ [0.299, 0.587, 0.114]
    assert np.abs(luma - gray).max() <= 1
    assert rgb.std(-1).max() > 1


def test_paths_images_and_arrays_give_the_same(net, tmp_path, images):
    Image.fromarray(images[0]).save(tmp_path / "a.png")
    results = [
        np.asarray(cl.colorize_photo(x, net))
        for x in (tmp_path / "a.png", Image.fromarray(images[0]), images[0])
    ]
    assert np.array_equal(results[0], results[1]) and np.array_equal(results[0], results[2])


def test_a_network_in_training_is_not_changed(net, images):
    net.train()
    before = {k: v.clone() for k, v in net.state_dict().items()}
    cl.colorize_photo(images[0], net)
    assert net.training
    assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items())


def test_bad_photographs_are_named(net, tmp_path):
    (tmp_path / "bad.jpg").write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"bad\.jpg: not a readable image"):
        cl.colorize_photo(tmp_path / "bad.jpg", net)
    with pytest.raises(FileNotFoundError):
        cl.colorize_photo(tmp_path / "nowhere.jpg", net)
    with pytest.raises(ValueError, match="got float64"):
        cl.colorize_photo(np.zeros((4, 4)), net)
