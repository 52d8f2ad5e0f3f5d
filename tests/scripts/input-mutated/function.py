# expected: input-mutated line 26
import numpy as np

rng = np.random.default_rng(5)
centers = np.array([[0.0, 2.0], [2.0, -1.0], [-2.0, -1.0]])
labels = rng.integers(0, 3, 150)
points = centers[labels] + 0.6 * rng.standard_normal((150, 2))
one_hot = np.eye(3)[labels]


def softmax(scores):
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def init(n_in, n_hidden, n_out):
    return {
        "W1": rng.standard_normal((n_in, n_hidden)) * 0.5,
        "b1": np.zeros(n_hidden),
        "W2": rng.standard_normal((n_hidden, n_out)) * 0.5,
        "b2": np.zeros(n_out),
    }


def forward(params, inputs):
    inputs += 0.1
    z1 = inputs.dot(params["W1"]) + params["b1"]
    a1 = np.tanh(z1)
    z2 = a1.dot(params["W2"]) + params["b2"]
    probs = softmax(z2)
    return z1, a1, probs


def backward(params, inputs, a1, probs, targets):
    n = inputs.shape[0]
    dz2 = (probs - targets) / n
    dz1 = dz2.dot(params["W2"].T) * (1 - a1 ** 2)
    return {
        "W2": a1.T.dot(dz2),
        "b2": dz2.sum(axis=0),
        "W1": inputs.T.dot(dz1),
        "b1": dz1.sum(axis=0),
    }


params = init(2, 6, 3)
learning_rate = 0.5
for epoch in range(50):
    z1, a1, probs = forward(params, points)
    loss = -np.mean(np.log(probs[np.arange(len(labels)), labels]))
    grads = backward(params, points, a1, probs, one_hot)
    for key in params:
        params[key] -= learning_rate * grads[key]
    if epoch % 100 == 0:
        acc = np.mean(probs.argmax(axis=1) == labels)
        print(f"epoch {epoch} loss {loss:.4f} accuracy {acc:.2f}")
