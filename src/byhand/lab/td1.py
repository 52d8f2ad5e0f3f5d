# %% [markdown]
# # Deep learning by hand
#
# A line, a network that learns XOR, and a program that should and doesn't, all by hand, in NumPy: forward, backward,
# update. Throughout, $\hat y$ is what a model answers, and $y$ is what it should have answered.

# %% [markdown] tags=["student"]
# **How it works.** Each question has a cell to write in, and then a line such as `byhand.check("2.7")`, which says at
# once what is right, what is not done yet, and for a mistake that it knows, what it is, at which line, and how to mend
# it. The folded cell after it shows how far your numbers agree with somebody else's: a library's, a numerical
# derivative's, scikit-learn's. Where there is no such line, a `✓`, or where the numbers part, stands below that cell. `○`
# means "not done yet", or that an earlier question comes first. You can run the whole notebook at any time.
# Where a plot is wanted, draw it as you like; `figures` has functions for all of ours, and
# `show(figure, "what it shows")` displays them. `say(f"…")` displays Markdown, with your numbers in it.
#
# **How long.** The questions of the handout are meant for about three hours: part 1 fifty minutes, part 2 an hour and a
# half, part 3 forty. Those marked *Extension* go further, and none of the others needs them; each says its minutes. At the
# hard questions there are three hints to unfold; the last is nearly the answer.
#
# **What you need.** Python 3.11 or newer, and byhand with its extra `lab`. The first cell looks for it, and says what to do when
# it isn't there.

# %% tags=["student"]
import importlib.util

if importlib.util.find_spec("byhand") is None:
    raise SystemExit(
        "byhand is not installed for the Python that runs this notebook. Install it, with its extra `lab`, from the file "
        "(byhand-….whl) or the folder that you were given; then restart the kernel, and run this cell again.\n"
        "  Your own machine: in a new cell,        %pip install '/path/to/byhand-1.0.0-py3-none-any.whl[lab]'\n"
        "  Colab:            upload the file, then %pip install '/content/byhand-1.0.0-py3-none-any.whl[lab]'\n"
        "  A course server:  the same with your path there; if it may not install anything, ask whoever runs it"
    )

# %% tags=["parameters"]
SEED = 44  # another number, other draws in parts 1 and 2; the study in 2.11b and part 3 have seeds of their own

# %%
import contextlib
import functools
import io
import os
import re
import subprocess
import sys
import time
import timeit
from itertools import pairwise

import numpy as np
from scipy.stats import binomtest
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_squared_error

import byhand
from byhand import figures
from byhand.lab import agree, animate, comparison, drawings, in_short, question, say, show
from byhand.study import study, train_ensemble

# %% [markdown]
# ## Part 1: a line
#
# For a line there is also a formula, and we will use it as a judge. But the formula ends with the line, and gradient
# descent goes on to networks of any size.

# %% [markdown]
# ### 1.1 Data
#
# Draw $N = 100$ points, with $x_i$ uniform on $[0, 1)$ and
#
# $$y_i = a\,x_i + b + \varepsilon_i, \qquad a = 2, \quad b = 1, \quad \varepsilon_i \sim \mathcal N(0,\ 0.01).$$
#
# The second number of $\mathcal N$ is a variance: the standard deviation of the noise is $\sqrt{0.01} = 0.1$.
# `np.random.randn` draws from $\mathcal N(0, 1)$, and `np.random.rand` uniformly from $[0, 1)$.

# %%
np.random.seed(SEED)  # so that this cell draws the same numbers each time
N, a_true, b_true = 100, 2.0, 1.0

# Wanted: x_train and y_train, both of shape (N,).
### BEGIN SOLUTION
x_train = np.random.rand(N)
noise = np.sqrt(0.01) * np.random.randn(N)
y_train = a_true * x_train + b_true + noise
in_short(f"{N} points, whose noise scatters by {noise.std():.3f}")
### END SOLUTION

# %% tags=["ask"]
byhand.check("1.1")

# %% tags=["check"]
with comparison("1.1 Data"):
    assert x_train.shape == y_train.shape == (N,), f"the shapes are {x_train.shape} and {y_train.shape}, not ({N},)"
    assert x_train.min() >= 0, f"x_train goes down to {x_train.min():.3g}"
    assert x_train.max() < 1, f"x_train goes up to {x_train.max():.3g}"
    deviation = np.sqrt(np.mean((y_train - (a_true * x_train + b_true)) ** 2))
    agree("standard deviation of the noise, roughly", deviation, 0.1, rtol=0.3)

# %% [markdown]
# ### 1.2 Look at it
#
# Plot the points. Does a straight line make sense?

# %%
# Wanted: a plot of y_train against x_train, with named axes; and your answer.
### BEGIN SOLUTION
r = np.corrcoef(x_train, y_train)[0, 1]
show(
    figures.scatter(x_train, y_train, title=f"{N} points along a straight band (correlation {r:.3f})"),
    f"Scatter plot of {N} points. They rise from about y = {b_true:g} at x = 0 to y = {a_true + b_true:g} at "
    "x = 1, in a straight band.",
)
scatter = {k: np.std(y_train - np.polyval(np.polyfit(x_train, y_train, k), x_train)) for k in (0, 1, 3)}
say(
    f"Yes. About the best constant the points scatter by {scatter[0]:.3f}, about the best line by {scatter[1]:.3f}; the "
    f"noise was drawn with 0.1. The best cubic curve comes to {scatter[3]:.3f}: {1 - scatter[3] / scatter[1]:.1%} less."
)
in_short(
    f"A line makes sense: about the best one the points scatter by {scatter[1]:.3f}, about the best constant by {scatter[0]:.3f}"
)
### END SOLUTION

# %% [markdown]
# ### 1.3 A first guess
#
# Draw a slope and an intercept with `np.random.randn`: training has to begin somewhere.

# %%
# Wanted: a_start and b_start, two numbers.
### BEGIN SOLUTION
a_start, b_start = np.random.randn(2)
print(f"We start at a = {a_start:.3f}, b = {b_start:.3f}; the points were made with a = 2, b = 1.")
in_short(f"The first guess: $a = {a_start:.3f}$, $b = {b_start:.3f}$")
### END SOLUTION

# %% tags=["check"]
with question("1.3 A first guess"):
    assert np.shape(a_start) == np.shape(b_start) == (), "a_start and b_start should be two single numbers"
    assert np.isfinite([a_start, b_start]).all(), "a_start and b_start should be finite"

# %% [markdown]
# ### 1.4 Predictions
#
# What does the first guess predict for each $x_i$?

# %%
# Wanted: y_hat, shape (N,).
### BEGIN SOLUTION
y_hat = a_start * x_train + b_start
in_short(
    f"$\\hat y = a x + b$: predictions from {y_hat.min():.2f} to {y_hat.max():.2f}, for points from {y_train.min():.2f} to {y_train.max():.2f}"
)
### END SOLUTION

# %% tags=["ask"]
byhand.check("1.4")

# %% tags=["check"]
with comparison("1.4 Predictions"):
    line = byhand.Network.dense([1, 1], "identity")  # one input, one output: a line is the smallest network
    line.parameters[:] = a_start, b_start
    agree("ŷ", y_hat, line.predict(x_train[:, None])[:, 0])

# %% [markdown]
# ### 1.5 Error and loss
#
# The error is $err_i = \hat y_i - y_i$, and the loss is its mean square (MSE):
#
# $$L = \frac{1}{N} \sum_i err_i^2 .$$
#
# Dividing by $N$ doesn't move the minimum. It keeps loss and gradient of one size however many points there are.

# %%
# Wanted: err, shape (N,), and loss, a number.
### BEGIN SOLUTION
err = y_hat - y_train
loss = np.sum(err**2) / N
print(f"L = {loss:.4f}: the first guess is off by about {np.sqrt(loss):.2f}.")
in_short(f"$L = {loss:.4f}$")
### END SOLUTION

# %% tags=["ask"]
byhand.check("1.5")

# %% tags=["check"]
with comparison("1.5 Error and loss"):
    agree("err", err, line.predict(x_train[:, None])[:, 0] - y_train)
    agree("L", loss, mean_squared_error(y_train, y_hat))

# %% [markdown]
# ### 1.6 Both gradients
#
# In which direction does the loss grow? Derive $\partial L / \partial a$ and $\partial L / \partial b$ on paper
# (the chain rule: the derivative of the square, times the derivative of what is inside), then compute them.

# %% [markdown] tags=["solution"]
# Inside the square stands $err_i = a x_i + b - y_i$. Its derivative with respect to $a$ is $x_i$, with respect to
# $b$ it is $1$. The square brings a factor $2\,err_i$. So
#
# $$\frac{\partial L}{\partial a} = \frac{2}{N} \sum_i err_i\, x_i, \qquad
# \frac{\partial L}{\partial b} = \frac{2}{N} \sum_i err_i .$$
#
# Each point pulls at the line with its error: at the height all alike, at the slope the more, the further right it is.

# %% [markdown] tags=["hint"]
# <details><summary>Hint 1: where to begin</summary>
#
# Take one point. Its part of the loss is $(a x_i + b - y_i)^2 / N$. Which of these letters change when you turn $a$?
#
# </details>
# <details><summary>Hint 2: further</summary>
#
# The derivative of a square is twice what was squared, times the derivative of what was squared. With respect to $a$ the
# inside has the derivative $x_i$; with respect to $b$ it has 1.
#
# </details>
# <details><summary>Hint 3: nearly the answer</summary>
#
# For $a$: twice the sum of error times $x_i$, over $N$. For $b$: the same without the $x_i$. `err` holds the errors already.
#
# </details>

# %%
# Wanted: grad_a and grad_b, two numbers, at a_start and b_start.
### BEGIN SOLUTION
grad_a = 2 * np.sum(err * x_train) / N
grad_b = 2 * np.sum(err) / N
print(f"∂L/∂a = {grad_a:.4f}, ∂L/∂b = {grad_b:.4f}")
in_short(f"$\\partial L/\\partial a = {grad_a:.4f}$, $\\partial L/\\partial b = {grad_b:.4f}$")
### END SOLUTION

# %% [markdown]
# The judge here knows no formula for a gradient. It moves each parameter a little to both sides, and sees how much the
# loss changes: $\big(L(\theta + h) - L(\theta - h)\big) / 2h$.


# %% tags=["ask"]
byhand.check("1.6")


# %% tags=["check"]
def loss_of_line(theta):
    """Return the loss of the line with slope theta[0] and intercept theta[1]."""
    return mean_squared_error(y_train, theta[0] * x_train + theta[1])


with comparison("1.6 Both gradients"):
    numerical = byhand.numerical_gradient(loss_of_line, [a_start, b_start])
    agree("∂L/∂a and ∂L/∂b", [grad_a, grad_b], numerical, rtol=1e-7)

# %% [markdown]
# ### 1.7 One update
#
# The gradient points uphill. Take a step the other way: the gradient times the learning rate, $\eta = 0.1$.

# %%
learning_rate = 1e-1

# Wanted: a_next and b_next, the parameters one step from a_start and b_start; and loss_next,
# the loss there.
### BEGIN SOLUTION
a_next = a_start - learning_rate * grad_a
b_next = b_start - learning_rate * grad_b
loss_next = np.sum((a_next * x_train + b_next - y_train) ** 2) / N
print(f"One step takes the loss from {loss:.4f} to {loss_next:.4f}.")
in_short(f"One step takes the loss from {loss:.4f} to {loss_next:.4f}")
### END SOLUTION


# %% tags=["ask"]
byhand.check("1.7")


# %% tags=["check"]
def library_line(epochs):
    """Train the library's line from a_start and b_start; return its losses and its parameters."""
    line.parameters[:] = a_start, b_start
    columns = x_train[:, None], y_train[:, None]
    optimizer = byhand.GradientDescent(learning_rate)
    history = byhand.train(line, *columns, loss="mean_squared_error", optimizer=optimizer, epochs=epochs)
    return history.loss, line.parameters


with comparison("1.7 One update"):
    agree("a and b after one step", [a_next, b_next], library_line(epochs=1)[1])
    agree("the loss there", loss_next, library_line(epochs=2)[0][1])

# %% [markdown]
# ### 1.8 A thousand epochs
#
# The same again and again: predict, compare, follow the gradient. One pass through all points is an epoch. Do 1000 of
# them, and plot the error (as the loss, its mean square) against the epochs.


# %% [markdown] tags=["hint"]
# <details><summary>Hint 1: where to begin</summary>
#
# A loop, and in each turn: predict, errors, loss, both gradients, then both updates. Keep the loss before you update.
#
# </details>
# <details><summary>Hint 2: further</summary>
#
# Both gradients belong to the same line: compute them both before you change $a$ or $b$.
#
# </details>
# <details><summary>Hint 3: nearly the answer</summary>
#
# Each turn has the lines of 1.4 to 1.7, with `a` and `b` in the place of `a_start` and `b_start`; append the loss to one list and
# the new pair to another, which began with the pair at the start.
#
# </details>


# %%
def gradient_descent(a, b, learning_rate, epochs):
    """Fit the line to x_train and y_train, beginning at a and b.

    Returns two arrays: the loss before each update, shape (epochs,); and a and b at the start
    and after each update, shape (epochs + 1, 2).
    """
    ### BEGIN SOLUTION
    losses, path = [], [(a, b)]
    for _ in range(epochs):
        err = a * x_train + b - y_train
        losses.append(np.sum(err**2) / N)
        a = a - learning_rate * 2 * np.sum(err * x_train) / N
        b = b - learning_rate * 2 * np.sum(err) / N
        path.append((a, b))
    return np.array(losses), np.array(path)
    ### END SOLUTION


# Wanted: losses and path, for 1000 epochs from a_start and b_start.
### BEGIN SOLUTION
losses, path = gradient_descent(a_start, b_start, learning_rate, 1000)
a_fit, b_fit = path[-1]
print(f"a = {a_fit:.4f}, b = {b_fit:.4f}, loss {losses[-1]:.4f}")
### END SOLUTION

# %% tags=["ask"]
byhand.check("1.8")

# %% tags=["check"]
with comparison("1.8 A thousand epochs"):
    library_losses, library_parameters = library_line(epochs=1000)
    agree("the start", path[0], [a_start, b_start])
    agree("all 1000 losses", losses, library_losses)
    agree("a and b at the end", path[-1], library_parameters)

# %%
# Wanted: a plot of losses; what do you see?
### BEGIN SOLUTION
settled = int(np.argmax(losses < 1.01 * losses[-1]))
show(
    figures.loss_curves(
        {"the line": losses},
        title=f"The loss comes to rest at {losses[-1]:.4f}; the variance of the noise is 0.01",
        ylabel="loss (mean squared error)",
        levels={"variance of the noise": 0.01},
    ),
    f"Loss against 1000 epochs on a logarithmic axis. It falls steeply from {losses[0]:.2g}, then flattens; "
    f"from epoch {settled} on it is within 1% of its last value, {losses[-1]:.4f}.",
)
say(
    f"The loss doesn't go to 0, and should not. No line explains the noise, whose variance is 0.01; what remains is "
    f"{losses[-1]:.4f}. From epoch {settled} on, the loss is within 1% of that."
)
in_short(f"After 1000 epochs $a = {a_fit:.4f}$, $b = {b_fit:.4f}$, with a loss of {losses[-1]:.4f}")
### END SOLUTION

# %% [markdown]
# ### 1.9 The line moves to its place
#
# Draw the points, and over them the line at the start, after a few epochs, and at the end. Then look at the same
# training from above: each line is a point $(a, b)$, over which the loss stands as a landscape. Draw its contours, and the
# way of the descent.


# %%
# Wanted: a plot of the points, with the lines of several rows of path; and one of path over the contours of the loss
# (figures.descent). If you like, let the line move: help(animate).
### BEGIN SOLUTION
def at_most(number, digits=3):
    """Write a bound: rounded up, so that it stays true."""
    return f"{np.ceil(number * 10**digits) / 10**digits:.{digits}f}"


moments = {"start": path[0]} | {f"epoch {k}": path[k] for k in (1, 3, 10, 30, 100, 1000)}
heights_off = np.abs(path @ [0.5, 1] - (0.5 * a_fit + b_fit))
slopes_off = np.abs(path[:, 0] - a_fit)
show(
    figures.lines_over_points(
        x_train,
        y_train,
        moments,
        title=f"First the height (after 30 epochs within {at_most(heights_off[30], 2)}), then the slope",
    ),
    f"The points, and the line at seven moments. It begins with slope {a_start:.2f} and intercept "
    f"{b_start:.2f}, comes to the height of the points within a few epochs, then turns, and at last lies "
    f"along them with slope {a_fit:.2f}.",
)


def loss_at(a, b):
    """Return the loss of the lines with these slopes and intercepts."""
    return np.mean((np.multiply.outer(a, x_train) + np.asarray(b)[..., None] - y_train) ** 2, axis=-1)


show(
    figures.descent(
        loss_at,
        path,
        [0, 3, 10, 30, 100, 1000],
        title="Across the valley in a few steps, then slowly along its floor",
        xlabel="slope a",
        ylabel="intercept b",
    ),
    f"Contours of the loss over slope and intercept: long, narrow ellipses, a valley that runs from top left to bottom "
    f"right. The descent begins at ({a_start:.2f}, {b_start:.2f}), crosses the valley in large steps, turns, and "
    f"follows its floor in ever smaller ones to ({a_fit:.2f}, {b_fit:.2f}).",
)
animate(
    lambda epoch: figures.lines_over_points(
        x_train, y_train, {"start": path[0], f"epoch {epoch}": path[epoch]}, title="The line moves to its place"
    ),
    [1, 3, 10, 30, 100, 1000],
    "The line over the points, from epoch 1 to epoch 1000, as an animation.",
)
say(
    f"After 30 epochs the line is {heights_off[30]:.3f} from its final height in the middle, at $x = 0.5$, while its "
    f"slope is still {slopes_off[30]:.3f} away: from above, it has crossed the valley, and the floor hardly slopes. "
    "Question 1.11 has the numbers."
)
in_short(f"After 30 epochs the height is off by {heights_off[30]:.3f}, the slope by {slopes_off[30]:.3f}")
### END SOLUTION

