"""Any program: judged by its training, or by what its functions do in a training of ours; nothing is right unjudged."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner

import at_hand
from byhand.cli import byhand
from byhand.diagnosis import sandbox
from byhand.diagnosis.catalogue import CATALOGUE
from byhand.diagnosis.check.drivers import drivers
from byhand.diagnosis.check.file import check_file
from byhand.diagnosis.check.free import check_free
from byhand.diagnosis.check.notebook import check
from byhand.diagnosis.sources import plain
from byhand.diagnosis.story.program import Program
from byhand.errors import ByhandError
from solutions_table import MISSED, NOT_NAMED, solutions

SOLUTIONS = {name: (what, source) for name, what, source in solutions()}
RIGHT = [n for n, (what, _) in SOLUTIONS.items() if what == "right" and n.endswith("/right") and n not in MISSED]
# One for each id, in changing styles; the whole set is measured by benchmarks/check_solutions.py.
# Of these two the last style is one of which hundreds of copies are tried, as tests/test_check_training.py has it done.
SEEN: dict[str, str] = {
    "hidden-derivative-missing": "layer_lists/4-hidden-derivative-missing",
    "output-derivative-missing": "inline_loop/9-output-derivative-missing",
}
for _name, (_what, _) in reversed(SOLUTIONS.items()):
    if _what not in ("right", "unknown") and _name not in NOT_NAMED | MISSED:
        SEEN.setdefault(_what, _name)


@pytest.fixture
def no_walls(monkeypatch):
    """Without walls, which cost more than the judging."""
    monkeypatch.setattr(sandbox, "run", at_hand.run)


def behind_walls(source):
    return check_free(Program("solution.py", source))


@cache
def judged(source):
    """The same without walls, which cost more than the judging."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sandbox, "run", at_hand.run)
        return behind_walls(source)


@pytest.mark.parametrize("name", RIGHT)
def test_right_code_is_never_called_wrong(name):
    report = judged(SOLUTIONS[name][1])
    assert report.findings == []
    assert report.outcome == "right"


@pytest.mark.parametrize("id_", sorted(SEEN))
def test_a_mistake_is_named_first_at_a_line_of_the_text(id_):
    finding = judged(SOLUTIONS[SEEN[id_]][1]).findings[0]
    assert finding.id == id_
    assert finding.evidence
    assert finding.title == CATALOGUE[id_].title
    assert finding.line is None or SOLUTIONS[SEEN[id_]][1].splitlines()[finding.line - 1].strip() == finding.source


# ---- what trains nothing is made to train

NET = Path(__file__).with_name("solutions") / "library" / "two_layer_net.py"
PAIRS = Path(__file__).with_name("solutions") / "library" / "layer_functions.py"
CHAIN = Path(__file__).with_name("solutions") / "library" / "chain_of_functions.py"


@pytest.mark.parametrize("path", [NET, PAIRS, CHAIN], ids=lambda path: path.stem)
def test_classes_and_functions_that_nobody_calls_are_judged_in_a_training_of_ours(path):
    report = judged(path.read_text())
    assert report.findings == []
    assert report.outcome == "right"


@pytest.mark.parametrize(
    ("path", "old", "new", "id_"),
    [
        (NET, "        dh[h <= 0] = 0\n", "", "hidden-derivative-missing"),
        (NET, "d[np.arange(N), y] -= 1", "d[np.arange(N), y] += 1", None),
        (PAIRS, "dx = dout * (x > 0)", "dx = dout", None),
        (CHAIN, "np.dot(W2.T, dZ2) * (1 - A1**2)", "np.dot(W2.T, dZ2)", "hidden-derivative-missing"),
    ],
)
def test_and_their_mistakes_are_found_at_their_line(path, old, new, id_):
    text = path.read_text()
    assert old in text
    report = judged(text.replace(old, new, 1))
    assert report.outcome == "wrong"
    if id_ is not None:
        assert report.findings[0].id == id_
    line = report.findings[0].line
    assert line is not None
    assert line <= len(text.splitlines())


