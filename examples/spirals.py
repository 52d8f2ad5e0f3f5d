"""
Two spirals
===========

Two spirals, which no straight line parts, and the surface that a network lays through them.

``python examples/spirals.py --out spirals.png``
"""

import argparse
from pathlib import Path

from byhand import ByHandClassifier, datasets, figures

arguments = argparse.ArgumentParser(description="Part two spirals, and draw the surface that does it.")
arguments.add_argument("--out", type=Path, default=Path("spirals.png"), help="the figure (default: spirals.png)")
out = arguments.parse_args().out

x, y = datasets.spirals(400, noise=0.03, seed=0)
y = y[:, 0]
x_new, y_new = datasets.spirals(400, noise=0.03, seed=1)

# The loss stands almost still at first, so training must not end too soon (n_iter_no_change).
model = ByHandClassifier((32, 32), "tanh", learning_rate_init=0.01, max_iter=1000, n_iter_no_change=100, random_state=0)
model.fit(x, y)
accuracy = model.score(x_new, y_new[:, 0])
print(f"after {model.n_iter_} epochs: {model.score(x, y):.1%} of the points right, {accuracy:.1%} of 400 new ones")

figure = figures.decision_surface(
    lambda points: model.predict_proba(points)[:, 1],
    x,
    y,
    title=f"The network parts the spirals: {accuracy:.1%} of new points right",
)
figure.savefig(out, dpi=150, bbox_inches="tight")
print(f"wrote {out}")
