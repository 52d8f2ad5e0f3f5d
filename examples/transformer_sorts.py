"""
Sorting with a transformer
==========================

Sort sequences of numbers with a small transformer: two blocks of attention.

Every place of the answer looks at all numbers at once. The sequences have four to eight numbers; shorter ones are
filled up, and a mask keeps what fills up out of the loss.
"""

import numpy as np
from matplotlib.figure import Figure

from byhand import Network, schedules, sequences, train
from byhand.layers import transformer
from byhand.optimizers import Adam

x, y, mask = sequences.sort(3000, (4, 8), n_symbols=9, seed=0)
x_new, y_new, mask_new = sequences.sort(500, (4, 8), n_symbols=9, seed=1)
known = {row.tobytes() for row in x}
unseen = np.array([row.tobytes() not in known for row in x_new])

network = Network(transformer(10, 32, n_heads=4, n_blocks=2, n_hidden=64, seed=0)).astype(np.float32)
print(network.summary())

epochs = 12
history = train(
    network,
    x,
    y,
    loss="cross_entropy_from_logits",
    optimizer=Adam(0.004),
    schedule=schedules.cosine(epochs),
    sample_weight=mask,
    max_norm=1.0,
    epochs=epochs,
    batch_size=50,
    seed=0,
)
answers = network.predict(x_new).argmax(axis=-1)
whole = ((answers == y_new.argmax(axis=-1)) | (mask_new == 0)).all(axis=1)
share = float(whole[unseen].mean())
print(f"\nAfter {epochs} epochs the loss is {history.loss[-1]:.4f}.")
print(f"Of {unseen.sum()} sequences that it has not seen it sorts {share:.1%} without a mistake:")
for row, answer, count in list(zip(x_new, answers, mask_new.sum(axis=1).astype(int), strict=True))[:4]:
    print(f"  {row[:count].astype(int)} → {answer[:count]}")

figure = Figure(figsize=(8, 4.2), layout="constrained")
shown = np.flatnonzero(unseen & (mask_new.sum(axis=1) == 8))[:20]
panels = figure.subplots(1, 2, sharey=True)
for axes, numbers in zip(panels, (x_new, answers), strict=True):
    drawn = axes.imshow(numbers[shown], cmap="cividis", aspect="auto", interpolation="none")
    axes.set(xlabel="place", xticks=range(8), xticklabels=range(1, 9), yticks=[])
panels[0].set(title="Twenty sequences, a row each", ylabel="sequence")
panels[1].set_title(f"Its answers: {share:.1%} of all {unseen.sum()} are right")
figure.colorbar(drawn, ax=panels, label="number", ticks=range(1, 10))