def test_a_driver_keeps_the_lines_of_the_definitions_and_leaves_out_what_runs():
    source = "import numpy as np\nprint(1)\n\ndef f(X, Y):\n    for _ in range(3):\n        pass\n\nf(1, 2)\n"
    for driver in drivers(source):
        lines = driver.text.splitlines()
        assert lines[3] == "def f(X, Y):"
        assert (lines[1], lines[7]) == ("", "")
    assert {d.unit for d in drivers(source)} == {"f"}


# ---- what fits is held against differences

SIGMOID = "import numpy as np\n\ndef sigmoid(z):\n    return 1 / (1 + np.exp(-z))\n\n"
COST = (
    SIGMOID
    + """def compute_cost(theta, X, y, lam):
    h = sigmoid(X @ theta)
    return -np.mean(y * np.log(h) + (1 - y) * np.log(1 - h)) + lam / (2 * len(y)) * np.sum(theta[1:] ** 2)

def compute_gradient(theta, X, y, lam):
    grad = X.T @ (sigmoid(X @ theta) - y) / len(y)
    grad[1:] += lam / len(y) * theta[1:]
    return grad
"""
)
ORDERED = """import numpy as np

def loss_mae(y, tx, w):
    return np.mean(np.abs(y - tx @ w))

def loss_mse(y, tx, w):
    e = y - tx @ w
    return e @ e / (2 * len(y))

def gradient_mse(y, tx, w):
    return -tx.T @ (y - tx @ w) / len(y)
"""
COLUMNS = (
    SIGMOID
    + """def spread(w, b, X, Y):
    m = X.shape[1]
    A = sigmoid(w.T @ X + b)
    cost = -np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A)) / m
    grads = {"dw": X @ (A - Y).T / m, "db": np.sum(A - Y) / m}
    return grads, cost

def descend(w, b, X, Y, turns, rate):
    for _ in range(turns):
        grads, cost = spread(w, b, X, Y)
        w = w - rate * grads["dw"]
        b = b - rate * grads["db"]
    return w, b
"""
)
NORM = """import numpy as np

def norm_forward(x, gamma, beta, options):
    if options["mode"] == "train":
        mu, var = x.mean(axis=0), x.var(axis=0)
        hat = (x - mu) / np.sqrt(var + options.get("eps", 1e-5))
        return gamma * hat + beta, (hat, gamma, var, options.get("eps", 1e-5))
    raise ValueError

def norm_backward(dout, cache):
    hat, gamma, var, eps = cache
    g = dout * gamma
    dx = (g - g.mean(axis=0) - hat * (g * hat).mean(axis=0)) / np.sqrt(var + eps)
    return dx, (dout * hat).sum(axis=0), dout.sum(axis=0)
"""
CELL = """import numpy as np

def cell_forward(x, h, Wx, Wh, b):
    new = np.tanh(x @ Wx + h @ Wh + b)
    return new, (x, h, Wx, Wh, new)

def cell_backward(dnew, cache):
    x, h, Wx, Wh, new = cache
    da = dnew * (1 - new**2)
    dh = da @ Wh.T
    return da @ Wx.T, dh, x.T @ da, h.T @ da, da.sum(axis=0)
"""
ENGINE = """class Number:
    def __init__(self, v, parents=()):
        self.v, self.slope, self.parents, self.send = v, 0.0, parents, lambda: None

    def __add__(self, other):
        out = Number(self.v + other.v, (self, other))
        def send():
            self.slope += out.slope
            other.slope += out.slope
        out.send = send
        return out

    def __mul__(self, other):
        out = Number(self.v * other.v, (self, other))
        def send():
            self.slope += other.v * out.slope
            other.slope += self.v * out.slope
        out.send = send
        return out

    def backward(self):
        order, seen = [], set()
        def visit(n):
            if n not in seen:
                seen.add(n)
                for p in n.parents:
                    visit(p)
                order.append(n)
        visit(self)
        self.slope = 1.0
        for n in reversed(order):
            n.send()
"""
LAYER = """import numpy as np

class Full:
    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW = self.x.T @ dout
        self.db = dout.sum(axis=0)
        return dout @ self.W.T

class Net:
    def __init__(self, n_in, n_hidden, n_out):
        self.params = {"W1": np.random.randn(n_in, n_hidden), "W2": np.random.randn(n_hidden, n_out)}

    def scores(self, x):
        self.h = np.tanh(x @ self.params["W1"])
        return self.h @ self.params["W2"]

    def loss(self, x, t):
        return 0.5 * np.sum((self.scores(x) - t) ** 2) / len(x)

    def gradient(self, x, t):
        d = (self.scores(x) - t) / len(x)
        back = d @ self.params["W2"].T * (1 - self.h**2)
        return {"W1": x.T @ back, "W2": self.h.T @ d}
"""


