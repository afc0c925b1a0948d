import json
import os
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import colorlib as cl
from colorlib import checkpoint, paths, train
from colorlib.config import command

SMALL = {"widths": (8, 16), "down": (0, 0), "up": (0,), "batch_size": 8, "epochs": 3}


def small(name="run", **changes):
    return cl.Config(name=name, **(SMALL | changes))


def run(images, config, **options):
    torch.set_num_threads(1)
    model, recipe = cl.build(config)
    history = cl.fit(model, recipe, images, config, **options)
    return model, history


def same(one, other):
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("recipe", ["distribution", "regression"])
def test_training_learns(images, recipe):
    """Hue here is a function of value, so there is something to learn; grey is left far behind."""
    value = cl.value(cl.to_tensor(images))
    hsv = torch.cat((0.2 + 0.5 * value, torch.full_like(value, 0.8), 0.3 + 0.7 * value), 1)
    images = cl.to_images(cl.hsv_to_rgb(hsv))
    model, history = run(images, small(recipe=recipe, epochs=20, learning_rate=1e-2))
    assert [row["epoch"] for row in history] == list(range(1, 21))
    assert history[-1]["train_loss"] < 0.6 * history[0]["train_loss"]
    truth = cl.to_tensor(images)
    gray = cl.value(truth)
    error = ((cl.colorize(model, gray) - truth).abs().mean() / (gray - truth).abs().mean()).item()
    assert error < 0.4
    assert history[-1]["seconds"] > history[0]["seconds"] > 0
    assert {"validation_loss", "psnr", "raw_auc"} <= set(history[-1])


def test_a_finished_run_leaves_weights_history_and_strip(images):
    seen = []
    model, history = run(images, small(), on_epoch=lambda h, s: seen.append((len(h), s.shape)))
    folder = paths.runs() / "run"
    assert same(cl.load_model(folder / "model.safetensors"), model)
    made = json.loads((folder / "history.json").read_text())
    assert made["history"] == history and made["data"]["training"] == 58
    strip = cl.plots.read_strip(Image.open(folder / "strip.png"))
    assert strip.shape == (5, 8, 32, 32, 3)
    assert seen == [(i, (i + 2, 8, 32, 32, 3)) for i in (1, 2, 3)]


def test_same_seed_same_weights_other_seed_others(images):
    first, _ = run(images, small("a"))
    assert same(first, run(images, small("b"))[0])
    assert not same(first, run(images, small("c", seed=1))[0])


def test_prepared_arrays_train_the_same(images, tmp_path):
    array = cl.prepare(images, tmp_path / "hsv.npy")
    assert same(run(images, small("a"))[0], run(array, small("b"))[0])


@pytest.mark.parametrize("stop_at", [1, 5, 7, 13])
def test_stopping_and_going_on_gives_the_same_weights(images, stop_at, monkeypatch, capsys):
    whole, history = run(images, small("whole"))
    steps = 0
    batch = train.batch

    def interrupting(*args):
        nonlocal steps
        steps += 1
        if steps == stop_at:
            os.kill(os.getpid(), signal.SIGINT)
        return batch(*args)

    monkeypatch.setattr(train, "batch", interrupting)
    _, part = run(images, small())
    assert len(part) == stop_at // 7 and "call fit again" in capsys.readouterr().out
    model, resumed = run(images, small())
    assert same(model, whole)
    without = [{k: v for k, v in row.items() if k != "seconds"} for row in resumed]
    assert without == [{k: v for k, v in row.items() if k != "seconds"} for row in history]


def test_calling_a_finished_run_replays_it(images):
    model, history = run(images, small())
    again, replayed = run(images, small(), on_epoch=lambda *_: pytest.fail("trained again"))
    assert same(model, again) and replayed == history


def test_damaged_checkpoint_warns_and_the_one_before_is_used(images):
    whole, _ = run(images, small())
    newest = sorted((paths.runs() / "run").glob("*.ckpt"))[-1]
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(content)
    with pytest.warns(UserWarning, match="is damaged"):
        again, history = run(images, small())
    assert same(again, whole) and len(history) == 3


def test_only_the_last_two_checkpoints_are_kept(images):
    run(images, small())
    names = sorted(p.name for p in (paths.runs() / "run").glob("*.ckpt"))
    assert names == ["step-000000014.ckpt", "step-000000021.ckpt"]


def test_another_config_or_data_is_refused(images):
    run(images, small())
    with pytest.raises(ValueError, match=r"learning_rate was 0\.005, now 0\.1"):
        run(images, small(learning_rate=0.1))
    with pytest.raises(ValueError, match="data was"):
        run(255 - images, small())


def test_loss_that_is_not_finite_stops_and_keeps_the_checkpoint(images, monkeypatch):
    batch, steps = train.batch, 0

    def poisoned(*args):
        nonlocal steps
        steps += 1
        rgb, gray, given = batch(*args)
        return rgb, gray * (float("nan") if steps == 10 else 1), given

    monkeypatch.setattr(train, "batch", poisoned)
    with pytest.raises(FloatingPointError, match=r"the loss is nan at step 10 \(epoch 2\)"):
        run(images, small())
    assert checkpoint.load_newest(paths.runs() / "run")["step"] == 7


def test_a_full_disk_loses_nothing(images, monkeypatch):
    run(images, small("whole"))
    save, calls = torch.save, 0

    def full(*args, **kwargs):
        nonlocal calls
        calls += 1
        if calls == 2:
            raise OSError(28, "No space left on device")
        return save(*args, **kwargs)

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OSError, match="No space left"):
        run(images, small())
    folder = paths.runs() / "run"
    assert [p.name for p in folder.iterdir()] == ["step-000000007.ckpt"]