# %% [markdown]
# ### 1.10 The same as the formula, and as scikit-learn
#
# Set both gradients to zero, and derive the minimum. Compute it, fit `sklearn.linear_model.LinearRegression` to the same
# points, and print how far gradient descent is from each.

# %% [markdown] tags=["solution"]
# $\partial L / \partial b = 0$ says that the errors have mean zero, so $b = \bar y - a \bar x$. With that,
# $\partial L / \partial a = 0$ becomes $\sum_i \big(a (x_i - \bar x) - (y_i - \bar y)\big)\, x_i = 0$. The
# bracket sums to zero, so that $x_i$ may be replaced by $x_i - \bar x$:
#
# $$a = \frac{\sum_i (x_i - \bar x)(y_i - \bar y)}{\sum_i (x_i - \bar x)^2}, \qquad b = \bar y - a\,\bar x .$$

# %%
# Wanted: best, shape (2,), with slope and intercept by the formula; and sklearn_line, a
# fitted LinearRegression.
### BEGIN SOLUTION
x_centred, y_centred = x_train - x_train.mean(), y_train - y_train.mean()
a_best = np.sum(x_centred * y_centred) / np.sum(x_centred**2)
best = np.array([a_best, y_train.mean() - a_best * x_train.mean()])
sklearn_line = LinearRegression().fit(x_train[:, None], y_train)
sklearn_best = np.array([sklearn_line.coef_[0], sklearn_line.intercept_])
print("gradient descent − closed form:        ", path[-1] - best)
print("gradient descent − LinearRegression:   ", path[-1] - sklearn_best)
### END SOLUTION

# %% tags=["ask"]
byhand.check("1.10")

# %% tags=["check"]
with comparison("1.10 The same as the formula, and as scikit-learn"):
    reference = LinearRegression().fit(x_train[:, None], y_train)
    optimum = np.array([reference.coef_[0], reference.intercept_])
    agree("closed form and LinearRegression", best, optimum)
    agree("your LinearRegression", [sklearn_line.coef_[0], sklearn_line.intercept_], optimum)
    agree("gradient descent and LinearRegression", path[-1], optimum, rtol=1e-3)

# %%
# Wanted: a table of a, b and their differences. Which of these are rounding, which are not?
### BEGIN SOLUTION
say(
    f"""
| | $a$ | $b$ |
|---|---|---|
| gradient descent, 1000 epochs | {a_fit:.9f} | {b_fit:.9f} |
| closed form | {best[0]:.9f} | {best[1]:.9f} |
| `LinearRegression` | {sklearn_best[0]:.9f} | {sklearn_best[1]:.9f} |
| gradient descent − closed form | {a_fit - best[0]:.1e} | {b_fit - best[1]:.1e} |
| closed form − `LinearRegression` | {best[0] - sklearn_best[0]:.1e} | {best[1] - sklearn_best[1]:.1e} |

The last row is rounding. The one above it is not: it is the way that gradient descent still has to go.
"""
)
in_short(f"The same as `LinearRegression`: $a$ and $b$ differ by at most {np.abs(path[-1] - sklearn_best).max():.1e}")
### END SOLUTION

# %% [markdown]
# ### 1.11 Why the difference shrinks as it does
#
# *Extension, 15 minutes.* The second derivatives of $L$ form a matrix, the Hessian $H$, which is the same everywhere
# here. Compute it, and its eigenvalues. Show on paper that each epoch multiplies the difference $\theta - \theta^*$ from
# the best parameters $\theta^* = (a^*, b^*)$ by the matrix $I - \eta H$. Which factor an epoch does that predict for the
# distance $\lVert \theta - \theta^* \rVert$, once many epochs have gone by? Which do you measure on `path`?

# %% [markdown] tags=["solution"]
# Differentiating the gradients of 1.6 once more gives
#
# $$H = \begin{pmatrix} \frac{2}{N}\sum_i x_i^2 & \frac{2}{N}\sum_i x_i \\ \frac{2}{N}\sum_i x_i & 2 \end{pmatrix} .$$
#
# $L$ is quadratic, so its gradient is exactly $H(\theta - \theta^*)$. A step
# $\theta \leftarrow \theta - \eta H(\theta - \theta^*)$ turns the difference into
# $(I - \eta H)(\theta - \theta^*)$.
#
# Split the difference along the two eigenvectors of $H$: each epoch multiplies one part by
# $1 - \eta\lambda_{\max}$ (across the valley of 1.9: mostly the line's height), and the other by
# $1 - \eta\lambda_{\min}$, which is nearer to 1 (along its floor: mostly the line's tilt). After many epochs
# only that part is left, and the distance shrinks by $1 - \eta\lambda_{\min}$ an epoch.

# %%
# Wanted: hessian, shape (2, 2); eigenvalues, shape (2,), the smaller one first; distance,
# shape (1001,), from best for each row of path; predicted_factor; and measured_factor, the
# (geometric) mean over the last 100 epochs.
### BEGIN SOLUTION
hessian = 2 / N * np.array([[np.sum(x_train**2), np.sum(x_train)], [np.sum(x_train), N]])
eigenvalues = np.linalg.eigvalsh(hessian)
distance = np.linalg.norm(path - best, axis=1)
predicted_factor = 1 - learning_rate * eigenvalues[0]
measured_factor = (distance[1000] / distance[900]) ** (1 / 100)
### END SOLUTION

# %% tags=["ask"]
byhand.check("1.11")

# %% tags=["check"]
with comparison("1.11 Why the difference shrinks as it does"):
    # The loss is quadratic: differences of differences are exact, however long the step.
    rows = [
        byhand.numerical_gradient(
            lambda theta, i=i: byhand.numerical_gradient(loss_of_line, theta, step=0.1)[i],
            [a_start, b_start],
            step=0.1,
        )
        for i in (0, 1)
    ]
    agree("Hessian", hessian, rows, rtol=1e-7)
    agree("λmin + λmax, the trace", np.sum(eigenvalues), np.trace(rows), rtol=1e-7)
    agree("λmin · λmax, the determinant", np.prod(eigenvalues), np.linalg.det(rows), rtol=1e-7)
    agree("predicted and measured factor", predicted_factor, measured_factor, rtol=1e-6)

# %%
# Wanted: a plot of distance; both factors side by side.
### BEGIN SOLUTION
epochs = np.arange(1001.0)
show(
    figures.loss_curves(
        {
            "measured": distance,
            "as λmin predicts from epoch 300": distance[300] * predicted_factor ** (epochs - 300),
        },
        title=f"The distance shrinks by the factor {predicted_factor:.4f} an epoch, as predicted",
        ylabel="distance from the best (a, b)",
    ),
    "Distance from the best parameters against 1000 epochs on a logarithmic axis: after the first epochs a "
    f"straight line down to {distance[-1]:.1e}, on top of the line that the smaller eigenvalue predicts.",
)
say(
    rf"""
$\lambda_{{\min}} = {eigenvalues[0]:.4f}$ and $\lambda_{{\max}} = {eigenvalues[1]:.4f}$.

| factor an epoch | |
|---|---|
| predicted, $1 - \eta\lambda_{{\min}}$ | {predicted_factor:.9f} |
| measured, mean of the last 100 epochs | {measured_factor:.9f} |

So the distance halves every {np.log(0.5) / np.log(predicted_factor):.0f} epochs, and 1000 epochs are worth a
factor of {predicted_factor**1000:.1e}. A distance of {distance[-1]:.1e} is left in the end.
"""
)
in_short(f"Each epoch multiplies the distance by {predicted_factor:.6f}, predicted; {measured_factor:.6f}, measured")
### END SOLUTION

# %% [markdown]
# ### 1.12 The largest learning rate
#
# *Extension, 10 minutes.* From which $\eta$ on does the line no longer come to rest? Predict it from the eigenvalues,
# then go 1% under it and 1% over it.

# %% [markdown] tags=["solution"]
# Both factors, $1 - \eta\lambda_{\min}$ and $1 - \eta\lambda_{\max}$, must lie between $-1$ and $1$. As $\eta$
# grows, the second is the first to leave; it reaches $-1$ at
#
# $$\eta = \frac{2}{\lambda_{\max}} .$$
#
# There, each step jumps across the valley to the same height on the other side; just below, a little lower each time,
# and just above, a little higher, without end.

# %%
# Wanted: largest_rate, a number; distance_under and distance_over, shape (1001,), the
# distance from best at 0.99 and at 1.01 times that learning rate, from the same start.
### BEGIN SOLUTION
largest_rate = 2 / eigenvalues[1]
_, path_under = gradient_descent(a_start, b_start, 0.99 * largest_rate, 1000)
_, path_over = gradient_descent(a_start, b_start, 1.01 * largest_rate, 1000)
distance_under = np.linalg.norm(path_under - best, axis=1)
distance_over = np.linalg.norm(path_over - best, axis=1)
print(f"2/λmax = {largest_rate:.4f}")
print(f"distance after 1000 epochs: {distance_under[-1]:.1e} (1% under), {distance_over[-1]:.1e} (1% over)")
### END SOLUTION

# %% tags=["ask"]
byhand.check("1.12")

# %% tags=["check"]
with comparison("1.12 The largest learning rate"):
    columns = x_train[:, None], y_train[:, None]
    agree("2/λmax", largest_rate, byhand.training.largest_learning_rate(line, *columns, "mean_squared_error"))
    assert distance_under[-1] < 0.01 * distance_under[0], "1% under the limit, the line should come much nearer"
    assert distance_over[-1] > 100 * distance_over[0], "1% over the limit, the line should fly away"

# %%
# Wanted: a plot of both distances; predicted and measured factors.
### BEGIN SOLUTION
show(
    figures.loss_curves(
        {
            f"η = {1.01 * largest_rate:.3f}, 1% over": distance_over,
            f"η = {0.99 * largest_rate:.3f}, 1% under": distance_under,
            "η = 0.1": distance,
        },
        title=f"At η = 2/λmax = {largest_rate:.3f}, coming to rest turns into flying away",
        ylabel="distance from the best (a, b)",
    ),
    "Distance from the best parameters against 1000 epochs on a logarithmic axis, for three learning rates. "
    f"1% under the limit it falls in a straight line to {distance_under[-1]:.0e}, 1% over it rises in one "
    f"to {distance_over[-1]:.0e}.",
)
rows = []
for name, share, far in (("under", 0.99, distance_under), ("over", 1.01, distance_over)):
    predicted, measured = abs(1 - share * largest_rate * eigenvalues[1]), (far[1000] / far[900]) ** (1 / 100)
    rows.append(f"| 1% {name} | {predicted:.6f} | {measured:.6f} | {far[-1]:.1e} |")
say(
    r"| | $\lvert 1 - \eta\lambda_{\max} \rvert$, predicted | factor an epoch, measured | distance after 1000 epochs |"
    "\n|---|---|---|---|\n" + "\n".join(rows)
)
in_short(f"$2/\\lambda_{{\\max}} = {largest_rate:.4f}$: 1% under it the line comes to rest, 1% over it flies away")
### END SOLUTION
# %% [markdown]
# ## Part 2: XOR
#
# Exclusive or: 1 when exactly one of two inputs is 1. No straight line parts its ones from its zeros; one hidden layer
# is enough. To learn XOR is a silly way to compute it, and about the smallest way to see all that makes a network work.

# %% [markdown]
# ### 2.1 The function and its four points
#
# Write XOR, and tabulate it on $(0,0)$, $(0,1)$, $(1,0)$, $(1,1)$, in this order, one point a row.


# %%
def xor(p, q):
    """Return 1 when exactly one of p and q is 1, else 0 (p and q are 0 or 1)."""
    ### BEGIN SOLUTION
    return (p + q) % 2
    ### END SOLUTION


# Wanted: X, shape (4, 2), and y, shape (4, 1), both of floats.
### BEGIN SOLUTION
X = np.array([[p, q] for p in (0.0, 1.0) for q in (0.0, 1.0)])
y = np.array([[xor(p, q)] for p, q in X])
print(np.hstack([X, y]))
in_short(f"XOR on the four points: {y[:, 0].astype(int).tolist()}")
### END SOLUTION

# %% tags=["ask"]
byhand.check("2.1")

# %% tags=["check"]
with comparison("2.1 The function and its four points"):
    agree("xor", [xor(p, q) for p in (0, 1) for q in (0, 1)], [p != q for p in (0, 1) for q in (0, 1)])
    agree("X", X, byhand.datasets.xor()[0])
    agree("y", y, byhand.datasets.xor()[1])

# %% [markdown]
# ### 2.2 The architecture
#
# Two inputs, one hidden layer of 10 units, one output; learning rate 0.5. Each unit has a weight for each number that
# comes in, and a bias. How many numbers does this network learn?

# %%
n_inputs, n_hidden, n_outputs = 2, 10, 1
learning_rate = 0.5

# Wanted: n_parameters, a number.
### BEGIN SOLUTION
n_parameters = (n_hidden * n_inputs + n_hidden) + (n_outputs * n_hidden + n_outputs)
print(f"{n_parameters}, most of them ({n_hidden * n_inputs + n_hidden}) in the hidden layer")
in_short(f"The 2-10-1 network learns {n_parameters} numbers")
### END SOLUTION

# %% tags=["ask"]
byhand.check("2.2")

# %% tags=["check"]
with comparison("2.2 The architecture"):
    agree("n_parameters", n_parameters, byhand.Network.dense([2, 10, 1], "sigmoid").parameters.size)

# %% [markdown]
# ### 2.3 Weights and biases, in both layouts
#
# Each unit computes a weighted sum of what comes in, plus a bias. For a whole layer and many samples that can be written
# in two ways:
#
# - **columns**, $W x + b$: each sample is a column of $x$; $W$ has one *row* a unit, and $b$ is a column;
# - **rows**, $x V + b$: each sample is a row of $x$; $V$ has one *column* a unit, and $b$ is a row.
#
# Write both. One is the other transposed, so with $V = W^\top$ they give the same numbers.
#
# Then draw the network's parameters. From here on, $W$ has one row a unit, and samples stand in rows, as in every data
# table: a layer is $x W^\top + b$.


# %%
def layer_columns(W, x, b):
    """Return W x + b for W (n_out, n_in), x (n_in, n) and b (n_out, 1); shape (n_out, n)."""
    ### BEGIN SOLUTION
    return W @ x + b
    ### END SOLUTION


def layer_rows(x, V, b):
    """Return x V + b for x (n, n_in), V (n_in, n_out) and b (1, n_out); shape (n, n_out)."""
    ### BEGIN SOLUTION
    return x @ V + b
    ### END SOLUTION


def draw(seed):
    """Draw a network: W_hidden (10, 2), b_hidden (1, 10), W_out (1, 10), b_out (1, 1), as a
    list in this order.

    It calls np.random.seed(seed), then draws first W_hidden and then W_out with
    np.random.randn; the biases are 0.
    """
    ### BEGIN SOLUTION
    np.random.seed(seed)
    W_hidden = np.random.randn(n_hidden, n_inputs)
    W_out = np.random.randn(n_outputs, n_hidden)
    return [W_hidden, np.zeros((1, n_hidden)), W_out, np.zeros((1, n_outputs))]
    ### END SOLUTION


start = draw(SEED)

# Wanted: the hidden layer's weighted sums for the four points in both layouts: in_columns,
# shape (10, 4), and in_rows, shape (4, 10).
### BEGIN SOLUTION
W_hidden, b_hidden, W_out, b_out = start
in_columns = layer_columns(W_hidden, X.T, b_hidden.T)
in_rows = layer_rows(X, W_hidden.T, b_hidden)
print(f"largest difference between the two layouts: {np.abs(in_columns.T - in_rows).max():.1g}")
in_short(f"$W x + b$ and $x W^\\top + b$ differ by at most {np.abs(in_columns.T - in_rows).max():.1g}")
### END SOLUTION

# %% tags=["ask"]
byhand.check("2.3")

# %% tags=["check"]
with comparison("2.3 Weights and biases, in both layouts"):
    layer = byhand.Dense(3, 5, seed=0)  # all sizes differ and no bias is 0, so that nothing is right by accident
    layer.b = np.arange(1.0, 6.0)
    samples = np.random.default_rng(1).normal(size=(4, 3))
    agree("W x + b", layer_columns(layer.W, samples.T, layer.b[:, None]), layer.forward(samples).T)
    agree("x V + b", layer_rows(samples, layer.W.T, layer.b[None, :]), layer.forward(samples))
    agree("the same in both layouts", in_columns.T, in_rows)
    agree("the shapes", [p.shape for p in start], [(10, 2), (1, 10), (1, 10), (1, 1)])
    agree("W_hidden, then W_out", [*start[0].ravel(), *start[2].ravel()], np.random.RandomState(SEED).randn(30))
    agree("the biases", [*start[1].ravel(), *start[3].ravel()], np.zeros(11))

# %% [markdown]
# ### 2.4 The sigmoid and its derivative
#
# Without a function between them, two layers would be no more than one (question 2.13). After both layers we put
#
# $$\sigma(z) = \frac{1}{1 + e^{-z}}, \qquad \sigma'(z) = \sigma(z)\,\big(1 - \sigma(z)\big) .$$
#
# Write them, and plot them.


# %%
def sigmoid(z):
    """Return σ(z), element by element."""
    ### BEGIN SOLUTION
    return 1 / (1 + np.exp(-z))
    ### END SOLUTION


