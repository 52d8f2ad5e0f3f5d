import numpy as np
import matplotlib.pyplot as plt

# Réseau de neurones pour le XOR
entrees = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float)
cibles = np.array([[0], [1], [1], [0]], dtype=float)
nb_caches = 10
taux = 0.5
np.random.seed(1)
poids_cachee = np.random.randn(2, nb_caches)
biais_cachee = np.zeros((1, nb_caches))
poids_sortie = np.random.randn(nb_caches, 1)
biais_sortie = np.zeros((1, 1))

def sigmoide(x):
    return 1 / (1 + np.exp(-x))

def derivee_sigmoide(x):
    return sigmoide(x) * (1 - sigmoide(x))

def propagation_avant(entrees):
    z1 = entrees.dot(poids_cachee) + biais_cachee
    a1 = sigmoide(z1)
    z2 = a1.dot(poids_sortie) + biais_sortie
    sortie = sigmoide(z2)
    return z1, a1, z2, sortie

def retropropagation(z1, a1, z2, sortie):
    global poids_cachee, biais_cachee, poids_sortie, biais_sortie
    erreur = 2 * (sortie - cibles)
    delta_sortie = erreur * derivee_sigmoide(z2)
    delta_cachee = delta_sortie.dot(poids_sortie.T) * derivee_sigmoide(z1)
    poids_sortie -= taux * a1.T.dot(delta_sortie)
    biais_sortie -= taux * delta_sortie.sum(axis=0, keepdims=True)
    poids_cachee -= taux * entrees.T.dot(delta_cachee)
    biais_cachee -= taux * delta_cachee.sum(axis=0, keepdims=True)

pertes = []
for epoque in range(5000):
    z1, a1, z2, sortie = propagation_avant(entrees)
    perte = np.sum((sortie - cibles) ** 2)
    pertes.append(perte)
    retropropagation(z1, a1, z2, sortie)
plt.semilogy(pertes)
plt.show()
print(sortie)
