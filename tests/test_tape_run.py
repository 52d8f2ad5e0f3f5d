"""A traced program does what it does untraced, to the last bit; and its tape holds what it was meant to hold."""

import contextlib
import io
import json
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from byhand.diagnosis.tape.beside import World
from byhand.diagnosis.tape.calls import Recorder
from byhand.diagnosis.tape.derive import forward, sweep, vjp
from byhand.diagnosis.tape.run import trace

NETWORK = """
import numpy as np
rng = np.random.default_rng(0)
X = rng.normal(size=(20, 2)); y = (X[:, :1] > 0) * 1.0
W1 = rng.normal(size=(2, 4)); b1 = np.zeros(4); W2 = rng.normal(size=(4, 1))
losses = []
for epoch in range(EPOCHS):
    a1 = np.tanh(X @ W1 + b1)
    error = a1 @ W2 - y
    loss = (error ** 2).mean()
    losses.append(loss)
    d = 2 * error / len(X)
    d1 = (d @ W2.T) * (1 - a1 ** 2)
    W2 -= 0.1 * (a1.T @ d)
    W1 -= 0.1 * (X.T @ d1)
    b1 -= 0.1 * d1.sum(axis=0)
print(loss)
"""


def plain(source):
    """What a program prints, and the error that ends it, without a tape."""
    printed, error = io.StringIO(), None
    with contextlib.redirect_stdout(printed), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            exec(compile(source, "script.py", "exec"), {"__name__": "__main__"})
        except Exception as e:
            error = (type(e).__name__, str(e))
    return printed.getvalue(), error


