# expected: transposed-gradient line 26
import numpy as np

np.random.seed(16)
# third input is always 1 and plays the part of the bias
inputs = np.array([[0., 0., 1.], [0., 1., 1.], [1., 0., 1.], [1., 1., 1.]])
outputs = np.array([0., 1., 1., 0.])

W1 = np.random.randn(3, 3)
w2 = np.random.randn(3)
c = 0.0
lr = 0.1

for epoch in range(1250):
    total = 0.0
    for i in np.random.permutation(4):
        x = inputs[i]
        a = np.tanh(W1 @ x)
        y_hat = w2 @ a + c
        e = y_hat - outputs[i]
        total += e ** 2
        d = 2 * e
        d_hidden = d * w2 * (1 - a ** 2)
        w2 = w2 - lr * d * a
        c = c - lr * d
        W1 = W1 - lr * np.outer(x, d_hidden)
    if epoch % 10000 == 0:
        print(f"{epoch:5d} {total:.5f}")
print("last", total)
