import hashlib
import io
import pickle
import tarfile

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.datasets import CIFAR100

import colorlib as cl
from colorlib import data, paths
from colorlib.datasets import cifar100, sample
from colorlib.datasets.prepared import pack


def write_cifar(images, labels, split="train"):
    root = paths.data_root() / "cifar100"
    root.mkdir(parents=True, exist_ok=True)
    np.save(root / f"{split}.npy", images)
    np.save(root / f"{split}_labels.npy", labels)
    (root / "classes.txt").write_text("apple\nbear\n")


# --- canonical order -------------------------------------------------------------------------


def test_order_does_not_depend_on_where_images_came_from(images):
    labels = (np.arange(len(images)) % 2).astype(np.uint8)
    write_cifar(images, labels)
    first, first_labels = cl.load_images("cifar100"), cl.load_labels("cifar100")
    shuffle = np.random.default_rng(1).permutation(len(images))
    write_cifar(images[shuffle], labels[shuffle])
    assert np.array_equal(cl.load_images("cifar100"), first)
    assert np.array_equal(cl.load_labels("cifar100")[0], first_labels[0])
    assert first_labels[1] == ["apple", "bear"]
    digests = [hashlib.sha256(image.tobytes()).hexdigest() for image in first]
    assert digests == sorted(digests)
    of = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
    assert [of[image.tobytes()] for image in first] == first_labels[0].tolist()


def test_equal_images_are_ordered_by_label(images):
    twins, labels = np.stack([images[0]] * 4), np.array([1, 0, 1, 0], np.uint8)
    write_cifar(twins, labels)
    assert cl.load_labels("cifar100")[0].tolist() == [0, 0, 1, 1]


def test_count_and_validation(images):
    write_cifar(images, np.zeros(64, np.uint8))
    assert np.array_equal(cl.load_images("cifar100", count=5), cl.load_images("cifar100")[:5])
    with pytest.raises(ValueError, match=r"got 65, but cifar100 \(train\) has 64 images"):
        cl.load_images("cifar100", count=65)
    with pytest.raises(ValueError, match="got 0"):
        cl.load_images("cifar100", count=0)
    train, validation = data.split_validation(np.zeros((50000, 1)))
    assert (len(train), len(validation)) == (45000, 5000)
    assert [len(x) for x in data.split_validation(images)] == [58, 6]


def test_auto_takes_cifar_from_the_data_root(images, capsys):
    for split in ("train", "test"):
        write_cifar(images, np.zeros(64, np.uint8), split)
    assert len(cl.load_images("auto")) == 64
    assert "CIFAR-100 is in the data root" in capsys.readouterr().out


def test_unknown_split_and_source():
    with pytest.raises(ValueError, match="got 'both', expected"):
        cl.load_images("sample", "both")
    with pytest.raises(ValueError, match="'cifar-10', which is no folder"):
        cl.load_images("cifar-10")


def test_damaged_labels_and_arrays_are_named(images):
    write_cifar(images, np.zeros(63, np.uint8))
    with pytest.raises(ValueError, match=r"train_labels.npy: got shape \(63,\), expected \(64,\)"):
        cl.load_images("cifar100")
    path = paths.data_root() / "cifar100" / "train.npy"
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ValueError, match=r"train.npy: not a readable"):
        cl.load_images("cifar100")


# --- the built-in sample ---------------------------------------------------------------------


def test_sample_is_the_same_each_time_and_its_splits_come_from_different_photographs():
    train, test = cl.load_images("sample", "train"), cl.load_images("sample", "test")
    assert train.shape == (3000, 32, 32, 3) and test.shape == (600, 32, 32, 3)
    assert np.array_equal(train, cl.load_images("sample", "train"))
    assert not set(sample.PHOTOS["train"]) & set(sample.PHOTOS["test"])
    assert cl.load_labels("sample") is None
    assert train.std() > 20


# --- folders and files -----------------------------------------------------------------------