TEXTS = """
x = np.float64(1); print(repr(x / 3), f"{x:.3f}", type(x / 3), isinstance(x, float), x.dtype, (x * 2).sum().shape)
---
print(repr(np.float32(1) / 3), type(np.float32(1) * 2.0), np.float32(0.1) + np.float64(0.2), repr(np.array(2.0) * 1))
---
a = np.array([1.0, 0.0]); print(1 / a, np.log(a)); print(np.float64(1) / 0, 0.1 + 0.2, -0.0, 1e308 * 10)
---
print(1.0 / 0)
---
print(math.exp(1000.0))
---
np.zeros((2, 3)) @ np.zeros((2, 3))
---
W = np.zeros((1, 3)); W[0][1] -= np.array([1.0, 2.0])
---
undefined + 1
---
class V:
    def __init__(self, d): self.d = d; self.grad = 0.0
    def __add__(self, o): return V(self.d + (o.d if isinstance(o, V) else o))
    __radd__ = __add__
    def __mul__(self, o): return V(self.d * o.d)
    def __iadd__(self, o): self.d += o; return self
    def __repr__(self): return f"V({self.d!r})"
v = V(0.1); v += 0.2; print(sum([v, V(2.0)]), v * V(3.0)); print(V(1) + 2)
---
from dataclasses import dataclass, field
@dataclass
class Layer:
    W: np.ndarray
    b: float = 0.5
    rate: float = field(default=0.1)
layer = Layer(np.ones(2)); layer.W -= layer.rate; layer.b *= 2; print(layer)
---
def rows(X):
    for i in range(0, len(X), 2):
        yield X[i:i + 2]
print([r.sum() for r in rows(np.arange(10.0))], list(zip(*[iter(range(6))] * 2)))
---
i = 0
while True:
    i += 1
    if i % 2: continue
    if i > 7: break
else:
    print("never")
for j in range(3): pass
else: print("else", j)
print(i, j, [k for k in range(9) if k % 2], {k: k * 0.5 for k in (1, 2)}, {*[0.5, 0.5]})
---
total = 0
def f(n, acc=[]):
    global total
    'a docstring'
    total += n; acc.append(n * 0.5)
    return f(n - 1) if n else acc
print(f(5), total, f.__doc__)
def outer():
    c = 0
    def inner():
        nonlocal c
        c += 1.5
        return c
    return inner
g = outer(); g(); print(g())
---
import pickle, json, copy
p = {"W": np.eye(2), "lr": 0.1, "n": [0.5, 1]}
q = pickle.loads(pickle.dumps(p)); print(q, json.dumps({"a": 0.1, "b": np.float64(0.3)}), copy.deepcopy(p)["n"])
---
a, *b = np.array([1.0, 2.0, 3.0]); (c, d), e = (1.0, 2.0), 3; x = y = 0.5; x += 1
print(a, b, c, d, e, x, y, type(b[0]))
---
import threading
out = []
t = threading.Thread(target=lambda: out.append(np.ones(3).sum() * 0.5)); t.start(); t.join(); print(out)
---
d = {}; d["k"] = 1.0; d["k"] += 0.5; d.setdefault("l", []).append(2.5); d["l"][0] -= 1; print(d)
m = [[0.0] * 2 for _ in range(2)]; m[1][0] += 0.1; m[1][0] += 0.2; print(m)
---
import random
random.seed(1); np.random.seed(1)
print(random.random(), random.gauss(0, 1), random.choice([0.5, 1.5]))
print(np.random.randn(2), np.random.permutation(4))
X = np.arange(6.0).reshape(3, 2); np.random.shuffle(X); print(X, np.random.permutation(X), np.random.rand())
r = np.random.default_rng(2); print(r.permutation(X), r.choice(X[0]), r.random()); r.shuffle(X); print(X, r.normal())
---
print(np.vectorize(lambda v: v * 2 if v > 0 else 0)(np.array([1.5, -1.0])), list(map(lambda a, b: a + b, [0.1], [0.2])))
print(max([0.1, 0.3]), min(np.array([2.0, 1.0])), sorted(np.array([2.0, 1.0])), sum([0.1] * 10), sum([[1], [2]], []))
print(functools.reduce(operator.add, [0.1] * 5), math.fsum([0.1] * 10))
print(round(2.675, 2), abs(-0.1), pow(2.0, 3), divmod(7.5, 2))
---
match [1, 0.5]:
    case [1, 0.5]: print("matched")
    case _: print("not")
try:
    raise ValueError("mine")
except ValueError as e:
    print(e, (n := 3.0) * 2, 1 < 2.0 < 3, not 0.0, ~np.array([True, False]), +0.5, -np.ones(2))
---
A = np.asfortranarray(np.arange(6.0).reshape(2, 3)) * 0.1; B = A.T + 1
print(B.flags.c_contiguous, B.sum(), (A @ B).ravel("K"))
s = np.zeros(3, dtype=np.int64); s[1] += 2; s *= 2
print(s, s.dtype, s[1] / 3, s.tolist(), (s > 1).any(), s.astype(np.float32))
---
w = np.array([1.0, 2.0]); v = w; v -= 1; u = w[:1]; u *= 5; loss = 0
for x in w: loss += x
print(w, loss, type(loss)); h = loss; loss += 1; print(h)
---
class Net:
    def __init__(self): self.params = {"W": np.ones((2, 2))}; self.__hidden = 0.5
    def step(self): self.params["W"] -= 0.1; self.__hidden -= 0.1; return self
    def __call__(self, x): return super().__repr__()[:1] + str(x @ self.params["W"]) + str(self.__hidden)
print(Net().step()(np.ones(2)), *np.array([0.5, 1.5]), sep="|")
---
lam = [lambda x, k=k: x * k * 0.5 for k in range(3)]; print([l(2) for l in lam], (lambda *a, **k: (a, k))(1, b=2.0))
print(np.einsum("ij->j", np.eye(2)), np.pad(np.ones(2), 1), np.fft.fft(np.ones(2)), np.where(np.array([1, 0]))[0])
"""
SNIPPETS = TEXTS.split("---\n")
IMPORTS = "import functools, math, operator\nimport numpy as np\n"


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_a_traced_program_prints_what_it_prints_untraced(snippet):
    run = trace(IMPORTS + snippet)
    failure = run.failure and (run.failure.type, run.failure.message)
    assert (run.output, failure) == plain(IMPORTS + snippet)
    assert run.output or failure


