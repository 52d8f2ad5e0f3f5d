import numpy as np

class LogReg:
    def __init__(self, n_features, l2=0.0):
        self.theta = np.zeros(n_features)
        self.l2 = l2

    def predict_proba(self, X):
        return 1 / (1 + np.exp(-X @ self.theta))

    def cost(self, X, y):
        p = self.predict_proba(X)
        return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)) + self.l2 / 2 * np.sum(self.theta ** 2)

    def gradient(self, X, y):
        p = self.predict_proba(X)
        return X.T @ (p - y) / len(y) + self.l2 * self.theta