def test_folder_of_every_kind_of_image(tmp_path, images):
    folder = tmp_path / "mine"
    folder.mkdir()
    rgb = Image.fromarray(images[0]).resize((80, 50))
    rgb.save(folder / "rgb.png")
    rgb.save(folder / "photo.JPG", "JPEG")
    rgb.convert("L").save(folder / "gray.png")
    rgb.convert("P").save(folder / "palette.png")
    rgb.convert("CMYK").save(folder / "cmyk.tif")
    rgb.convert("RGBA").save(folder / "alpha.webp")
    deep = np.full((40, 40), 0x8000, np.uint16)
    Image.fromarray(deep).save(folder / "deep.png")
    (folder / "notes.txt").write_text("not an image")
    loaded = cl.load_images(folder)
    assert loaded.shape == (7, 32, 32, 3) and loaded.dtype == np.uint8
    assert any((image == 128).all() for image in loaded)  # 16 bits scaled, not clipped
    assert cl.load_images(folder, size=48).shape == (7, 48, 48, 3)
    assert cl.load_labels(folder) is None


def test_class_folders_give_labels_and_splits(tmp_path, images):
    for i, place in enumerate(("train/cat", "train/dog", "val/cat", "val/dog")):
        (tmp_path / place).mkdir(parents=True)
        for j in range(3):
            Image.fromarray(images[3 * i + j]).save(tmp_path / place / f"{j}.png")
    train, (labels, names) = cl.load_images(tmp_path), cl.load_labels(tmp_path)
    assert names == ["cat", "dog"] and sorted(labels.tolist()) == [0, 0, 0, 1, 1, 1]
    cats = {images[i].tobytes() for i in range(3)}
    assert [image.tobytes() in cats for image in train] == (labels == 0).tolist()
    test = {image.tobytes() for image in cl.load_images(tmp_path, "test")}
    assert test == {images[i].tobytes() for i in range(6, 12)}


def test_a_flat_folder_has_no_test_split(tmp_path, images):
    Image.fromarray(images[0]).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match="has no test images of its own"):
        cl.load_images(tmp_path, "test")


def test_a_missing_split_is_refused_rather_than_mixed(tmp_path, images):
    for place in ("test", "cat"):
        (tmp_path / place).mkdir()
        Image.fromarray(images[0]).save(tmp_path / place / "a.png")
    with pytest.raises(ValueError, match="has no train images of its own"):
        cl.load_images(tmp_path)


def test_prepared_arrays_of_two_folders_do_not_meet(tmp_path):
    names = {data.prepared_path(tmp_path / a / "photos", "train") for a in "xy"}
    assert len(names | {data.prepared_path("cifar100", "train")}) == 3
    assert data.prepared_path("sample", "test").parts[-2:] == ("sample", "test_hsv.npy")


