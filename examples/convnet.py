"""
Digits as images
================

Read handwritten digits with a small convolutional network.

It sees the images as images: the same 3 × 3 filters at every place, so that what a stroke looks like is learned once,
wherever it stands. Compare examples/digits.py, where a dense network reads them as tables.
"""

import numpy as np
from matplotlib.figure import Figure
from sklearn.model_selection import train_test_split

from byhand import Dense, Dropout, Network, accuracy, datasets, schedules, train
from byhand.layers import BatchNorm, Conv2D, Elementwise, Flatten, MaxPool2D
from byhand.optimizers import Adam

x, y = datasets.digits(images=True)  # 1,797 images of 8 × 8 pixels and one channel
x = x.astype(np.float32)
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.2, stratify=y, random_state=0)

rng = np.random.default_rng(0)
parts = [
    part
    for n_in, n_out in ((1, 16), (16, 32))
    for part in (Conv2D(n_in, n_out, 3, padding=1, seed=rng), BatchNorm(n_out), Elementwise("relu"))
]
network = Network(
    [
        *parts,
        MaxPool2D(2),
        Conv2D(32, 32, 3, "relu", padding=1, seed=rng),
        MaxPool2D(2),
        Flatten(),
        Dropout(0.3, seed=rng),
        Dense(128, 10, seed=rng),
    ]
).astype(np.float32)
print(network.summary())

epochs = 12
history = train(
    network,
    x_train,
    y_train,
    loss="cross_entropy_from_logits",
    optimizer=Adam(0.005),
    schedule=schedules.cosine(epochs),
    epochs=epochs,
    batch_size=32,
    seed=0,
)
logits = network.predict(x_test)
share = accuracy(logits, y_test, threshold=0)
print(f"\nAfter {epochs} epochs the loss is {history.loss[-1]:.4f}.")
print(f"Of {len(x_test)} digits that it has never seen it reads {share:.1%} right.")

read, meant = logits.argmax(axis=1), y_test.argmax(axis=1)
right = logits[np.arange(len(meant)), meant]
lead = right - np.where(y_test == 1, -np.inf, logits).max(axis=1)  # below 0 it is misread
figure = Figure(figsize=(9, 2.1), layout="constrained")
figure.suptitle(f"{(read == meant).sum()} of {len(x_test)} new digits are read right; these eight came out worst")
for axes, i in zip(figure.subplots(1, 8), lead.argsort(), strict=False):
    axes.imshow(x_test[i, :, :, 0], cmap="gray_r")
    if read[i] == meant[i]:
        axes.set_title(f"{read[i]}, right")
    else:
        axes.set_title(f"{read[i]}, not {meant[i]}", color="firebrick", fontweight="bold")
    axes.axis("off")
