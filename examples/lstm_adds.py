"""
Adding with an LSTM
===================

Add two of thirty numbers: the two that were marked, wherever they stood.

To do so at the end of the sequence, a network has to keep in mind what it saw, up to thirty steps ago. An LSTM learns
to; a plain recurrent layer of the same size is far behind after as much training.
"""

import numpy as np
from matplotlib.figure import Figure

from byhand import Dense, Network, schedules, sequences, train
from byhand.layers import LSTM, RNN
from byhand.optimizers import Adam

x, y = sequences.add(4000, 30, seed=0)  # at each step a number and a mark, 0 or 1
x_new, y_new = sequences.add(1000, 30, seed=1)
constant = float(((y_new - 1) ** 2).mean())
print(f"Who always answers 1 has a mean squared error of {constant:.3f}.")

epochs = 8
errors, answers = {}, {}
for kind in (RNN, LSTM):
    network = Network([kind(2, 32, last=True, seed=0), Dense(32, 1, seed=1)]).astype(np.float32)
    train(
        network,
        x,
        y,
        loss="mean_squared_error",
        optimizer=Adam(0.02),
        schedule=schedules.cosine(epochs),
        max_norm=1.0,
        epochs=epochs,
        batch_size=40,
        seed=0,
    )
    name = kind.__name__
    answers[name] = network.predict(x_new)
    errors[name] = float(((answers[name] - y_new) ** 2).mean())
    print(f"{name:4} after {epochs} epochs: {errors[name]:.4f} on {len(x_new)} new sequences")

for row, target, answer in zip(x_new[:3], y_new[:3], answers["LSTM"][:3], strict=True):
    first, second = row[row[:, 1] == 1, 0]
    print(f"  {first:.3f} + {second:.3f} = {target[0]:.3f}, and the LSTM says {answer[0]:.3f}")

figure = Figure(figsize=(8, 3.8), layout="constrained")
for axes, name in zip(figure.subplots(1, 2, sharex=True, sharey=True), answers, strict=True):
    axes.plot([0, 2], [0, 2], color="lightgrey")  # where every answer belongs
    axes.plot(y_new, answers[name], ".", markersize=3)
    axes.set(title=f"{name}: mean squared error {errors[name]:.4f}", xlabel="the sum of the two marked numbers")
figure.axes[0].set_ylabel("what the network answers")
