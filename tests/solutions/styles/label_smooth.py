import numpy as np

def log_softmax(z):
    z = z - z.max(axis=1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))

def smoothed_cross_entropy(logits, labels, eps=0.1):
    n, k = logits.shape
    target = np.full((n, k), eps / k)
    target[np.arange(n), labels] += 1 - eps
    return -(target * log_softmax(logits)).sum() / n

def smoothed_cross_entropy_grad(logits, labels, eps=0.1):
    n, k = logits.shape
    target = np.full((n, k), eps / k)
    target[np.arange(n), labels] += 1 - eps
    return (np.exp(log_softmax(logits)) - target) / n
