# expected: sign-flipped line 27 or 30
# Logistische Regression von Hand
import numpy as np

zufall = np.random.RandomState(21)
anzahl = 120
klasse0 = zufall.randn(anzahl, 2) + np.array([-1.5, -1.0])
klasse1 = zufall.randn(anzahl, 2) + np.array([1.5, 1.0])
daten = np.vstack([klasse0, klasse1])
ziel = np.concatenate([np.zeros(anzahl), np.ones(anzahl)])

gewichte = np.zeros(2)
achse = 0.0
lernrate = 0.1


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def kosten(p, t):
    return -np.mean(t * np.log(p + 1e-9) + (1 - t) * np.log(1 - p + 1e-9))


for runde in range(300):
    p = sigmoid(daten @ gewichte + achse)
    fehler = ziel - p
    grad_w = daten.T @ fehler / len(daten)
    grad_b = fehler.mean()
    gewichte -= lernrate * grad_w
    achse -= lernrate * grad_b
    if runde % 50 == 0:
        print("Runde", runde, "Kosten", kosten(p, ziel))

genauigkeit = np.mean((sigmoid(daten @ gewichte + achse) > 0.5) == ziel)
print("Genauigkeit:", genauigkeit)
