# Práctica 1: red neuronal para XOR
import numpy as np

np.random.seed(10)

entradas = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float)
objetivos = np.array([[0], [1], [1], [0]], dtype=float)

tasa = 0.5
ocultas = 10


def sigmoide(x):
    return 1 / (1 + np.exp(-x))


def d_sigmoide(a):
    # a ya es la salida de la sigmoide
    return a * (1 - a)


def hacia_adelante(x, pesos):
    w1, b1, w2, b2 = pesos
    capa1 = sigmoide(np.dot(x, w1) + b1)
    capa2 = sigmoide(np.dot(capa1, w2) + b2)
    return capa1, capa2


def perdida(salida, y):
    return 0.5 * np.sum((y - salida) ** 2)


def hacia_atras(x, y, pesos, capa1, capa2):
    w1, b1, w2, b2 = pesos
    d2 = (capa2 - y) * d_sigmoide(capa2)
    d1 = np.dot(d2, w2.T) * d_sigmoide(capa1)
    gw2 = np.dot(capa1.T, d2)
    gb2 = np.sum(d2, axis=0)
    gw1 = np.dot(x.T, d1)
    gb1 = np.sum(d1, axis=0)
    return gw1, gb1, gw2, gb2


pesos = (np.random.randn(2, ocultas), np.zeros(ocultas),
         np.random.randn(ocultas, 1), np.zeros(1))
historial = []
for epoca in range(10000):
    capa1, capa2 = hacia_adelante(entradas, pesos)
    historial.append(perdida(capa2, objetivos))
    gradientes = hacia_atras(entradas, objetivos, pesos, capa1, capa2)
    pesos = tuple(p - tasa * g for p, g in zip(pesos, gradientes))
    if epoca % 2000 == 0:
        print('epoca', epoca, 'perdida', historial[-1])

print(hacia_adelante(entradas, pesos)[1])
