"""Another line, put otherwise, after which every step is right: what is tried, and what is told of it."""

import textwrap

import pytest

import at_hand
from byhand.diagnosis import sandbox
from byhand.diagnosis.findings import Place
from byhand.diagnosis.judge.report import follows
from byhand.diagnosis.story.program import Program
from byhand.diagnosis.story.telling import why
from byhand.diagnosis.story.trying import candidates
from byhand.diagnosis.tape.run import trace
from measure_why import SCRIPTS

XOR = """\
import numpy as np

rng = np.random.default_rng(3)
X = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
y = np.array([[0.0], [1], [1], [0]])
W, b, V, c = rng.normal(size=(2, 5)), np.zeros(5), rng.normal(size=(5, 1)), np.zeros(1)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def gradients(h, p):
    d  =  (p-y)*p*(1-p)      # as the squared error has it
    dh = (d @ V.T) * (1 - h**2)
    return {"V": h.T @ d, "c": d.sum(0), "W": X.T @ dh, "b": dh.sum(0)}


losses = []
for epoch in range(200):
    z = X @ W + b
    h = np.tanh(z)
    p = sigmoid(h @ V + c)
    losses.append(((p - y) ** 2).sum() / 2)
    g = gradients(h, p)
    V -= 0.5 * g["V"]
    c -= 0.5 * g["c"]
    W -= 0.5 * g["W"]
    b -= 0.5 * g["b"]
"""
DELTA, RETURNED, CALL = 14, 16, 25


def copies(source, *lines, run=True):
    """The lines that are tried, in their order, each as (number, text)."""
    program = Program("script.py", source)
    code = compile(source, "script.py", "exec")
    made = candidates(program, [Place(n) for n in lines], lambda: exec(code, {"__name__": "__main__"}))
    for copy in made:
        pairs = enumerate(zip(source.splitlines(), copy.source.splitlines(), strict=True), 1)
        [(number, new)] = [(n, new) for n, (old, new) in pairs if old != new]
        yield number, new.strip()


def test_only_what_is_put_otherwise_is_written_anew():
    tried = list(copies(XOR, DELTA))
    assert (DELTA, "d  =  (p+y)*p*(1-p)      # as the squared error has it") in tried
    assert all(text.endswith("# as the squared error has it") for _, text in tried)


def test_what_differs_by_few_words_comes_first_and_what_gives_another_shape_last():
    wrong = XOR.replace("(p-y)*p*(1-p)", "(p-y)*-p*(1-p)")
    tried = [text for _, text in copies(wrong, DELTA)]
    right, factor, slope, other_shape = (
        next(k for k, text in enumerate(tried) if text.startswith(start))
        for start in (
            "d  =  (p-y)*p*(1-p) ",
            "d  =  ((p-y)*-p*(1-p)) * 2",
            "d  =  ((p-y)*-p*(1-p)) * p ",
            "d  =  (h-y)*",
        )
    )
    assert right < factor <= slope < other_shape


def test_a_change_that_changes_no_number_is_not_tried():
    same = {text for _, text in copies(XOR, DELTA)}
    assert not any("(-(p-y))*-p" in text or "p*(p-y)" in text for text in same)
    assert not any("p - p" in text or "y - y" in text for text in same)


def test_what_the_programs_own_functions_are_given_is_put_otherwise_too():
    wrong = XOR.replace("g = gradients(h, p)", "g = gradients(p, p)")
    assert (CALL, "g = gradients(h, p)") in list(copies(wrong, CALL))


@pytest.fixture(autouse=True)
def no_walls(monkeypatch):
    """Walls and processes of its own for each try are not what is tested here."""
    monkeypatch.setattr(sandbox, "run", at_hand.run)


def told(tmp_path, source):
    path = tmp_path / "script.py"
    path.write_text(source)
    report = why(path)
    return report.chapters[0].told, report


@pytest.mark.parametrize(
    ("right", "wrong", "line"),
    [
        ("(p-y)*p*(1-p)", "(p-y)*-p*(1-p)", DELTA),  # the sign of all four steps
        ('"V": h.T @ d', '"V": h.T @ -d', RETURNED),  # one of four, which are returned together
        ("g = gradients(h, p)", "g = gradients(z, p)", CALL),
    ],
)
def test_the_mistake_is_told_at_the_line_that_makes_all_steps_right(right, wrong, line, tmp_path):
    assert right in XOR
    found, report = told(tmp_path, XOR.replace(right, wrong))
    assert [(t.finding.place.line, len(t.mending.changes)) for t in found if t.finding.is_of_steps] == [(line, 1)]
    assert right in found[0].mending.changes[0].after
    assert report.chapters[1].verdict == "right"