def test_empty_folder_and_broken_image_are_named(tmp_path, images):
    with pytest.raises(ValueError, match="no images found"):
        cl.load_images(tmp_path)
    Image.fromarray(images[0]).resize((200, 200)).save(tmp_path / "cut.png")
    whole = (tmp_path / "cut.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"cut\.png: not a readable image"):
        cl.load_images(tmp_path)
    (tmp_path / "cut.png").write_bytes(b"")
    with pytest.raises(ValueError, match=r"cut\.png: not a readable image"):
        cl.load_images(tmp_path)


def test_npy_files(tmp_path, images):
    np.save(tmp_path / "mine.npy", images)
    loaded = cl.load_images(tmp_path / "mine.npy")
    assert sorted(x.tobytes() for x in loaded) == sorted(x.tobytes() for x in images)
    for bad, said in (
        (images.astype(np.float32), "float32, expected uint8"),
        (images[..., 0], r"\(64, 32, 32\), expected \(N, H, W, 3\)"),
        (images[:0], r"\(0, 32, 32, 3\)"),
    ):
        np.save(tmp_path / "bad.npy", bad)
        with pytest.raises(ValueError, match=said):
            cl.load_images(tmp_path / "bad.npy")


def test_pickles_are_refused(tmp_path):
    np.save(tmp_path / "evil.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match=r"evil.npy: not a readable \.npy"):
        cl.load_images(tmp_path / "evil.npy")


# --- prepared arrays -------------------------------------------------------------------------


def test_prepared_arrays_give_the_same_pixels_back(tmp_path, images, monkeypatch):
    monkeypatch.setattr("colorlib.datasets.prepared.CHUNK", 10)
    array = cl.prepare(images, tmp_path / "hsv.npy")
    assert isinstance(array, np.memmap) and array.shape == (64, 3, 32, 32)
    assert array[:, 0].min() >= 0 and array[:, 0].max() < 1
    rgb = cl.hsv_to_rgb(torch.from_numpy(np.array(cl.load_prepared(tmp_path / "hsv.npy"))))
    assert np.array_equal(cl.to_images(rgb), images)


def test_interrupted_preparation_leaves_nothing(tmp_path, images, monkeypatch):
    monkeypatch.setattr("colorlib.datasets.prepared.rgb_to_hsv", lambda rgb: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        cl.prepare(images, tmp_path / "hsv.npy")
    assert list(tmp_path.iterdir()) == []


def test_wrong_arrays_are_refused(tmp_path, images):
    with pytest.raises(ValueError, match="float64, expected uint8"):
        cl.prepare(images / 255, tmp_path / "hsv.npy")
    np.save(tmp_path / "rgb.npy", images)
    with pytest.raises(ValueError, match=r"expected float16 \(N, 3, H, W\)"):
        cl.load_prepared(tmp_path / "rgb.npy")
    assert not (tmp_path / "hsv.npy").exists()


# --- CIFAR-100's archive, from a server on this machine --------------------------------------


@pytest.fixture
def archive(server, images, monkeypatch):
    """A small archive in the official layout, served; torchvision told its checksums."""
    address, folder = server
    files = {
        name: pickle.dumps(
            {
                "data": x.transpose(0, 3, 1, 2).reshape(len(x), -1),
                "fine_labels": [0, 1] * (len(x) // 2),
            }
        )
        for name, x in (("train", images[:40]), ("test", images[40:]))
    }
    files["meta"] = pickle.dumps({"fine_label_names": ["apple", "bear"]})
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(f"cifar-100-python/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    (folder / "cifar.tar.gz").write_bytes(packed.getvalue())
    md5 = {name: hashlib.md5(content).hexdigest() for name, content in files.items()}
    monkeypatch.setattr(CIFAR100, "train_list", [["train", md5["train"]]])
    monkeypatch.setattr(CIFAR100, "test_list", [["test", md5["test"]]])
    monkeypatch.setattr(CIFAR100, "meta", CIFAR100.meta | {"md5": md5["meta"]})
    monkeypatch.setattr(cifar100, "URL", f"{address}/cifar.tar.gz")
    monkeypatch.setattr(cifar100, "HASH", "md5:" + hashlib.md5(packed.getvalue()).hexdigest())
    return address, folder / "cifar.tar.gz"


def test_cifar_is_downloaded_once_and_kept_as_arrays(archive, images, capsys):
    train = cl.load_images("auto")
    assert "downloaded into the data root" in capsys.readouterr().out
    assert {x.tobytes() for x in train} == {x.tobytes() for x in images[:40]}
    archive[1].unlink()
    labels, names = cl.load_labels("cifar100", "test")
    assert names == ["apple", "bear"] and len(labels) == 24
    root = paths.data_root() / "cifar100"
    kept = {"train.npy", "train_labels.npy", "test.npy", "test_labels.npy", "classes.txt"}
    assert {p.name for p in root.iterdir()} == kept


@pytest.mark.parametrize("trouble", ["missing", "refused", "truncated", "corrupt", "lacking"])
def test_cifar_that_cannot_be_had(archive, trouble, monkeypatch, capsys):
    address, path = archive
    if trouble == "missing":
        monkeypatch.setattr(cifar100, "URL", f"{address}/nowhere.tar.gz")
    elif trouble == "refused":
        monkeypatch.setattr(cifar100, "URL", "http://127.0.0.1:9/cifar.tar.gz")
    elif trouble == "truncated":
        monkeypatch.setattr(cifar100, "URL", f"{address}/short/cifar.tar.gz")
    elif trouble == "corrupt":
        content = bytearray(path.read_bytes())
        content[100] ^= 255
        path.write_bytes(content)
    else:
        monkeypatch.setattr(CIFAR100, "train_list", [["data_batch", "0" * 32]])
    says = {
        "missing": "404",
        "refused": "connection failed",
        "truncated": "broke off",
        "corrupt": "checksum differs",
        "lacking": "lacks files",
    }[trouble]
    with pytest.raises(OSError, match=says) as caught:
        cl.load_images("cifar100")
    assert "\n" not in str(caught.value)
    assert list((paths.data_root() / "cifar100").iterdir()) == []
    assert len(cl.load_images("auto")) == 3000
    assert says in capsys.readouterr().out


def test_bad_images_of_a_set_are_left_out_and_named(tmp_path, images, says):
    for i in range(4):
        for name in "ab":
            (tmp_path / name).mkdir(exist_ok=True)
            Image.fromarray(images[i]).save(tmp_path / name / f"{i}.png")
    (tmp_path / "a" / "0.png").write_bytes(b"no image")
    (tmp_path / "b" / "1.png").write_bytes(b"")
    with says(r"left out 2 of 8 images that cannot be read: a/0\.png, b/1\.png"):
        loaded = cl.load_images(tmp_path)
    labels, names = cl.load_labels(tmp_path)
    assert len(loaded) == len(labels) == 6 and names == ["a", "b"]


def test_a_full_disk_is_said_with_the_file_that_was_to_be_written(tmp_path, images, full_disk):
    target, folder = tmp_path / "made" / "set.npy", tmp_path / "set"
    folder.mkdir()
    for i, image in enumerate(images[:4]):
        Image.fromarray(image).save(folder / f"{i}.png")
    for size in (100, 10_000, 12_300):  # of 12,288 bytes and the header: in the first copy, or not
        with full_disk(size):
            for write in (
                lambda: cl.prepare(images, target),
                lambda: pack(folder, target, size=32),
            ):
                with pytest.raises(OSError, match=r"too large: '.*set\.npy'$"):
                    write()
    assert not list(target.parent.iterdir())


def test_an_error_names_the_file_and_not_the_temporary_one(tmp_path):
    for number, said in ((13, "Permission denied"), (28, "No space left")):
        with (
            pytest.raises(OSError, match=rf"{said}.*mine\.json'$"),
            paths.replacing(tmp_path / "mine.json") as part,
        ):
            raise OSError(number, said, *([str(part)] if number == 13 else []))
    with pytest.raises(OSError, match="other"), paths.replacing(tmp_path / "mine.json"):
        raise OSError(13, "Permission denied", "other")


def test_a_source_that_changed_is_prepared_anew(tmp_path, images):
    Image.fromarray(images[0]).save(tmp_path / "a.png")
    before = data.prepared_path(tmp_path, "train")
    assert data.prepared_path(tmp_path, "train") == before
    assert data.prepared_path(tmp_path, "train", 20) != before
    Image.fromarray(images[1]).save(tmp_path / "b.png")
    assert data.prepared_path(tmp_path, "train") != before
    assert data.prepared_path("cifar100", "train", 20) != data.prepared_path("cifar100", "train")


def test_the_home_folder(tmp_path, images, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "pics").mkdir()
    Image.fromarray(images[0]).save(tmp_path / "pics" / "a.png")
    assert len(cl.load_images("~/pics")) == 1


def test_a_size_below_one_is_named(tmp_path, images):
    Image.fromarray(images[0]).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match="size: got 0, expected"):
        cl.load_images(tmp_path, size=0)


def test_arguments_of_wrong_types_are_named(tmp_path, images):
    Image.fromarray(images[0]).save(tmp_path / "a.png")
    for given, said in (
        ({"source": None}, "None"),
        ({"count": 0.5}, "count: got 0.5, but"),
        ({"count": "1"}, "count: got '1', but"),
        ({"size": 32.5}, "size: got 32.5, expected a whole number"),
    ):
        with pytest.raises(ValueError, match=said):
            cl.load_images(**{"source": tmp_path} | given)


def test_a_mapped_set_is_not_hashed_whole(tmp_path, images, monkeypatch):
    np.save(tmp_path / "mixed.npy", images)
    ordered = cl.load_images(tmp_path / "mixed.npy")
    assert not isinstance(ordered, np.memmap)
    np.save(tmp_path / "ordered.npy", ordered)
    monkeypatch.setattr(data, "canonical_order", lambda *_: pytest.fail("hashed every image"))
    again = cl.load_images(tmp_path / "ordered.npy", count=50)
    assert isinstance(again, np.memmap) and np.array_equal(again, ordered[:50])
