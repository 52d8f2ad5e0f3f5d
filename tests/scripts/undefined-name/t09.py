# expected: undefined-name line 19
"""Petit exercice : ajuster une parabole par descente de gradient."""
import numpy as np


def generer(n, graine):
    alea = np.random.default_rng(graine)
    x = alea.uniform(-1, 1, n)
    y = 1.5 * x ** 2 - x + 0.3 + 0.05 * alea.standard_normal(n)
    return x, y


def modele(coefs, x):
    return coefs[0] + coefs[1] * x + coefs[2] * x ** 2


def gradient(coefs, x, y):
    ecart = modele(coefs, x) - y
    return np.array([2 * np.mean(ecart), 2 * np.mean(ecart * x), 2 * np.mean(ecarts * x ** 2)])


def entrainer(x, y, pas=0.3, epoques=1000):
    coefs = np.zeros(3)
    for k in range(epoques):
        coefs = coefs - pas * gradient(coefs, x, y)
        if k % 200 == 0:
            print(k, np.mean((modele(coefs, x) - y) ** 2))
    return coefs


x, y = generer(70, 2)
print(entrainer(x, y))
