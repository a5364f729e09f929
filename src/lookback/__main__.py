"""`python -m lookback COMMAND ...`: one table of commands, each loaded when asked for.

A command is a function `main(arguments)` that parses its own arguments and returns an
exit code, or None for success.
"""

import difflib
import importlib
import sys

COMMANDS = {
    "doctor": ("lookback.doctor:main", "say what is missing here, and what to do"),
    "train": ("lookback.zoo.train:main", "make a shipped model again, weights and card"),
    "bench": ("lookback.bench.command:main", "measure what is promised about speed"),
    "ladder": ("lookback.zoo.ladder:main", "score every shipped image model"),
    "store": ("lookback.notebooks:store_main", "run notebooks and keep their outputs"),
    "refresh": (
        "lookback.explore.stored:main",
        "give stored explorables their current code",
    ),
    "normalise": ("lookback.notebooks:normalise_main", "tidy notebooks, run nothing"),
    "exercises": (
        "lookback.classroom:exercises_main",
        "make the learners' notebooks from the sources",
    ),
    "course": ("lookback.classroom:course_main", "lay out a course for nbgrader"),
    "exam": ("lookback.exam:main", "print an exam with the numbers of a seed"),
    "stamp": (
        "lookback.notebooks:stamp_main",
        "write the repository's address everywhere",
    ),
}


STOPPED = 130  # the exit code of a program that Ctrl-C stopped


def usage() -> str:
    """The table of commands, as help text."""
    lines = [f"  {name:<10} {help_}" for name, (_, help_) in COMMANDS.items()]
    return "usage: python -m lookback COMMAND [-h] ...\n\ncommands:\n" + "\n".join(lines)


def unknown(name: str) -> str:
    """Say which command was asked for, which there are, and which may have been meant."""
    near = difflib.get_close_matches(name, COMMANDS, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"There is no command {name!r}.{hint}\n\n{usage()}"


def main(arguments: list[str] | None = None) -> int:
    """Dispatch to the command named first; its result is the exit code."""
    name, *rest = (sys.argv[1:] if arguments is None else arguments) or ["--help"]
    if name in ("-h", "--help"):
        print(usage())
        return 0
    if name not in COMMANDS:
        print(unknown(name), file=sys.stderr)
        return 2
    module, function = COMMANDS[name][0].split(":")
    try:
        return getattr(importlib.import_module(module), function)(rest) or 0
    except KeyboardInterrupt:
        print("\nstopped: nothing half-written is left", file=sys.stderr)
        return STOPPED


if __name__ == "__main__":
    sys.exit(main())