@pytest.mark.parametrize(
    ("source", "old", "new", "place"),
    [
        (COST, "lam / len(y) * theta[1:]", "lam * theta[1:]", "grad[1:] +="),
        (ORDERED, "return -tx.T @ (y - tx @ w)", "return tx.T @ (y - tx @ w)", "return tx.T @ (y - tx @ w)"),
        (ORDERED, "return -tx.T @ (y - tx @ w) / len(y)", "return np.linalg.norm(y - tx @ w)", "return np.linalg"),
        (COLUMNS, '"db": np.sum(A - Y) / m', '"db": np.sum(A + Y) / m', "grads = "),
        (NORM, " - hat * (g * hat).mean(axis=0)", "", "dx = "),
        (CELL, "dh = da @ Wh.T", "dh = dnew @ Wh.T", "dh = "),
        (ENGINE, "self.slope += other.v * out.slope", "self.slope = other.v * out.slope", "self.slope = other.v"),
        (LAYER, "self.db = dout.sum(axis=0)", "self.db = dout[0]", "self.db = "),
        (LAYER, " * (1 - self.h**2)", "", "back = "),
    ],
    ids=["penalty", "sign", "norm", "scalar bias", "variance", "state", "engine", "layer", "model"],
)
def test_what_a_file_defines_is_right_as_it_stands_and_wrong_at_its_line(source, old, new, place):
    right = judged(source)
    assert right.findings == []
    assert right.count("right")
    assert old in source
    wrong = judged(source.replace(old, new, 1))
    assert wrong.outcome == "wrong"
    assert place is None or wrong.findings[0].source.startswith(place)


def test_a_cost_that_changes_its_parameters_is_told_at_the_line():
    spoiling = COST.replace("    return -np.mean", "    theta[0] = 0\n    return -np.mean", 1)
    found = judged(spoiling).findings
    assert [f.source for f in found] == ["theta[0] = 0"]


def test_a_cost_of_another_name_accuses_no_gradient():
    assert judged(ORDERED.replace("loss_mse", "loss_rms")).findings == []


def test_who_calls_a_wrong_function_is_not_blamed():
    twice = "def chain_forward(x, h, Wx, Wh, b):\n    return cell_forward(x, h, Wx, Wh, b)\n\n"
    twice += "def chain_backward(dnew, cache):\n    return cell_backward(dnew, cache)\n"
    report = judged(CELL.replace("dh = da @ Wh.T", "dh = dnew @ Wh.T") + twice)
    assert len(report.findings) == 1
    assert any(q.note == "it follows from cell_forward and cell_backward" for q in report.questions)


def test_a_gradient_that_nothing_fits_is_told_and_not_right():
    odd = "\ndef odd_gradient(table, words):\n    grad = table.lookup(words)[0]['x']\n    return grad\n"
    report = judged(COST + odd)
    assert (report.outcome, report.exit_code) == ("not judged", 4)
    assert report.questions[-1].name == "the gradients (odd_gradient)"


