# expected: update-outside-loop line 25
import numpy as np
import matplotlib.pyplot as plt

np.random.seed(1)
X = np.random.rand(50, 2)
y = X @ np.array([3.0, -2.0]) + 1 + 0.05 * np.random.randn(50)

poids = np.random.randn(2)
biais = 0.0
lr = 0.2
historique = []

for epoque in range(600):
    prediction = X @ poids + biais
    erreur = prediction - y
    perte = (erreur ** 2).mean()
    historique.append(perte)
    grad_poids = 2 * X.T @ erreur / len(y)
    grad_biais = 2 * erreur.mean()

    if epoque % 100 == 0:
        print("époque", epoque, "perte", perte)

poids -= lr * grad_poids
biais -= lr * grad_biais

print("poids", poids, "biais", biais)
plt.plot(historique)
plt.xlabel("époque")
plt.show()
