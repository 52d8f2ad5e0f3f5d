# expected: shape-mismatch line 27
import numpy as np


def relu(z):
    return z * (z > 0)


def main(epochs=1000, lr=0.05):
    rng = np.random.default_rng(4)
    X = rng.normal(size=(80, 3))
    y = np.abs(X).sum(axis=1, keepdims=True)

    W1 = rng.normal(size=(3, 20)) * 0.5
    b1 = np.zeros(20)
    W2 = rng.normal(size=(20, 1)) * 0.3
    b2 = np.zeros(1)

    for epoch in range(epochs):
        Z1 = X @ W1 + b1
        A1 = relu(Z1)
        out = A1 @ W2 + b2
        loss = np.mean((out - y) ** 2)

        dout = 2 * (out - y) / len(X)
        dW2 = A1.T @ dout
        dA1 = dout @ W2
        dZ1 = dA1 * (Z1 > 0)
        dW1 = X.T @ dZ1

        W2 -= lr * dW2
        b2 -= lr * dout.sum(axis=0)
        W1 -= lr * dW1
        b1 -= lr * dZ1.sum(axis=0)

        if epoch % 100 == 0:
            print(f"[{epoch}] loss = {loss:.4f}")


if __name__ == "__main__":
    main()
