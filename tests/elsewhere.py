"""Run the notebooks as another processor would, and compare what they print.

    python tests/elsewhere.py CAPABILITY THREADS [NOTEBOOK ...]

CAPABILITY is `default` (only the vector instructions that every processor has) or `avx2`.
All notebooks are run if none is named. A cell may take ten minutes.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
MKL = {"default": "COMPATIBLE", "avx2": "AVX2"}


def environment(capability: str, threads: str) -> dict[str, str]:
    """The environment in which PyTorch and its libraries compute so."""
    if capability not in MKL or not threads.isdigit():
        raise SystemExit(f"{__doc__}\nnot: {capability} {threads}")
    return {
        "ATEN_CPU_CAPABILITY": capability,
        "MKL_CBWR": MKL[capability],
        "OMP_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
    }


def main(capability: str, threads: str, *notebooks: str) -> int:
    """The exit code of pytest."""
    command = [sys.executable, "-m", "pytest", "-q", "-c", str(ROOT / "pyproject.toml")]
    command += ["--nbval-cell-timeout=600", "--timeout=3600"]
    chosen = notebooks or [str(ROOT / "book")]
    env = os.environ | environment(capability, threads)
    return subprocess.run([*command, *chosen], env=env, cwd=ROOT).returncode


if __name__ == "__main__":
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    sys.exit(main(*sys.argv[1:]))
