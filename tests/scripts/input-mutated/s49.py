# expected: input-mutated line 28
import numpy as np
from sklearn.datasets import load_digits

images, labels = load_digits(return_X_y=True)
rng = np.random.default_rng(44)
shuffle = rng.permutation(len(images))[:300]
images, labels = images[shuffle].astype(float), labels[shuffle]
one_hot = np.zeros((len(labels), 10))
one_hot[np.arange(len(labels)), labels] = 1

W1 = rng.normal(0, 0.1, (64, 30))
b1 = np.zeros(30)
W2 = rng.normal(0, 0.1, (30, 10))
b2 = np.zeros(10)
lr, batch_size = 0.2, 60


def softmax(s):
    e = np.exp(s - s.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


for epoch in range(4):
    losses, hits = [], 0
    for start in range(0, len(images), batch_size):
        x = images[start:start + batch_size]
        x /= 16.0
        t = one_hot[start:start + batch_size]
        h = np.tanh(x @ W1 + b1)
        p = softmax(h @ W2 + b2)
        losses.append(-np.mean(np.sum(t * np.log(p + 1e-12), axis=1)))
        hits += (p.argmax(1) == t.argmax(1)).sum()
        d2 = (p - t) / len(x)
        d1 = (d2 @ W2.T) * (1 - h ** 2)
        W2 -= lr * h.T @ d2
        b2 -= lr * d2.sum(axis=0)
        W1 -= lr * x.T @ d1
        b1 -= lr * d1.sum(axis=0)
    print(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}, accuracy {hits / len(images):.3f}")
