import numpy as np

class LayerNorm:
    def __init__(self, dim, eps=1e-5):
        self.gamma = np.ones(dim)
        self.beta = np.zeros(dim)
        self.eps = eps

    def forward(self, x):
        mu = x.mean(axis=-1, keepdims=True)
        var = x.var(axis=-1, keepdims=True)
        self.std = np.sqrt(var + self.eps)
        self.xhat = (x - mu) / self.std
        return self.gamma * self.xhat + self.beta

    def backward(self, grad):
        n = grad.shape[-1]
        self.grads = {"gamma": (grad * self.xhat).sum(axis=0), "beta": grad.sum(axis=0)}
        dxhat = grad * self.gamma
        return (dxhat - dxhat.mean(axis=-1, keepdims=True)
                - self.xhat * (dxhat * self.xhat).mean(axis=-1, keepdims=True)) / self.std
