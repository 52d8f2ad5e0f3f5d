"""
An activation of one's own
==========================

An activation of one's own: a function, and its derivative beside it.

The derivative is checked numerically when the two are put together, so a slip in the formula shows at once and not
as a network that learns a little worse. Here a unit that answers to values near its own and to no others learns a
curve of three peaks, such as a spectrum, with fewer units than the usual activations need.
"""

import numpy as np
from matplotlib.figure import Figure

from byhand import ByHandRegressor
from byhand.activations import Activation


def bump(z):
    """f(z) = exp(−z²)."""
    return np.exp(-z * z)


def bump_derivative(z, a):
    """f′(z) = −2 z exp(−z²), where a = exp(−z²) is at hand from the forward pass."""
    return -2 * z * a


try:
    Activation("bump", bump, lambda z, a: 2 * z * a)  # the sign forgotten
except ValueError as error:
    print(f"A wrong derivative is refused:\n  {error}\n")


def spectrum(x):
    """Three peaks of different height and width."""
    return bump((x + 1.5) / 0.5) + 2 * bump((x - 0.2) / 0.4) + 1.5 * bump((x - 1.8) / 0.6)


rng = np.random.default_rng(0)
x = rng.uniform(-3, 3, (300, 1))
y = spectrum(x[:, 0]) + 0.05 * rng.standard_normal(300)
x_new = np.linspace(-3, 3, 500)[:, None]
y_new = spectrum(x_new[:, 0])

print("R² of 6 hidden units on new points, over four random starts (1 is perfect):")
scores = {}
figure = Figure(figsize=(9, 3.2), layout="constrained")
for activation in "relu", "tanh", Activation("bump", bump, bump_derivative):
    name = getattr(activation, "name", activation)
    models = [
        ByHandRegressor(
            (6,),
            activation,
            learning_rate_init=0.03,
            batch_size=50,
            max_iter=2000,
            tol=1e-5,
            n_iter_no_change=50,
            random_state=start,
        ).fit(x, y)
        for start in range(4)
    ]
    scores[name] = [model.score(x_new, y_new) for model in models]
    print(f"  {name:5} worst {min(scores[name]):.3f}, best {max(scores[name]):.3f}")
    if name in ("relu", "bump"):
        axes = figure.add_subplot(1, 2, len(figure.axes) + 1, title=f"6 hidden units of {name}, best of four")
        axes.plot(x, y, ".", color="lightgrey")
        axes.plot(x_new, max(models, key=lambda model: model.score(x_new, y_new)).predict(x_new))
