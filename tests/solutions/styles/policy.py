import numpy as np

def policy(theta, s):
    z = s @ theta
    z = z - z.max()
    p = np.exp(z)
    return p / p.sum()

def log_policy(theta, s, a):
    return np.log(policy(theta, s)[a])

def grad_log_policy(theta, s, a):
    p = policy(theta, s)
    d = -p
    d[a] += 1
    return np.outer(s, d)
