import numpy as np

def svm_cost(W, X, y, C=1.0):
    n = X.shape[0]
    scores = X.dot(W)
    right = scores[np.arange(n), y][:, None]
    margins = np.maximum(0, scores - right + 1)
    margins[np.arange(n), y] = 0
    return margins.sum() / n * C + 0.5 * np.sum(W ** 2)

def svm_grad(W, X, y, C=1.0):
    n = X.shape[0]
    scores = X.dot(W)
    right = scores[np.arange(n), y][:, None]
    mask = (scores - right + 1 > 0).astype(float)
    mask[np.arange(n), y] = 0
    mask[np.arange(n), y] = -mask.sum(axis=1)
    return C * X.T.dot(mask) / n + W
