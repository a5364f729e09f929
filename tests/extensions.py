"""What the book adds to its build: the modules of `book/_ext`, which is no package."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

FOLDER = Path(__file__).parents[1] / "book/_ext"


def extension(name: str) -> ModuleType:
    """The module NAME.py of `book/_ext`, under a name that nothing else has."""
    spec = importlib.util.spec_from_file_location(f"{name}_ext", FOLDER / f"{name}.py")
    sys.modules[spec.name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