def sigmoid_derivative(z):
    """Return σ′(z), element by element."""
    ### BEGIN SOLUTION
    s = sigmoid(z)
    return s * (1 - s)
    ### END SOLUTION


# A function carries its derivative along: for any of ours, f.derivative(z) is f′(z).
sigmoid.derivative = sigmoid_derivative

# %% tags=["ask"]
byhand.check("2.4")

# %% tags=["check"]
with comparison("2.4 The sigmoid and its derivative"):
    z = np.linspace(-8, 8, 33)
    agree("σ", sigmoid(z), byhand.activations.sigmoid(z))
    agree("σ′, by the library", sigmoid_derivative(z), byhand.activations.sigmoid.derivative(z, sigmoid(z)))
    slopes = byhand.numerical_gradient(lambda z: sigmoid(z).sum(), z)
    error = np.abs(sigmoid_derivative(z) - slopes).max()
    agree(f"σ′, numerically (largest difference {error:.0e})", sigmoid_derivative(z), slopes, rtol=1e-7, atol=1e-9)
    with np.errstate(over="ignore"):  # at −1000 the plain formula passes e^1000 = inf on its way to the right answer, 0
        agree("σ(−1000), σ(1000)", sigmoid(np.array([-1000.0, 1000.0])), [0, 1], atol=1e-300)

# %%
# Wanted: a plot of both.
### BEGIN SOLUTION
show(
    figures.function_and_derivative(
        sigmoid,
        sigmoid_derivative,
        title="σ is steepest at 0, with slope ¼; far out it is flat",
        labels=("σ(z)", "σ′(z)"),
    ),
    "The sigmoid rises from 0 to 1, with σ(0) = ½. Its derivative is a bump, ¼ high at 0 and almost 0 beyond ±6.",
)
in_short(f"$\\sigma(0) = {sigmoid(0.0):g}$, $\\sigma^{{\\prime}}(0) = {sigmoid_derivative(0.0):g}$")
### END SOLUTION

# %% [markdown]
# ### 2.5 Forward
#
# From the four points, through both layers, to the four answers:
#
# $$z_h = X W_h^\top + b_h, \quad a_h = f_h(z_h), \qquad z_o = a_h W_o^\top + b_o, \quad \hat y = f_o(z_o) .$$
#
# Keep everything on the way: the backward pass will need it. Write the transpose as `W.mT`: for one matrix the same as
# `W.T`; of a stack of matrices, as in 2.11, it transposes each.


# %%
def forward(X, parameters, f_hidden, f_out):
    """Return z_hidden and a_hidden, shape (n, 10), and z_out and y_hat, shape (n, 1), for X
    of shape (n, 2).

    parameters is a list such as draw returns; f_hidden and f_out are functions such as
    sigmoid.
    """
    ### BEGIN SOLUTION
    W_hidden, b_hidden, W_out, b_out = parameters
    z_hidden = X @ W_hidden.mT + b_hidden
    a_hidden = f_hidden(z_hidden)
    z_out = a_hidden @ W_out.mT + b_out
    y_hat = f_out(z_out)
    return z_hidden, a_hidden, z_out, y_hat
    ### END SOLUTION


# %% tags=["ask"]
byhand.check("2.5")


# %% tags=["check"]
def library_network(parameters, activations):
    """Build the same network from the library's layers, to compare with."""
    network = byhand.Network.dense([2, 10, 1], activations)
    for layer, W, b in zip(network.layers, parameters[::2], parameters[1::2], strict=True):
        layer.W, layer.b = W, b[0]
    return network


with comparison("2.5 Forward"):
    not_zero = [p + 0.1 for p in start]  # the same network with biases that are not 0
    passed = forward(X, not_zero, sigmoid, sigmoid)
    network = library_network(not_zero, "sigmoid")
    network.forward(X)
    hidden, out = network.layers
    for name, mine, theirs in zip(
        ("z_hidden", "a_hidden", "z_out", "y_hat"), passed, (hidden.z, hidden.a, out.z, out.a), strict=True
    ):
        agree(name, mine, theirs)

# %% [markdown]
# ### 2.6 Untrained
#
# Test the network as it was drawn, and plot its outputs beside the targets.

# %%
# Wanted: y_untrained, shape (4, 1), the outputs of the network with the parameters in start.
### BEGIN SOLUTION
y_untrained = forward(X, start, sigmoid, sigmoid)[-1]
print(y_untrained)
### END SOLUTION

# %% tags=["ask"]
byhand.check("2.6")

# %% tags=["check"]
with comparison("2.6 Untrained"):
    agree("ŷ, untrained", y_untrained, library_network(start, "sigmoid").predict(X))

# %%
points = ["(0, 0)", "(0, 1)", "(1, 0)", "(1, 1)"]

# Wanted: a plot of y_untrained beside y.
### BEGIN SOLUTION
right = np.sum((y_untrained > 0.5) == (y > 0.5))
loss_untrained = np.sum((y_untrained - y) ** 2)


def listed(values):
    """Write the outputs for the four points as words."""
    return ", ".join(f"{value:z.3f} at {point}" for value, point in zip(np.ravel(values), points, strict=True))


show(
    figures.outputs_and_targets(
        {"untrained": y_untrained},
        y,
        points,
        title=f"Untrained: {right} of 4 outputs on the right side of ½",
        ylabel="output ŷ",
    ),
    f"Outputs of the untrained network: {listed(y_untrained)}. The targets are 0, 1, 1, 0.",
)
say(
    f"Random weights give random answers: {right} of 4 on the right side of ½, and a sum of squares "
    rf"$\sum_i (\hat y_i - y_i)^2$ of {loss_untrained:.3f}. To answer ½ everywhere would cost 1."
)
in_short(f"Untrained, {right} of 4 answers are on the right side of ½; the loss is {loss_untrained:.3f}")
### END SOLUTION

# %% [markdown]
# ### 2.7 Backward
#
# The question of this practical: in which direction must each of the 41 parameters go for the loss to fall? The loss is
# now the sum of squares over the four points, $L = \sum_i (\hat y_i - y_i)^2$: a sum, by convention; with a mean, the same
# steps would need a learning rate four times as large.
#
# First what there is: names, order, shapes, numbers. Then the rules; then you, in four steps.

# %% tags=["picture"]
show(
    drawings.network_with_names(),
    "The network: two inputs x₁ and x₂, ten hidden units of which the first, second and tenth are drawn, one output. "
    "Each line is a weight. W_h[1, 2] leads from input 2 to hidden unit 1, W_o[1] from hidden unit 1 to the output.",
)
show(
    drawings.order_of_computation(),
    "The computational graph, from left to right: X, with W_h and b_h to z_h, with f_h to a_h, with W_o and b_o to z_o, "
    "with f_o to ŷ, with y to L. The gradients come back the same way: from L to ∂L/∂ŷ, to δ_o, from which ∂L/∂W_o "
    "and ∂L/∂b_o branch off, to ∂L/∂a_h, to δ_h, from which ∂L/∂W_h and ∂L/∂b_h branch off.",
)

# %% [markdown]
# A gradient has the shape of what it belongs to. With $n$ samples:
#
# | | values, forward | shape | gradient, backward |
# |---|---|---|---|
# | input | $X$ | (n, 2) | |
# | hidden layer | $W_h$, $b_h$ | (10, 2), (1, 10) | $\partial L / \partial W_h$, $\partial L / \partial b_h$ |
# | | $z_h$ | (n, 10) | $\delta_h = \partial L / \partial z_h$ |
# | | $a_h$ | (n, 10) | $\partial L / \partial a_h$ |
# | output layer | $W_o$, $b_o$ | (1, 10), (1, 1) | $\partial L / \partial W_o$, $\partial L / \partial b_o$ |
# | | $z_o$ | (n, 1) | $\delta_o = \partial L / \partial z_o$ |
# | | $\hat y$ | (n, 1) | $\partial L / \partial \hat y$ |
#
# Now the numbers: two hidden units, and one sample, $x = (1, 0)$ with the target 1. Follow it with a pencil, forward and
# then backward. (1 is the hidden layer, 2 the output layer, and delta is $\delta$.)

# %% tags=["picture"]
tiny = byhand.Network.dense([2, 2, 1], "sigmoid")
tiny.parameters[:] = [1, -1, 2, 1, 0, -2.5, 1, -2, 0.5]  # W₁ (2, 2), b₁, W₂ (1, 2), b₂
told = byhand.arithmetic.tell(tiny, [[1, 0]], [[1]], "sum_of_squares", digits=3)
lines = [
    (step.formula, step.written_out(*index)) for step in told.steps if step.phase != "given" for index in step.indices()
]
say(
    "| formula | with numbers |\n|---|---|\n"
    + "\n".join(
        f"| {'' if k and lines[k - 1][0] == formula else f'`{formula}`'} | `{numbers}` |"
        for k, (formula, numbers) in enumerate(lines)
    )
)
tiny.backward(2 * (tiny.forward(np.array([[1.0, 0.0]])) - 1))
z_tiny, delta_tiny = tiny.layers[1].z.item(), tiny.layers[1].grad_z.item()
loss_tiny, loss_nudged = ((byhand.activations.sigmoid(z) - 1) ** 2 for z in (z_tiny, z_tiny + 0.01))
say(
    f"**What $\\delta$ is.** Nudge a unit's weighted sum $z$, and leave all before it as it is: $\\delta$ is by how much the "
    f"loss grows, for each unit of nudge. Try it on the output: $z$ from {z_tiny:.3f} to {z_tiny + 0.01:.3f} takes the loss "
    f"from {loss_tiny:.4f} to {loss_nudged:.4f}. That is {loss_nudged - loss_tiny:.4f} for 0.01, or "
    f"{(loss_nudged - loss_tiny) / 0.01:.2f} for each unit; and the table says $\\delta = {delta_tiny:.3f}$. It is negative: "
    "this unit should have more. Whoever knows the $\\delta$ of a unit knows the gradients of its weights and of its bias."
)

# %% [markdown]
# You can step through the same with the network of this question, and change its weights: `byhand play`, in a terminal.
#
# **The rules.** Each follows from one arrow of the graph, by the chain rule. For one sample:
#
# 1. $\delta_o = 2\,(\hat y - y)\, f_o'(z_o)$. From $z_o$ the loss is reached through $\hat y$ alone: the slope of the
#    square, times the slope of $f_o$.
# 2. $\dfrac{\partial L}{\partial W_o[j]} = \delta_o\, a_{h,j}$ and $\dfrac{\partial L}{\partial b_o} = \delta_o$. A weight
#    is multiplied by what comes in, so its gradient is, too; a bias is multiplied by 1.
# 3. $\delta_{h,j} = \delta_o\, W_o[j]\, f_h'(z_{h,j})$. From $z_{h,j}$ the loss is reached through $a_{h,j}$, then through
#    the weight $W_o[j]$, which carries the error back as it carried the activation forth.
# 4. $\dfrac{\partial L}{\partial W_h[j,k]} = \delta_{h,j}\, x_k$ and $\dfrac{\partial L}{\partial b_{h,j}} = \delta_{h,j}$. As in 2.
#
# Over several samples the losses add up, and so do the gradients of a weight and of a bias. The $\delta$ do not: each
# sample has its own.
#
# Your task: these rules for all samples and all units at once, without a loop.

# %% [markdown] tags=["hint"]
# <details><summary>Hint 1: where to begin</summary>
#
# Write under each rule the shapes of what stands in it, from the table. What is multiplied element by element has one shape
# (or is stretched to it); where a sum over samples is wanted, a product of matrices does it.
#
# </details>
# <details><summary>Hint 2: which product</summary>
#
# Rule 2 has to come out as (1, 10), and you have an (n, 1) and an (n, 10): transpose one, and the samples are summed away.
# Rule 3 has to come out as (n, 10), and you have an (n, 1) and a (1, 10): there nothing is summed over the samples.
#
# </details>
# <details><summary>Hint 3: nearly the answer</summary>
#
# 1: twice the error, times `f_out.derivative` of the right z. 2: the transposed δ of the output times the hidden activations,
# as matrices; for the bias, the sum of δ over the samples, `axis=-2`, with `keepdims=True`. 3: δ of the output times the output
# weights, as matrices, then element by element the derivative of `f_hidden`. 4: as 2, with the other δ and with X.
#
# </details>

# %% [markdown]
# #### 2.7.1 δ of the output

# %%
# Wanted: shifted, the parameters in start with 0.1 added to each, so that no bias is 0; passed,
# what your forward gives for them on X, with the sigmoid in both layers; and there delta_out,
# shape (4, 1).
### BEGIN SOLUTION
shifted = [p + 0.1 for p in start]
passed = forward(X, shifted, sigmoid, sigmoid)
z_hidden, a_hidden, z_out, outputs = passed
delta_out = 2 * (outputs - y) * sigmoid_derivative(z_out)
print(delta_out)
### END SOLUTION


# %% tags=["check"]
def loss_from(z_out):
    """Return the loss that follows from the weighted sum of the output unit."""
    return byhand.losses.sum_of_squares.value(sigmoid(z_out), y)


with question("2.7.1 δ of the output"):
    agree("δ_o, numerically", delta_out, byhand.numerical_gradient(loss_from, passed[2]), rtol=1e-7, atol=1e-9)

# %% [markdown]
# #### 2.7.2 The gradients of the output layer

# %%
# Wanted: grad_W_out, shape (1, 10), and grad_b_out, shape (1, 1).
### BEGIN SOLUTION
grad_W_out = delta_out.mT @ a_hidden
grad_b_out = delta_out.sum(axis=-2, keepdims=True)
print(grad_W_out, grad_b_out)
### END SOLUTION

# %% tags=["check"]
with question("2.7.2 The gradients of the output layer"):
    _, _, W_out, b_out = shifted
    for name, mine, slopes in (
        ("∂L/∂W_o", grad_W_out, byhand.numerical_gradient(lambda W: loss_from(passed[1] @ W.mT + b_out), W_out)),
        ("∂L/∂b_o", grad_b_out, byhand.numerical_gradient(lambda b: loss_from(passed[1] @ W_out.mT + b), b_out)),
    ):
        agree(f"{name}, numerically", mine, slopes, rtol=1e-7, atol=1e-9)

# %% [markdown]
# #### 2.7.3 δ of the hidden layer

# %%
# Wanted: delta_hidden, shape (4, 10).
### BEGIN SOLUTION
delta_hidden = (delta_out @ shifted[2]) * sigmoid_derivative(z_hidden)
print(delta_hidden.round(3))
### END SOLUTION

# %% tags=["check"]
with question("2.7.3 δ of the hidden layer"):
    slopes = byhand.numerical_gradient(lambda z: loss_from(sigmoid(z) @ W_out.mT + b_out), passed[0])
    agree("δ_h, numerically", delta_hidden, slopes, rtol=1e-7, atol=1e-9)

# %% [markdown]
# #### 2.7.4 The gradients of the hidden layer

# %%
# Wanted: grad_W_hidden, shape (10, 2), and grad_b_hidden, shape (1, 10).
### BEGIN SOLUTION
grad_W_hidden = delta_hidden.mT @ X
grad_b_hidden = delta_hidden.sum(axis=-2, keepdims=True)
print(grad_W_hidden.round(3))
in_short(
    "$\\delta_o = 2\\,(\\hat y - y) \\odot f_o^{\\prime}(z_o)$, $\\delta_h = (\\delta_o W_o) \\odot f_h^{\\prime}(z_h)$; "
    f"each times what came in is a gradient. Here $\\partial L/\\partial b_o = {grad_b_out.item():.4f}$"
)
### END SOLUTION

# %% tags=["check"]
with question("2.7.4 The gradients of the hidden layer"):
    W_hidden, b_hidden = shifted[:2]
    for name, mine, slopes in (
        (
            "∂L/∂W_h",
            grad_W_hidden,
            byhand.numerical_gradient(lambda W: loss_from(sigmoid(X @ W.mT + b_hidden) @ W_out.mT + b_out), W_hidden),
        ),
        (
            "∂L/∂b_h",
            grad_b_hidden,
            byhand.numerical_gradient(lambda b: loss_from(sigmoid(X @ W_hidden.mT + b) @ W_out.mT + b_out), b_hidden),
        ),
    ):
        agree(f"{name}, numerically", mine, slopes, rtol=1e-7, atol=1e-9)

# %% [markdown]
# #### 2.7.5 All of it in one function
#
# Put the four steps into a function, for any parameters and any two activations.

# %% [markdown] tags=["solution"]
# With one sample a row, and $\odot$ for the product element by element, the four rules become
#
# $$\delta_o = 2\,(\hat y - y) \odot f_o'(z_o), \qquad
# \frac{\partial L}{\partial W_o} = \delta_o^\top a_h, \qquad \frac{\partial L}{\partial b_o} = \sum_i \delta_{o,i},$$
#
# $$\delta_h = (\delta_o W_o) \odot f_h'(z_h), \qquad
# \frac{\partial L}{\partial W_h} = \delta_h^\top X, \qquad \frac{\partial L}{\partial b_h} = \sum_i \delta_{h,i} .$$
#
# The second line is the first with the layer before it: $\delta_o W_o$ in the place of $2\,(\hat y - y)$, and $X$ in the place
# of $a_h$. A deeper network would only repeat it.


# %%
def backward(X, y, parameters, passed, f_hidden, f_out):
    """Return the gradients of the sum of squares: a list of four arrays, each of the shape of
    its parameter.

    passed is what forward returned for X and these parameters. Nothing is changed here: to
    update comes later.
    """
    ### BEGIN SOLUTION
    z_hidden, a_hidden, z_out, y_hat = passed
    _, _, W_out, _ = parameters
    delta_out = 2 * (y_hat - y) * f_out.derivative(z_out)
    delta_hidden = (delta_out @ W_out) * f_hidden.derivative(z_hidden)
    grad_W_hidden = delta_hidden.mT @ X
    grad_b_hidden = delta_hidden.sum(axis=-2, keepdims=True)
    grad_W_out = delta_out.mT @ a_hidden
    grad_b_out = delta_out.sum(axis=-2, keepdims=True)
    return [grad_W_hidden, grad_b_hidden, grad_W_out, grad_b_out]
    ### END SOLUTION


