"""What `byhand why` costs on long scripts: python benchmarks/why_cost.py [NAME ...]

Each script is run by itself and by `byhand why`, one after the other; the table gives both times and their ratio.
The aim is at most 3 times the script's own time plus 5 s.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HANDOUT = """
import numpy as np
np.random.seed({seed})
X_train = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
y_train = np.array([[0.0], [1.0], [1.0], [0.0]])
n_hidden, lr, epochs = 10, 0.001, {epochs}
W_hidden, b_hidden = np.random.randn(n_hidden, 2), np.zeros(n_hidden)
W_out, b_out = np.random.randn(1, n_hidden), np.zeros(1)

def relu(x):
    return x.clip(0, None)

def relu_derivative(x):
    return 1 * (x >= 0)

def forward(X):
    hidden, outputs, loss = np.zeros((4, n_hidden)), np.zeros((4, 1)), 0
    for i in range(4):
        hidden[i] = relu(np.dot(W_hidden, X[i].T) + b_hidden.T)
        outputs[i] = relu(np.dot(W_out, hidden[i]) + b_out)
        loss += ((y_train[i] - outputs[i]) ** 2).item()
    return hidden, outputs, loss

def backward(X, hidden, outputs):
    global W_hidden, b_hidden, W_out, b_out
    for i in range(4):
        delta = 2 * (outputs[i] - y_train[i]) * relu_derivative(np.dot(W_out, hidden[i]) + b_out)
        for j in range(n_hidden):
            W_out[0][j] -= lr * (delta * hidden[i][j]).item()
        b_out -= lr * delta
        for j in range(n_hidden):
            for k in range(2):
                z = np.dot(W_hidden, X[i].T) + b_hidden.T
                W_hidden[j][k] -= lr * (delta * W_out[0][j] * relu_derivative(z)[j] * X[i][k]).item()
            b_hidden[j] -= lr * (delta * W_out[0][j]).item()

losses = np.zeros(epochs)
for epoch in range(epochs):
    hidden, outputs, loss = forward(X_train)
    backward(X_train, hidden, outputs)
    losses[epoch] = loss
"""

PER_SAMPLE = """
import numpy as np
rng = np.random.default_rng(3)
X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
Y = np.array([0.0, 1.0, 1.0, 0.0])
W1, b1 = rng.standard_normal((4, 2)), np.zeros(4)
w2, b2 = rng.standard_normal(4), 0.0
for epoch in range(40_000):
    loss = 0.0
    for x, y in zip(X, Y):
        h = np.tanh(W1 @ x + b1)
        out = w2 @ h + b2
        error = out - y
        loss += error ** 2
        delta = error * w2 * (1 - h ** 2)
        w2 -= 0.05 * error * h
        b2 -= 0.05 * error
        W1 -= 0.05 * np.outer(delta, x)
        b1 -= 0.05 * delta
    if epoch % 10_000 == 0:
        print(epoch, loss)
"""

DIGITS = """
import numpy as np
rng = np.random.default_rng(0)
centres = rng.uniform(0, 16, (10, 64))
labels = rng.integers(0, 10, 6000)
X = (centres[labels] + rng.normal(0, 5, (6000, 64))) / 16
Y = np.eye(10)[labels]
W1, b1 = rng.standard_normal((64, 128)) * 0.1, np.zeros(128)
W2, b2 = rng.standard_normal((128, 10)) * 0.1, np.zeros(10)
for epoch in range({epochs}):
    order = rng.permutation(len(X))
    total = 0.0
    for start in range(0, len(X), 32):
        rows = order[start:start + 32]
        x, y = X[rows], Y[rows]
        z1 = x @ W1 + b1
        a1 = np.maximum(z1, 0)
        z2 = a1 @ W2 + b2
        e = np.exp(z2 - z2.max(axis=1, keepdims=True))
        p = e / e.sum(axis=1, keepdims=True)
        total += -np.log(p[np.arange(len(x)), y.argmax(axis=1)] + 1e-12).mean()
        d2 = (p - y) / len(x)
        d1 = (d2 @ W2.T) * (z1 > 0)
        W2 -= 0.1 * a1.T @ d2
        b2 -= 0.1 * d2.sum(axis=0)
        W1 -= 0.1 * x.T @ d1
        b1 -= 0.1 * d1.sum(axis=0)
    print(f"epoch {{epoch}}: loss {{total:.4f}}")
"""

SMALL_OPERATIONS = """
import math, random
import numpy as np
random.seed(1)
X = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
Y = [0.0, 1.0, 1.0, 0.0]
W = np.array([[random.gauss(0, 1) for _ in range(2)] for _ in range(3)])
b = np.zeros(3)
v = np.array([random.gauss(0, 1) for _ in range(3)])
c = np.zeros(1)

def sigmoid(z):
    return 1 / (1 + math.exp(-z))

for epoch in range(4000):
    total = 0.0
    for x, y in zip(X, Y):
        h = np.zeros(3)
        for j in range(3):
            z = b[j]
            for k in range(2):
                z = z + W[j, k] * x[k]
            h[j] = sigmoid(z)
        out = c[0]
        for j in range(3):
            out = out + v[j] * h[j]
        error = out - y
        total += error ** 2
        for j in range(3):
            d = error * v[j] * h[j] * (1 - h[j])
            v[j] -= 0.2 * error * h[j]
            b[j] -= 0.2 * d
            for k in range(2):
                W[j, k] -= 0.2 * d * x[k]
        c[0] -= 0.2 * error
    if epoch % 500 == 0:
        print(epoch, total)
"""

SCRIPTS = {
    "the handout's cell, dead output": HANDOUT.format(seed=44, epochs=5000),
    "the handout's cell, alive": HANDOUT.format(seed=1, epochs=5000),
    "by sample, 40,000 epochs": PER_SAMPLE,
    "mini-batches, 6,000 images": DIGITS.format(epochs=20),
    "mini-batches, a minute": DIGITS.format(epochs=300),
    "numbers one by one": SMALL_OPERATIONS,
}


def seconds(command):
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True)
    return time.perf_counter() - started, done


def main(names):
    print(f"{'script':34} {'alone':>8} {'why':>8} {'ratio':>6} {'allowed':>8}  first answers of its chapters")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "script.py"
        for name in names:
            path.write_text(SCRIPTS[name])
            alone, _ = seconds([sys.executable, str(path)])
            told, answer = seconds([sys.executable, "-m", "byhand", "why", str(path), "--json", "--timeout", "600"])
            report = json.loads(answer.stdout)
            firsts = [
                next((f["id"] for f in report["findings"] if f["chapter"] == k), "-")
                for k in range(len(report["chapters"]))
            ]
            limit = 3 * alone + 5
            print(
                f"{name:34} {alone:7.1f}s {told:7.1f}s {told / alone:6.1f} {limit:7.1f}s  {', '.join(firsts)}",
                flush=True,
            )


if __name__ == "__main__":
    main(sys.argv[1:] or list(SCRIPTS))
