import numpy as np
import matplotlib.pyplot as plt

np.random.seed(5)
X_train = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float)
y_train = np.array([0, 1, 1, 0], dtype=float)

n_hidden = 4
W_cachee = np.random.randn(n_hidden, 2) * 2
b_cachee = np.zeros(n_hidden)
W_sortie = np.random.randn(n_hidden)
b_sortie = 0.0
lr = 0.5


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def sigmoid_derivative(x):
    return sigmoid(x) * (1 - sigmoid(x))


def passe_avant(x):
    z = np.zeros(n_hidden)
    for j in range(n_hidden):
        z[j] = W_cachee[j][0] * x[0] + W_cachee[j][1] * x[1] + b_cachee[j]
    s = b_sortie
    for j in range(n_hidden):
        s = s + W_sortie[j] * sigmoid(z[j])
    return z, s, sigmoid(s)


def passe_arriere(x, y):
    """met a jour les poids ; la couche cachee d'abord, puis la sortie"""
    global b_sortie
    z, s, y_hat = passe_avant(x)
    commun = (y - y_hat) * sigmoid_derivative(s)
    for j in range(n_hidden):
        for k in range(2):
            W_cachee[j][k] += lr * 2 * commun * W_sortie[j] * sigmoid_derivative(z[j]) * x[k]
        b_cachee[j] += lr * 2 * commun * W_sortie[j] * sigmoid_derivative(z[j])
    for j in range(n_hidden):
        W_sortie[j] += lr * 2 * commun * sigmoid(z[j])
    b_sortie += lr * 2 * commun
    return (y - y_hat) ** 2


pertes = []
for epoch in range(2500):
    perte = 0
    for i in range(4):
        perte += passe_arriere(X_train[i], y_train[i])
    pertes.append(perte)
    if epoch % 500 == 0:
        print("epoch", epoch, ":", perte)

print([round(float(passe_avant(x)[2]), 3) for x in X_train])
plt.semilogy(pertes)
plt.show()