# %% [markdown]
# Two judges: numerical derivatives of the loss through your own forward pass, for each of the 41 parameters; and the
# library's backward pass.

# %% tags=["ask"]
byhand.check("2.7")

# %% tags=["check"]
PARAMETERS = ["W_hidden", "b_hidden", "W_out", "b_out"]


def agree_numerically(gradients, parameters, f_hidden, f_out):
    """Hold gradients against numerical derivatives of the sum of squares, parameter by parameter."""
    for i, (name, mine, parameter) in enumerate(zip(PARAMETERS, gradients, parameters, strict=True)):

        def loss_with(values, i=i):
            changed = [values if k == i else p for k, p in enumerate(parameters)]
            return byhand.losses.sum_of_squares.value(forward(X, changed, f_hidden, f_out)[-1], y)

        numerical = byhand.numerical_gradient(loss_with, parameter)
        largest = max(np.abs(numerical).max(), 1e-300)
        error = np.abs(mine - numerical).max() / largest
        # Central differences have an error of some 1e-10, however small the derivative: so relative to the largest.
        agree(f"∂L/∂{name} (error {error:.0e} of the largest)", mine, numerical, rtol=1e-7, atol=1e-7 * largest)


with comparison("2.7 Backward"):
    gradients = backward(X, y, shifted, passed, sigmoid, sigmoid)
    agree_numerically(gradients, shifted, sigmoid, sigmoid)
    network = library_network(shifted, "sigmoid")
    network.backward(byhand.losses.sum_of_squares.gradient(network.forward(X), y))
    agree("all 41, by the library", np.concatenate([g.ravel() for g in gradients]), network.gradients)

# %% [markdown]
# ### 2.8 Ten thousand epochs
#
# Forward, backward, update, 10,000 times. Print the loss every 1,000 epochs (every 10,000, as the handout says, would
# print it once), keep all losses, and plot them on a logarithmic axis.


# %%
def train(parameters, X, y, f_hidden, f_out, learning_rate, epochs, print_every=None):
    """Train by gradient descent on the sum of squares.

    Returns the trained parameters (a new list; those given stay as they were) and the loss
    before each update, an array with one row an epoch. With print_every=k, prints the loss
    every k epochs.
    """
    ### BEGIN SOLUTION
    losses = []
    for epoch in range(epochs):
        passed = forward(X, parameters, f_hidden, f_out)
        loss = np.sum((passed[-1] - y) ** 2, axis=(-2, -1))
        losses.append(loss)
        gradients = backward(X, y, parameters, passed, f_hidden, f_out)
        parameters = [p - learning_rate * g for p, g in zip(parameters, gradients, strict=True)]
        if print_every and epoch % print_every == 0:
            print(f"epoch {epoch:5}: loss {loss:.6f}")
    return parameters, np.array(losses)
    ### END SOLUTION


# Wanted: trained, the parameters after 10,000 epochs from start at learning rate 0.5, and
# losses_sigmoid, shape (10000,).
### BEGIN SOLUTION
trained, losses_sigmoid = train(start, X, y, sigmoid, sigmoid, 0.5, 10_000, print_every=1000)
print(f"the last one: loss {losses_sigmoid[-1]:.6f}")
### END SOLUTION


# %% tags=["ask"]
byhand.check("2.8")


# %% tags=["check"]
def library_losses(network, learning_rate, epochs):
    """Train the library's network on the four points; return the loss of each epoch."""
    optimizer = byhand.GradientDescent(learning_rate)
    return byhand.train(network, X, y, loss="sum_of_squares", optimizer=optimizer, epochs=epochs).loss


with comparison("2.8 Ten thousand epochs"):
    network = library_network(start, "sigmoid")
    agree("all 10,000 losses", losses_sigmoid, library_losses(network, 0.5, 10_000), rtol=1e-6)
    agree(
        "all 41 parameters",
        np.concatenate([p.ravel() for p in trained]),
        network.parameters,
        rtol=1e-6,
        atol=1e-9,
    )

# %%
CONVERGED = 0.01  # with a sum of squares below this, every output is within 0.1 of its target


# Wanted: a plot of losses_sigmoid on a logarithmic axis.
### BEGIN SOLUTION
def course(losses):
    """Say where a loss curve gets to."""
    below = np.flatnonzero(losses < CONVERGED)
    return f"falls below {CONVERGED} in epoch {below[0]}" if below.size else f"ends at {losses[-1]:.3f}"


show(
    figures.loss_curves(
        {"sigmoid": losses_sigmoid},
        title=f"The loss {course(losses_sigmoid)}, and goes on to {losses_sigmoid[-1]:.1e}",
        ylabel="loss (sum of squares)",
        levels={"every output within 0.1": CONVERGED},
    ),
    f"Loss against 10,000 epochs on a logarithmic axis. It begins at {losses_sigmoid[0]:.2f}, "
    f"{course(losses_sigmoid)}, and ends at {losses_sigmoid[-1]:.1e}.",
)
in_short(f"The loss {course(losses_sigmoid)}, and ends at {losses_sigmoid[-1]:.1e}")
### END SOLUTION

# %% [markdown]
# ### 2.9 Trained
#
# Test the trained network. Plot its outputs on the four points, its answers all over the square, what each hidden unit
# has come to draw, and where the hidden layer takes the four points. (To watch such a network learn: `byhand play --from
# sigmoid-learns`, in a terminal.)

# %%
# Wanted: y_trained, shape (4, 1).
### BEGIN SOLUTION
y_trained = forward(X, trained, sigmoid, sigmoid)[-1]
print(y_trained)
### END SOLUTION

# %% tags=["ask"]
byhand.check("2.9")

# %% tags=["check"]
with comparison("2.9 Trained"):
    agree("ŷ, trained", y_trained, library_network(trained, "sigmoid").predict(X))
    agree("ŷ, rounded", np.round(y_trained), byhand.datasets.xor()[1])

# %%
# Wanted: a plot of y_trained beside y, and one of the outputs all over the square.
# figures.decision_surface takes a function from points, shape (m, 2), to outputs.
### BEGIN SOLUTION
worst = np.abs(y_trained - y).max()
show(
    figures.outputs_and_targets(
        {"untrained": y_untrained, "trained": y_trained},
        y,
        points,
        title=f"Trained, every output is within {at_most(worst)} of its target",
        ylabel="output ŷ",
    ),
    f"Outputs before and after training. After: {listed(y_trained)}. The targets are 0, 1, 1, 0.",
)


def answer(x):
    return forward(x, trained, sigmoid, sigmoid)[-1]


middle = answer(np.array([[0.5, 0.5]])).item()
inner, outer = ("ones", "zeros") if middle > 0.5 else ("zeros", "ones")
show(
    figures.decision_surface(answer, X, y, title=f"A band of {inner} through the middle, {outer} on both sides"),
    "Output of the trained network over the square, as colours from 0 to 1, with the line where it is ½. A "
    f"band of {inner} runs through the middle ({middle:.2f} there) and joins two opposite corners; the other "
    "two lie on both sides of it.",
)
moments = [0, 100, 300, 1000, 10_000]
frames = [0, 100, 150, 200, 300, 1000, 10_000]
on_the_way = {0: start, 10_000: trained}
for begin, end in pairwise(frames[:-1]):
    on_the_way[end], _ = train(on_the_way[begin], X, y, sigmoid, sigmoid, 0.5, end - begin)


def answers_after(epoch):
    """Return the function from points to the outputs of the network after so many epochs."""
    return lambda x: forward(x, on_the_way[epoch], sigmoid, sigmoid)[-1][:, 0]


right_after = {epoch: int(np.sum((answers_after(epoch)(X) > 0.5) == (y[:, 0] > 0.5))) for epoch in frames}
show(
    figures.unit_surfaces(
        lambda x: np.column_stack([answers_after(epoch)(x) for epoch in moments]),
        X,
        y,
        title="How the boundary came there",
        labels=[f"epoch {epoch:,}" for epoch in moments],
        scale="output ŷ",
        threshold=0.5,
    ),
    "Five small pictures of the square with the output as colours and the line where it is ½, after "
    + ", ".join(f"{epoch:,} epochs ({right_after[epoch]} of 4 points on the right side)" for epoch in moments)
    + ".",
)
animate(
    lambda epoch: figures.decision_surface(answers_after(epoch), X, y, title=f"XOR, epoch {epoch:,}"),
    frames,
    "The output over the square, from epoch 0 to epoch 10,000, as an animation.",
)
say(f"The outputs are {listed(y_trained)}. Between the four points nobody has told the network anything.")
### END SOLUTION

# %%
# Wanted: a plot of what each hidden unit draws (figures.unit_surfaces), and of where the hidden layer takes the points
# (figures.hidden_space).
### BEGIN SOLUTION
weights_out = trained[2][0]
show(
    figures.unit_surfaces(
        lambda x: forward(x, trained, sigmoid, sigmoid)[1],
        X,
        y,
        title="Each hidden unit draws one soft step; the output weighs them",
        labels=[f"unit {j}: {w:+.1f}".replace("-", "−") for j, w in enumerate(weights_out, 1)],
    ),
    "Ten small pictures of the square, one for each hidden unit. Each is a soft step between 0 and 1 along a "
    "straight edge, in a direction, at a place and of a steepness of its own. The output weights are "
    + ", ".join(f"{w:+.1f}" for w in weights_out)
    + ".",
)
first, second = np.argsort(-np.abs(weights_out))[:2] + 1
show(
    figures.hidden_space(
        lambda x: forward(x, trained, sigmoid, sigmoid)[1],
        weights_out,
        trained[3].item(),
        X,
        y,
        title="The hidden layer moves the points so that one plane parts them",
    ),
    "Left the square with a net of lines and the four points, the ones on one diagonal and the zeros on the other. Right the "
    "same net in the space of the ten hidden units, seen along the output unit's plane, which stands upright as a line: the "
    "net is folded, both ones lie on the right of the line and both zeros on its left.",
)
say(
    f"One unit can only draw a step along a straight edge. Those that count most here are number {first} "
    f"(weight {weights_out[first - 1]:+.1f}) and number {second} ({weights_out[second - 1]:+.1f}). It takes "
    "two steps at least to make a band, one for each of its sides. Or, seen the other way: no line parts the four points "
    "in the square, but the hidden layer takes them to places that a plane does part, and the output unit is that plane."
)
in_short(f"Trained, the network answers {listed(y_trained)}")
### END SOLUTION

# %% [markdown]
# ### 2.10 The same with ReLU
#
# $\mathrm{relu}(z) = \max(z, 0)$. At 0 it has no derivative; take 0 there. Rebuild the network with ReLU in the place of
# the sigmoid, from the same start, at the learning rate 0.01. That can mean two things: ReLU in both layers; or ReLU in
# the hidden layer, and at the output the plain weighted sum (the identity). Do both.


# %%
def relu(z):
    """Return max(z, 0), element by element."""
    ### BEGIN SOLUTION
    return np.maximum(z, 0)
    ### END SOLUTION


def relu_derivative(z):
    """Return 1.0 where z > 0 and 0.0 elsewhere."""
    ### BEGIN SOLUTION
    return 1.0 * (z > 0)
    ### END SOLUTION


def identity(z):
    """Return z as it is."""
    ### BEGIN SOLUTION
    return z
    ### END SOLUTION


def identity_derivative(z):
    """Return the derivative of the identity at each element of z, in the shape of z."""
    ### BEGIN SOLUTION
    return np.ones_like(z)
    ### END SOLUTION


relu.derivative, identity.derivative = relu_derivative, identity_derivative

# Wanted: trained_relu and losses_relu, 10,000 epochs from start at learning rate 0.01 with
# ReLU in both layers; and trained_mixed and losses_mixed, the same with ReLU in the hidden
# layer and the identity at the output.
### BEGIN SOLUTION
trained_relu, losses_relu = train(start, X, y, relu, relu, 0.01, 10_000)
trained_mixed, losses_mixed = train(start, X, y, relu, identity, 0.01, 10_000)
print(f"last loss: {losses_relu[-1]:.6f} with two ReLUs, {losses_mixed[-1]:.6f} with ReLU and identity")
### END SOLUTION

# %% tags=["ask"]
byhand.check("2.10")

# %% tags=["check"]
with comparison("2.10 The same with ReLU"):
    z = np.array([-3.0, -0.5, 0.0, 0.5, 3.0])
    agree("relu", relu(z), byhand.activations.relu(z))
    agree("relu′", relu_derivative(z), byhand.activations.relu.derivative(z, relu(z)))
    agree("identity and its derivative", [identity(z), identity_derivative(z)], [z, np.ones(5)])
    awake = [
        start[0],
        start[1] + 0.1,
        np.abs(start[2]),
        start[3] + 0.1,
    ]  # some unit is on, and none exactly at 0
    for name, f_out, losses in (("relu", relu, losses_relu), ("identity", identity, losses_mixed)):
        print(f"  output {name}:")
        gradients = backward(X, y, awake, forward(X, awake, relu, f_out), relu, f_out)
        agree_numerically(gradients, awake, relu, f_out)
        reference = library_losses(library_network(start, ["relu", name]), 0.01, 1000)
        agree("the first 1000 losses", losses[:1000], reference, rtol=1e-6, atol=1e-9)

# %%
# Wanted: a plot of ReLU and its derivative; one of all three loss curves; one of the surface
# that ReLU units make.
### BEGIN SOLUTION
show(
    figures.function_and_derivative(
        relu,
        relu_derivative,
        title="ReLU: slope 1 above 0, nothing at all below",
        labels=("relu(z)", "relu′(z)"),
        span=(-3, 3),
    ),
    "ReLU is 0 for negative z, and z for positive z. Its derivative jumps from 0 to 1 at 0.",
)
show(
    figures.loss_curves(
        {
            "sigmoid, η = 0.5": losses_sigmoid,
            "ReLU in both layers, η = 0.01": losses_relu,
            "ReLU, then identity, η = 0.01": losses_mixed,
        },
        x=np.arange(1, 10_001),
        log_x=True,
        bottom=1e-6,
        title="One start, three networks: one run each, so no verdict yet",
        xlabel="epoch (the first is 1, for the logarithmic axis)",
        ylabel="loss (sum of squares)",
    ),
    f"Losses against 10,000 epochs, both axes logarithmic. Sigmoid: {course(losses_sigmoid)}. ReLU in both layers: "
    f"{course(losses_relu)}. ReLU, then identity: {course(losses_mixed)}.",
)
show(
    figures.decision_surface(
        lambda x: forward(x, trained_mixed, relu, identity)[-1],
        X,
        y,
        title="ReLU units fold the plane: flat pieces, straight creases",
    ),
    "Output of the network with ReLU and an identity output over the square, as colours: flat pieces that meet along "
    f"straight creases. The outputs are {listed(forward(X, trained_mixed, relu, identity)[-1])}.",
)
say(
    f"From this start, the loss of the sigmoid network {course(losses_sigmoid)}. With ReLU in both layers it "
    f"{course(losses_relu)}; with ReLU and then the identity it {course(losses_mixed)}. One run is one draw of a lottery; "
    "the next question buys more tickets."
)
in_short(
    f"The loss with ReLU in both layers {course(losses_relu)}; with ReLU, then identity, it {course(losses_mixed)}"
)
### END SOLUTION

# %% [markdown]
# ### 2.11 Which converges the fastest?
#
# Draw 300 starts, from 300 seeds, and train from all of them, without a loop: `@` and `.mT` work on the last two axes of
# an array. Put one more axis in front, `W_hidden` of shape (300, 10, 2), `b_hidden` of shape (300, 1, 10), and so on,
# and the very same `forward`, `backward` and `train` train 300 networks at once. (If yours do not: sum over `axis=-2`
# and `axis=(-2, -1)`, instead of `axis=0` and everything.)
#
# Say that a run has converged when its loss is below 0.01. For each kind of network, count how many converge within
# 2,000 epochs, and find the epoch in which the middle one does. A run that never converges is a slow run, not a missing
# one: in the median it counts as $\infty$. (Leave it out, and the network that fails most may look best.)

# %% [markdown] tags=["hint"]
# <details><summary>Hint 1: where to begin</summary>
#
# Print the shape of what `stack` returns for three starts, and let `forward` run on it. If it fails, look where your code
# counts axes from the front.
#
# </details>
# <details><summary>Hint 2: further</summary>
#
# `first_below`: `losses < threshold` is an array of booleans; along `axis=0`, `argmax` finds the first True. What does it
# return where there is none?
#
# </details>
# <details><summary>Hint 3: nearly the answer</summary>
#
# Stack `draw(seed)` for all seeds; for each contender call `train` once, and `first_below` on its losses. Columns without any
# True get `np.inf`: `np.where(below.any(axis=0), …, np.inf)`.
#
# </details>

# %%
RUNS, EPOCHS = 300, 2000
seeds = np.random.RandomState(SEED).randint(2**31, size=RUNS)
contenders = {
    "sigmoid, η = 0.5": (sigmoid, sigmoid, 0.5),
    "ReLU in both layers, η = 0.01": (relu, relu, 0.01),
    "ReLU, then identity, η = 0.01": (relu, identity, 0.01),
}


def share(count, of):
    """Write a share with its 95% confidence interval (Wilson's)."""
    interval = binomtest(int(count), int(of)).proportion_ci(method="wilson")
    return f"{count / of:.1%} ({interval.low:.1%} to {interval.high:.1%})"


