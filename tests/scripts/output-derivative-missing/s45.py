# expected: output-derivative-missing line 25
import numpy as np

class Couche:
    def __init__(self, n_entree, n_sortie, alea):
        self.W = alea.randn(n_sortie, n_entree)
        self.b = alea.randn(n_sortie, 1)

    def avant(self, x):
        self.x = x
        self.a = 1 / (1 + np.exp(-(self.W @ x + self.b)))
        return self.a

class Reseau:
    def __init__(self):
        alea = np.random.RandomState(50)
        self.cachee = Couche(2, 8, alea)
        self.sortie = Couche(8, 1, alea)

    def avant(self, x):
        return self.sortie.avant(self.cachee.avant(x))

    def arriere(self, y, pas):
        s, c = self.sortie, self.cachee
        delta_s = 2 * (s.a - y) / y.shape[1]
        delta_c = (s.W.T @ delta_s) * c.a * (1 - c.a)
        s.W -= pas * delta_s @ s.x.T
        s.b -= pas * delta_s.sum(axis=1, keepdims=True)
        c.W -= pas * delta_c @ c.x.T
        c.b -= pas * delta_c.sum(axis=1, keepdims=True)

X = np.array([[0, 0, 1, 1], [0, 1, 0, 1]])
y = np.logical_xor(X[0], X[1]).reshape(1, 4) * 1.0
r = Reseau()
for e in range(250):
    p = r.avant(X)
    if e % 400 == 0:
        print("itération", e, "EQM =", np.mean((p - y) ** 2))
    r.arriere(y, 0.5)
print("EQM finale =", np.mean((r.avant(X) - y) ** 2))
