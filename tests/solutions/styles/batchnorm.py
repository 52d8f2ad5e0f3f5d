import numpy as np

def batchnorm_fwd(X, gamma, beta, eps=1e-8):
    mu = np.mean(X, axis=0)
    xc = X - mu
    var = np.mean(xc ** 2, axis=0)
    inv = 1.0 / np.sqrt(var + eps)
    xn = xc * inv
    cache = {"xn": xn, "xc": xc, "inv": inv, "gamma": gamma}
    return gamma * xn + beta, cache

def batchnorm_bwd(dout, cache):
    xn, xc, inv, gamma = cache["xn"], cache["xc"], cache["inv"], cache["gamma"]
    N = dout.shape[0]
    dgamma = np.sum(dout * xn, axis=0)
    dbeta = np.sum(dout, axis=0)
    dxn = dout * gamma
    dvar = np.sum(dxn * xc * -0.5 * inv ** 3, axis=0)
    dmu = np.sum(-dxn * inv, axis=0) + dvar * np.mean(-2 * xc, axis=0)
    dX = dxn * inv + dvar * 2 * xc / N + dmu / N
    return dX, dgamma, dbeta