def in_epochs(number):
    """Write a number of epochs, which may be infinite."""
    return f"{number:.0f}" if np.isfinite(number) else "never"


def stack(networks):
    """Put the parameters of many networks into four arrays, with one more axis in front."""
    return [np.stack(arrays) for arrays in zip(*networks, strict=True)]


# Wanted: first_below(losses, threshold); and reached, a dictionary: for each contender the
# first epochs below 0.01 of its RUNS runs, shape (RUNS,).
def first_below(losses, threshold):
    """Return for each column of losses the first row below the threshold, or np.inf."""
    ### BEGIN SOLUTION
    below = losses < threshold
    return np.where(below.any(axis=0), below.argmax(axis=0), np.inf)
    ### END SOLUTION


### BEGIN SOLUTION
starts = stack([draw(seed) for seed in seeds])
reached, ends = {}, {}
with np.errstate(over="ignore", invalid="ignore"):  # should a run fly off, it has not converged
    for name, (f_hidden, f_out, rate) in contenders.items():
        ends[name], losses = train(starts, X, y, f_hidden, f_out, rate, EPOCHS)
        reached[name] = first_below(losses, CONVERGED)
for name, when in reached.items():
    count, epochs = np.isfinite(when).sum(), in_epochs(np.median(when))
    print(f"{name}: {count} of {RUNS} converge; epochs, middle one: {epochs}")
### END SOLUTION

# %% tags=["check"]
with question("2.11 Which converges the fastest?"):
    for name, activations, rate in (
        ("sigmoid, η = 0.5", "sigmoid", 0.5),
        ("ReLU in both layers, η = 0.01", "relu", 0.01),
        ("ReLU, then identity, η = 0.01", ["relu", "identity"], 0.01),
    ):
        assert reached[name].shape == (RUNS,), f"reached[{name!r}] has shape {reached[name].shape}, not ({RUNS},)"
        alone = np.array(library_losses(library_network(draw(seeds[-1]), activations), rate, EPOCHS))
        expected = np.argmax(alone < 0.01) if alone.min() < 0.01 else np.inf
        agree(f"the last run, {name}, trained alone by the library", reached[name][-1], expected, atol=1)

# %%
# Wanted: how many converge, when the middle one does, and a plot. Which is the fastest? How
# sure are you?
### BEGIN SOLUTION
converged = {name: np.isfinite(when) for name, when in reached.items()}
medians = {name: np.median(when) for name, when in reached.items()}
fastest, surest = min(medians, key=medians.get), max(converged, key=lambda name: converged[name].sum())
rows = [
    f"| {name} | {share(converged[name].sum(), RUNS)} | {in_epochs(medians[name])} | "
    f"{in_epochs(np.median(when[converged[name]]) if converged[name].any() else np.inf)} |"
    for name, when in reached.items()
]
show(
    figures.convergence(reached, within=EPOCHS, title=f"The middle run is fastest with: {fastest}"),
    f"Which share of {RUNS} runs has converged by which epoch (logarithmic axis). In the end: "
    + "; ".join(f"{name}: {is_in.mean():.0%}" for name, is_in in converged.items())
    + ".",
)
both = "ReLU in both layers, η = 0.01"
last_answers = forward(X, ends[both], relu, relu)[-1][..., 0]  # shape (300, 4)
lost = last_answers[~converged[both]]


def near(answers, wanted):
    """Return for each row of answers whether all four are within 0.1 of the wanted ones."""
    return np.abs(answers - wanted).max(axis=-1) < 0.1


nothing = near(lost, [0, 0, 0, 0])
one_of_two = near(lost, [0, 1, 0, 0]) | near(lost, [0, 0, 1, 0])
z_lost = forward(X, ends[both], relu, relu)[2][..., 0][~converged[both]]
silent = one_of_two & (z_lost[:, 1:3].min(axis=1) < 0)
say(
    f"""
| network | converged, with 95% interval | epochs, middle one of all {RUNS} | epochs, middle one of those converged |
|---|---|---|---|
{chr(10).join(rows)}

The middle run is fastest with **{fastest}** ({in_epochs(medians[fastest])} epochs). The surest is **{surest}**
({converged[surest].mean():.1%} of the runs).

With ReLU in both layers, one lucky run would mislead: of those that converge, the middle one takes
{in_epochs(np.median(reached[both][converged[both]]))} epochs. But {len(lost)} of {RUNS} never do. In the end
{nothing.sum()} of these answer 0 everywhere, which costs 2; {one_of_two.sum()} answer 1 on one of the two targets and 0 on
the other three points, which costs 1; {len(lost) - nothing.sum() - one_of_two.sum()} something else. Those that answer 1 on
one target have learned one half of XOR: on the other target the output unit gives 0; where its pre-activation is
negative (as in {silent.sum()} of the {one_of_two.sum()}), the slope of ReLU is 0, and the error of 1 is never sent back.
Part 3 takes such a network apart.

All this holds for these learning rates, for weights drawn like this, and for XOR. ReLU was given a fiftieth of the
sigmoid's learning rate, and nothing says that either is the best for its network.
"""
)
in_short(
    f"The middle run is fastest with {fastest} ({in_epochs(medians[fastest])} epochs); with ReLU in both layers {len(lost)} of {RUNS} runs never converge"
)
### END SOLUTION

# %% [markdown]
# #### 2.11b Each at its best
#
# *Extension, 10 minutes.* So give each network its own learning rate: try many, and compare each at its best. `study`
# trains such a grid together, as you have done with 300 runs. It chooses the rates by one half of the seeds, and measures
# on the other: a rate chosen and measured on the same runs would look better than it is.
#
# And keep apart which layer makes the difference: compare three hidden activations twice, with the same function at the
# output, and with the identity there.

# %%
HIDDEN = ["sigmoid", "tanh", "relu"]

# Wanted: answer, a study of XOR with ten hidden units: each of HIDDEN in both layers ("tanh"),
# and each with the identity at the output ("tanh/identity"), at learning rates from 0.002 to
# 10, for 100 seeds. (answer.best has one summary for each network.)
### BEGIN SOLUTION
answer = study(
    "xor",
    activations=[*HIDDEN, *(f"{name}/identity" for name in HIDDEN)],
    learning_rates="2e-3..10",
    seeds=100,
    epochs=EPOCHS,
    threshold=CONVERGED,
    jobs=1,  # these few seconds are not worth starting other processes for
)
best_of = {best.cell.activation: best for best in answer.best}
for name, best in best_of.items():
    print(f"{name} at {best.cell.learning_rate:g}: {best.converged} of {best.runs} converge")
### END SOLUTION

# %%
# Wanted: a table and a plot of the six, by the epochs of the middle run and by the mean, in
# which a run that never converges counts as one of 2,000 epochs; your answer.
### BEGIN SOLUTION
middle_run = {name: best.quartiles[1] for name, best in best_of.items()}
average = {name: best.mean_epochs for name, best in best_of.items()}


def soonest(epochs):
    """Name those with the fewest epochs."""
    least = min(epochs.values())
    return " and ".join(name for name, value in epochs.items() if value == least)


def group(names):
    """Return the points of the plot for these networks."""
    return {f"{name}, η = {best_of[name].cell.learning_rate:g}": (middle_run[name], average[name], 0) for name in names}


by_middle, by_average = soonest(middle_run), soonest(average)
with_identity = {name: middle_run[f"{name}/identity"] for name in HIDDEN}
figure = figures.trade_off(
    {
        "same function in both layers": group(HIDDEN),
        "identity output": group(f"{name}/identity" for name in HIDDEN),
    },
    title=f"Soonest in the middle run: {by_middle}; on average: {by_average}",
    xlabel="epochs, middle run",
    ylabel=f"epochs, mean (at most {EPOCHS:,})",
)
figure.axes[0].set_yscale("log")
show(
    figure,
    "Six networks, each at its best learning rate: epochs of the middle run across, mean epochs up. "
    + "; ".join(f"{name}: {in_epochs(middle_run[name])} and {average[name]:.0f}" for name in best_of)
    + ".",
)
rows = [
    f"| {name} | {best.cell.learning_rate:g} | {share(best.converged, best.runs)} | {in_epochs(middle_run[name])} "
    f"({in_epochs(best.median_low)} to {in_epochs(best.median_high)}) | {average[name]:.0f} |".replace(
        " (never to never)", ""
    )
    for name, best in best_of.items()
]
unclear = [pair.slower for pair in answer.comparisons if pair.faster == by_average and not pair.shown]
say(
    f"""
| network | best learning rate | converged, with 95% interval | epochs, middle run, with 95% interval | epochs, mean |
|---|---|---|---|---|
{chr(10).join(rows)}

*Only the hidden function differs* (the identity at the output): the middle run of
{", of ".join(f"{name} takes {in_epochs(epochs)} epochs" for name, epochs in with_identity.items())}.
*Only the output differs* (sigmoid in the hidden layer): {in_epochs(middle_run["sigmoid"])} epochs with a sigmoid
there, {in_epochs(middle_run["sigmoid/identity"])} with the identity.

Over all six, the middle run is soonest with **{by_middle}**; on average, with each run that never converges counted as
one of {EPOCHS:,} epochs, it is **{by_average}**. On average, no difference is shown between {by_average} and {" or ".join(unclear) or "any other"}; the
others are slower by more than chance in the seeds explains.

So "which converges the fastest?" has no answer before it is said what stands at the output, at which learning rate,
and how a run counts that never arrives.
"""
)
in_short(
    f"Each at its best learning rate, the middle run is soonest with {by_middle} ({in_epochs(min(middle_run.values()))} epochs)"
)
### END SOLUTION

# %% tags=["check"]
with question("2.11b Each at its best"):
    by_hand = {"sigmoid": (sigmoid, sigmoid), "relu/identity": (relu, identity)}
    runs = {
        (run["activation"], run["learning_rate"], run["seed"]): run["epochs_to_threshold"]
        for run in answer.runs.to_pylist()
    }
    for name, rate in (("sigmoid", 5), ("relu/identity", 0.01)):
        drawn = byhand.Network.dense([2, 10, 1], name.split("/")[0], initializer="standard_normal", seed=7)
        (W_1, b_1), (W_2, b_2) = ((layer.W.copy(), layer.b[None, :].copy()) for layer in drawn.layers)
        _, losses = train([W_1, b_1, W_2, b_2], X, y, *by_hand[name], rate, EPOCHS)
        epochs = first_below(losses[:, None], CONVERGED)[0]
        agree(f"{name} at {rate:g}, seed 7, trained by your code", epochs, runs[name, rate, 7] or np.inf, atol=1)

# %% [markdown]
# ### 2.12 Faster is not better
#
# *Extension, 25 minutes.* Suppose that one network does converge faster. Is it better? Better is who is right on points
# *not* seen, and XOR has none. So here are points all over a square, in class 1 where exactly one coordinate is positive,
# and 15% of the labels are wrong. A network that learns the training points by heart learns the wrong labels, too. One that
# knows the rule and answers 0.15 or 0.85 has a mean squared error of $0.15 \cdot 0.85 = 0.1275$ on new points, on average,
# and nothing can do better.
#
# From the **training** set, networks learn. By the **validation** set, we choose between them. By the **test** set, once
# and at the very end, we announce how good the chosen one is: its validation loss is too good to be announced, because
# for that it was chosen.
#
# Six candidates: sigmoid in both layers, or ReLU and then the identity, at three learning rates each, ten networks of
# each. Whose training loss is the first below 0.2? Whose validation loss is the lowest at the end? Three steps: the
# validation loss of a stack of networks; training in 40 stages of 50 epochs, with that loss after each; and the choice.


# %% [markdown] tags=["hint"]
# <details><summary>Hint 1: where to begin</summary>
#
# The stacks of 2.11 work here too: ten starts, and 100 points in the place of four.
#
# </details>
# <details><summary>Hint 2: further</summary>
#
# For one candidate: call `train` forty times for 50 epochs, each time from the parameters that the last call returned. Between the
# calls, compute the mean squared error on the validation set, for all ten networks.
#
# </details>
# <details><summary>Hint 3: nearly the answer</summary>
#
# The mean squared error of a stack is `((forward(x, …)[-1] - targets) ** 2).mean(axis=(-2, -1))`, shape (10,). `np.concatenate`
# joins the forty pieces of training losses; divide them by 100 first.
#
# </details>


# %%
def noisy_xor(n):
    """Draw n points of a square; 15% of the labels are wrong."""
    x = np.random.uniform(-1, 1, (n, 2))
    label = (x[:, :1] > 0) ^ (x[:, 1:] > 0)
    return x, (label ^ (np.random.rand(n, 1) < 0.15)).astype(float)


np.random.seed(SEED)
X_training, y_training = noisy_xor(100)  # few, so that they can be learned by heart
X_validation, y_validation = noisy_xor(1000)
X_test, y_test = noisy_xor(1000)

candidates = {
    f"{name}, η = {rate:g}": (f_hidden, f_out, rate)
    for name, f_hidden, f_out, rates in (
        ("sigmoid", sigmoid, sigmoid, (1, 3, 10)),
        ("ReLU", relu, identity, (0.03, 0.1, 0.2)),
    )
    for rate in rates
}


def squared_errors(parameters, name, x, targets):
    """Return the squared error of each network of a candidate's stack on each point."""
    f_hidden, f_out, _ = candidates[name]
    return (forward(x, parameters, f_hidden, f_out)[-1] - targets) ** 2


def validate(parameters, name):
    """Return the mean squared error of each network of a candidate's stack on the validation set, shape (10,)."""
    ### BEGIN SOLUTION
    return squared_errors(parameters, name, X_validation, y_validation).mean(axis=(-2, -1))
    ### END SOLUTION


# Wanted: for each candidate, ten networks from the first ten seeds, trained for 2,000 epochs
# on the mean squared error (train uses the sum: divide the learning rate by 100). Three
# dictionaries: networks, with their parameters, stacked; training_losses, shape (2000, 10),
# for each epoch; validation_losses, shape (41, 10), at the start and after every 50 epochs.
### BEGIN SOLUTION
networks, training_losses, validation_losses = {}, {}, {}
for name, (f_hidden, f_out, rate) in candidates.items():
    parameters = stack([draw(seed) for seed in seeds[:10]])
    training, validation = [], [validate(parameters, name)]
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(40):
            parameters, losses = train(parameters, X_training, y_training, f_hidden, f_out, rate / 100, epochs=50)
            training.append(losses / 100)
            validation.append(validate(parameters, name))
    networks[name] = parameters
    training_losses[name] = np.concatenate(training)
    validation_losses[name] = np.array(validation)
### END SOLUTION

# %% [markdown]
# Now choose, by the median over the ten networks; and among the ten of the best candidate, by validation loss.

# %%
# Wanted: fastest_candidate (the first with a training loss below 0.2) and best_candidate (the
# lowest validation loss at the end), two names; chosen_network, a list of four parameters,
# its validation_loss, and, computed once, its test_loss.
### BEGIN SOLUTION
speed = {name: np.median(first_below(losses, 0.2)) for name, losses in training_losses.items()}
in_the_end = {name: np.nan_to_num(losses[-1], nan=np.inf) for name, losses in validation_losses.items()}
final = {name: np.median(losses) for name, losses in in_the_end.items()}
fastest_candidate = min(speed, key=speed.get)  # of several that are equally fast, the first
best_candidate = min(final, key=final.get)

best_run = np.argmin(in_the_end[best_candidate])
validation_loss = in_the_end[best_candidate][best_run]
chosen_network = [p[best_run] for p in networks[best_candidate]]
test_errors = squared_errors(chosen_network, best_candidate, X_test, y_test)
test_loss = np.mean(test_errors)
print(f"fastest: {fastest_candidate}; best by validation: {best_candidate}")
print(f"test loss of the chosen network: {test_loss:.4f}")
### END SOLUTION

# %% tags=["check"]
with question("2.12 Faster is not better"):
    for name, (f_hidden, f_out, _) in candidates.items():
        assert training_losses[name].shape == (2000, 10), f"training_losses[{name!r}]: {training_losses[name].shape}"
        activations = [f_hidden.__name__, f_out.__name__]
        y_hat = library_network([p[3] for p in networks[name]], activations).predict(X_validation)
        agree(
            f"{name}, network 3, validation loss",
            validation_losses[name][-1, 3],
            mean_squared_error(y_validation, y_hat),
        )
    at_the_end = {name: np.median(np.nan_to_num(losses[-1], nan=np.inf)) for name, losses in validation_losses.items()}
    assert at_the_end[best_candidate] == min(at_the_end.values()), "another candidate has a lower median"
    activations = [f.__name__ for f in candidates[best_candidate][:2]]
    y_hat = library_network(chosen_network, activations).predict(X_test)
    agree(
        "validation loss of the chosen network",
        validation_loss,
        np.nanmin(validation_losses[best_candidate][-1]),
    )
    agree("test loss of the chosen network", test_loss, mean_squared_error(y_test, y_hat))

# %%
# Wanted: a plot of validation loss against speed for the candidates; one of training and
# validation loss for the fastest and the best.
### BEGIN SOLUTION
groups = {"sigmoid": {}, "ReLU, then identity": {}}
for name in candidates:
    kind, _, rate = name.partition(", ")
    low, high = np.nanquantile(validation_losses[name][-1], [0.25, 0.75])
    group = groups["sigmoid" if kind == "sigmoid" else "ReLU, then identity"]
    group[rate] = speed[name] + 1, final[name], (high - low) / 2