def test_steps_of_an_optimizer_follow_too(tmp_path):
    """They have no rate of their own, and still all of them are right; with one sign turned they are not."""
    begin, _ = XOR.split('    V -= 0.5 * g["V"]')
    adam = """\
    for k, p in {"V": V, "c": c, "W": W, "b": b}.items():
        m[k] = 0.9 * m[k] + 0.1 * g[k]
        v[k] = 0.999 * v[k] + 0.001 * g[k] ** 2
        p -= 0.02 * (m[k] / (1 - 0.9 ** (epoch + 1))) / (np.sqrt(v[k] / (1 - 0.999 ** (epoch + 1))) + 1e-8)
"""
    start = 'm, v = ({k: np.zeros_like(p) for k, p in zip("VcWb", (V, c, W, b))} for _ in range(2))\nlosses = []'
    source = begin.replace("losses = []", start) + adam
    assert sorted(follows(trace(source, folder=tmp_path))) == [(1,), (2, 5), (5,), (5, 1)]
    assert follows(trace(source.replace('"V": h.T @ d', '"V": h.T @ -d'), folder=tmp_path)) == []


def test_a_module_beside_the_script_is_mended_as_well(tmp_path):
    begin, training = XOR.split("def sigmoid")[0], XOR.split("losses = []")[1]
    (tmp_path / "passes.py").write_text(
        textwrap.dedent("""\
            import numpy as np
            def sigmoid(z):
                return 1 / (1 + np.exp(-z))
            def gradients(X, y, V, h, p):
                d = (p - y) * -p * (1 - p)
                dh = (d @ V.T) * (1 - h**2)
                return {"V": h.T @ d, "c": d.sum(0), "W": X.T @ dh, "b": dh.sum(0)}
            """)
    )
    script = begin + "from passes import sigmoid, gradients\nlosses = []" + training
    found, report = told(tmp_path, script.replace("gradients(h, p)", "gradients(X, y, V, h, p)"))
    assert [(t.finding.place.line, t.finding.place.file) for t in found if t.finding.is_of_steps] == [(5, "passes.py")]
    assert report.chapters[1].verdict == "right"


def test_what_several_lines_have_too_many_is_taken_away_there(tmp_path):
    """And not made up for by a factor in the one line that they are made of."""
    source = (SCRIPTS / "sum-versus-mean" / "twice.py").read_text()
    before = ["dW2 = dZ2 @ A1.T / m", "db2 = dZ2.sum(axis=1, keepdims=True) / m"]
    for text in before:
        assert text in source
        source = source.replace(text, text.removesuffix(" / m"))
    found, report = told(tmp_path, source)
    assert [t.finding.id for t in found] == ["sum-versus-mean"]
    changes = [(c.before.strip(), c.after.strip()) for c in found[0].mending.changes]
    assert changes == [
        ("dW1 = dZ1 @ X.T / m", "dW1 = dZ1 @ X.T"),
        ("db1 = dZ1.sum(axis=1, keepdims=True) / m", "db1 = dZ1.sum(axis=1, keepdims=True)"),
    ]
    assert "60 times too short" in found[0].finding.message
    assert report.chapters[1].verdict == "right"


OVERWRITTEN = """\
import numpy as np

rng = np.random.default_rng(4)
x = rng.normal(size=(5, 12, 1))
y = x.sum(axis=(0, 2)) / 5
W, U, v = rng.normal(0, 0.4, (1, 6)), rng.normal(0, 0.3, (6, 6)), rng.normal(0, 0.4, 6)
for epoch in range(60):
    h = [np.zeros((12, 6))]
    for t in range(5):
        h.append(np.tanh(x[t] @ W + h[t] @ U))
    d = (h[-1] @ v - y) / 12
    dv, back = h[-1].T @ d, np.outer(d, v)
    dW, dU = np.zeros_like(W), np.zeros_like(U)
    for t in reversed(range(5)):
        dz = back * (1 - h[t + 1] ** 2)
        dW += x[t].T @ dz
        dU = h[t].T @ dz
        back = dz @ U.T
    v -= 0.2 * dv
    W -= 0.2 * dW
    U -= 0.2 * dU
"""


def test_a_gradient_of_which_only_the_last_part_is_kept_is_told_where_it_is_written(tmp_path):
    path = tmp_path / "recurrent.py"
    path.write_text(OVERWRITTEN)
    first = why(path).chapters[0].told[0]
    assert (first.finding.id, first.finding.place.line) == ("gradient-overwritten", 17)
    assert [c.after.strip() for c in first.mending.changes] == ["dU += h[t].T @ dz"]


QUANTILE = """\
import numpy as np

rng = np.random.default_rng(8)
x = rng.uniform(0, 5, 200)
y = 1 + 2 * x + rng.normal(0, 0.3 + 0.4 * x)
A = np.c_[np.ones(200), x]
theta, tau = np.zeros(2), 0.9
for s in range(300):
    r = y - A @ theta
    g = np.where(r > 0, tau - 1, tau)
    theta -= 0.1 / (1 + 0.01 * s) * A.T @ g / len(y)
r = y - A @ theta
print(np.mean(np.maximum(tau * r, (tau - 1) * r)))
"""


def test_no_mend_is_told_of_a_mistake_that_a_copy_can_hide(tmp_path):
    [found] = told(tmp_path, QUANTILE)[0]
    assert (found.finding.id, found.finding.place.line, found.mending) == ("delta-wrong", 10, None)
