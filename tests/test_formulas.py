"""Each formula has one home: what is written of it is what it computes, and whoever shows it reads it there."""

import pickle
import re
import subprocess
import sys
from math import exp, log, pi, sqrt, tanh

import numpy as np
import pytest

from byhand import initializers, optimizers
from byhand.activations import ACTIVATIONS, Activation
from byhand.formulas import Formula
from byhand.initializers import INITIALIZERS
from byhand.lab.formulas import mathml
from byhand.losses import LOSSES, Loss
from byhand.optimizers import OPTIMIZERS


def run(code, **names):
    """What the last line of a formula's code comes to; p, for an update."""
    *before, last = code.splitlines()
    names |= {"np": np, **ACTIVATIONS}
    exec("\n".join(before), names)
    return eval(last, names)


def read(text, **names):
    """What a reader with a calculator makes of a formula in plain text."""
    formula, _, where = text.partition(" with ")
    for written, python in {"−": "-", "·": "*", "²": "**2", "³": "**3", "e^(": "exp(", "√": "sqrt", "π": "pi"}.items():
        formula, where = formula.replace(written, python), where.replace(written, python)
    names |= {"exp": exp, "ln": log, "tanh": tanh, "sqrt": sqrt, "pi": pi, "σ": ACTIVATIONS["sigmoid"]}
    exec(where, names)
    return eval(formula, names)


@pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=str)
def test_what_is_written_of_an_activation_is_what_it_computes(activation):
    z = np.array([-3.3, -0.4, 0.2, 2.5])
    a = activation(z)
    slope = activation.derivative(z, a)
    np.testing.assert_allclose(run(activation.formula.code, z=z), a, rtol=1e-13)
    np.testing.assert_allclose(run(activation.derivative_formula.code, z=z, a=a), slope, rtol=1e-12)
    for i in range(len(z)):
        assert read(activation.formula.text, z=z[i]) == pytest.approx(a[i], rel=1e-13)
        assert read(activation.derivative_formula.text, z=z[i], a=a[i]) == pytest.approx(slope[i], rel=1e-12)


@pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=str)
def test_ranges_are_as_narrow_as_they_can_be(activation):
    a = activation(np.concatenate([np.linspace(-10, 10, 200_001), [-1e6, 1e6]]))
    low, high = activation.range
    assert low <= a.min() + 1e-8
    assert high >= a.max()
    assert a.min() == pytest.approx(low, abs=1e-4) if np.isfinite(low) else a.min() < -1e3
    assert a.max() == pytest.approx(high, abs=1e-4) if np.isfinite(high) else a.max() > 1e3


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("loss", LOSSES.values(), ids=str)
def test_the_code_of_a_loss_is_what_it_computes_in_both_layouts(loss, axis):
    rng = np.random.default_rng(0)
    y_hat, y = rng.standard_normal((5, 3)), rng.dirichlet(np.ones(3), 5)
    names = {"y_hat": y_hat if axis else y_hat.T, "y": y if axis else y.T, "n": 5}
    before = "\n".join(loss.formula.code.splitlines()[:-1])
    gradient = run(f"{before}\n{loss.gradient_formula.code}".strip().format(axis=axis), **names)
    assert run(loss.formula.code.format(axis=axis), **names) == pytest.approx(loss.value(y_hat, y))
    np.testing.assert_allclose(gradient if axis else gradient.T, loss.gradient(y_hat, y), rtol=1e-12)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_code_of_an_optimizer_is_what_it_does(name):
    optimizer = OPTIMIZERS[name](0.1)
    rng = np.random.default_rng(0)
    theta = rng.standard_normal(5)
    written = {"np": np, "p": theta.copy(), "learning_rate": 0.1, "t": 0}
    written |= {memory: np.zeros(5) for memory in ("v", "m", "s")}
    for _ in range(3):
        written["g"] = rng.standard_normal(5)
        written["t"] += 1
        optimizer.step(theta, written["g"])
        exec(optimizer.formula.code.format(**vars(optimizer)), written)
    np.testing.assert_allclose(written["p"], theta, rtol=1e-12)
    assert not re.search(r"[{}]", optimizer.formula.element.format(**vars(optimizer)))


@pytest.mark.parametrize("name", INITIALIZERS)
def test_the_code_of_an_initializer_draws_the_same_numbers(name):
    rng = np.random.default_rng(4)
    written = eval(INITIALIZERS[name].formula.code.format(n_in=3, n_out=2), {"np": np, "rng": rng})
    np.testing.assert_array_equal(written, INITIALIZERS[name]((2, 3), np.random.default_rng(4)))


FORMULAS = {f"{a}": [a.formula, a.derivative_formula] for a in ACTIVATIONS.values()}
FORMULAS |= {f"{loss}": [loss.formula, loss.gradient_formula] for loss in LOSSES.values()}
FORMULAS |= {name: [kind.formula] for name, kind in [*OPTIMIZERS.items(), *INITIALIZERS.items()]}


@pytest.mark.parametrize("name", FORMULAS)
def test_the_latex_is_latex(name):
    for formula in FORMULAS[name]:
        assert "\\" not in mathml(formula.latex, "block")


@pytest.mark.parametrize("owner", [*ACTIVATIONS.values(), *LOSSES.values(), *INITIALIZERS.values()], ids=str)
def test_help_and_a_notebook_show_the_formula(owner):
    assert owner.formula.text in " ".join(owner.__doc__.split())
    assert owner.formula.text in repr(owner)
    assert owner.formula.latex in owner._repr_latex_()


def test_help_in_a_terminal():
    code = "import byhand; help(byhand.activations.silu)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "silu(z) = z·σ(z)" in shown
    assert "silu′(z) = σ(z)·(1 + z − a)" in shown


