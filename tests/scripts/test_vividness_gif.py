"""The picture of the README: chosen by its rule, and animated from vividness 0 to 1 and back."""

import io

import numpy as np
from conftest import script
from PIL import Image

import colorlib as cl
from colorlib.color import luma
from colorlib.metrics import colourfulness, mean_ab_error

gif = script("vividness_gif")


def test_the_rule_takes_colourful_photographs_by_their_error(images, net):
    truth = cl.to_tensor(images)
    truth[::2] = luma(truth[::2]).expand(-1, 3, -1, -1)  # every other one is grey
    chosen = gif.choose(net, truth)
    assert chosen.shape == (6, 3, 32, 32) and (colourfulness(chosen) >= gif.COLOURFUL).all()
    errors = mean_ab_error(cl.colorize(net, luma(chosen), "luma", 0.5), chosen)
    assert (errors.diff() >= 0).all() and errors[-1] > errors[0]


def test_the_picture_goes_from_careful_to_vivid_and_back(images, net):
    picture = Image.open(io.BytesIO(gif.animation(net, cl.to_tensor(images[:6]))))
    assert picture.n_frames == 2 * (gif.STEPS - 1) and picture.info["loop"] == 0
    frames = []
    for i in range(picture.n_frames):
        picture.seek(i)
        frames.append(np.asarray(picture.convert("RGB")).astype(int))
    step = gif.SIDE + gif.GAP
    for frame in frames:
        rows = [frame[gif.TOP + i * step :][:32, gif.LABELS :][:, :32] for i in range(3)]
        assert np.ptp(rows[0], axis=-1).max() < 30  # the input is grey, the truth is the truth
        assert np.abs(rows[2] - images[0]).mean() < 15
    assert all((a == b).all() for a, b in zip(frames[1:], frames[:0:-1], strict=True))
