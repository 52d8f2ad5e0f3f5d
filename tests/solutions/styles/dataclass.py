from dataclasses import dataclass, field
import numpy as np

@dataclass
class Dense:
    n_in: int
    n_out: int
    seed: int = 0
    W: np.ndarray = field(init=False)
    b: np.ndarray = field(init=False)

    def __post_init__(self):
        rng = np.random.default_rng(self.seed)
        self.W = rng.normal(0, 0.1, (self.n_out, self.n_in))
        self.b = np.zeros((self.n_out, 1))

    def forward(self, A_prev):
        self.A_prev = A_prev
        return self.W @ A_prev + self.b

    def backward(self, dZ):
        m = self.A_prev.shape[1]
        self.dW = dZ @ self.A_prev.T / m
        self.db = dZ.sum(axis=1, keepdims=True) / m
        return self.W.T @ dZ