def square(z):
    return z * z


def square_derivative(z, a):
    return 2 * z


def test_ones_own_go_through_pickle_with_all_that_is_said_of_them():
    mine = Activation("mine", square, square_derivative, range=(0, np.inf), formula=Formula("{z}²", "z^2", "z * z"))
    copy = pickle.loads(pickle.dumps(mine))
    assert (copy.name, copy.range, copy.formula, copy.__doc__) == ("mine", (0, np.inf), mine.formula, mine.__doc__)
    own_loss = Loss("own", square_of_error, gradient_of_it, "sum", targets=(0, 1), about="of one's own")
    copy = pickle.loads(pickle.dumps(own_loss))
    assert (copy.targets, copy.about) == ((0, 1), "of one's own")
    assert initializers.get("zeros") is pickle.loads(pickle.dumps(initializers.zeros))
    assert repr(optimizers.Momentum(0.1)) == "Momentum(learning_rate=0.1, momentum=0.9)"


def square_of_error(y_hat, y):
    return (y_hat - y) ** 2


def gradient_of_it(y_hat, y):
    return 2 * (y_hat - y)


MADE_UP = """
import numpy as np

from byhand import activations, initializers, losses, optimizers
from byhand.activations import Activation
from byhand.formulas import Formula
from byhand.initializers import Initializer
from byhand.losses import Loss

activations.ACTIVATIONS["bent"] = Activation(
    "bent",
    lambda z: z / (1 + z * z),
    lambda z, a: (1 - z * z) / (1 + z * z) ** 2,
    range=(-0.5, 0.5),
    formula=Formula("{z}/(1 + {z}²)", r"\\frac{z}{1 + z^2}", "z / (1 + z * z)"),
    derivative_formula=Formula("(1 − {z}²)/(1 + {z}²)²", "d", "q = 1 + z * z\\n(2 - q) / q**2"),
)
losses.LOSSES["fourth"] = Loss(
    "fourth",
    lambda y_hat, y: (y_hat - y) ** 4,
    lambda y_hat, y: 4 * (y_hat - y) ** 3,
    "sum",
    formula=Formula("({p} − {y})⁴", "e^4", "((y_hat - y) ** 4).sum()", "Σ (ŷ − y)⁴"),
    gradient_formula=Formula("4·({p} − {y})³", "4 e^3", "4 * (y_hat - y) ** 3", "4 (ŷ − y)³"),
)


class Fading:
    formula = Formula("w ← w − η g / {t}", "w", "p -= learning_rate * g / t")

    def __init__(self, learning_rate):
        self.learning_rate, self.t = learning_rate, 0

    def step(self, parameters, gradients):
        self.t += 1
        parameters -= self.learning_rate * gradients / self.t


optimizers.OPTIMIZERS["fading"] = Fading
initializers.INITIALIZERS["tiny"] = Initializer(
    "tiny",
    lambda shape, rng: rng.standard_normal(shape) / 10,
    Formula("N(0, 0.01)", "N", "rng.standard_normal(({n_out}, {n_in})) / 10"),
)

import byhand
from byhand.play import schema
from byhand.play.engine import respond
from byhand.play.listing import listing
from byhand.play.page import exported

data, model = schema.Data("xor"), schema.Model([3], ["bent", "bent"], "tiny", 5)
config = schema.Config(data, model, schema.Training("fourth", "fading", 0.05))
explain = [schema.Explain(0, 0), schema.Explain(0, 0, 1)]
shown = respond(schema.Request(config, action="epochs", epochs=20, explain=explain))
print(*[formula.general for formulas in shown.formulas for formula in formulas], sep="; ")
page = exported(b"{}")
assert all(f'"{name}"' in page for name in ("bent", "fourth", "fading", "tiny")), "the page's menus"
for layout in ("W x + b", "x W + b"):
    code = listing(schema.ListingRequest(config, None, 20, layout)).numpy
    assert "q = 1 + z * z" in code and "p -= learning_rate * g / t" in code, code
    scope = {}
    exec(code, scope)
    np.testing.assert_allclose(scope["losses"], shown.losses, rtol=1e-12)

x, y = byhand.datasets.xor()
told = byhand.arithmetic.tell(byhand.Network.dense([2, 3, 1], "bent", initializer="tiny", seed=5), x, y, "fourth")
assert told["L"].formula == "L = Σ (ŷ − y)⁴" and r"\\frac" not in told["L"].latex
assert "/(1 + " in told["a1"].written_out(1, 0)

study = byhand.study.study(
    "xor", activations=["bent", "tanh"], learning_rates=[0.05], initializers=["tiny"], seeds=2, epochs=5,
    optimizer="fading", loss="fourth", threshold=0.1,
)
assert "bent" in str(study.as_json())

model = byhand.ByHandRegressor((3,), activation="bent", loss="fourth", solver="fading", max_iter=3, tol=0)
import warnings
warnings.simplefilter("ignore")
model.fit(x, y.ravel())
print(model.network_)
found = byhand.symptoms.find(byhand.Network.dense([2, 3, 1], "bent", seed=0), x, y, "sum_of_squares")
print(*[symptom.message for symptom in found if symptom.id == "target-outside-range"])
"""


def test_what_is_made_up_appears_everywhere_with_nothing_else_changed():
    done = subprocess.run([sys.executable, "-c", MADE_UP], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "a1 = bent(z1)" in lines[0]
    assert "w ← w − η g / " in lines[0]
    assert "Dense(2, 3, 'bent')" in done.stdout
    assert "outside what bent can give, -0.5 to 0.5" in lines[-1]
