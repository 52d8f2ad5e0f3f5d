import numpy as np

def neg_log_likelihood(beta, X, y):
    eta = X @ beta
    return np.sum(np.exp(eta) - y * eta)

def neg_log_likelihood_gradient(beta, X, y):
    eta = X @ beta
    return X.T @ (np.exp(eta) - y)

def hessian(beta, X):
    return X.T @ (np.exp(X @ beta)[:, None] * X)
