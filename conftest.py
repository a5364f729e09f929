"""What every test run needs: quiet, deterministic, chapters run from an empty folder."""

import os
import tempfile
from pathlib import Path

os.environ["LOOKBACK_QUIET"] = "1"  # stored outputs have no progress bars

import nbval.plugin
from hypothesis import settings

settings.register_profile("course", derandomize=True, deadline=None)
settings.load_profile("course")


class ReadersKernel(nbval.plugin.RunningKernel):
    """A kernel as a reader has it: in an empty folder, with a history.

    Without a history IPython prints values that a trailing semicolon silences.
    """

    def __init__(self, kernel_name, cwd, startup_timeout):
        self.folder = tempfile.TemporaryDirectory()
        super().__init__(kernel_name, self.folder.name, startup_timeout)

    def execute_cell_input(self, cell_input, allow_stdin=None):
        return self.kc.execute(cell_input, allow_stdin=allow_stdin, stop_on_error=False)

    def stop(self):
        super().stop()
        self.folder.cleanup()


nbval.plugin.RunningKernel = ReadersKernel


def pytest_configure(config):
    """Find nbval's patterns from whatever folder pytest is started in."""
    patterns = Path(__file__).parent / "tests/nbval_sanitise.cfg"
    config.option.nbval_sanitize_with = str(patterns)
