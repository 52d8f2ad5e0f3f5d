"""The one change that makes a wrong function right, and where it stands."""

import numpy as np
import pytest

from byhand.diagnosis.check.defined import File
from byhand.diagnosis.check.repairs import repairs
from byhand.diagnosis.check.telling import probes

TWO_LAYERS = """import numpy as np

def forward(X, W, V):
    N = X.shape[0]
    H = np.tanh(X @ W)
    A = H @ V
    return A, (X, W, V, H, A)

def back(E, cache):
    X, W, V, H, A = cache
    gV = H.T @ E
    gH = E @ V.T
    gZ = gH * (1 - H**2)
    gW = X.T @ gZ
    return gW, gV
"""
RNG = np.random.default_rng(1)
GIVEN = {n: RNG.normal(size=s) for n, s in (("X", (7, 4)), ("W", (4, 5)), ("V", (5, 3)), ("E", (7, 3)))}


def is_right(file):
    """Whether both gradients are those that NumPy gives, written out once more."""
    X, W, V, E = GIVEN.values()
    H = np.tanh(X @ W)
    expected = X.T @ (E @ V.T * (1 - H**2)), H.T @ E
    names = dict(GIVEN)
    file.run(names, "result_ = back(E, forward(X, W, V)[1])")
    pairs = list(zip(names["result_"], expected, strict=True))
    return all(a.shape == b.shape and np.allclose(a, b) for a, b in pairs)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("(1 - H**2)", "(1 + H**2)"),
        ("(1 - H**2)", "(1 - H)"),
        ("gH * (1 - H**2)", "gH"),
        ("gV = H.T @ E", "gV = -H.T @ E"),
        ("gW = X.T @ gZ", "gW = X.T @ gH"),
        ("gV = H.T @ E", "gV = (E.T @ H)"),
        ("gV = H.T @ E", "gV = H.T @ E / 7"),
        ("return gW, gV", "return 2 * gW, gV"),
    ],
)
def test_the_change_stands_where_the_mistake_does(right, wrong):
    assert is_right(File(TWO_LAYERS))
    text = TWO_LAYERS.replace(right, wrong)
    file = File(text)
    assert not is_right(file)
    found = repairs(file, ["back"], lambda: is_right(file), 0)
    line = next(k for k, row in enumerate(text.splitlines(), 1) if wrong in row)
    assert line in {r.line for r in found[:2]}
    for r in found:  # each is what it says: put there, it makes all right
        lines = text.splitlines()
        lines[r.line - 1] = f"    {r.text}"
        assert is_right(File("\n".join(lines)))
    assert not is_right(file)  # and the file is as it was


def test_what_is_added_up_is_told_as_such():
    file = File("def f(n):\n    s = 0\n    for k in range(n):\n        s = k\n    return s\n")

    def is_sum():
        names = {}
        file.run(names, "result_ = f(5)")
        return names["result_"] == 10

    [first, *_] = repairs(file, ["f"], is_sum, 0)
    assert (first.line, first.text, first.id) == (4, "s += k", "gradient-overwritten")


def test_no_shape_grows_and_no_method_of_an_object_is_lost():
    file = File("import numpy as np\nclass A:\n    def f(self, n):\n        return np.zeros((n, n)) - 1\n")
    seen = []

    def look():
        names = {}
        file.run(names, "result_ = A().f(3)")
        seen.append(names["result_"].size)
        return bool((names["result_"] == 1).all())

    found = repairs(file, ["A.f"], look, 0)
    assert max(seen) <= 36
    assert "return np.zeros((n, n)) + 1" in [r.text for r in found]
    assert look() is False


def test_the_likeliest_change_is_that_which_stands_so_elsewhere():
    source = TWO_LAYERS.replace("gZ = gH", "gZ = gH / 7 * 7")
    file = File(source.replace("    gW = X.T @ gZ", "    gW = X.T @ gZ / 7").replace("gH / 7 * 7", "gH"))
    [first, *_] = repairs(file, ["back"], lambda: is_right(file), 0)
    assert first.text == "gW = X.T @ gZ"
    assert first.likeness == 1  # as gV = H.T @ E


def test_a_claim_is_told_with_the_line_of_its_change():
    cost = "\ndef cost_(A, Y):\n    return np.sum((A - Y) ** 2) / 2\n"
    source = TWO_LAYERS.replace("def back(E", "def backward(E") + cost
    [wrong] = [p for p in probes(File(source.replace("E @ V.T", "E @ V.T * 3"))) if p.answer == "wrong"]
    assert (wrong.line, wrong.is_placed, wrong.claim) == (12, True, None)
    assert "With “gH = E @ V.T" in wrong.message