SCRIPTS = [p for p in sorted((Path(__file__).parent / "scripts").glob("*/*.py")) if "sklearn" not in p.read_text()]


@pytest.mark.parametrize("path", SCRIPTS[::24], ids=lambda path: path.stem)
def test_scripts_train_as_they_do_untraced(path):
    """To the last bit, though recording begins and ends many times meanwhile."""
    source = path.read_text()
    run = trace(source, path)
    with World(Recorder({}, 0), path.parent):
        expected = plain(source)
    assert (run.output, run.failure and (run.failure.type, run.failure.message)) == expected


def versions(run, name):
    """The nodes that a name's array went through: the results of `name -= …`."""
    tape = run.tape
    return [i for i, node in enumerate(tape.nodes) if node.op == "subtract" and run.targets[""].get(node.line) == name]


def test_a_long_run_is_recorded_at_its_beginning_in_between_and_at_its_end():
    run = trace(NETWORK.replace("EPOCHS", "4000"))
    tape = run.tape
    [loop] = tape.loops
    ticks = [window.ticks[0] for window in tape.windows if window.ticks]
    assert (loop.ticks, loop.length) == (4000, 4000)
    assert ticks[0][0] == 0
    assert [begin for begin, _ in ticks[1:]] == [500, 1000, 2000, 3997]
    assert ticks[-1][1] == 4000
    assert all(end - begin >= 3 for begin, end in ticks)
    assert len(tape.nodes) < 6000


def test_each_recorded_step_is_the_gradient_of_its_own_window():
    """Δ W2 = −0.1 ∂loss/∂W2 at every recorded step: also where recording began anew with arrays changed meanwhile."""
    run = trace(NETWORK.replace("EPOCHS", "4000"))
    nodes = run.tape.nodes
    after = versions(run, "W2")
    losses = [i for i, node in enumerate(nodes) if node.op == "mean"]
    assert len(after) == len(losses) > 60
    before = [nodes[t].args[0] for t in after]
    found = sweep(nodes, dict.fromkeys(losses, 1.0), set(before) | set(versions(run, "W1")) | set(versions(run, "b1")))
    for old, new in zip(before, after, strict=True):
        np.testing.assert_allclose(nodes[new].value - nodes[old].value, -0.1 * found[old], rtol=1e-9, atol=1e-15)
    assert [nodes[old].kw["made"] for old in before if nodes[old].op == "leaf"] == ["random.normal"] + ["resumed"] * 4


def test_the_same_place_is_the_same_site_in_every_window_and_tick():
    run = trace(NETWORK.replace("EPOCHS", "4000"))
    nodes = run.tape.nodes
    assert len({nodes[t].site for t in versions(run, "W2")}) == 1
    assert len({node.site for node in nodes if node.op == "tanh"}) == 1


def test_the_nested_loops_of_a_handout_cell_are_recorded_three_epochs_at_a_time():
    run = trace("""
import math
w = [[0.1 * i - 0.2 * j for j in range(2)] for i in range(10)]; v = [0.1 * i for i in range(10)]
X = [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)]; Y = [0.0, 1.0, 1.0, 0.0]
losses = []
for epoch in range(200):
    total = 0
    for x, y in zip(X, Y):
        h = [math.tanh(sum(a * b for a, b in zip(row, x))) for row in w]
        out = sum(a * b for a, b in zip(v, h))
        total += (out - y) ** 2
        for j in range(10):
            g = 2 * (out - y) * v[j] * (1 - h[j] ** 2)
            v[j] -= 0.1 * 2 * (out - y) * h[j]
            for k in range(2):
                w[j][k] -= 0.1 * g * x[k]
    losses.append(total)
""")
    outer = [i for i, loop in enumerate(run.tape.loops) if loop.depth == 0]
    covered = [w.ticks[outer[-1]] for w in run.tape.windows if outer[-1] in w.ticks]
    assert [end - begin >= 3 for begin, end in covered].count(True) >= 3
    assert covered[-1][1] == 200
    curve = run.tape.series["losses"]
    assert curve.length == 200 == len(curve.values)
    assert curve.values[-1] < curve.values[0]


