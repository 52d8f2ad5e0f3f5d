import numpy as np

def gaussian_nll(mu, log_sigma, y):
    """mean negative log likelihood and its derivatives"""
    s2 = np.exp(2 * log_sigma)
    r = y - mu
    nll = np.mean(0.5 * r ** 2 / s2 + log_sigma)
    dmu = -r / s2 / y.size
    dlog_sigma = (1 - r ** 2 / s2) / y.size
    return nll, dmu, dlog_sigma
