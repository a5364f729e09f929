"""Look Back: the code that the chapters of the course share."""

from importlib.metadata import version

__version__ = version("lookback-book")
