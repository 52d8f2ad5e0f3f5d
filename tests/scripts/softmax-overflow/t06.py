# expected: softmax-overflow line 15 or 16
import numpy as np
from sklearn.datasets import load_digits

X, y = load_digits(return_X_y=True)
n, d = X.shape
k = 10
Y = np.eye(k)[y]

np.random.seed(0)
W = np.random.randn(d, k)
b = np.zeros((1, k))

def softmax(scores):
    exp_scores = np.exp(scores)
    return exp_scores / np.sum(exp_scores, axis=1, keepdims=True)

step_size = 2.0
reg = 1e-3
for i in range(12):
    scores = np.dot(X, W) + b
    probs = softmax(scores)
    data_loss = -np.sum(Y * np.log(probs + 1e-10)) / n
    loss = data_loss + 0.5 * reg * np.sum(W * W)
    if i % 10 == 0:
        acc = np.mean(np.argmax(scores, axis=1) == y)
        print("iteration %d: loss %f accuracy %.3f" % (i, loss, acc))
    dscores = (probs - Y) / n
    dW = np.dot(X.T, dscores) + reg * W
    db = np.sum(dscores, axis=0, keepdims=True)
    W += -step_size * dW
    b += -step_size * db
