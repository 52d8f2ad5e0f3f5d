"""The examples run, quickly and without a warning, and their numbers are what they claim."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

EXAMPLES = Path(__file__).parents[1] / "examples"


def run(name, *arguments, monkeypatch):
    """Run an example as `python examples/name.py arguments` does; its variables."""
    monkeypatch.setattr(sys, "argv", [f"{name}.py", *map(str, arguments)])
    with threadpool_limits(1):  # threads of several tests at once would wait for each other
        return runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")


def test_digits(monkeypatch, capsys):
    example = run("digits", monkeypatch=monkeypatch)
    assert example["accuracy"] >= 0.97
    assert np.trace(example["confusion"]) / example["confusion"].sum() == pytest.approx(example["accuracy"])
    sets = [{row.tobytes() for row in example[name]} for name in ("x_train", "x_val", "x_test")]
    assert sum(map(len, sets)) == len(set.union(*sets)) == 1797  # nothing is in two of them
    assert f"they read {example['accuracy']:.1%} right" in capsys.readouterr().out


def test_diabetes(monkeypatch, capsys):
    example = run("diabetes", monkeypatch=monkeypatch)
    assert example["difference"] < 1e-6
    assert example["scores"]["line"].mean() == pytest.approx(0.482, abs=0.001)  # as with LinearRegression
    assert abs(example["scores"]["network"].mean() - example["scores"]["line"].mean()) < 0.05  # "hardly better"
    assert "network  0.4" in capsys.readouterr().out


def test_spirals(monkeypatch, tmp_path, capsys):
    out = tmp_path / "surface.png"
    example = run("spirals", "--out", out, monkeypatch=monkeypatch)
    assert example["accuracy"] > 0.98
    assert out.read_bytes().startswith(b"\x89PNG")
    assert f"wrote {out}" in capsys.readouterr().out


def test_custom_activation(monkeypatch, capsys):
    scores = run("custom_activation", monkeypatch=monkeypatch)["scores"]
    assert min(scores["bump"]) > max(scores["relu"])
    assert min(scores["bump"]) > min(scores["tanh"])
    assert "A wrong derivative is refused" in capsys.readouterr().out


def test_grid_search(monkeypatch, capsys):
    example = run("grid_search", monkeypatch=monkeypatch)
    assert example["accuracy"] > 0.94
    assert example["search"].best_score_ > 0.97
    assert "hidden_layer_sizes=(" in capsys.readouterr().out


def test_convnet(monkeypatch, capsys):
    example = run("convnet", monkeypatch=monkeypatch)
    assert example["share"] > 0.985
    assert not {row.tobytes() for row in example["x_train"]} & {row.tobytes() for row in example["x_test"]}
    assert f"it reads {example['share']:.1%} right" in capsys.readouterr().out
    misread = example["read"] != example["meant"]
    assert misread.mean() == pytest.approx(1 - example["share"])
    assert {bool(m) for m in misread[example["lead"].argsort()[: misread.sum()]]} == {True}  # the picture has them all


def test_lstm_adds(monkeypatch, capsys):
    example = run("lstm_adds", monkeypatch=monkeypatch)
    assert example["constant"] == pytest.approx(1 / 6, rel=0.1)
    assert example["errors"]["LSTM"] < 0.002
    assert example["errors"]["RNN"] > 20 * example["errors"]["LSTM"]  # "far behind"
    assert "and the LSTM says" in capsys.readouterr().out


def test_transformer_sorts(monkeypatch, capsys):
    example = run("transformer_sorts", monkeypatch=monkeypatch)
    assert example["share"] > 0.97
    assert example["unseen"].sum() > 400
    assert "→ [" in capsys.readouterr().out


def test_each_has_a_picture_for_the_gallery():
    """Made with matplotlib's Figure, and found by the gallery among the example's variables."""
    for path in EXAMPLES.glob("*.py"):
        assert "figure = " in path.read_text(encoding="utf-8"), path


def test_every_example_is_tested():
    tested = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    assert {path.stem for path in EXAMPLES.glob("*.py")} <= tested
