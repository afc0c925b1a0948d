import dataclasses
import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import REPOSITORY

import colorlib as cl
from colorlib import batches, checkpoint, paths, train
from colorlib.datasets.pixels import as_pixels
from colorlib.decoding import DecodeSetting
from colorlib.environment import command
from colorlib.fast.muon import orthogonal
from colorlib.fast.precision import choose_precision
from colorlib.report import pictures

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
    strip = pictures.read_strip(folder / "strip.png")
    assert strip.shape == (5, 8, 32, 32, 3)
    assert seen == [(i, (i + 2, 8, 32, 32, 3)) for i in (1, 2, 3)]


def test_same_seed_same_weights_other_seed_others(images):
    first, _ = run(images, small("a"))
    assert same(first, run(images, small("b"))[0])
    assert not same(first, run(images, small("c", seed=1))[0])


def test_prepared_arrays_train_the_same(images, tmp_path):
    array = cl.prepare(images, tmp_path / "hsv.npy")
    assert same(run(images, small("a"))[0], run(array, small("b"))[0])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("stop_at", [1, 5, 7, 13])
def test_stopping_and_going_on_gives_the_same_weights(images, stop_at, number, monkeypatch, capsys):
    whole, history = run(images, small("whole"))
    steps = 0
    draw_batch = batches.draw_batch

    def interrupting(*args):
        nonlocal steps
        steps += 1
        if steps == stop_at:
            signal.raise_signal(number)
        return draw_batch(*args)

    monkeypatch.setattr(batches, "draw_batch", interrupting)
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


def test_where_every_checkpoint_is_damaged_the_run_starts_again_and_is_kept(images):
    whole, _ = run(images, small())
    for path in (paths.runs() / "run").glob("*.ckpt"):
        path.write_bytes(b"damaged")
    stop = {"on_epoch": lambda *_: signal.raise_signal(signal.SIGINT)}
    with pytest.warns(UserWarning, match="is damaged"):
        run(images, small(), **stop)
    names = sorted(p.name for p in (paths.runs() / "run").glob("*.ckpt"))
    assert names == ["step-000000007.ckpt", "step-000000008.ckpt"]
    assert same(run(images, small())[0], whole)


def test_weights_that_are_not_finite_are_not_kept(images, monkeypatch):
    learn, steps = train.learn, 0

    def broken(network, *rest):
        nonlocal steps
        steps += 1
        loss = learn(network, *rest)
        if steps == 14:  # the last of an epoch: its own loss was still finite
            network.head.bias.data.fill_(float("inf"))
        return loss

    monkeypatch.setattr(train, "learn", broken)
    with pytest.raises(FloatingPointError, match=r"head\.bias is no longer finite after step 14"):
        run(images, small())
    assert checkpoint.load_newest(paths.runs() / "run")["step"] == 7


def test_long_epochs_are_kept_in_between(images, monkeypatch):
    monkeypatch.setattr(checkpoint, "CHECK_STEPS", 3)
    monkeypatch.setattr(checkpoint, "CHECKPOINT_SECONDS", 0)
    run(images, small(epochs=1))
    assert sorted(p.name for p in (paths.runs() / "run").glob("*.ckpt"))[0] == "step-000000006.ckpt"
    saved = []
    monkeypatch.setattr(checkpoint, "save", lambda folder, step, state: saved.append(step))
    run(images, small("other"))
    assert saved == [3, 6, 7, 9, 12, 14, 15, 18, 21]


def test_too_few_images_to_validate_train_all_the_same(images):
    _, history = run(images[:9], small(epochs=1))
    assert set(history[0]) == {"epoch", "train_loss", "seconds"}


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
    draw_batch, steps = batches.draw_batch, 0

    def poisoned(*args):
        nonlocal steps
        steps += 1
        samples = draw_batch(*args)
        return samples._replace(gray=samples.gray * (float("nan") if steps == 10 else 1))

    monkeypatch.setattr(batches, "draw_batch", poisoned)
    with pytest.raises(FloatingPointError, match=r"the loss is nan at step 10 \(epoch 2\)"):
        run(images, small())
    assert checkpoint.load_newest(paths.runs() / "run")["step"] == 7


