"""Files are written whole or not at all."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


class WriteError(OSError):
    """A file could not be written; whatever was there before is as it was."""


@contextlib.contextmanager
def whole(path: Path, *also: type[Exception]) -> Iterator[Path]:
    """Where to write, so that `path` changes whole or not at all.

    Gives a name beside `path`; what is there at the end of the `with` is moved to `path`.
    If writing fails or is interrupted, the file aside is removed.

    Args:
        also: what else, besides OSError, the writer raises where it cannot write.

    Raises:
        WriteError: it says which file, why, and what to do.
    """
    aside = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield aside
        os.replace(aside, path)
    except WriteError:  # of a file that is written inside of this one
        raise
    except (OSError, *also) as error:
        raise WriteError(
            f"{path} could not be written ({error}): make room on the disk or name "
            "another folder. What was there before is as it was."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)
