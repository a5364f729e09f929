"""The training loop: learns, resumes, is shared among processes, fails clearly."""

import math
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from lookback import training
from lookback.files import WriteError
from lookback.models.recurrent import RecurrentLM
from lookback.training import CheckpointError, Settings, fit


def draw(step):
    """Counting upwards modulo 5, from anywhere: the next symbol is certain but once."""
    generator = torch.Generator().manual_seed(step)
    first = torch.randint(5, (16, 1), generator=generator)
    return (first + torch.arange(8)) % 5, None


def model(hidden=16):
    torch.manual_seed(0)
    return RecurrentLM(5, embedding=8, hidden=hidden)


def held_out(trained):
    x, _ = draw(10_000)
    return -trained.log_prob(x).mean().item()


def test_it_learns_what_can_be_learnt():
    learner = model()
    before = held_out(learner)
    history = fit(learner, draw, steps=300, rate=1e-2, every=100, evaluate=held_out)
    assert before > 8 * math.log(5) * 0.9
    assert held_out(learner) == pytest.approx(math.log(5), abs=0.1)
    assert history.steps == [100, 200, 300]
    assert history.held_out[-1] == pytest.approx(held_out(learner), abs=1e-4)
    assert len(history.loss) == 300
    assert not learner.training


def test_a_budget_in_seconds_is_kept():
    history = fit(model(), draw, seconds=0.5)
    assert 0.4 < history.seconds < 2
    with pytest.raises(ValueError, match="budget"):
        fit(model(), draw)


def test_warm_up_and_decay():
    settings = Settings(steps=100, rate=1.0, warmup=10)
    rates = [settings.learning_rate(step, 0.0) for step in range(100)]
    assert rates[0] == pytest.approx(0.1, abs=0.01)
    assert max(rates) == pytest.approx(1.0, abs=0.05)
    assert rates[-1] < 0.01
    assert settings.learning_rate(100, 0.0) == 0


def test_gradients_are_clipped():
    learner = model()
    run = training.Run(learner, Settings(steps=10, clip=1e-3))
    run.take_step(learner, *draw(0))
    norm = torch.stack([p.grad.norm() for p in learner.parameters()]).norm()
    assert norm == pytest.approx(1e-3, rel=1e-3)


def test_the_kept_weights_are_the_averaged_ones():
    plain, averaged = model(), model()
    fit(plain, draw, steps=60, average=0)
    fit(averaged, draw, steps=60, average=0.999)
    pairs = zip(plain.parameters(), averaged.parameters(), strict=True)
    assert not any(torch.equal(one, two) for one, two in pairs)


def test_a_killed_training_goes_on_as_if_nothing_had_happened(tmp_path):
    whole = model()
    expected = fit(whole, draw, steps=60, every=20, evaluate=held_out)

    def stopping(step):
        if step == 37:
            raise KeyboardInterrupt
        return draw(step)

    stopped, path = model(), tmp_path / "run.pt"
    run = training.Run(stopped, Settings(steps=60, every=20))
    with pytest.raises(KeyboardInterrupt):
        run.train(stopping, held_out, None, "")
    run.save(path)
    resumed = model()
    found = fit(resumed, draw, steps=60, every=20, evaluate=held_out, checkpoint=path)
    assert found.loss == expected.loss
    assert found.held_out == expected.held_out
    pairs = zip(whole.parameters(), resumed.parameters(), strict=True)
    assert all(torch.equal(one, two) for one, two in pairs)


def test_a_finished_training_is_not_trained_again(tmp_path):
    path, first, again = tmp_path / "run.pt", model(), model()
    fit(first, draw, steps=20, checkpoint=path)
    history = fit(again, draw, steps=20, checkpoint=path)
    assert len(history.loss) == 20
    pairs = zip(first.parameters(), again.parameters(), strict=True)
    assert all(torch.equal(one, two) for one, two in pairs)


def test_checkpoints_of_other_trainings_are_refused(tmp_path):
    path = tmp_path / "run.pt"
    fit(model(), draw, steps=2, checkpoint=path)
    with pytest.raises(CheckpointError, match="another training"):
        fit(model(hidden=17), draw, steps=2, checkpoint=path)
    with pytest.raises(CheckpointError, match="another training"):
        fit(model(), draw, steps=3, checkpoint=path)


@pytest.mark.parametrize("damage", [b"", b"nonsense", "half"])
def test_damaged_checkpoints_are_named(tmp_path, damage):
    path = tmp_path / "run.pt"
    fit(model(), draw, steps=2, checkpoint=path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if damage == "half" else damage)
    with pytest.raises(CheckpointError, match="damaged"):
        fit(model(), draw, steps=2, checkpoint=path)