def in_a_child(images, tmp_path, before="", data=None):
    """Train in a fresh Python, `before` run first; returns what it printed and its exit status."""
    np.save(tmp_path / "images.npy", images)
    script = SCRIPT.format(before=before, small=SMALL, images=str(tmp_path / "images.npy"), look=20)
    environment = os.environ | ({"COLORLIB_DATA": str(data)} if data else {})
    return subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True
    )


def test_a_full_disk_stops_with_a_message_and_loses_nothing(images, tmp_path):
    whole, _ = run(images, small("whole"))
    resource = pytest.importorskip("resource")
    folder = paths.runs() / "killed"
    run(images, small("killed", epochs=3), on_epoch=lambda *_: signal.raise_signal(2))
    kept = {p.name: p.read_bytes() for p in folder.glob("step-*")}
    assert sorted(kept) == ["step-000000007.ckpt", "step-000000008.ckpt"]
    limit = f"import resource; resource.setrlimit({resource.RLIMIT_FSIZE}, (2000, 2000))"
    child = in_a_child(images, tmp_path, before=limit)
    assert child.returncode == 0 and "epochs 2" in child.stdout  # the history so far
    assert "Training stops:" in child.stdout and "make room and call fit again" in child.stdout
    assert {p.name: p.read_bytes() for p in folder.iterdir() if p.name != "lock"} == kept
    assert same(run(images, small("killed"))[0], whole)


