# expected: sum-versus-mean line 41
import logging
import numpy as np

logger = logging.getLogger(__name__)


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


class Trainer:
    def __init__(self, sizes, lr, batch_size, seed=None):
        self.rng = np.random.default_rng(seed)
        self.lr, self.batch_size = lr, batch_size
        d, h, k = sizes
        self.W1 = self.rng.normal(0, 1, (h, d))
        self.b1 = np.zeros((h, 1))
        self.W2 = self.rng.normal(0, 0.5, (k, h))
        self.b2 = np.zeros((k, 1))

    def loss(self, X, Y):
        P = sigmoid(self.W2 @ np.tanh(self.W1 @ X + self.b1) + self.b2)
        return -np.mean(Y * np.log(P + 1e-12) + (1 - Y) * np.log(1 - P + 1e-12))

    def batches(self, X, Y):
        order = self.rng.permutation(X.shape[1])
        for s in range(0, X.shape[1], self.batch_size):
            take = order[s:s + self.batch_size]
            yield X[:, take], Y[:, take]

    def epoch(self, X, Y):
        for x, y in self.batches(X, Y):
            m = x.shape[1]
            H = np.tanh(self.W1 @ x + self.b1)
            P = sigmoid(self.W2 @ H + self.b2)
            D = P - y
            E = (self.W2.T @ D) * (1 - H ** 2)
            self.W2 -= self.lr * D @ H.T / m
            self.b2 -= self.lr * D.mean(axis=1, keepdims=True)
            self.W1 -= self.lr * E @ x.T
            self.b1 -= self.lr * E.sum(axis=1, keepdims=True)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    rng = np.random.default_rng(1)
    X = rng.uniform(-2, 2, (2, 30))
    Y = (np.abs(X[0]) + np.abs(X[1]) < 2).astype(float).reshape(1, -1)
    trainer = Trainer((2, 10, 1), lr=0.05, batch_size=24, seed=2)
    for e in range(125):
        trainer.epoch(X, Y)
        if e % 200 == 0:
            logger.info("epoch %3d  loss %.4f", e, trainer.loss(X, Y))
    logger.info("final loss %.4f", trainer.loss(X, Y))
