import numpy as np


class Linear:
    def __init__(self, in_features, out_features, debug=False):
        self.W = np.zeros((out_features, in_features))
        self.b = np.zeros((out_features, 1))
        self.debug = debug

    def forward(self, A):
        self.A = A
        self.N = A.shape[0]
        self.Ones = np.ones((self.N, 1))
        return A @ self.W.T + self.Ones @ self.b.T

    def backward(self, dLdZ):
        dLdA = dLdZ @ self.W
        self.dLdW = dLdZ.T @ self.A
        self.dLdb = dLdZ.T @ self.Ones
        if self.debug:
            self.dLdA = dLdA
        return dLdA


class Tanh:
    def forward(self, Z):
        self.A = np.tanh(Z)
        return self.A

    def backward(self, dLdA):
        dAdZ = 1 - self.A ** 2
        return dLdA * dAdZ


class GELU:
    def forward(self, Z):
        self.Z = Z
        self.c = 0.5 * (1 + np.tanh(np.sqrt(2 / np.pi) * (Z + 0.044715 * Z ** 3)))
        return Z * self.c

    def backward(self, dLdA):
        t = 2 * self.c - 1
        inner = np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * self.Z ** 2)
        return dLdA * (self.c + 0.5 * self.Z * (1 - t ** 2) * inner)


class CrossEntropyLoss:
    def forward(self, A, Y):
        self.A, self.Y = A, Y
        self.N, self.C = A.shape
        e = np.exp(A - A.max(axis=1, keepdims=True))
        self.softmax = e / e.sum(axis=1, keepdims=True)
        crossentropy = -(Y * np.log(self.softmax)).sum(axis=1)
        return crossentropy.sum() / self.N

    def backward(self):
        return (self.softmax - self.Y) / self.N


class MLP1:
    def __init__(self, debug=False):
        self.layers = [Linear(2, 3), Tanh(), Linear(3, 2), Tanh()]

    def forward(self, A0):
        Z0 = self.layers[0].forward(A0)
        A1 = self.layers[1].forward(Z0)
        Z1 = self.layers[2].forward(A1)
        return self.layers[3].forward(Z1)

    def backward(self, dLdA2):
        dLdZ1 = self.layers[3].backward(dLdA2)
        dLdA1 = self.layers[2].backward(dLdZ1)
        dLdZ0 = self.layers[1].backward(dLdA1)
        return self.layers[0].backward(dLdZ0)