def test_a_folder_that_cannot_be_written_is_named_before_training(images, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    child = in_a_child(images, tmp_path, data=tmp_path / "file")
    assert child.returncode == 1 and "Set COLORLIB_DATA to a folder that can" in child.stderr
    assert "killed cannot be written (" in child.stderr


def test_images_that_do_not_go_with_the_config_are_named(images):
    for bad, config, said in (
        (images[:10], small(batch_size=16), "9 training images are too few: a batch is 16"),
        (images, small(count=59), "count: got 59, but there are 58 training images"),
        (images[:, :30, :30], small(), "got 30 x 30 pixels, expected sides from 32"),
        (np.pad(images, ((0, 0), (0, 1), (0, 1), (0, 0))), small(), "33 x 33"),
        (images.astype(np.float32), small(), "float32, expected uint8"),
    ):
        with pytest.raises(ValueError, match=said):
            run(bad, config)
    assert not (paths.runs() / "run").exists()


@pytest.mark.parametrize(
    "setting",
    [
        {"given": "lumma"}, {"recipe": "magic"}, {"count": 0}, {"epochs": 0}, {"batch_size": 0},
        {"learning_rate": 0.0}, {"warmup": 1.0}, {"spacing": 0.0}, {"name": "../x"},
        {"precision": "fp16"}, {"learning_rate": math.inf}, {"seed": 2**64}, {"seed": -1},
        {"epochs": 1.5}, {"epochs": "x"}, {"batch_size": 16.0}, {"validation": 0.1},
        {"count": 31.5}, {"widths": 5}, {"widths": (8, 16.0)}, {"down": (-1, 0)},
        {"attention": (0, -1)}, {"name": None}, {"seed": 1.5}, {"seed": True}, {"hints": "yes"},
    ],
)  # fmt: skip
def test_settings_out_of_range_are_named(setting):
    ((name, value),) = setting.items()
    with pytest.raises(ValueError, match=re.escape(f"{name}: got {value!r}, expected")):
        cl.build(cl.Config(**setting))


@pytest.mark.skipif(not Path("/proc/cpuinfo").is_file(), reason="asks Linux what the CPU can do")
@pytest.mark.skipif(torch.accelerator.is_available(), reason="there the GPU decides")
def test_auto_takes_16_bit_products_where_the_cpu_has_them():
    flags = set(Path("/proc/cpuinfo").read_text().split())
    native = bool(flags & {"avx512_bf16", "amx_bf16"})
    native &= hasattr(torch.cpu, "get_capabilities")
    assert choose_precision("auto") == ("bf16" if native else "no")
    assert choose_precision("no") == "no"


def test_every_batch_is_shared_out_whole(images):
    """Two processes together see what one sees."""

    class Share:
        device = torch.device("cpu")

        def __init__(self, rank, world):
            self.process_index, self.num_processes = rank, world

    pixels = as_pixels(images)
    index = torch.randperm(64, generator=torch.Generator().manual_seed(0))[:8]
    whole, first, second = (
        batches.draw_batch(pixels, index, 3, small(shift=3, zoom=0.2, cutmix=0.5), Share(*who))
        for who in ((0, 1), (0, 2), (1, 2))
    )
    for name in ("rgb", "gray", "given", "number"):
        w, a, b = (getattr(samples, name) for samples in (whole, first, second))
        assert torch.equal(w[::2], a) and torch.equal(w[1::2], b)


def test_an_epoch_sees_every_image_once(images):
    class Alone:
        process_index, num_processes, device = 0, 1, torch.device("cpu")

    pixels, config = as_pixels(images), small(shift=0, epochs=1)
    seen, numbers = [], []
    for rgb, gray, given, index, _ in batches.batches(pixels, config, Alone):
        numbers += index.tolist()
        assert torch.allclose(gray[given == 0], cl.value(rgb)[given == 0])
        assert torch.allclose(gray[given == 1], cl.luma(rgb)[given == 1])
        seen += [min(x.tobytes(), x[:, ::-1].tobytes()) for x in cl.to_images(rgb)]
    assert set(seen) == {min(x.tobytes(), x[:, ::-1].tobytes()) for x in images}
    assert numbers != sorted(numbers) == list(range(64))
    later = [samples.number for samples in batches.batches(pixels, config, Alone, start=5)]
    assert torch.cat(later).tolist() == numbers[40:]


def test_learning_rate_rises_and_falls():
    rates = [train.one_cycle(0.15, x) for x in np.linspace(0, 1, 101)]
    assert int(np.argmax(rates)) == 15 and rates[15] == pytest.approx(1) and rates[0] == 0
    assert rates[-1] == pytest.approx(0, abs=1e-9)
    assert np.all(np.diff(rates[:16]) > 0) and np.all(np.diff(rates[15:]) < 0)


def test_every_weight_has_one_optimizer():
    model, _ = cl.build(small())
    adamw, muon = train.make_optimizers(model, small())
    held = [p for o in (adamw, muon) for g in o.param_groups for p in g["params"]]
    assert len(held) == len(set(held)) and set(held) == set(model.parameters())
    assert all(p.ndim == 4 for p in muon.param_groups[0]["params"])
    decayed = {
        p for o in (adamw, muon) for g in o.param_groups if g["weight_decay"] for p in g["params"]
    }
    assert decayed == {p for p in model.parameters() if p.ndim == 4}


@pytest.mark.parametrize("shape", [(8, 40), (40, 8), (16, 16)])
def test_muon_steps_are_orthogonal(shape):
    """Against the exact answer, U V^T of the singular value decomposition."""
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    (got,) = orthogonal(matrix[None])
    assert torch.linalg.svdvals(got).sub(1).abs().max() < 0.35  # the quintic's own band
    assert torch.allclose(u.T @ got @ v.T, torch.diag(torch.diagonal(u.T @ got @ v.T)), atol=1e-4)


def test_command_says_what_differs():
    assert command(cl.Config()) == "python -m colorlib train"
    config = cl.Config(name="x", epochs=3, widths=(8, 16))
    assert command(config) == "python -m colorlib train --name x --epochs 3 --widths 8 16"
    config = cl.Config(init_from="my model.safetensors")
    assert command(config) == "python -m colorlib train --init-from 'my model.safetensors'"


SCRIPT = """
{before}
import torch, numpy as np, colorlib as cl
from colorlib import checkpoint
torch.set_num_threads(1)
checkpoint.CHECK_STEPS, checkpoint.CHECKPOINT_SECONDS = {look}, 0
config = cl.Config(name="killed", **{small!r})
model, recipe = cl.build(config)
history = cl.fit(model, recipe, np.load({images!r}), config)
print("epochs", len(history))
"""


@pytest.mark.full
def test_twenty_random_kills_give_the_same_weights(images, tmp_path):
    """Killed at any moment of training, also while a checkpoint (every third step) is written."""
    long = SMALL | {"epochs": 60}
    whole, _ = run(images, cl.Config(name="whole", **long))
    np.save(tmp_path / "images.npy", images)
    script = SCRIPT.format(before="", small=long, images=str(tmp_path / "images.npy"), look=3)
    random, folder = np.random.default_rng(0), paths.runs() / "killed"

    def start():
        """A child that trains, returned when it has left its first checkpoint."""
        shutil.rmtree(folder, ignore_errors=True)
        child = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL)
        while not list(folder.glob("*.ckpt")):
            assert child.poll() is None
            time.sleep(0.01)
        return child

    child = start()
    began = time.time()
    child.wait()
    taken = time.time() - began
    identical = midway = 0
    for _ in range(20):
        child = start()
        time.sleep(random.uniform(0, 0.9) * taken)
        child.kill()
        child.wait()
        midway += not (folder / "history.json").exists()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model, _ = run(images, cl.Config(name="killed", **long))
        identical += same(model, whole)
    assert identical == 20 and midway >= 15


