# expected: symmetric-initialization line 12
# Réseau à une couche cachée pour le OU exclusif
import numpy as np

entrees = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float)
cibles = np.array([[0], [1], [1], [0]], dtype=float)

nb_caches = 5
taux = 0.8
nb_epoques = 750

poids1 = np.full((2, nb_caches), 0.5)
biais1 = np.zeros((1, nb_caches))
poids2 = np.full((nb_caches, 1), 0.5)
biais2 = np.zeros((1, 1))


def sigmoide(z):
    return 1.0 / (1.0 + np.exp(-z))


def propager(x):
    a1 = sigmoide(x @ poids1 + biais1)
    a2 = sigmoide(a1 @ poids2 + biais2)
    return a1, a2


for epoque in range(nb_epoques):
    a1, a2 = propager(entrees)
    cout = np.sum((a2 - cibles) ** 2) / 2
    delta2 = (a2 - cibles) * a2 * (1 - a2)
    delta1 = (delta2 @ poids2.T) * a1 * (1 - a1)
    poids2 -= taux * a1.T @ delta2
    biais2 -= taux * delta2.sum(axis=0, keepdims=True)
    poids1 -= taux * entrees.T @ delta1
    biais1 -= taux * delta1.sum(axis=0, keepdims=True)
    if epoque % 1000 == 0:
        print(f"époque {epoque} : coût = {cout:.5f}")

print("sorties :", propager(entrees)[1].ravel())