equally_fast = [name for name in candidates if in_epochs(speed[name]) == in_epochs(speed[fastest_candidate])]
is_best = best_candidate in equally_fast
the_fastest = " and ".join(equally_fast)
show(
    figures.trade_off(
        groups,
        title=f"The fastest: {the_fastest}; the best: {best_candidate}",
        xlabel="epochs to a training loss below 0.2",
        ylabel="validation loss in the end (MSE)",
    ),
    "The six candidates: epochs to a training loss below 0.2 across, validation loss in the end up (medians "
    "of ten networks). "
    + "; ".join(f"{name}: {in_epochs(speed[name])} epochs, {final[name]:.3f}" for name in candidates)
    + ".",
)

stages = np.arange(50, 2001, 50)
curves = {}
for role, name in {"fastest": fastest_candidate, "best": best_candidate}.items():
    curves[f"{role}, training"] = np.median(training_losses[name][49::50], axis=1)
    curves[f"{role}, validation"] = np.median(validation_losses[name][1:], axis=1)
last = {label: curve[-1] for label, curve in curves.items()}
gaps = {role: last[f"{role}, validation"] - last[f"{role}, training"] for role in ("fastest", "best")}
show(
    figures.loss_curves(
        curves,
        x=stages,
        log_y=False,
        title=f"New points cost {gaps['fastest']:+.3f} against learned ones (fastest), {gaps['best']:+.3f} (best)",
        ylabel="mean squared error (median)",
        levels={"the best possible\non average: 0.1275": 0.1275},
    ),
    f"Training and validation losses from epoch 50 to 2,000 for the fastest candidate ({fastest_candidate}) "
    f"and the best ({best_candidate}). In the end: "
    + "; ".join(f"{label} {value:.3f}" for label, value in last.items())
    + ".",
)
### END SOLUTION


# %%
# Wanted: your answer. Is the fastest the best? What do you announce? How sure are you?
### BEGIN SOLUTION
def compared(one, other):
    """Say by how much the validation loss of one candidate is above the other's, and whether that could be chance."""
    means = []
    for name in (one, other):
        errors = squared_errors(networks[name], name, X_validation, y_validation)
        means.append(errors[np.isfinite(errors).all(axis=(-2, -1))].mean(axis=0))  # a run that flew off has none
    difference = means[0] - means[1]
    margin = 2 * np.std(difference, ddof=1) / np.sqrt(difference.size)
    verdict = "more than chance in the points explains" if abs(difference.mean()) > margin else "no difference shown"
    return f"{difference.mean():+.4f} ± {margin:.4f}, {verdict}"


best_sigmoid, best_relu = (min((n for n in candidates if n.startswith(k)), key=final.get) for k in ("sigmoid", "ReLU"))
margin = 2 * np.std(test_errors, ddof=1) / np.sqrt(test_errors.size)
pairs = {(best_relu, best_sigmoid): "the best of ReLU and the best of sigmoid"}
if not is_best:
    pairs = {(fastest_candidate, best_candidate): "the fastest and the best"} | pairs
rows = [f"| {what} | {one} | {other} | {compared(one, other)} |" for (one, other), what in pairs.items()]
story = (
    "so the fastest is also the best here. Nothing in its speed has told us so; the validation set has."
    if is_best
    else "so the fastest is not the best."
)
say(
    f"""
First below a training loss of 0.2: {the_fastest} ({in_epochs(speed[fastest_candidate])} epochs
{"each" if len(equally_fast) > 1 else "in the middle run"}). Lowest validation loss in the end: {best_candidate}
({in_epochs(speed[best_candidate])} epochs); {story} How sure is that? The difference in validation loss, all ten
networks of each taken together:

| | first | second | first − second |
|---|---|---|---|
{chr(10).join(rows)}

Chosen by validation: {best_candidate}, network {best_run}, with a validation loss of {validation_loss:.4f}.
Announced, from the test set, used this once: **{test_loss:.4f} ± {margin:.4f}**,
{test_loss - validation_loss:+.4f} from the loss that it was chosen for. (Best possible, on average: 0.1275.)

Every ± is two standard errors, from the scatter of the points; another training set would add a scatter of its own.
"""
)
in_short(f"The fastest: {the_fastest}; the best: {best_candidate}. Announced: {test_loss:.4f} ± {margin:.4f}")
### END SOLUTION

# %% [markdown]
# ### 2.13 The identity everywhere
#
# Rebuild the network once more, on XOR, with the identity in both layers (learning rate 0.005, 10,000 epochs). What
# happens? Why does it make sense? Prove which answers are the best that such a network can give; and look at many starts:
# does gradient descent arrive there?

# %% [markdown] tags=["solution"]
# With the identity, the network computes
#
# $$\hat y = (X W_h^\top + b_h)\, W_o^\top + b_o = X\, (W_o W_h)^\top + (b_h W_o^\top + b_o) :$$
#
# one weighted sum and one bias. Ten hidden units or none, it draws a plane over the square,
# $\hat y = w_1 x_1 + w_2 x_2 + c$.
#
# The best plane follows from the normal equations. With a column of ones appended to $X$:
#
# $$\tilde X = \begin{pmatrix} 0 & 0 & 1 \\ 0 & 1 & 1 \\ 1 & 0 & 1 \\ 1 & 1 & 1 \end{pmatrix}, \qquad
# \tilde X^\top \tilde X \begin{pmatrix} w_1 \\ w_2 \\ c \end{pmatrix} =
# \begin{pmatrix} 2 & 1 & 2 \\ 1 & 2 & 2 \\ 2 & 2 & 4 \end{pmatrix} \begin{pmatrix} w_1 \\ w_2 \\ c \end{pmatrix} =
# \tilde X^\top y = \begin{pmatrix} 1 \\ 1 \\ 2 \end{pmatrix} .$$
#
# The first line minus the second says $w_1 = w_2 = w$. Then $3w + 2c = 1$ and $4w + 4c = 2$, so that $w = 0$ and
# $c = \frac12$, and there is no other solution. The best that any plane can do is to answer $\frac12$ everywhere,
# at a loss of $4 \cdot \left(\frac12\right)^2 = 1$.
#
# Does gradient descent get there? It can rest only where all gradients vanish. Two of them are
# $\partial L / \partial b_o = \sum_i \delta_{o,i}$ and $\partial L / \partial W_h = W_o^\top \delta_o^\top X$. If
# $W_o \neq 0$, both vanish only when $\tilde X^\top \delta_o = 0$, the normal equations above: the best plane. If $W_o = 0$, the network
# answers $b_o$ everywhere, and the first gradient makes that the mean of the targets, $\frac12$: the best plane again. So
# wherever it comes to rest, the loss is 1. That it does come to rest is not proved by this (at too large a learning rate it
# doesn't); so we count.
#
# It makes sense: the middle of the square lies halfway between $(0,0)$ and $(1,1)$, and between $(0,1)$ and $(1,0)$. A plane
# can't have 0 there for one pair and 1 for the other.

# %%
# Wanted: trained_linear, losses_linear; y_linear, shape (4, 1), the outputs after training;
# best_plane, shape (3,), with w₁, w₂ and c by the normal equations.
### BEGIN SOLUTION
trained_linear, losses_linear = train(start, X, y, identity, identity, 0.005, 10_000)
y_linear = forward(X, trained_linear, identity, identity)[-1]
hundred_starts = [p[:100] for p in starts]
_, losses_of_hundred = train(hundred_starts, X, y, identity, identity, 0.005, 2000)
arrived = np.sum(np.abs(losses_of_hundred[-1] - 1) < 1e-6)
print(f"of 100 starts, {arrived} end within a millionth of a loss of 1")
X_tilde = np.hstack([X, np.ones((4, 1))])
best_plane = np.linalg.solve(X_tilde.T @ X_tilde, X_tilde.T @ y)[:, 0]
print(f"outputs {y_linear[:, 0]}, loss {losses_linear[-1]:.6f}")
print(f"best plane {best_plane.round(12)}")
### END SOLUTION

# %% tags=["ask"]
byhand.check("2.13")

# %% tags=["check"]
with comparison("2.13 The identity everywhere"):
    reference = LinearRegression().fit(*byhand.datasets.xor())
    agree("best plane", best_plane, [*reference.coef_[0], reference.intercept_[0]], atol=1e-12)
    agree("all outputs", y_linear, np.full((4, 1), 0.5), rtol=1e-6)
    agree("the loss in the end", losses_linear[-1], np.sum((reference.predict(X) - y) ** 2), rtol=1e-6)

# %%
# Wanted: a plot of the outputs; the plane that the trained network has become, beside the best one.
### BEGIN SOLUTION
show(
    figures.outputs_and_targets(
        {"sigmoid": y_trained, "identity everywhere": y_linear},
        y,
        points,
        title="With the identity everywhere, every output goes to ½",
        ylabel="output ŷ",
    ),
    f"Outputs for the four points. With the identity everywhere: {listed(y_linear)}; with sigmoids: "
    f"{listed(y_trained)}. The targets are 0, 1, 1, 0.",
)
W_hidden, b_hidden, W_out, b_out = trained_linear
plane = [*(W_out @ W_hidden)[0], (b_hidden @ W_out.T + b_out).item()]
rows = [
    f"| {name} | " + " | ".join(f"{number:z.6f}" for number in (*numbers, loss)) + " |"
    for name, numbers, loss in (
        ("best plane, by the normal equations", best_plane, np.sum((X_tilde @ best_plane[:, None] - y) ** 2)),
        ("trained network, multiplied out", plane, losses_linear[-1]),
    )
]
say(
    f"""
| | $w_1$ | $w_2$ | $c$ | loss |
|---|---|---|---|---|
{chr(10).join(rows)}

The training found what the proof says is best, and 41 parameters are worth no more than 3. So do {arrived} of 100
other starts (the first hundred of 2.11), to within a millionth of the loss.
"""
)
in_short(
    f"It answers {y_linear.mean():.4f} everywhere, with a loss of {losses_linear[-1]:.4f}: without activations two layers are one plane"
)
### END SOLUTION
# %% [markdown]
# ## Part 3: a program that does not learn
#
# Here is the last cell of the handout, as it stands there: XOR, with ReLU in both layers. Launch it. What happens? Why?

# %% tags=["folded"]
PROGRAM = """\
np.random.seed(44)

# weight and bias matrices for the hidden layer
W_hidden = np.random.randn(n_hidden, 2)  # n_hidden rows and two columns, we 
# are therefore doing W*x with x a column vector (to match the slides).
# The same would obviously work with x*W with x a line vector.
b_hidden = np.zeros((n_hidden))  # b_hidden can be considered as a vector, 
# a matrix would work but isn't necessary. It will have to be transposed
# as vectors are line vectors in Python.

# weight and bias matrices for the output layer
W_out = np.random.randn(1, n_hidden)
b_out = np.zeros((1))


# number of hidden units
n_hidden = 10
# learning rate
lr = 0.001
# number of epochs
epochs = 10_000


# activation function
def relu(x):
    return x.clip(0,None)
# and its derivative
def relu_derivative(x):
    return 1*(x>=0)


def forward(X):
    # number of samples
    n_samples = X.shape[0]  # n_samples is 4 here
    # hidden layer activations
    hidden_activations = np.zeros((n_samples, W_hidden.shape[0]))
    # output layer activations
    output_activations = np.zeros((n_samples, W_out.shape[0]))
    # loss
    loss = 0
    for i in range(n_samples):
        hidden_activations[i] = relu(np.dot(W_hidden, X[i].T) + b_hidden.T)  # layer 1
        output_activations[i] = relu(np.dot(W_out, hidden_activations[i]) + b_out)  # y_hat
        loss += (y_train[i] - output_activations[i]) ** 2
    return hidden_activations, output_activations, loss

    # It's also important to note that this solution is not the most efficient, 
    # especially when you have a large dataset. But for the sake of clarity,
    # it is more understandable if we iterate over the samples in X to calculate
    # the hidden_activations and output_activations for each sample.

def backward(X, y_train, hidden_activations, output_activations):
    # global variables because we are going to change them and we need the
    # change to only be done locally
    global W_hidden, b_hidden, W_out, b_out

    n_samples = X.shape[0]  # n_samples is 4 here
    # update weight matrices and biases

    for i in range(n_samples):
        for j in range(n_hidden):
            W_out[0][j] -= lr * 2 * (output_activations[i] - y_train[i]) * relu_derivative(np.dot(W_out, hidden_activations[i]) + b_out) * hidden_activations[i][j]
        b_out -= lr * 2 * (output_activations[i] - y_train[i]) * relu_derivative(np.dot(W_out, hidden_activations[i]) + b_out)

        for j in range(n_hidden):
            for k in range(2):  # because W_hidden is a matrix n_hidden rows, 2 columns
                W_hidden[j][k] -= lr * 2 * (output_activations[i] - y_train[i]) * relu_derivative(np.dot(W_out, hidden_activations[i]) + b_out) * W_out[0][j] * relu_derivative(np.dot(W_hidden, X[i].T) + b_hidden.T)[j] * X[i][k]
            b_hidden[j] -= lr * 2 * (output_activations[i] - y_train[i]) * relu_derivative(np.dot(W_out, hidden_activations[i]) + b_out) * W_out[0][j]


losses = np.zeros(epochs)
for epoch in range(epochs):
    # train
    hidden_activations, output_activations, loss = forward(X_train)
    backward(X_train, y_train, hidden_activations, output_activations)
    # save & print the loss
    losses[epoch] = loss
    if epoch % 1000 == 0:
        print(f"Epoch {epoch}: loss = {loss}")
# semilogy of the loss
plt.semilogy(losses)
plt.show()
"""  # noqa: W291 - the handout's own lines


# %%
@functools.cache  # the same program ends in the same way
def in_its_own_python(program):
    """Run a program in a Python of its own, as fresh as a kernel after "Restart"."""
    plain = {**os.environ, "PYTHON_COLORS": "0", "MPLBACKEND": "agg"}  # no colours in messages, no window for a plot
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env=plain)


def launch(program):
    """Run a program in a fresh Python; show what it complains of.

    Returns the errors and warnings that it caused, a list of lines, and what it printed,
    another.
    """
    finished = in_its_own_python(program)
    print(finished.stderr, end="")
    complaints = re.findall(r"\w*(?:Error|Warning): .*", finished.stderr)
    return list(dict.fromkeys(complaints)), finished.stdout.splitlines()  # each of them once


# %% [markdown]
# ### 3.1 Launch it
#
# Launch it in a fresh Python. What does it say, and why?

# %%
# Wanted: complaints, a list: the errors that launch(PROGRAM) returns.
### BEGIN SOLUTION
complaints, _ = launch(PROGRAM)
print(complaints)
### END SOLUTION

# %% tags=["check"]
with question("3.1 Launch it"):
    again, _ = launch(PROGRAM)
    assert complaints == again, f"a fresh Python says {again}"

# %%
# Wanted: your explanation.
### BEGIN SOLUTION
say(
    f"`{complaints[-1]}`: it ends at its first line. The import stood in another cell, far above: a kernel where that "
    "cell has run doesn't notice, a fresh one does. So before you hand anything in: *Restart and run all*."
)
in_short(f"`{complaints[-1]}`: the import stood in another cell")
### END SOLUTION

# %% [markdown]
# ### 3.2 Mend it until it runs
#
# Mend what stopped it, launch it again, and go on until it runs. Change as little as you can, with
# `.replace(old, new)`; once it may run for long, launch a shorter one: `.replace("10_000", "20")`.

# %%
# Wanted: mended, a program that runs without complaint; and messages, a list with the last
# complaint of each launch on the way, beginning after the import is there.
### BEGIN SOLUTION
with_import = "import numpy as np\n" + PROGRAM
complaints_2, _ = launch(with_import)

in_order = with_import.replace("n_hidden = 10\n", "").replace(
    "import numpy as np\n", "import numpy as np\nn_hidden = 10\n"
)
complaints_3, _ = launch(in_order)

data = f"X_train = np.array({X.tolist()})\ny_train = np.array({y.tolist()})\n"
with_data = in_order.replace("n_hidden = 10\n", "n_hidden = 10\n" + data)
complaints_4, _ = launch(with_data.replace("10_000", "20"))

with_numbers = with_data
for array in (
    "(output_activations[i] - y_train[i])",
    "relu_derivative(np.dot(W_out, hidden_activations[i]) + b_out)",
    "losses[epoch] = loss",
):
    with_numbers = with_numbers.replace(array, array + ".item()")
complaints_5, _ = launch(with_numbers.replace("10_000", "20"))

mended = "import matplotlib.pyplot as plt\n" + with_numbers
complaints_6, printed = launch(mended.replace("10_000", "20"))

messages = [complaints_2[-1], complaints_3[-1], complaints_4[-1], complaints_5[-1]]
print(complaints_6, printed)
### END SOLUTION

# %% tags=["check"]
with question("3.2 Mend it until it runs"):
    errors, lines = launch(mended.replace("10_000", "20"))
    assert not errors, f"the program still says {errors[-1] if errors else ''}"
    assert lines, "the program runs, but prints nothing"
    assert len(messages) >= 3, "there are more things to mend after the import"

# %%
# Wanted: what each message means.
### BEGIN SOLUTION
outcome = "an error" if "Error" in complaints_4[-1] else "a warning so far; from NumPy 2.4 on it is an error"
say(
    f"""
1. `{messages[0]}`. The weights are drawn in a shape that uses `n_hidden`; the line that sets it comes later. (A used
   kernel with an `n_hidden` of its own would have taken that, without a word.)
2. `{messages[1]}`. The data came from an earlier cell, too.
3. {", then ".join(f"`{complaint}`" for complaint in complaints_4)}: the output of one unit for one sample is an
   array of shape (1,), stored in a place where a number belongs. With NumPy {np.__version__} that is {outcome}.
   `.item()` takes the number out of the array.
4. `{messages[3]}`, after all epochs: a missing import is found only when its line is reached.
5. Now it runs to its end, and prints `{printed[0]}`.
"""
)
in_short(f"{len(messages) + 1} things to mend until it runs; then it prints `{printed[0]}`")
### END SOLUTION