def test_an_array_written_after_recording_ended_keeps_its_recorded_value():
    run = trace("""
import numpy as np
W = np.ones(3); V = W * 2; big = np.ones(200_000)
S = big.sum()
for i in range(100_000):
    x = V + W
    V += 1.0
W[:] = 7.0; big[:] = 5.0
""")
    nodes = run.tape.nodes
    first = next(node for node in nodes if node.op == "add")
    np.testing.assert_array_equal(first.value, [3, 3, 3])
    assert nodes[next(i for i, text in run.tape.names.items() if text == "big")].value.sum() == 200_000


def test_big_arrays_exist_once_and_a_budget_of_bytes_ends_recording():
    run = trace(
        "import numpy as np\nX = np.ones((1000, 500)); W = np.ones(500)\nfor i in range(50):\n    Z = X * W\n",
        most_bytes=20_000_000,
    )
    leaf = next(node for node in run.tape.nodes if node.op == "leaf" and node.value.size == 500_000)
    assert leaf.value is run.names["X"]
    assert sum(node.op == "multiply" for node in run.tape.nodes) == 6  # of 4 MB each: the sixth is one too many


def test_modules_and_packages_beside_the_script_are_traced(tmp_path):
    (tmp_path / "helper.py").write_text("import numpy as np\ndef sigmoid(z):\n    return 1 / (1 + np.exp(-z))\n")
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "__init__.py").write_text("from .losses import mse\n")
    (tmp_path / "nets" / "losses.py").write_text("def mse(a, y):\n    return ((a - y) ** 2).mean()\n")
    script = tmp_path / "train.py"
    source = "import numpy as np\nfrom helper import sigmoid\nimport nets\nW = np.ones(2)\n"
    source += "loss = nets.mse(sigmoid(W), 1.0)\n"
    run = trace(source, script)
    assert run.failure is None
    files = {(node.file, node.op) for node in run.tape.nodes}
    assert {("helper.py", "exp"), ("nets/losses.py", "mean")} <= files
    leaf = next(i for i, text in run.tape.names.items() if text == "W")
    grad = sweep(run.tape.nodes, {len(run.tape.nodes) - 1: 1.0}, {leaf})[leaf]
    s = 1 / (1 + np.exp(-1))
    np.testing.assert_allclose(grad, (s - 1) * s * (1 - s))
    assert "helper" not in sys.modules


def test_a_notebook_is_one_program_with_a_map_back_to_its_cells():
    cells = [
        {"cell_type": "markdown", "source": "# words", "metadata": {}},
        {
            "cell_type": "code",
            "source": ["%matplotlib inline\n", "!pip install x\n", "import numpy as np"],
            "metadata": {},
        },
        {
            "cell_type": "code",
            "source": "get_ipython().run_line_magic('time', '')\nW = np.ones(2)\nW @ np.ones(3)",
            "metadata": {},
        },
    ]
    run = trace(json.dumps({"cells": cells}), "a.ipynb")
    assert run.failure.type == "ValueError"
    assert run.cells[run.failure.frames[-1].line - 1] == (2, 3)
    assert run.failure.frames[-1].text == "W @ np.ones(3)"


