# expected: unscaled-data line 5
import numpy as np

rng = np.random.default_rng(21)
daten = rng.normal(size=(120, 3)) * np.array([1.0, 50.0, 200.0])
gewicht_echt = np.array([1.5, -0.04, 0.005])
ziel = daten @ gewicht_echt + 0.7 + 0.05 * rng.normal(size=120)


class Regression:
    def __init__(self, merkmale):
        self.gewichte = np.zeros(merkmale)
        self.achse = 0.0

    def vorhersage(self, D):
        return D @ self.gewichte + self.achse

    def lerne(self, D, z, schrittweite, runden, stapel):
        verlauf = []
        for runde in range(runden):
            for anfang in range(0, len(D), stapel):
                d = D[anfang:anfang + stapel]
                fehler = self.vorhersage(d) - z[anfang:anfang + stapel]
                self.gewichte -= schrittweite * d.T @ fehler / len(d)
                self.achse -= schrittweite * fehler.mean()
            verlust = np.mean((self.vorhersage(D) - z) ** 2)
            verlauf.append(verlust)
        return verlauf


modell = Regression(3)
verlauf = modell.lerne(daten, ziel, 0.1, 60, 20)
print(verlauf[0], verlauf[-1])
