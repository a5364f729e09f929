"""Run a function that may do anything: loop for ever, quit, print, raise.

`attempt` always comes back. In the main thread a timer interrupts what takes too long;
elsewhere, or where there is no such timer (Windows), the work is done in a thread that is
told to stop and, if it does not, left behind.
"""

import contextlib
import ctypes
import io
import linecache
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from unittest import mock

SECONDS = 10.0  # for one call: exercises take milliseconds, and a machine may be busy


class Stopped(BaseException):
    """The time is up. Not an `Exception`, so that `except Exception` lets it through."""


class Quit(BaseException):
    """The kernel was asked to quit."""


@dataclass
class Outcome:
    """What became of a call: a value, or a sentence about what went wrong."""

    value: object = None
    failure: str | None = None
    unwritten: bool = False  # it raised NotImplementedError, without a word


def attempt(work: Callable[[], object], seconds: float | None = None) -> Outcome:
    """Call `work()` and say what became of it. What it prints is not shown.

    seconds: the time it may take; `SECONDS` if not given. Only Ctrl-C gets through.
    """
    seconds = SECONDS if seconds is None else seconds
    limited = limited_by_timer if has_timer() else limited_by_thread
    try:
        with quiet(), no_quitting():
            return Outcome(limited(work, seconds))
    except KeyboardInterrupt:
        raise
    except NotImplementedError as error:
        # With words it is torch's, about types that it has no code for.
        if str(error):
            return Outcome(failure=f"raised {told(error)}")
        return Outcome(unwritten=True)
    except Stopped:
        return Outcome(
            failure=f"did not come back within {seconds:g} seconds: perhaps a loop "
            "without end, or far too much work"
        )
    except (SystemExit, Quit):
        return Outcome(failure="asked Python to quit: take the `exit()` out")
    except BaseException as error:
        return Outcome(failure=f"raised {told(error)}")


def told(error: BaseException) -> str:
    """An error in one line, with the learner's line that caused it where it is known."""
    try:
        words = f"{type(error).__name__}: {error}".splitlines()[0]
    except Exception:
        words = type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if not f.filename.endswith(("guard.py", "sheet.py"))]
    if not ours or not (line := linecache.getline(ours[0].filename, ours[0].lineno)):
        return words
    return f"{words}\n(line {ours[0].lineno}: `{line.strip()}`)"


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Swallow what is printed: a check calls a function many times."""
    nowhere = io.StringIO()
    with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        yield


@contextlib.contextmanager
def no_quitting() -> Iterator[None]:
    """In IPython `exit()` raises nothing, it asks the kernel to end; not now."""
    from IPython import get_ipython

    def refuse():
        raise Quit

    shell = get_ipython()
    if shell is None:
        yield
    else:
        with mock.patch.object(shell, "ask_exit", refuse, create=True):
            yield


def has_timer() -> bool:
    """Whether a timer can interrupt this thread."""
    main = threading.current_thread() is threading.main_thread()
    return main and hasattr(signal, "setitimer")


def limited_by_timer(work: Callable[[], object], seconds: float) -> object:
    """`work()`, interrupted again and again once the time is up."""

    def stop(*_):
        raise Stopped

    began, before = time.monotonic(), signal.signal(signal.SIGALRM, stop)
    others = signal.setitimer(signal.ITIMER_REAL, seconds, 0.05)
    try:
        try:
            return work()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    finally:  # once more, should the timer have struck just before it was taken away
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if others[0]:  # somebody else's timer goes on
            left = max(others[0] - (time.monotonic() - began), 1e-3)
            signal.setitimer(signal.ITIMER_REAL, left, others[1])


def limited_by_thread(work: Callable[[], object], seconds: float) -> object:
    """`work()` in a thread; when the time is up, the thread is told to stop."""
    done: list[Callable[[], object]] = []

    def run():
        try:
            value = work()
            done.append(lambda: value)
        except BaseException as error:
            caught = error
            done.append(lambda: raising(caught))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        interrupt(thread)
        raise Stopped
    return done[0]()


def raising(error: BaseException) -> None:
    raise error


def interrupt(thread: threading.Thread, tries: int = 20) -> None:
    """Raise `Stopped` in another thread until it ends, or give up."""
    for _ in range(tries):
        if sys.implementation.name != "cpython" or not thread.is_alive():
            return
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident), ctypes.py_object(Stopped)
        )
        thread.join(0.05)
