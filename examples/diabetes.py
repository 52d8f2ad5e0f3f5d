"""
A regression
============

How far a disease will have progressed in a year, from ten measurements of 442 patients (Efron et al. 2004).

First the straight line, by gradient descent and by formula; then a network. With so few and such noisy data the
network is hardly better than the line: worth knowing before one trusts it.
"""

import numpy as np
from matplotlib.figure import Figure
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from byhand import ByHandLinearRegression, ByHandRegressor

x, y = load_diabetes(return_X_y=True, as_frame=False, scaled=False)

line = ByHandLinearRegression().fit(x, y)
difference = np.abs(line.coef_ - LinearRegression().fit(x, y).coef_).max()
print(f"{line.n_iter_} steps of gradient descent find the coefficients of the formula to {difference:.0e}.")

# A network wants inputs and targets of about the size of 1.
network = ByHandRegressor((16,), activation="tanh", alpha=3, learning_rate_init=0.01, max_iter=500, random_state=0)
network = TransformedTargetRegressor(make_pipeline(StandardScaler(), network), transformer=StandardScaler())

print("R² on data not trained with, five times over (1 is perfect, 0 is the mean of all patients):")
scores = {}
for name, model in ("line", line), ("network", network):
    scores[name] = cross_val_score(model, x, y, cv=5)
    print(f"  {name:8} {scores[name].mean():.3f} ± {scores[name].std():.3f}")

figure = Figure(figsize=(6, 2), layout="constrained")
axes = figure.subplots()
for place, values in enumerate(scores.values()):
    axes.plot(values, [place] * 5, "o", alpha=0.6)
axes.set(yticks=[0, 1], yticklabels=list(scores), ylim=(-0.5, 1.5), xlabel="R² of each of the five parts")