def test_nothing_half_written_is_left(tmp_path, monkeypatch):
    path = tmp_path / "run.pt"
    fit(model(), draw, steps=2, checkpoint=path)
    before = path.read_bytes()

    def full_disk(state, aside):
        Path(aside).write_bytes(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(torch, "save", full_disk)
    run = training.Run(model(), Settings(steps=2))
    with pytest.raises(OSError, match="No space"):
        run.save(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["run.pt"]


def test_a_full_disk_stops_the_training_and_leaves_the_old_checkpoint(small_disk):
    path = small_disk / "run.pt"
    fit(model(), draw, steps=2, checkpoint=path)
    before = path.read_bytes()
    (small_disk / "filler").write_bytes(b"0" * 2**17)
    with pytest.raises(WriteError, match=r"run\.pt could not be written.*make room"):
        training.Run(model(hidden=64), Settings(steps=2)).save(path)
    assert path.read_bytes() == before
    assert sorted(file.name for file in small_disk.iterdir()) == ["filler", "run.pt"]


KILLED = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever the caller does
sys.path.insert(0, {tests!r})
from test_training import draw, held_out, model
from lookback import training

training.SAVE_EVERY = 0
def slowly(step):
    if step == 25:
        print("now", flush=True)
        time.sleep(600)
    return draw(step)

training.fit(model(), slowly, steps=40, every=10, evaluate=held_out, checkpoint={path!r})
"""


@pytest.fixture
def under_way(tmp_path):
    """A training in a process of its own, at step 25 of 40, and its checkpoint."""
    path = tmp_path / "run.pt"
    code = KILLED.format(tests=str(Path(__file__).parent), path=str(path))
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "now\n"
    yield process, path
    process.kill()
    process.communicate()


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT])
def test_a_process_that_is_stopped_goes_on_with_the_same_curve(under_way, sign):
    process, path = under_way
    process.send_signal(sign)
    _, said = process.communicate(timeout=60)
    advice = (
        "stopped after 25 steps: the model is what it had become; the same call goes "
    )
    assert (f"{advice}on from the checkpoint {path}" in said) == (sign == signal.SIGINT)
    assert [file.name for file in path.parent.iterdir()] == ["run.pt"]
    expected = fit(model(), draw, steps=40, every=10, evaluate=held_out)
    steps = []

    def counted(step):
        steps.append(step)
        return draw(step)

    found = fit(model(), counted, steps=40, every=10, evaluate=held_out, checkpoint=path)
    assert steps == list(range(25, 40))
    assert (found.loss, found.held_out) == (expected.loss, expected.held_out)
    assert found.steps == [10, 20, 30, 40]


@pytest.mark.parametrize("place", ["a step", "an evaluation"])
def test_ctrl_c_leaves_the_model_as_it_had_become(place):
    """The averaged weights, in use, whether a step or an evaluation was interrupted."""

    def stop(*_):
        raise KeyboardInterrupt

    # The rate depends on the budget: both trainings have the same, and reach step 20.
    whole, stopped = training.Run(model(), Settings(steps=40)), model()
    for step in range(20):
        whole.take_step(whole.model, *draw(step))
    whole.keep()
    draws = {"a step": lambda t: stop() if t == 20 else draw(t), "an evaluation": draw}
    evaluate = stop if place == "an evaluation" else held_out
    with pytest.raises(KeyboardInterrupt) as caught:
        fit(stopped, draws[place], steps=40, every=20, evaluate=evaluate)
    assert "stopped after 20 steps" in caught.value.__notes__[0]
    assert "with a new budget" in caught.value.__notes__[0]
    assert not stopped.training
    pairs = zip(stopped.parameters(), whole.model.parameters(), strict=True)
    assert all(torch.equal(one, two) for one, two in pairs)


@pytest.mark.parametrize(
    ("broken", "said"),
    [("loss", "the loss is nan"), ("gradient", "gradient is (nan|inf)")],
)
def test_what_is_not_finite_stops_before_the_weights(broken, said, monkeypatch):
    trained, calls = model(), []

    def spoilt(x, context=None):
        calls.append(1)
        scores = type(trained).log_prob(trained, x, context)
        if len(calls) < 3:
            return scores
        # The square root of zero is zero; its gradient is not finite.
        return scores * math.nan if broken == "loss" else scores + (0 * scores).sqrt()

    monkeypatch.setattr(trained, "log_prob", spoilt)
    with pytest.raises(
        FloatingPointError, match=f"{said} at step 3: try a lower"
    ) as caught:
        fit(trained, draw, steps=5)
    assert "stopped after 2 steps" in caught.value.__notes__[0]
    assert all(p.isfinite().all() for p in trained.parameters())
    assert not trained.training


@pytest.mark.parametrize(
    "budget", [{"steps": 0}, {"steps": -5}, {"seconds": -1.0}, {"seconds": math.nan}]
)
def test_a_budget_that_is_none_is_refused(budget):
    [name] = budget
    with pytest.raises(ValueError, match=f"{name} must be a number above 0"):
        fit(model(), draw, **budget)


def test_16_bits_are_for_the_loss_alone(monkeypatch):
    seen, trained = [], model()
    log_prob = trained.log_prob

    def noted(x, context=None):
        seen.append(torch.is_autocast_enabled("cpu"))
        return log_prob(x, context)

    monkeypatch.setattr(trained, "log_prob", noted)
    fit(
        trained,
        draw,
        steps=1,
        bfloat16=True,
        evaluate=lambda m: m.log_prob(draw(0)[0])[0],
    )
    fit(trained, draw, steps=1)
    assert seen == [True, False, False]


def test_two_processes_train_what_one_does():
    """`torchrun` on the CPU reaches the same held-out loss."""
    alone = model()
    fit(alone, draw, steps=80, rate=1e-2)
    expected = held_out(alone)
    command = [
        sys.executable, "-m", "torch.distributed.run", "--nproc_per_node=2",
        "--standalone", str(Path(__file__).with_name("train_in_two.py")),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-2000:]
    found = re.findall(r"held out (\d+\.\d+)", done.stdout)
    assert len(found) == 2
    assert float(found[0]) == pytest.approx(expected, rel=1e-3)
    assert found[0] == found[1]