# ---- truth first


@pytest.mark.parametrize(
    "source",
    [
        "def mse(a, b):\n    return 42\n",
        "",
        "import numpy as np\nmse = lambda p, t: ((p - t) ** 2).mean()\n",
        "x = 1\n",
    ],
)
def test_what_was_not_judged_is_not_called_right(source):
    report = judged(source)
    assert (report.outcome, report.exit_code) == ("not judged", 4)
    assert not report.is_right
    assert report.findings == []


def test_stubs_are_not_done_yet_and_not_wrong():
    source = "import numpy as np\n\ndef sigmoid(z):\n    # YOUR CODE HERE\n    ...\n\n"
    report = judged(source + "def train(X, y):\n    raise NotImplementedError\n")
    assert {q.name: q.status for q in report.questions if q.name in ("sigmoid", "train")} == {
        "sigmoid": "not done yet",
        "train": "not done yet",
    }
    assert report.outcome == "not judged"


def test_a_name_changes_no_verdict():
    source = SOLUTIONS["batch_globals/right"][1]
    wrong = source.replace("(delta2 @ W2.T) * sigmoid_prime(a1)", "delta2 @ W2.T")
    for text, outcome in ((source, "right"), (wrong, "wrong")):
        renamed = text
        for k, name in enumerate(("W1", "W2", "b1", "b2", "losses", "sigmoid_prime", "backward", "forward")):
            renamed = renamed.replace(name, f"act{k}")
        assert renamed != text
        assert judged(renamed).outcome == outcome


WHOLE = """import numpy as np

x = np.random.default_rng(0).normal(size=(20, 3))
y, w = x @ [1.0, 2.0, 3.0], np.zeros(3)
for _ in range(20):
    off = x @ w - y
    w = w - 0.1 * x.T @ off / 20
    print(np.mean(off**2))
"""


@pytest.mark.parametrize(
    ("behaviour", "note"),
    [
        ("import os; os._exit(0)", "ended the whole program"),
        ("import os; os.kill(os.getpid(), 11)", "crashed with signal"),
        ("raise SystemExit(1)", ""),
        ("while True: pass", ""),
        ("input()", ""),
    ],
)
def test_misbehaviour_is_told_and_does_not_cost_the_mark(behaviour, note):
    report = behind_walls(f"{WHOLE}\n{behaviour}\n")
    assert report.findings == []
    assert "right" in {q.status for q in report.questions}
    assert any(note in told for told in report.notes) or not note


def test_code_that_could_answer_for_itself_is_left_to_a_person():
    forged = (
        "import sys\nframe = sys._getframe()\nwhile frame is not None:\n    send = frame.f_locals.get('send')\n"
        "    if send: send({'unit': '', 'judgement': {}})\n    frame = frame.f_back\n"
    )
    report = behind_walls(f"{WHOLE}\n{forged}")
    assert report.outcome == "not judged"
    assert any("_getframe" in q.note for q in report.questions)


# ---- places


def test_a_line_may_begin_with_a_percent_sign_that_goes_on_with_the_one_above():
    text = "def told(loss):\n    return ('loss %.3f'\n            % loss)\n"
    assert plain(text) == text
    assert plain("%matplotlib inline\n" + text) == "pass  # %matplotlib inline\n" + text