# %% [markdown]
# ### 3.3 What it does once it runs
#
# It takes its time. So write it in whole arrays, such that its numbers are the same, and many seeds can run side by side
# as in 2.11. Improve nothing yet. Three steps:
#
# 1. Read. The program computes all four outputs, then updates after each sample. Go through `backward` line by line:
#    which numbers on the right are from before the epoch, which from before this sample, and which have just been
#    changed, by a line above or by the loop's last turn? Write a list.
# 2. Write `one_sample`, what the program does for one sample. `epoch_as_given`, which calls it for each, is there.
# 3. Run 10,000 epochs. How does the loss go?

# %% [markdown] tags=["hint"]
# <details><summary>Hint 1: where to begin</summary>
#
# Two calls and four loops. What does `forward` return, and when is it called? Which variables does `backward` change, and in
# which order?
#
# </details>
# <details><summary>Hint 2: further</summary>
#
# In `backward`, follow one sample. `W_out` is changed in a loop, then `b_out`; which lines below read them? `W_hidden[j][k]` is
# changed in the innermost loop; does the line that changes it also read `W_hidden`?
#
# </details>
# <details><summary>Hint 3: nearly the answer</summary>
#
# Keep the order: W_out; b_out with the new W_out; what is sent back, with both new; for k = 0 and then k = 1, the slope of the hidden
# units from the W_hidden of that moment, and an update of that column alone; b_hidden without a slope.
#
# </details>

# %% [markdown] tags=["solution"]
# - $\hat y$ and the hidden outputs are from before the epoch, for all four samples.
# - The loop over $W_o$ computes the slope of the output unit anew for each weight, from weights of which some have just
#   been changed. At this learning rate that never changes it, so we compute it once.
# - The line for $b_o$ uses the new $W_o$, and so does everything after it, with the new $b_o$ as well.
# - In the loop over `k`, the slope of the hidden unit is computed anew for the second weight, when the first has
#   just been changed. It can differ: then one weight of a unit moves and the other doesn't.
# - The line for $b_h$ has no hidden slope.


# %%
def slope(z):
    """Return the derivative of relu as the program has it, 1.0 or 0.0 for each element of z."""
    ### BEGIN SOLUTION
    return 1.0 * (z >= 0)
    ### END SOLUTION


def one_sample(parameters, x, target, a, output, learning_rate, mend=()):
    """Do what the program does for one sample; return the new parameters (a list of four).

    x has shape (1, 2). a, shape (1, 10), and output, shape (1, 1), are what the hidden layer
    and the network gave for it before the epoch. mend is for question 3.7: the faults to be
    mended, any of "forward", "W_out", "b_hidden", "slope" and "re-read".
    """
    ### BEGIN SOLUTION
    W_hidden, b_hidden, W_out, b_out = parameters
    f_slope = relu.derivative if "slope" in mend else slope
    if "forward" in mend:
        _, a, _, output = forward(x, parameters, relu, relu)
    step = learning_rate * 2 * (output - target)
    step_out = step * f_slope(a @ W_out.mT + b_out)
    if "W_out" in mend:
        sent_back = step_out * W_out
    W_out = W_out - step_out * a
    b_out = b_out - step_out
    if "W_out" not in mend:  # the program computes it only now, with the new W_out
        sent_back = step * f_slope(a @ W_out.mT + b_out) * W_out
    W_hidden = W_hidden.copy()
    for k in range(2):
        if k == 0 or (x[0, 0] and "re-read" not in mend):  # the program asks again
            step_hidden = sent_back * f_slope(x @ W_hidden.mT + b_hidden)
        W_hidden[..., k] -= (step_hidden * x[0, k])[..., 0, :]
    b_hidden = b_hidden - (step_hidden if "b_hidden" in mend else sent_back)
    return [W_hidden, b_hidden, W_out, b_out]
    ### END SOLUTION


def epoch_as_given(parameters, learning_rate, mend=()):
    """Do one epoch of the program on X and y; return the loss that it reports, and the new parameters."""
    _, hidden, _, y_hat = forward(X, parameters, relu, relu)  # all samples, before any update
    for i in range(4):
        one = slice(i, i + 1)
        parameters = one_sample(
            parameters, X[one], y[one], hidden[..., one, :], y_hat[..., one, :], learning_rate, mend
        )
    return np.sum((y_hat - y) ** 2, axis=(-2, -1)), parameters


def train_as_given(parameters, learning_rate, epochs, mend=()):
    """Repeat epoch_as_given; return the last parameters and the losses, with one row an epoch."""
    losses = []
    for _ in range(epochs):
        loss, parameters = epoch_as_given(parameters, learning_rate, mend)
        losses.append(loss)
    return parameters, np.array(losses)


# Wanted: hundred, the stacked parameters of the seeds 0 to 99; losses_given, shape (10000,
# 100), of the program from these, at its learning rate; losses_44, shape (10000,), those of
# seed 44; and, so that the judge can begin there, after_2900 and after_9980, the parameters
# after so many epochs (train three times, each from where the last ended).
### BEGIN SOLUTION
hundred = stack([draw(seed) for seed in range(100)])
after_2900, begin = train_as_given(hundred, 0.001, 2900)
after_9980, middle_part = train_as_given(after_2900, 0.001, 7080)
_, end = train_as_given(after_9980, 0.001, 20)
losses_given = np.concatenate([begin, middle_part, end])
losses_44 = losses_given[:, 44]
print(f"seed 44: losses from {losses_44.min()} to {losses_44.max()}")
### END SOLUTION

# %% [markdown]
# The judge is the program itself, as you have mended it: the first 50 epochs, for seed 44 and five seeds that move, for
# three of which the slope in the loop over `k` changes meanwhile. For seed 33 it changes only after epoch 2,900: there,
# and for the last 20 epochs, the program begins with your parameters.


# %% tags=["check"]
def run_here(program, epochs, seed=44, parameters=None):
    """Run a program for some epochs in this Python, from a seed or from parameters; return its variables."""
    program = program.replace("10_000", str(epochs)).replace("seed(44)", f"seed({seed})")
    program = program.replace("plt.semilogy(losses)\nplt.show()\n", "")
    variables = {}
    if parameters is not None:
        W_hidden, b_hidden, W_out, b_out = (p.copy() for p in parameters)
        variables["begin"] = W_hidden, b_hidden[0], W_out, b_out[0]
        program = program.replace("losses = np.zeros(", "W_hidden, b_hidden, W_out, b_out = begin\nlosses = np.zeros(")
    with contextlib.redirect_stdout(io.StringIO()):
        exec(program, variables)
    return variables


with question("3.3 What it does once it runs"):
    for seed in (44, 1, 9, 76, 78, 98):
        agree(f"50 losses, seed {seed}", losses_given[:50, seed], run_here(mended, 50, seed)["losses"])
    for epoch, count, parameters, seeds in ((2900, 50, after_2900, [33]), (9980, 20, after_9980, [33, 76, 78, 98])):
        for seed in seeds:
            theirs = run_here(mended, count, parameters=[p[seed] for p in parameters])["losses"]
            mine = losses_given[epoch : epoch + count, seed]
            agree(f"{count} losses from epoch {epoch} on, seed {seed}", mine, theirs, rtol=1e-6, atol=1e-12)
    agree("10,000 losses, seed 44", losses_44, np.full(10_000, 2.0), rtol=0)

# %%
# Wanted: a plot of losses_44, perhaps beside a seed that learns; what do you see?
### BEGIN SOLUTION
best_seed = int(np.argmin(losses_given[-1]))
show(
    figures.loss_curves(
        {"seed 44": losses_44, f"seed {best_seed}": losses_given[:, best_seed]},
        bottom=1e-6,
        title=f"Seed 44: a loss of {losses_44[0]:g} from the first of the 10,000 epochs to the last",
        ylabel="loss (sum of squares)",
    ),
    "Losses of the program against 10,000 epochs on a logarithmic axis. Seed 44: a level line at "
    f"{losses_44[0]:g}. Seed {best_seed} learns: its loss ends at {losses_given[-1, best_seed]:.0e}.",
)
say(
    f"In 10,000 epochs the loss of seed 44 takes the value{'s' if np.ptp(losses_44) else ''} "
    f"{', '.join(str(value) for value in np.unique(losses_44)[:5])}, and no other, to the last bit: nothing moves. "
    f"With seed {best_seed}, the same program learns."
)
in_short(f"The loss is {losses_44[0]:g} in all 10,000 epochs: nothing moves")
### END SOLUTION

# %% [markdown]
# ### 3.4 Why
#
# Look at the first epoch of seed 44: what arrives at the output unit on each of the four points (its
# pre-activation $z_o$), what leaves it, how large the error is, and what the gradients are. Why does nothing
# move? (You can step through it: `byhand play --from seed-44`, in a terminal.)

# %% [markdown] tags=["solution"]
# Whatever goes back passes the output unit, where it is multiplied by its slope:
# $\delta_o = 2\,(\hat y - y)\,\mathrm{relu}'(z_o)$.
#
# On three points $z_o$ is negative. There the output is 0, and so is the slope: however wrong the answer is,
# nothing is sent back. On $(0,0)$ all hidden units give 0, because the biases are 0, and so does the output unit.
# The program takes the slope there to be 1, but 0 is the right answer for this point, and an error of 0 sends nothing back.
#
# So $\delta_o$ is zero on all points, and with it every gradient: the next epoch finds what this one found, and so on for
# ever. The output unit is **dead**. Its answer of 0 misses the two targets of 1 by 1 each, which is the loss of 2.

# %%
# Wanted: z_44, shape (4,), the pre-activations of the output unit for seed 44; and
# gradients_44, its four gradients.
### BEGIN SOLUTION
network_44 = draw(44)
passed = forward(X, network_44, relu, relu)
z_44, y_hat_44 = passed[2][:, 0], passed[3][:, 0]
gradients_44 = backward(X, y, network_44, passed, relu, relu)
print(f"pre-activations {z_44.round(3)}")
print(f"largest gradient {max(np.abs(g).max() for g in gradients_44)}")
### END SOLUTION

# %% tags=["check"]
with question("3.4 Why"):
    network = library_network(draw(44), "relu")
    network.backward(byhand.losses.sum_of_squares.gradient(network.forward(X), y))
    agree("pre-activations of the output unit", z_44, network.layers[1].z[:, 0])
    agree("all 41 gradients, by the library", np.concatenate([g.ravel() for g in gradients_44]), network.gradients)
    agree("all 41 gradients", np.concatenate([g.ravel() for g in gradients_44]), np.zeros(41))

# %%
# Wanted: a plot or a table of what arrives at the output unit and what is sent back.
### BEGIN SOLUTION
show(
    figures.outputs_and_targets(
        {"pre-activation z": z_44, "output relu(z)": y_hat_44},
        y,
        points,
        title="Seed 44: nothing positive arrives, so nothing but 0 leaves",
        ylabel="at the output unit",
    ),
    f"Pre-activations of the output unit: {listed(z_44)}. Its output is 0 on all four points; the targets are "
    "0, 1, 1, 0.",
)
rows = [
    f"| {point} | {z:z.3f} | {output:g} | {target:g} | {output - target:g} | {slope(z):g} | "
    f"{2 * (output - target) * slope(z):zg} |"
    for point, z, output, target in zip(points, z_44, y_hat_44, y[:, 0], strict=True)
]
say(
    f"""
| input | $z_o$ | output | target | error | slope in the program | $\\delta_o$ |
|---|---|---|---|---|---|---|
{chr(10).join(rows)}

The largest of the 41 numbers in the four gradients is {max(np.abs(g).max() for g in gradients_44):g}.
"""
)
in_short(
    f"The output unit is dead: its largest pre-activation is {z_44.max():g}, its largest gradient {max(np.abs(g).max() for g in gradients_44):g}"
)
### END SOLUTION

# %% [markdown]
# ### 3.5 Bad luck?
#
# Which share of the seeds 0 to 999 is dead like this from the start: $\delta_o = 0$ on all four points, with the
# program's slope? And what becomes of the others? Train the thousand for 2,000 epochs of the program: what do they answer
# in the end, and how many of each? For the commonest end, look at the pre-activation of the output unit: why does it not
# go on learning?

# %%
# Wanted: z_thousand, shape (1000, 4), the pre-activations of the output unit for each seed;
# dead, shape (1000,), booleans; and, after 2,000 epochs, z_late and answers_late, both of shape
# (1000, 4), the pre-activations and the outputs of the output unit.
### BEGIN SOLUTION
thousand = stack([draw(seed) for seed in range(1000)])
z_thousand = forward(X, thousand, relu, relu)[2][..., 0]
dead = np.all((relu(z_thousand) - y[:, 0]) * slope(z_thousand) == 0, axis=1)
print(f"{dead.sum()} of {dead.size} are dead from the start")
late = [p.copy() for p in thousand]
living, _ = train_as_given([p[~dead] for p in thousand], 0.001, 2000)  # with those that are dead, nothing moves (3.4)
for p, trained_p in zip(late, living, strict=True):
    p[~dead] = trained_p
z_late, answers_late = (passed[..., 0] for passed in forward(X, late, relu, relu)[2:])
### END SOLUTION

# %% tags=["check"]
with question("3.5 Bad luck?"):
    for seed in (0, 44, 999):
        network = library_network(draw(seed), "relu")
        network.forward(X)
        agree(f"pre-activations, seed {seed}", z_thousand[seed], network.layers[1].z[:, 0], rtol=1e-6, atol=1e-12)
    agree("outputs after 2,000 epochs", answers_late, np.maximum(z_late, 0))
    loss_late = np.sum((answers_late - y[:, 0]) ** 2, axis=1)
    agree("the losses they make, first 100", loss_late[:100], losses_given[2000], rtol=1e-6, atol=1e-9)
    agree(
        "dead, and a loss of 2 in all 10,000 epochs, of the first 100",
        dead[:100],
        np.all(losses_given == 2, axis=0),
    )

# %%
# Wanted: the share, with how sure you are of it; a plot.
### BEGIN SOLUTION
highest = z_thousand[:, 1:].max(axis=1)  # on (0, 0) it is always 0
escaped = np.flatnonzero((highest <= 0) & ~dead)
one_of_two = near(answers_late, [0, 1, 0, 0]) | near(answers_late, [0, 0, 1, 0])
missed = np.where(answers_late[:, 1] < answers_late[:, 2], 1, 2)  # the target that is answered less
silent = one_of_two & (z_late[np.arange(1000), missed] < 0)
late_ends = {
    "XOR: 0, 1, 1, 0": near(answers_late, [0, 1, 1, 0]),
    "one target of two: 0, 1, 0, 0 or 0, 0, 1, 0": one_of_two,
    "nothing: 0, 0, 0, 0": near(answers_late, [0, 0, 0, 0]),
}
late_ends["something else, some of them still on their way"] = ~np.any(list(late_ends.values()), axis=0)
costs = dict(zip(late_ends, ("near 0", "near 1", "2", ""), strict=True))
rows = [f"| {end} | {costs[end]} | {is_in.sum()} |" for end, is_in in late_ends.items()]
show(
    figures.histogram(
        highest,
        title=f"{dead.mean():.1%} of 1,000 seeds are dead from the start",
        xlabel="highest pre-activation of the output unit on (0, 1), (1, 0) and (1, 1)",
        ylabel="number of seeds",
        split=0.0,
        labels=("nothing positive arrives", "something does"),
        mark=("seed 44", float(highest[44])),
    ),
    f"Histogram over 1,000 seeds of the highest pre-activation of the output unit. For {np.sum(highest <= 0)} "
    f"seeds it is not above 0; seed 44, at {highest[44]:.2f}, is one of them.",
)
say(
    f"""
{share(dead.sum(), dead.size)}: bad luck, but of a common kind.

Nothing positive arrives with {np.sum(highest <= 0)} of the seeds. The difference, seed
{", ".join(map(str, escaped))}, is a curiosity: on {points[z_thousand[escaped[0], 1:].argmax() + 1]} all its
hidden units are off, so that exactly 0 arrives, and the program's slope of 1 at 0 lets the error through. Its loss
begins at {losses_given[0, escaped[0]]:g}, and after the 10,000 epochs of 3.3 it is {losses_given[-1, escaped[0]]:.2g}.

To be alive at the start is not enough. After 2,000 epochs the thousand answer on $(0,0)$, $(0,1)$, $(1,0)$ and $(1,1)$:

| what they answer, to within 0.1 | loss | of 1,000 seeds |
|---|---|---|
{chr(10).join(rows)}

The commonest end is 1 for one of the two targets of 1, and 0 for the rest. On the other target nothing positive arrives at
the output unit (with {silent.sum()} of these {one_of_two.sum()} seeds): its output and its slope are 0, and the error of 1
that is left is never sent back. It is dead there, on one point of the four, as seed 44 is on both; and so it is with the
networks of 2.11.
"""
)
in_short(
    f"{dead.sum()} of 1,000 seeds are dead from the start; {one_of_two.sum()} end with one of the two targets learned"
)
### END SOLUTION

# %% [markdown]
# ### 3.6 What cures it?
#
# *Extension, 20 minutes.* Try it on the seeds 0 to 99, with `train` at the program's learning rate, for 5,000 epochs. That
# is one change already: `train` uses all four points for each update, and has none of the faults of question 3.7. So it is
# the **control**, with which each cure is compared. (The library's `train_ensemble` does the same for all 800 at once.)
#
# - the weights scaled down (He's way: $W_o$ times $\sqrt{2/10}$; his factor for $W_h$ is $\sqrt{2/2} = 1$);
# - an output bias of ½;
# - the same, and small weights (Glorot's way: $W_h$ times $\sqrt{2/12}$, $W_o$ times $\sqrt{2/11}$);
# - positive output weights, $\lvert W_o \rvert$;
# - the identity at the output;
# - a sigmoid at the output; and, as its slopes are small, the same with the learning rate 0.5.
#
# Which share converges, which is dead in the end? And what about simply taking another seed?