def test_what_draws_shows_asks_or_is_not_installed_does_not_end_it():
    run = trace("""
import matplotlib.pyplot as plt
import seaborn as sns
import tensorflow as tf
from tqdm import tqdm, trange
from mpl_toolkits.mplot3d import Axes3D
n = int(input("epochs? "))
fig, axes = plt.subplots(2, 2); axes[0, 1].plot([1, 2]); fig2, ax = plt.subplots(); line, = ax.plot([1])
bar = tqdm(range(3))
for i in bar: bar.set_description("x")
plt.savefig("x.png"); plt.show()
print(n, i, len(list(trange(4))))
""")
    assert run.failure is None, run.failure
    assert run.output == "1 2 4\n"
    run = trace("import tensorflow as tf\ntf.keras.datasets.mnist.load_data()")
    assert (run.failure.type, run.failure.frames[-1].line) == ("ModuleNotFoundError", 2)


def test_an_operation_without_a_rule_blocks_and_is_named():
    run = trace("import numpy as np\nA = np.ones(4)\nB = np.abs(np.fft.fft(A * 2.0))\nloss = B.sum()\n")
    leaf = next(i for i, text in run.tape.names.items() if text == "A")
    blocked = set()
    found = sweep(run.tape.nodes, {len(run.tape.nodes) - 1: 1.0}, {leaf}, blocked=blocked)
    assert leaf not in found
    assert blocked == {"absolute of complex numbers"}


@pytest.mark.parametrize(
    ("text", "slope"),
    [("np.log(W + 1e-8)", 1 / 1e-6), ("2 / (W + 1e-8)", -2 / 1e-12)],
)
def test_a_guard_is_no_part_of_what_is_meant_unless_asked(text, slope):
    run = trace(f"import numpy as np\nW = np.array([1e-6])\nloss = ({text}).sum()\n")
    leaf = next(i for i, text in run.tape.names.items() if text == "W")
    seeds = {len(run.tape.nodes) - 1: 1.0}
    assert sweep(run.tape.nodes, seeds, {leaf})[leaf].item() == pytest.approx(slope)
    exact = sweep(run.tape.nodes, seeds, {leaf}, guards=False)[leaf].item()
    assert exact != pytest.approx(slope, rel=1e-3)


def test_an_operand_or_the_rule_of_one_node_may_be_replaced():
    run = trace("import numpy as np\nA = np.array([2.0, 3.0])\nB = np.array([5.0, 7.0])\nC = A * B\nD = np.tanh(C)\n")
    nodes, names = run.tape.nodes, {text: i for i, text in run.tape.names.items()}
    [grad_a, grad_b] = vjp(nodes, names["C"], np.ones(2), {1: np.array([0.5, 0.25])})
    np.testing.assert_array_equal(grad_a, [0.5, 0.25])
    np.testing.assert_array_equal(grad_b, [2.0, 3.0])
    override = {names["D"]: lambda g: [(names["C"], g)]}
    found = sweep(nodes, {names["D"]: np.ones(2)}, {names["A"]}, override)
    np.testing.assert_array_equal(found[names["A"]], [5.0, 7.0])
    np.testing.assert_array_equal(forward(nodes[names["D"]], [np.array([0.5])]), np.tanh([0.5]))


def test_names_say_who_first_received_a_value():
    run = trace("""
import numpy as np
class Net:
    def __init__(self): self.W = np.random.randn(2)
net = Net(); params = {"b": np.zeros(2)}; params["W1"] = np.ones(2); w, v = 0.5, 0.25; lists = [0.1, 0.2]
out = net.W * params["b"] * params["W1"] * w * v * lists[0]
""")
    made = {text: run.tape.nodes[i].kw.get("made") for i, text in run.tape.names.items()}
    assert made["self.W"] == "random.randn"
    assert made["params['b']"] == "zeros"
    assert made["params['W1']"] == "ones"
    assert made["w"] == made["v"] == made["lists[0]"] == "constant"
    assert "out" in made


def test_a_loop_without_end_is_left_and_each_statement_is_announced():
    reached = []
    source = '"""Doc."""\nfrom __future__ import annotations\nx = 1.0\nwhile True:\n    pass\ny = 2\n'
    traced = trace(source, on_line=reached.append)
    assert traced.failure is None
    assert reached == [3, 4]
    assert "y" not in traced.names