def test_images_that_do_not_go_with_the_config_are_named(images):
    for bad, config, said in (
        (images[:10], small(batch_size=16), "9 training images are too few: a batch is 16"),
        (images, small(count=59), "count: got 59, but there are 58 training images"),
        (images[:, :30, :30], small(), "got 30 x 30 pixels, wanted sides from 32"),
        (np.pad(images, ((0, 0), (0, 1), (0, 1), (0, 0))), small(), "33 x 33"),
        (images.astype(np.float32), small(), "float32, wanted uint8"),
    ):
        with pytest.raises(ValueError, match=said):
            run(bad, config)
    assert not (paths.runs() / "run").exists()


@pytest.mark.parametrize(
    "setting",
    [
        {"given": "lumma"}, {"recipe": "magic"}, {"count": 0}, {"epochs": 0}, {"batch_size": 0},
        {"learning_rate": 0.0}, {"warmup": 1.0}, {"spacing": 0.0}, {"name": "../x"},
        {"precision": "fp8"},
    ],
)  # fmt: skip
def test_settings_out_of_range_are_named(setting):
    ((name, value),) = setting.items()
    with pytest.raises(ValueError, match=f"{name}: got {value!r}, wanted"):
        cl.Config(**setting)


def test_every_batch_is_shared_out_whole(images):
    """Two processes together see what one sees."""

    class Share:
        def __init__(self, rank, world):
            self.process_index, self.num_processes = rank, world

    pixels = train.as_pixels(images)
    order = torch.randperm(64, generator=torch.Generator().manual_seed(0))
    whole, first, second = (
        train.batch(pixels, order, 3, 8, small(), Share(*who)) for who in ((0, 1), (0, 2), (1, 2))
    )
    for w, a, b in zip(whole, first, second, strict=True):
        assert torch.equal(w[::2], a) and torch.equal(w[1::2], b)


def test_an_epoch_sees_every_image_once(images):
    class Alone:
        process_index, num_processes = 0, 1

    pixels = train.as_pixels(images)
    order = torch.randperm(64, generator=torch.Generator().manual_seed(0))
    seen = []
    for step in range(8):
        rgb, gray, given = train.batch(pixels, order, step, 8, small(), Alone)
        assert torch.allclose(gray[given == 0], cl.value(rgb)[given == 0])
        assert torch.allclose(gray[given == 1], cl.luma(rgb)[given == 1])
        seen += [min(x.tobytes(), x[:, ::-1].tobytes()) for x in cl.to_images(rgb)]
    assert set(seen) == {min(x.tobytes(), x[:, ::-1].tobytes()) for x in images}


def test_learning_rate_rises_and_falls():
    config = cl.Config()
    rates = [train.learning_rate(config, x) for x in np.linspace(0, 1, 101)]
    peak = int(np.argmax(rates))
    assert peak == 15 and rates[peak] == config.learning_rate and rates[0] == 0
    assert rates[-1] == pytest.approx(0, abs=1e-9)
    assert np.all(np.diff(rates[:16]) > 0) and np.all(np.diff(rates[15:]) < 0)


def test_command_says_what_differs():
    assert command(cl.Config()) == "python -m colorlib train"
    config = cl.Config(name="x", epochs=3, widths=(8, 16))
    assert command(config) == "python -m colorlib train --name x --epochs 3 --widths 8 16"


SCRIPT = """
import sys, torch
sys.path.insert(0, {tests!r})
import numpy as np, colorlib as cl
torch.set_num_threads(1)
config = cl.Config(name="killed", **{small!r})
model, recipe = cl.build(config)
cl.fit(model, recipe, np.load({images!r}), config)
"""


@pytest.mark.full
def test_twenty_random_kills_give_the_same_weights(images, tmp_path):
    long = SMALL | {"epochs": 12}
    whole, _ = run(images, cl.Config(name="whole", **long))
    np.save(tmp_path / "images.npy", images)
    script = SCRIPT.format(tests=str(Path.cwd()), small=long, images=str(tmp_path / "images.npy"))
    random = np.random.default_rng(0)
    began = time.time()
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
    full = time.time() - began
    identical = 0
    for _ in range(20):
        for file in (paths.runs() / "killed").iterdir():
            file.unlink()
        child = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL)
        time.sleep(random.uniform(0.3, 1) * full)
        child.kill()
        child.wait()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model, _ = run(images, cl.Config(name="killed", **long))
        identical += same(model, whole)
    assert identical == 20


@pytest.mark.full
def test_two_processes_learn_as_well_as_one(tmp_path, images):
    np.save(tmp_path / "images.npy", np.concatenate([images] * 8))
    flags = "--widths 16 32 --down 0 0 --up 0 --batch-size 32 --epochs 6 --learning-rate 0.01"
    losses = []
    for name, start in (
        ("one", [sys.executable]),
        ("two", [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]),
    ):
        command = [*start, "-m", "colorlib", "train", "--source", str(tmp_path / "images.npy")]
        environment = os.environ | {"OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}
        command += [*flags.split(), "--name", name]
        subprocess.run(command, check=True, env=environment, capture_output=True)
        made = json.loads((paths.runs() / name / "history.json").read_text())
        losses.append(made["history"][-1]["validation_loss"])
    assert losses[1] == pytest.approx(losses[0], rel=0.05)
