# expected: bias-missing line 13
import numpy as np
import matplotlib.pyplot as plt

np.random.seed(5)
x_train = np.random.rand(100)
y_train = -1.5 * x_train + 6 + 0.1 * np.random.randn(100)

pente = np.random.randn()
lr = 0.1
erreurs = []
for epoch in range(1000):
    y_pred = pente * x_train
    err = y_pred - y_train
    erreurs.append(np.mean(err ** 2))
    pente = pente - lr * 2 * np.mean(err * x_train)

print("pente trouvée :", pente)
print("erreur finale :", erreurs[-1])
plt.plot(erreurs)
plt.show()