@pytest.mark.full
def test_two_processes_learn_as_well_as_one(tmp_path, images):
    np.save(tmp_path / "images.npy", np.concatenate([images] * 8))
    flags = "--widths 16 32 --down 0 0 --up 0 --batch-size 32 --epochs 6 --learning-rate 0.01"
    losses = []
    for processes in (1, 2):
        start = [sys.executable]
        if processes > 1:
            start += ["-m", "torch.distributed.run", "--nproc-per-node", str(processes)]
        command = [*start, "-m", "colorlib", "train", "--source", str(tmp_path / "images.npy")]
        command += [*flags.split(), "--name", f"run{processes}"]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        subprocess.run(command, check=True, env=environment, capture_output=True)
        made = json.loads((paths.runs() / f"run{processes}" / "history.json").read_text())
        assert made["processes"] == processes
        assert made["command"].startswith(("python", "torchrun --nproc-per-node 2")[processes - 1])
        losses.append(made["history"][-1]["validation_loss"])
    assert losses[1] == pytest.approx(losses[0], rel=0.05)


def test_a_model_a_recipe_and_a_config_that_do_not_go_together_are_refused(images):
    model, recipe = cl.build(small("odd"))
    for other, said in (
        (cl.Distribution(0.25), "spacing"),
        (cl.Distribution(0.2, 4), "fold"),
        (cl.ChromaRegression(), "recipe"),
    ):
        with pytest.raises(ValueError, match=f"fit: {said} is"):
            cl.fit(model, other, images, small("odd"))
    config = small("odd")
    for given, said in (
        (("cifar", recipe, images, config), "fit: got str, expected a ColorNet"),
        ((model, "regression", images, config), "fit: got str, expected a Recipe"),
        ((model, recipe, images, {"name": "odd"}), "fit: got dict, expected a Config"),
        ((model, recipe, None, config), "images: got NoneType, expected an array"),
        ((model, recipe, images[:0], config), "images: got shape (0, 32, 32, 3), expected"),
    ):
        with pytest.raises(ValueError, match=re.escape(said)):
            cl.fit(*given)
    with pytest.raises(ValueError, match="fit: head is"):
        cl.fit(model, cl.ChromaRegression(), images, small("odd", recipe="regression"))
    with pytest.raises(ValueError, match="crop"):
        cl.fit(model, recipe, images, small("odd", crop=48))
    for setting in ({"widths": (0, 8)}, {"clip": 0.0}, {"weight_decay": -1.0}):
        with pytest.raises(ValueError, match=next(iter(setting))):
            cl.Config(**setting)


def test_the_documented_training_commands_are_taken():
    """Each `python -m colorlib train` line of README and docs parses; its network can be built."""
    from colorlib.__main__ import parser

    pages = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    lines = re.findall(r"^python -m colorlib (train .*)$", text, re.M)
    assert len(lines) >= 2 and any("--init-from cifar" in line for line in lines)
    for line in lines:
        args = parser().parse_args(line.split("#")[0].split())
        config = cl.Config(**{f.name: getattr(args, f.name) for f in dataclasses.fields(cl.Config)})
        model, _ = cl.build(config)
        if config.init_from:
            assert model.config == cl.load_model(config.init_from).config