def test_a_notebook_is_read_with_its_magics_and_lines_are_counted_in_the_cell(tmp_path, no_walls):
    head, body = SOLUTIONS["batch_globals/right"][1].split("def sigmoid(", 1)
    wrong = ("def sigmoid(" + body).replace("error * sigmoid_prime(a2)", "error")
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [
        nbformat.v4.new_markdown_cell("# TD 1"),
        nbformat.v4.new_code_cell("%matplotlib inline\n" + head),
        nbformat.v4.new_code_cell(wrong),
    ]
    path = tmp_path / "td1.ipynb"
    nbformat.write(notebook, path)
    finding = check_file(path).findings[0]
    assert finding.id == "output-derivative-missing"
    assert finding.cell == "cell 2"
    assert wrong.splitlines()[finding.line - 1].strip() == finding.source == "error = 2 * (a2 - y) / y.size"


def test_a_module_beside_the_file_is_judged_with_it(tmp_path, no_walls):
    head, body = SOLUTIONS["batch_globals/right"][1].split("def sigmoid(", 1)
    functions, rest = body.split("\n\n", 1)
    (tmp_path / "helpers.py").write_text("import numpy as np\n\ndef sigmoid(" + functions + "\n")
    (tmp_path / "main.py").write_text(head + "from helpers import sigmoid\n" + rest)
    assert check_file(tmp_path / "main.py").outcome == "right"


@pytest.mark.parametrize(("name", "text"), [("a.txt", ""), ("a.ipynb", "{}"), ("a.ipynb", "not json")])
def test_a_file_that_is_neither_is_refused_in_one_line(name, text, tmp_path):
    (tmp_path / name).write_text(text)
    with pytest.raises(ByhandError, match=name):
        check_file(tmp_path / name)


def called(*arguments):
    return CliRunner().invoke(byhand, ["check", *map(str, arguments)], standalone_mode=False)


def test_the_command_prints_json_and_tells_by_its_exit_code(tmp_path, no_walls):
    path = tmp_path / "solution.py"
    path.write_text(SOLUTIONS["line/right"][1])
    command = [sys.executable, "-m", "byhand", "check", str(path), "--json"]
    right = subprocess.run(command, capture_output=True, text=True)  # behind the walls, as a user calls it
    assert right.returncode == 0
    assert json.loads(right.stdout)["outcome"] == "right"
    path.write_text(SOLUTIONS["line/right"][1].replace("err = y_hat - y_train", "err = y_train - y_hat"))
    wrong = called(path, "--json")
    assert wrong.return_value == 3
    finding = json.loads(wrong.stdout)["findings"][0]
    assert {"id", "title", "line", "cell", "evidence", "certainty", "source"} <= set(finding)
    assert finding["id"] == "sign-flipped"
    told = called(path).stdout
    assert "a sign is flipped" in told
    assert "Traceback" not in told
    path.write_text("def mse(a, b):\n    return 42\n")
    assert called(path).return_value == 4
    assert called(tmp_path / "no.py").exception.exit_code == 2


def test_inside_any_notebook_what_has_been_run_is_one_program(capsys, no_walls):
    source = SOLUTIONS["batch_globals/right"][1]
    wrong = source.replace("error * sigmoid_prime(a2)", "error")
    for text, ids in ((source, []), (wrong, ["output-derivative-missing"])):
        head, body = text.split("def sigmoid(", 1)
        namespace = {"__name__": "__main__", "get_ipython": None, "In": ["", head, "def sigmoid(" + body]}
        assert [f.id for f in check("backward", namespace=namespace).findings] == ids
    told = capsys.readouterr().out
    assert "In [2], line " in told


UNUSED = """
import numpy as np


class Square:
    @staticmethod
    def slope(y, output):
        return 2 * (y - output) / y.size


class Layer:
    def __init__(self, n_in, n_out):
        self.W, self.b = 0.1 * np.random.randn(n_in, n_out), np.zeros((1, n_out))

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, error, learning_rate):
        back = error @ self.W.T
        self.W -= learning_rate * self.x.T @ error
        self.b -= learning_rate * error.sum(axis=0, keepdims=True)
        return back
"""


