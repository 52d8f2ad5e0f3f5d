# expected: integer-parameters line 9
import numpy as np
import matplotlib.pyplot as plt

rs = np.random.RandomState(70)
x = rs.uniform(-1, 1, 80)
y = 2.6 * x + 0.4 + 0.05 * rs.randn(80)

params = np.array([0, 0])      # slope, intercept
lr = 0.1
loss_list = []

for epoch in range(500):
    y_hat = params[0] * x + params[1]
    err = y_hat - y
    loss_list.append(np.mean(err ** 2))
    grad_slope = 2 * np.mean(err * x)
    grad_inter = 2 * np.mean(err)
    params[0] = params[0] - lr * grad_slope
    params[1] = params[1] - lr * grad_inter
    if epoch % 100 == 0:
        print(epoch, loss_list[-1], params)

print("slope, intercept:", params, "loss:", loss_list[-1])
plt.plot(loss_list)
plt.ylabel("MSE")
plt.show()
