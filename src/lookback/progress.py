"""A progress bar that leaves nothing behind in a stored notebook."""

import os

from tqdm.auto import tqdm


def bar(total: float, description: str, unit: str = "step") -> tqdm:
    """A bar that vanishes when it is done; none where LOOKBACK_QUIET is set.

    `python -m lookback store` and the tests set LOOKBACK_QUIET, since a stored page
    would keep the bar's last state for ever.
    """
    quiet = bool(os.environ.get("LOOKBACK_QUIET"))
    return tqdm(total=total, desc=description, unit=unit, leave=False, disable=quiet)