def test_a_file_is_not_right_of_which_a_class_that_computes_was_not_used():
    report = judged(UNUSED)
    assert {q.name: q.status for q in report.questions} == {
        "the gradients (Layer)": "right",
        "the gradients (Square)": "not judged",
    }
    assert report.outcome == "not judged"
    alone = UNUSED[: UNUSED.index("class Square")] + UNUSED[UNUSED.index("class Layer") :]
    assert judged(alone).outcome == "right"


LOST = """
class Odd:
    def forward(self, table):
        return table.lookup("x")

    def backward(self, sent):
        left = {}
        return left["x"] * sent

class Chain:
    def __init__(self, layers):
        self.layers = layers

    def backward(self, sent):
        for layer in reversed(self.layers):
            sent = layer.backward(sent)
        return sent
"""


def test_what_was_never_called_keeps_a_right_training_from_right():
    assert judged(WHOLE).outcome == "right"
    report = judged(WHOLE + LOST)
    assert (report.outcome, report.findings) == ("not judged", [])
    assert [q.name for q in report.questions if q.status == "not judged"] == ["the gradients (Odd)"]


# ---- a network that is made of layers

LAYERED = """import numpy as np

class Sequential:
    def __init__(self, layers, loss):
        self.layers, self.loss = layers, loss

    def train_step(self, x, y, rate):
        for layer in self.layers:
            x = layer.forward(x)
        value, grad = self.loss.forward(x, y), self.loss.backward()
        for layer in reversed(self.layers):
            grad = layer.backward(grad)
        for layer in self.layers:
            if hasattr(layer, "W"):
                layer.W -= rate * layer.dW
        return value

class Linear:
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out)

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, grad):
        self.dW = self.x.T @ grad
        return grad @ self.W.T

class Tanh:
    def forward(self, x):
        self.a = np.tanh(x)
        return self.a

    def backward(self, grad):
        return grad * (1 - self.a**2)

class Squares:
    def forward(self, p, t):
        self.off = p - t
        return np.sum(self.off**2)

    def backward(self):
        return 2 * self.off
"""


def test_a_network_that_takes_layers_is_made_of_those_of_the_file():
    report = judged(LAYERED)
    assert report.outcome == "right"
    assert "the training (Sequential)" in [q.name for q in report.questions]
    uphill = judged(LAYERED.replace("layer.W -= rate", "layer.W += rate"))
    assert [(f.id, f.line) for f in uphill.findings] == [("sign-flipped", 15)]
    assert "the gradients (Linear)" in [q.name for q in uphill.questions if q.status == "right"]


TIED = """import numpy as np

rng = np.random.default_rng(17)


def code(x, W, b):
    return 1 / (1 + np.exp(-(x @ W + b)))


def forward(x_in, W, b, c):
    h = code(x_in, W, b)
    return h, h @ W.T + c


def cost(x_in, x, W, b, c, lam):
    _, r = forward(x_in, W, b, c)
    return 0.5 * np.sum((r - x) ** 2) / len(x) + 0.5 * lam * np.sum(W ** 2)


def gradient(x_in, x, W, b, c, lam):
    h, r = forward(x_in, W, b, c)
    d = (r - x) / len(x)
    da = (d @ W) * h * (1 - h)
    return x_in.T @ da + d.T @ h + lam * W, da.sum(axis=0), d.sum(axis=0)


X = np.tanh(rng.normal(size=(120, 3)) @ rng.normal(size=(3, 8)))
W, b, c = rng.normal(0, 0.1, (8, 4)), np.zeros(4), np.zeros(8)
for epoch in range(60):
    noisy = X + 0.1 * rng.normal(size=X.shape)
    dW, db, dc = gradient(noisy, X, W, b, c, 1e-4)
    W, b, c = W - 0.2 * dW, b - 0.2 * db, c - 0.2 * dc
    if epoch % 20 == 0:
        print(epoch, cost(X, X, W, b, c, 1e-4))
"""


