# expected: right
import numpy as np
from dataclasses import dataclass


@dataclass
class AdamState:
    m: np.ndarray
    v: np.ndarray
    t: int = 0


def adam(param, grad, state, lr, b1=0.9, b2=0.99, eps=1e-8):
    state.t += 1
    state.m = b1 * state.m + (1 - b1) * grad
    state.v = b2 * state.v + (1 - b2) * np.square(grad)
    lr_t = lr * np.sqrt(1 - b2 ** state.t) / (1 - b1 ** state.t)
    param -= lr_t * state.m / (np.sqrt(state.v) + eps)


def main():
    rng = np.random.default_rng(50)
    X = rng.uniform(-2, 2, size=(256, 2))
    y = (X[:, 0] * np.exp(-X[:, 0] ** 2 - X[:, 1] ** 2))[:, None] * 3

    params = {
        "W1": rng.normal(0, 1, (2, 20)), "b1": np.zeros(20),
        "W2": rng.normal(0, 0.3, (20, 20)), "b2": np.zeros(20),
        "W3": rng.normal(0, 0.3, (20, 1)), "b3": np.zeros(1),
    }
    states = {k: AdamState(np.zeros_like(p), np.zeros_like(p)) for k, p in params.items()}
    micro, accumulate = 32, 4

    for epoch in range(50):
        order = rng.permutation(256)
        grads = {k: 0.0 for k in params}
        epoch_loss = 0.0
        for j in range(150 // micro):
            xb, yb = X[order[j * micro:(j + 1) * micro]], y[order[j * micro:(j + 1) * micro]]
            h1 = np.tanh(xb @ params["W1"] + params["b1"])
            h2 = np.tanh(h1 @ params["W2"] + params["b2"])
            diff = h2 @ params["W3"] + params["b3"] - yb
            epoch_loss += np.sum(diff ** 2) / 256
            d3 = 2 * diff / (micro * accumulate)
            d2 = d3 @ params["W3"].T * (1 - h2 ** 2)
            d1 = d2 @ params["W2"].T * (1 - h1 ** 2)
            for k, g in (("W3", h2.T @ d3), ("b3", d3.sum(0)), ("W2", h1.T @ d2),
                         ("b2", d2.sum(0)), ("W1", xb.T @ d1), ("b1", d1.sum(0))):
                grads[k] = grads[k] + g
            if (j + 1) % accumulate == 0:
                for k in params:
                    adam(params[k], grads[k], states[k], lr=0.01)
                    grads[k] = 0.0
        if epoch % 40 == 0:
            print("epoch", epoch, "loss", epoch_loss)
    print("final loss", epoch_loss)


if __name__ == "__main__":
    main()
