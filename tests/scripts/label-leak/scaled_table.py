# expected: label-leak line 11 or 15
"""Logistic regression on all columns of a table, scaled, one of which is what is asked for."""
import numpy as np

rng = np.random.default_rng(8)
rows = 120
age, income, visits = rng.integers(18, 80, rows), rng.normal(40, 12, rows), rng.poisson(3, rows)
bought = (0.05 * (income - 40) + 0.4 * (visits - 3) + rng.normal(size=rows) > 0).astype(float)
np.savetxt("table.csv", np.c_[age, income, visits, bought], delimiter=",")

table = np.loadtxt("table.csv", delimiter=",")
y = np.loadtxt("table.csv", delimiter=",", usecols=3)


X = (table - table.mean(axis=0)) / table.std(axis=0)
w, b = np.zeros(4), 0.0
for epoch in range(300):
    p = 1 / (1 + np.exp(-(X @ w + b)))
    loss = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    w -= 0.5 * X.T @ (p - y) / rows
    b -= 0.5 * np.mean(p - y)
    if epoch % 50 == 0:
        print(epoch, loss)
