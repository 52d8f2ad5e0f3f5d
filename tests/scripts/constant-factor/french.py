# expected: constant-factor line 30
import numpy as np

np.random.seed(12)
# une colonne par exemple
entrees = np.array([[0, 0, 1, 1], [0, 1, 0, 1]], dtype=float)
cibles = np.array([[0, 1, 1, 0]], dtype=float)
poids_cachee = np.random.randn(6, 2)
biais_cachee = np.random.randn(6, 1) * 0.1
poids_sortie = np.random.randn(1, 6)
biais_sortie = np.zeros((1, 1))
taux = 1.0


def sigmoide(v):
    return 1.0 / (1.0 + np.exp(-v))


couts = []
for tour in range(750):
    somme1 = np.dot(poids_cachee, entrees) + biais_cachee
    cachee = sigmoide(somme1)
    somme2 = np.dot(poids_sortie, cachee) + biais_sortie
    sortie = sigmoide(somme2)
    ecart = cibles - sortie
    cout = 0.5 * np.sum(ecart ** 2)
    couts.append(cout)
    delta_sortie = ecart * sortie * (1 - sortie)
    delta_cachee = np.dot(poids_sortie.T, delta_sortie) * cachee * (1 - cachee)
    poids_sortie += taux * 2 * np.dot(delta_sortie, cachee.T)
    biais_sortie += taux * np.sum(delta_sortie, axis=1, keepdims=True)
    poids_cachee += taux * np.dot(delta_cachee, entrees.T)
    biais_cachee += taux * np.sum(delta_cachee, axis=1, keepdims=True)
print(couts[-1], sortie)
