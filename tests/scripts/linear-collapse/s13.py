# expected: linear-collapse line 21
"""
XOR with a deep-ish network. Three weight matrices should be plenty.
"""
import numpy as np
import matplotlib.pyplot as plt


def main():
    rng = np.random.default_rng(33)
    X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)
    Y = np.array([[0], [1], [1], [0]], float)

    W1, b1 = rng.normal(0, 0.5, (2, 8)), np.zeros(8)
    W2, b2 = rng.normal(0, 0.5, (8, 8)), np.zeros(8)
    W3, b3 = rng.normal(0, 0.5, (8, 1)), np.zeros(1)
    lr = 0.05
    curve = []

    for epoch in range(500):
        h1 = X @ W1 + b1
        h2 = h1 @ W2 + b2
        out = h2 @ W3 + b3

        diff = out - Y
        curve.append(np.mean(diff ** 2))

        g3 = 2 * diff / len(X)
        g2 = g3 @ W3.T
        g1 = g2 @ W2.T

        W3 -= lr * h2.T @ g3
        b3 -= lr * g3.sum(axis=0)
        W2 -= lr * h1.T @ g2
        b2 -= lr * g2.sum(axis=0)
        W1 -= lr * X.T @ g1
        b1 -= lr * g1.sum(axis=0)

        if epoch % 1000 == 0:
            print("epoch", epoch, "mse", curve[-1])

    print("predictions", out.ravel())
    plt.plot(curve)
    plt.title("training curve")
    plt.show()


if __name__ == "__main__":
    main()
