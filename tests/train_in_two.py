"""What `test_two_processes_train_what_one_does` starts under torchrun."""

import os

from test_training import draw, held_out, model

from lookback.training import fit

learner = model()
fit(learner, draw, steps=80, rate=1e-2)
# One write: both processes share a pipe, and lines must not mix, buffered or not.
os.write(1, f"held out {held_out(learner):.6f}\n".encode())
