# expected: update-outside-loop line 29
# Descente de gradient stochastique, classification de fleurs (2 classes)
import numpy as np
from sklearn.datasets import load_iris

donnees = load_iris()
masque = donnees.target < 2
X = donnees.data[masque][:, :2]
X = (X - X.mean(axis=0)) / X.std(axis=0)
y = donnees.target[masque]

np.random.seed(0)
w = np.random.randn(2) * 0.1
b = 0.0
pas = 0.05


def sigmoide(z):
    return 1 / (1 + np.exp(-z))


for epoque in range(200):
    perte = 0.0
    for i in range(len(X)):
        p = sigmoide(np.dot(w, X[i]) + b)
        perte += -(y[i] * np.log(p) + (1 - y[i]) * np.log(1 - p))
        grad_w = (p - y[i]) * X[i]
        grad_b = p - y[i]
    w = w - pas * grad_w
    b = b - pas * grad_b
    if epoque % 40 == 0:
        print("époque", epoque, "perte", perte / len(X))

print("exactitude", np.mean((sigmoide(X @ w + b) > 0.5) == y))