def test_what_a_training_ran_with_every_step_explained_is_not_accused_with_inputs_of_ours():
    assert judged(TIED).outcome == "right"
    assert judged(TIED.replace("x_in.T @ da + d.T @ h", "x_in.T @ da")).outcome == "wrong"


FIRST_LAYER = """import numpy as np

rng = np.random.default_rng(5)


class Pairs:
    def forward(self, x):
        self.x = x
        n, c, h, w = x.shape
        return x.reshape(n, c, h // 2, 2, w).max(axis=3)

    def backward(self, dout):
        dx = np.zeros_like(self.x)
        for k in range(dout.shape[2]):
            part = self.x[:, :, 2 * k : 2 * k + 2]
            dx[:, :, 2 * k : 2 * k + 2] = (part == part.max(axis=2, keepdims=True)) * dout[:, :, k : k + 1]
        return dx


class Dense:
    def __init__(self, n, m):
        self.W, self.b = rng.normal(size=(n, m)), np.zeros(m)

    def forward(self, x):
        self.x = x.reshape(len(x), -1)
        self.shape = x.shape
        return self.x @ self.W + self.b

    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout, dout.sum(axis=0)
        return (dout @ self.W.T).reshape(self.shape)


X = rng.normal(size=(30, 2, 4, 3))
y = X[:, :1, 0, 0]
layers = [Pairs(), Dense(12, 1)]
for epoch in range(50):
    out = X
    for layer in layers:
        out = layer.forward(out)
    loss = 0.5 * np.mean((out - y) ** 2)
    grad = (out - y) / len(y)
    for layer in layers[::-1]:
        grad = layer.backward(grad)
    layers[1].W -= 0.1 * layers[1].dW
    layers[1].b -= 0.1 * layers[1].db
print(loss)
"""


def test_no_step_shows_what_a_first_layer_sends_back():
    assert judged(FIRST_LAYER).outcome == "right"
    found = judged(FIRST_LAYER.replace("part.max(axis=2, keepdims=True)", "part.max()")).findings
    assert [(f.id, f.line) for f in found] == [("delta-wrong", 16)]


NO_TRAINING = """import numpy as np


def bump(x):
    return np.exp(-(x**2))


def bump_prime(x):
    return -2 * x * np.exp(-(x**2))


x, h = np.linspace(-2, 2, 50), 1e-6
for f, df in [(bump, bump_prime), (np.tanh, lambda x: 1 - np.tanh(x) ** 2)]:
    told = (f(x + h) - f(x - h)) / (2 * h)
    print(np.abs(told - df(x)).max())
"""


def test_where_nothing_goes_from_round_to_round_no_training_is_left_open():
    assert judged(NO_TRAINING).outcome == "right"
    assert judged(NO_TRAINING.replace("-2 * x *", "2 * x *")).outcome == "wrong"


BESIDE_ITSELF = """import numpy as np

rng = np.random.default_rng(8)


def leak(z):
    low = z < 0
    z[low] *= 0.1
    return z, np.where(low, 0.1, 1.0)


X = rng.normal(size=(60, 3))
y = np.abs(X[:, :1]) - X[:, 1:2]
V, W = 0.5 * rng.normal(size=(3, 3)), 0.5 * rng.normal(size=(3, 1))
for epoch in range(40):
    h = X @ V
    a, slope = leak(h)
    s = h + a
    out = s @ W
    loss = 0.5 * np.mean((out - y) ** 2)
    d = (out - y) / len(y)
    ds = d @ W.T
    W -= 0.1 * s.T @ d
    V -= 0.1 * X.T @ (ds + ds * slope)
    print(loss)
"""


def test_what_is_written_into_and_used_again_is_told_where_a_copy_mends_all():
    found = judged(BESIDE_ITSELF).findings
    assert [(f.id, f.line) for f in found] == [("input-mutated", 8)]
    assert judged(BESIDE_ITSELF.replace("    low =", "    z = z.copy()\n    low =")).outcome == "right"
