# expected: wrong-layer-activation line 19
import numpy as np

def train(X, Y, width=16, lr=0.3, iterations=3000, seed=0):
    rs = np.random.RandomState(seed)
    W1 = rs.randn(width, X.shape[0]) / np.sqrt(X.shape[0])
    W2 = rs.randn(width, width) / np.sqrt(width)
    W3 = rs.randn(1, width) / np.sqrt(width)
    b1, b2, b3 = np.zeros((width, 1)), np.zeros((width, 1)), np.zeros((1, 1))
    m = X.shape[1]
    costs = []
    for i in range(iterations):
        A1 = np.tanh(W1 @ X + b1)
        A2 = np.tanh(W2 @ A1 + b2)
        A3 = 1 / (1 + np.exp(-(W3 @ A2 + b3)))
        costs.append(-np.mean(Y * np.log(A3 + 1e-9) + (1 - Y) * np.log(1 - A3 + 1e-9)))

        dZ3 = A3 - Y
        dZ2 = (W3.T @ dZ3) * (1 - A1 ** 2)
        dZ1 = (W2.T @ dZ2) * (1 - A1 ** 2)

        W3 = W3 - lr / m * dZ3 @ A2.T
        b3 = b3 - lr / m * dZ3.sum(axis=1, keepdims=True)
        W2 = W2 - lr / m * dZ2 @ A1.T
        b2 = b2 - lr / m * dZ2.sum(axis=1, keepdims=True)
        W1 = W1 - lr / m * dZ1 @ X.T
        b1 = b1 - lr / m * dZ1.sum(axis=1, keepdims=True)
    return (W1, b1, W2, b2, W3, b3), costs


if __name__ == "__main__":
    g = np.random.RandomState(42)
    X = g.uniform(-2, 2, (2, 18))
    Y = (np.sin(2 * X[0]) > X[1]).astype(float)[None, :]
    params, costs = train(X, Y)
    for i in range(0, 3000, 500):
        print("cost after", i, costs[i])
    print("last", costs[-1])
