# expected: sign-flipped line 28
import numpy as np

rng = np.random.default_rng(81)
X = rng.normal(size=(2, 180))
label = (X[0] ** 2 + 0.5 * X[1] > 0.6).astype(int)
Y = np.zeros((2, 180))
Y[label, np.arange(180)] = 1

n_h = 12
W1 = rng.normal(size=(n_h, 2))
b1 = np.zeros((n_h, 1))
W2 = rng.normal(size=(2, n_h)) * 0.3
b2 = np.zeros((2, 1))
lr = 0.2

for epoch in range(200):
    a1 = np.tanh(W1 @ X + b1)
    z2 = W2 @ a1 + b2
    e = np.exp(z2 - z2.max(axis=0))
    prob = e / e.sum(axis=0)
    loss = -np.mean(np.log((prob * Y).sum(axis=0) + 1e-12))

    d2 = (prob - Y) / X.shape[1]
    d1 = (W2.T @ d2) * (1 - a1 ** 2)
    W2 -= lr * d2 @ a1.T
    b2 -= lr * d2.sum(axis=1, keepdims=True)
    W1 += lr * d1 @ X.T
    b1 += lr * d1.sum(axis=1, keepdims=True)
    if epoch % 250 == 0:
        print(f"epoch {epoch}: loss={loss:.4f} acc={np.mean(prob.argmax(0) == label):.3f}")
print("final", loss)