# %%
# Wanted: ends, a dictionary: for "as given", "control" and each cure an array of shape (100,)
# with the losses after 5,000 epochs.
CURES = [
    "weights scaled",
    "output bias ½",
    "bias ½, small weights",
    "positive output weights",
    "identity output",
    "sigmoid output",
    "sigmoid, η = 0.5",
]
### BEGIN SOLUTION
W_hidden, b_hidden, W_out, b_out = hundred
scaled = [W_hidden, b_hidden, np.sqrt(2 / 10) * W_out, b_out]
biased = [W_hidden, b_hidden, W_out, b_out + 0.5]
small = [np.sqrt(2 / 12) * W_hidden, b_hidden, np.sqrt(2 / 11) * W_out, b_out + 0.5]
positive = [W_hidden, b_hidden, np.abs(W_out), b_out]
tried = dict(zip(["control", *CURES], [hundred, scaled, biased, small, positive, *[hundred] * 3], strict=True))
outputs = {"identity output": "identity", "sigmoid output": "sigmoid", "sigmoid, η = 0.5": "sigmoid"}
together = [
    library_network([p[seed] for p in parameters], ["relu", outputs.get(name, "relu")])
    for name, parameters in tried.items()
    for seed in range(100)
]
own_rates = np.repeat([0.5 if name == "sigmoid, η = 0.5" else 0.001 for name in tried], 100)
descent = byhand.GradientDescent(own_rates)
history = train_ensemble(together, X, y, loss="sum_of_squares", optimizer=descent, epochs=5000, record=[4999])
ends = {"as given": losses_given[4999]} | dict(zip(tried, history.loss.reshape(-1, 100), strict=True))
for name, end in ends.items():
    print(f"{name}: {np.sum(end < CONVERGED)} of 100 converge, seed 44 ends at {end[44]:.1e}")
### END SOLUTION

# %% tags=["check"]
with question("3.6 What cures it?"):
    for name, activations, rate in (
        ("identity output", ["relu", "identity"], 0.001),
        ("sigmoid, η = 0.5", ["relu", "sigmoid"], 0.5),
    ):
        alone = library_losses(library_network(draw(44), activations), rate, 5000)
        agree(f"seed 44, {name}, by the library", ends[name][44], alone[-1], rtol=1e-3)
    for name in ("control", "weights scaled"):  # dead from the start
        agree(f"seed 44, {name}", ends[name][44], 2.0, rtol=0)
    assert {"as given", *CURES} <= set(ends), f"missing: {({'as given', *CURES}) - set(ends)}"

# %% [markdown] tags=["solution"]
# **Scaling cannot wake a dead unit.** For every $s > 0$, $\mathrm{relu}(s z) = s\,\mathrm{relu}(z)$. So with
# biases of 0, a network with $W_h$ scaled by $s$ and $W_o$ by $t$ has $s t$ times the old $z_o$: the sign stays,
# and exactly the same seeds are dead from the start.
#
# **Why the others help.** The identity and the sigmoid have no slope of zero: every error is sent back. With
# positive output weights, $z_o$ is a sum of numbers that are not negative; with an output bias of ½, $z_o = \frac12$ on
# $(0,0)$: either way no seed is dead from the start. A ReLU at the output may still die later, on one target or on both.

# %%
# Wanted: the shares in a plot; your answer. What about another seed?
### BEGIN SOLUTION
fates = {
    name: {
        "XOR": np.mean(end < CONVERGED),
        "one target of two (loss near 1)": np.mean(np.abs(end - 1) < 0.1),
        "nothing (loss near 2)": np.mean(np.abs(end - 2) < 0.1),
    }
    for name, end in ends.items()
}
for parts in fates.values():
    parts["something else"] = 1 - sum(parts.values())
ranking = sorted(CURES, key=lambda name: -fates[name]["XOR"])
show(
    figures.shares(
        fates,
        title=f"{ranking[0].capitalize()}: {fates[ranking[0]]['XOR']:.0%} converge; control: "
        f"{fates['control']['XOR']:.0%}",
        xlabel="share of the seeds 0 to 99, after 5,000 epochs",
    ),
    "Bars with the shares of 100 seeds. "
    + "; ".join(
        f"{name}: " + ", ".join(f"{value:.0%} {fate}" for fate, value in parts.items()) for name, parts in fates.items()
    )
    + ".",
)


def against_control(end):
    """Say how many seeds converge with a cure and not with the control, and the other way; and whether by chance."""
    with_it, without = end < CONVERGED, ends["control"] < CONVERGED
    gained, lost = np.sum(with_it & ~without), np.sum(without & ~with_it)
    chance = binomtest(int(gained), int(gained + lost)).pvalue if gained + lost else 1.0
    return f"+{gained} −{lost}, " + ("beyond chance" if chance < 0.01 else "may be chance")


rows = [
    f"| {name} | {end[44]:.2g} | {share(np.sum(end < CONVERGED), 100)} | {np.sum(np.abs(end - 2) < 0.1)} | "
    f"{'' if name in ('as given', 'control') else against_control(end)} |"
    for name, end in ends.items()
]
alive = ~dead[:100]
living_converged = share(np.sum(ends["as given"][alive] < CONVERGED), alive.sum())
converged = {name: np.sum(end < CONVERGED) for name, end in ends.items()}
silent = {name: np.sum(np.abs(end - 2) < 0.1) for name, end in ends.items()}
say(
    f"""
| | seed 44 ends at | converged, with 95% interval | silent in the end (loss near 2) | seeds gained and lost |
|---|---|---|---|---|
{chr(10).join(rows)}

Another seed? The next that is not dead from the start is {45 + np.argmin(dead[45:])}; but even of those that
are not, only {living_converged} converge within 5,000 epochs.

Whole-batch training alone (the control) is no cure: {converged["control"]} of the 100 seeds converge and
{silent["control"]} answer nothing in the end; of the program as given {converged["as given"]} converge, and
{silent["as given"]} answer nothing. Of the cures, "{ranking[0]}" works for {converged[ranking[0]]} seeds and
"{ranking[1]}" for {converged[ranking[1]]}. Each cure changes one thing in the control, but two change one thing in
another cure: small weights take the bias of ½ from {converged["output bias ½"]} seeds to
{converged["bias ½, small weights"]}, and the learning rate 0.5 takes the sigmoid from {converged["sigmoid output"]} to
{converged["sigmoid, η = 0.5"]}. The last column counts the seeds that converge with a cure and not with the control,
and the other way; "beyond chance": were the two equally likely, so uneven a count would come about in less than
one case of a hundred.
"""
)
in_short(
    f"{ranking[0].capitalize()}: {converged[ranking[0]]} of 100 seeds converge, {converged['control']} in the control"
)
### END SOLUTION

# %% [markdown]
# ### 3.7 The quieter faults
#
# *Extension, 25 minutes.* The dead unit hides other faults of the program. Which do you find? Three steps: let `one_sample`
# mend each; measure by how much each changes what one epoch does to the parameters, at several learning rates (write
# `change`); and count how many of the seeds 0 to 99 converge with and without it.

# %% [markdown] tags=["solution"]
# - **A stale forward pass** (`forward`). All four outputs are computed before the epoch: when the second sample's turn
#   comes, the weights have changed, and its error is out of date.
# - **Updated weights in the hidden gradient** (`W_out`). The gradient of the hidden layer is $\delta_o W_o$, with
#   the $W_o$ of the forward pass, and the program has just changed it. First compute all gradients, then update.
# - **No hidden slope in the bias** (`b_hidden`). For $W_h$ the program multiplies by $\mathrm{relu}'(z_h)$, for
#   $b_h$ it does not: a hidden unit has its bias moved by samples for which it is switched off.
# - **The slope read again** (`re-read`). The hidden slope is computed anew for the second weight of a unit. Where the change
#   of the first takes the unit across 0, one of its weights moves and the other doesn't.
# - **A slope of 1 at 0** (`slope`), from the `>=`. That is a convention rather than a mistake; but with biases of
#   0, every hidden unit is exactly at 0 on the point $(0,0)$.
# - **Updates inside the backward pass.** The gradient never exists as a whole, so it can't be held against a
#   numerical derivative, which would have found the third fault at once.
# - What its comments say: `.T` on an array with one axis does nothing, and `global` doesn't keep a change local: it lets
#   the function change the variables outside.

# %% [markdown] tags=["hint"]
# <details><summary>Hint 1: where to begin</summary>
#
# Compare the program with your `backward`, line by line: what does yours do first, and what last?
#
# </details>
# <details><summary>Hint 2: further</summary>
#
# Each `mend` is one `if` in `one_sample`: a forward pass of its own for the sample; the old `W_out` in what is sent back; the hidden
# slope in the bias; `>` in the place of `>=`; the hidden slope computed once.
#
# </details>
# <details><summary>Hint 3: nearly the answer</summary>
#
# For the deviation: `change(living, rate, every)` is what one epoch changes with all mended, `change(living, rate, every - {fault})`
# with one fault left. The norm of their difference over the norm of the first, for each seed; then the mean.
#
# </details>

# %%
FAULTS = ["forward", "W_out", "b_hidden", "re-read", "slope"]  # where five of them are
rates = np.geomspace(1e-4, 1e-1, 7)


def change(parameters, rate, mend):
    """Return what one epoch changes, as one row of 41 numbers for each network of the stack."""
    ### BEGIN SOLUTION
    _, after = epoch_as_given(parameters, rate, mend)
    differences = [new - old for new, old in zip(after, parameters, strict=True)]
    return np.hstack([d.reshape(len(d), -1) for d in differences])
    ### END SOLUTION


# Wanted: deviation, a dictionary: for each of FAULTS an array of shape (7,), one number for
# each of the rates. How much does what one epoch changes with only this fault (the others
# mended) differ from what it changes with all of them mended, relative to the latter? Norms over
# all 41 parameters; the mean over those of the seeds 0 to 99 for which something positive
# arrives at the output unit.
# And convergence, a dictionary: for "as given", for each of FAULTS (only this one mended) and
# for "all mended" an array of shape (100,): first_below(losses, 0.01) for the seeds 0 to
# 99, over 1,000 epochs at learning rate 0.001.
### BEGIN SOLUTION
living = [p[z_thousand[:100].max(axis=1) > 0] for p in hundred]
every = set(FAULTS)
deviation = {}
for fault in FAULTS:
    deviation[fault] = np.zeros(7)
    for k, rate in enumerate(rates):
        right, wrong = change(living, rate, every), change(living, rate, every - {fault})
        off = np.linalg.norm(wrong - right, axis=1) / np.linalg.norm(right, axis=1)
        deviation[fault][k] = np.mean(off)

convergence = {"as given": first_below(losses_given[:1000], CONVERGED)}
for name, mend in ({fault: {fault} for fault in FAULTS} | {"all mended": every}).items():
    _, losses = train_as_given(hundred, 0.001, 1000, mend)
    convergence[name] = first_below(losses, CONVERGED)
    if name == "re-read":
        turned = np.sum(np.abs(losses - losses_given[:1000]).max(axis=0) > 1e-9)
### END SOLUTION

# %% [markdown]
# With all of them mended, one epoch must be what the library does with batches of one sample, in order.

# %% tags=["check"]
with question("3.7 The quieter faults"):
    network = library_network(draw(1), "relu")
    optimizer = byhand.GradientDescent(0.01)
    byhand.train(network, X, y, loss="sum_of_squares", optimizer=optimizer, epochs=1, batch_size=1, shuffle=False)
    _, mine = epoch_as_given(draw(1), 0.01, set(FAULTS))
    agree("one epoch, all mended", np.concatenate([p.ravel() for p in mine]), network.parameters, atol=1e-15)
    for name in ("forward", "W_out"):
        agree(
            f"{name}: ten times the rate, ten times the deviation",
            deviation[name][2] / deviation[name][0],
            10,
            rtol=0.2,
        )
    assert set(convergence) == {"as given", *FAULTS, "all mended"}, f"convergence has {set(convergence)}"

# %%
# Wanted: a plot of deviation against the learning rate; how many seeds converge; your answer.
### BEGIN SOLUTION
in_words = {
    "forward": "stale forward pass",
    "W_out": "updated weights used",
    "b_hidden": "no hidden slope in the bias",
    "re-read": "slope read again",
    "slope": "slope of 1 at 0",
}
deviations = {in_words[fault]: deviation[fault] for fault in FAULTS}
heaviest = max(deviations, key=lambda name: deviations[name][0])
show(
    figures.loss_curves(
        {name: values for name, values in deviations.items() if values.any()},
        x=rates,
        log_x=True,
        title=f"At small learning rates one fault outweighs all: {heaviest}",
        xlabel="learning rate η",
        ylabel="relative deviation of one epoch",
    ),
    "By how much one epoch deviates from a right one, against the learning rate, both axes logarithmic. "
    + "; ".join(f"{name}: {values[0]:.2g} at 0.0001, {values[-1]:.2g} at 0.1" for name, values in deviations.items())
    + ".",
)
rows_deviation = [f"| {name} | {values[2]:.2%} | {values[-1]:.2%} |" for name, values in deviations.items()]
rows_convergence = [
    f"| {f'mended: {in_words[name]}' if name in FAULTS else name} | {np.isfinite(when).sum()} | "
    f"{in_epochs(np.median(when[np.isfinite(when)]))} |"
    for name, when in convergence.items()
]
count = {name: np.isfinite(when).sum() for name, when in convergence.items()}
tenfold = {name: deviation[name][2] / deviation[name][0] for name in ("forward", "W_out")}
say(
    f"""
| fault | one epoch deviates at η = 0.001 | at η = 0.1 |
|---|---|---|
{chr(10).join(rows_deviation)}

The stale forward pass and the updated weights hide at small learning rates: from η = 0.0001 to 0.001 their deviation
grows {tenfold["forward"]:.1f} and {tenfold["W_out"]:.1f} times, nearly in proportion; a hundredfold from there, more
slowly. The missing slope is wrong at any learning rate. The slope read again matters only when a unit crosses 0 between its
two weights: in the first epoch it changes {deviation["re-read"][0]:.1%} at η = 0.0001 and {deviation["re-read"][2]:.1%} at
0.001, and over 1,000 epochs the losses of {turned} of the 100 seeds. The slope at 0 changes nothing in the first epoch,
because on $(0,0)$ the error is 0 as well (but it has saved seed {", ".join(map(str, escaped))} in 3.5).

| seeds 0 to 99, 1,000 epochs | converged | epochs, middle one of these |
|---|---|---|
{chr(10).join(rows_convergence)}

Mending them all takes the number of seeds that converge from {count["as given"]} to {count["all mended"]}: what keeps the
program from learning is the dead unit.
"""
)
in_short(
    f"Five quieter faults; mending them takes the seeds that converge from {count['as given']} to {count['all mended']} of 100"
)
### END SOLUTION

# %% [markdown]
# ### 3.8 Loops, or whole arrays
#
# *Extension, 10 minutes.* How long do 10,000 epochs of the program take, and how long 10,000 of `train`? Time 100 epochs of
# the program (`run_here(mended, 100)`), and scale up.

# %%
# Wanted: seconds_loops, for 10,000 epochs of the program, and seconds_arrays, for 10,000 of
# train with ReLU in both layers.
### BEGIN SOLUTION
begin = time.perf_counter()
run_here(mended, 100)
seconds_loops = (time.perf_counter() - begin) * 100

begin = time.perf_counter()
train(draw(44), X, y, relu, relu, 0.001, 10_000)
seconds_arrays = time.perf_counter() - begin
### END SOLUTION

# %% tags=["check"]
with question("3.8 Loops, or whole arrays"):
    assert min(seconds_arrays, seconds_loops) > 0, "both should be a number of seconds"

# %%
# Wanted: your answer. How often does each call np.dot, or @, in one epoch? How long does one
# call take, on arrays of 10 numbers and on arrays of 1,000?
### BEGIN SOLUTION
per_sample = 2 + n_hidden + 1 + 2 * n_hidden * 2 + n_hidden  # forward; W_out; b_out; W_hidden, two a weight; b_hidden
ten, thousand_numbers = np.ones(10), np.ones(1000)
short, long = (
    min(timeit.repeat(lambda a=a: np.dot(a, a), number=2000, repeat=5)) / 2000 for a in (ten, thousand_numbers)
)
say(
    f"On this machine, now: the program about {seconds_loops:.0f} s (100 epochs, times 100), whole arrays "
    f"{seconds_arrays:.2f} s, which is {seconds_loops / seconds_arrays:.0f} times faster. In each epoch the program "
    f"calls `np.dot` {4 * per_sample} times, for one sample and mostly for one weight; `train` has five `@`. A call "
    f"of `np.dot` takes {short * 1e6:.2f} µs for 10 numbers and {long * 1e6:.2f} µs for 1,000: a hundred times the numbers "
    f"for {long / short:.1f} times the time."
)
in_short(f"Whole arrays are {seconds_loops / seconds_arrays:.0f} times faster, here and now")
### END SOLUTION

# %% [markdown]
# ## What to take with you
#
# - The chain rule gives the gradient, layer by layer, from the back. Believe one that you have written once a numerical
#   derivative agrees with it.
# - How large a learning rate may be is no matter of taste. For a linear model it is below $2/\lambda_{\max}$.
# - Without a function between them, layers collapse into one.
# - One run is an anecdote. Count over many seeds, and count the failures.
# - Choose by validation, announce by test.
# - When a loss doesn't move at all, look at the pre-activations and the gradients before you turn any knob.
