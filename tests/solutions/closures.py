import numpy as np

def make_model(n_hidden, seed):
    rng = np.random.RandomState(seed)
    params = dict(W=rng.randn(n_hidden, 2), b=np.zeros(n_hidden), v=rng.randn(n_hidden), c=0.0)

    def predict(X):
        z = X @ params["W"].T + params["b"]
        a = 1 / (1 + np.exp(-z))
        out = 1 / (1 + np.exp(-(a @ params["v"] + params["c"])))
        return a, out

    def train_step(X, y, lr):
        a, out = predict(X)
        err = out - y
        d_out = 2 * err * out * (1 - out)
        d_a = d_out[:, None] * params["v"][None, :]
        d_z = d_a * a * (1 - a)
        params["v"] = params["v"] - lr * a.T @ d_out
        params["c"] = params["c"] - lr * d_out.sum()
        params["W"] = params["W"] - lr * d_z.T @ X
        params["b"] = params["b"] - lr * d_z.sum(0)
        return (err ** 2).sum()

    return predict, train_step

X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
y = np.array([0.0, 1.0, 1.0, 0.0])
predict, train_step = make_model(10, 3)
for epoch in range(5000):
    loss = train_step(X, y, 0.5)
    if epoch % 1000 == 0:
        print(epoch, loss)
print(predict(X)[1].round(2))
