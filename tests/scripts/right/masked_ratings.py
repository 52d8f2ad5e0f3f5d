# expected: right
import numpy as np

rng = np.random.default_rng(6)
users, items, rank = 30, 20, 2
true = 3 + rng.normal(0, 0.6, (users, rank)) @ rng.normal(0, 0.6, (rank, items))
known = rng.random((users, items)) < 0.4
ratings = np.where(known, true, 0.0)
P = rng.normal(0, 0.3, (users, rank))
Q = rng.normal(0, 0.3, (items, rank))
mean, lam, rate = ratings[known].mean(), 0.05, 0.01


def loss():
    error = np.where(known, mean + P @ Q.T - ratings, 0.0)
    return 0.5 * np.sum(error**2) + 0.5 * lam * (np.sum(P**2) + np.sum(Q**2))


for epoch in range(301):
    error = mean + P @ Q.T - ratings
    grad_P = np.where(known, error, 0.0) @ Q + lam * P
    grad_Q = np.where(known, error, 0.0).T @ P + lam * Q
    P -= rate * grad_P
    Q -= rate * grad_Q
    if epoch % 50 == 0:
        print(epoch, loss())
