# expected: right
# Red neuronal pequeña: aprende una función de dos variables
import numpy as np

azar = np.random.default_rng(13)
m = 15
entradas = azar.uniform(-1.5, 1.5, (2, m))
salidas = np.vstack([entradas[0] ** 2 - entradas[1], np.cos(2 * entradas[1])])

ocultas = 25
pesos1 = azar.normal(0, 1, (ocultas, 2))
sesgo1 = azar.normal(0, 0.5, (ocultas, 1))
pesos2 = azar.normal(0, 0.2, (2, ocultas))
sesgo2 = np.zeros((2, 1))

tasa_oculta = 0.2
tasa_salida = 0.05
tasa_sesgos = 0.1

for ciclo in range(300):
    capa1 = np.tanh(pesos1 @ entradas + sesgo1)
    prediccion = pesos2 @ capa1 + sesgo2
    dif = prediccion - salidas
    costo = np.sum(dif ** 2) / (2 * m)

    delta1 = (pesos2.T @ dif) * (1 - capa1 ** 2)
    pesos2 -= tasa_salida * (dif @ capa1.T) / m
    sesgo2 -= tasa_sesgos * dif.mean(axis=1, keepdims=True)
    pesos1 -= tasa_oculta * (delta1 @ entradas.T) / m
    sesgo1 -= tasa_sesgos * delta1.mean(axis=1, keepdims=True)

    if ciclo % 500 == 0:
        print("ciclo", ciclo, "costo", round(float(costo), 5))