def test_a_run_goes_on_from_the_weights_of_another(images):
    run(images, small("first"))
    file = paths.runs() / "first" / "model.safetensors"
    first = cl.load_model(file)
    first.schedules = {"luma": [DecodeSetting(0.5, 0.5)] * 2}  # as shipped weights have it
    cl.save_model(first, file)
    config = small("second", init_from="first", epochs=1)
    model, recipe = cl.build(config)
    begun = cl.load_model(file).state_dict()
    assert all(torch.equal(begun[k], v) for k, v in model.state_dict().items())
    assert model.schedules == {}
    cl.fit(model, recipe, images, config)
    made = json.loads((paths.runs() / "second" / "history.json").read_text())
    assert "--init-from first" in made["command"] and made["history"][0]["epoch"] == 1
    other = small("third", init_from="first", spacing=0.25, widths=(24, 8), up=(1,))
    again, _ = cl.build(other)  # the network is as the weights are
    assert again.config == model.config and other.spacing == config.spacing
    assert other.widths == config.widths
    with pytest.raises(ValueError, match="init_from: first puts out distribution"):
        cl.build(small("third", init_from="first", recipe="regression"))
    with pytest.raises(ValueError, match="got 'nowhere'"):
        cl.build(small("third", init_from="nowhere"))


def test_a_run_has_one_owner(images):
    """Another process, or another call, may not train a run that is being trained."""
    words = []

    def meanwhile(*_):
        with pytest.raises(ValueError, match="run is being trained by another process") as error:
            run(images, small())
        words.append(str(error.value))

    whole, _ = run(images, small(), on_epoch=meanwhile)
    assert len(words) == 3 and "another name" in words[0]
    run(images, small("other"), on_epoch=lambda *_: signal.raise_signal(signal.SIGINT))
    again, _ = run(images, small("other"))  # the lock went with the stopped call
    assert same(whole, again)


@pytest.mark.parametrize("name", ["model.safetensors", "history.json", "strip.png"])
def test_what_a_finished_run_lost_is_written_again(images, name):
    run(images, small())
    content = (paths.runs() / "run" / name).read_bytes()
    (paths.runs() / "run" / name).unlink()
    run(images, small(), on_epoch=lambda *_: pytest.fail("trained again"))
    assert name != "model.safetensors" or (paths.runs() / "run" / name).read_bytes() == content
    assert (paths.runs() / "run" / name).is_file()


def test_validation_that_is_not_finite_is_said_to_be_so(images):
    """The weights may still be finite when the loss of held-out images is not."""
    config = small(learning_rate=1e6, muon_rate=0, epochs=1)
    model, recipe = cl.build(config)
    recipe.loss = lambda output, _: output.sum() * (1 if model.training else float("nan"))
    with pytest.raises(FloatingPointError, match="the validation loss is nan"):
        cl.fit(model, recipe, images, small())


def test_another_number_of_threads_is_said(images, says):
    run(images, small(), on_epoch=lambda *_: signal.raise_signal(signal.SIGINT))
    torch.set_num_threads(2)
    model, recipe = cl.build(small())
    with says("run was trained with 1 threads, and goes on with 2"):
        cl.fit(model, recipe, images, small())
    torch.set_num_threads(1)


def test_grey_training_images_are_said_to_be_so(images, says):
    with says("100 % of the training images are grey"):
        run(images.mean(-1, keepdims=True).astype(np.uint8).repeat(3, -1), small(epochs=1))


def test_new_weights_forget_what_was_tuned_for_old_ones(images):
    model, recipe = cl.build(small(epochs=1))
    model.schedules = {"luma": [(1.0, 0.5)] * 2}
    cl.fit(model, recipe, images, small(epochs=1))
    assert model.schedules == {}


@pytest.mark.parametrize("name", ["..", ".", ".hidden", "../up", ""])
def test_a_name_is_not_that_of_another_folder(name):
    with pytest.raises(ValueError, match="name: got"):
        small(name)
