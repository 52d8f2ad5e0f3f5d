import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class GRUCell:
    def __init__(self, Wx, Wh):
        self.Wx, self.Wh = Wx, Wh
        self.dWx, self.dWh = None, None
        self.cache = None

    def forward(self, x, h_prev):
        H = self.Wh.shape[0]
        Wxz, Wxr, Wxn = self.Wx[:, :H], self.Wx[:, H:2 * H], self.Wx[:, 2 * H:]
        Whz, Whr, Whn = self.Wh[:, :H], self.Wh[:, H:2 * H], self.Wh[:, 2 * H:]
        z = sigmoid(x @ Wxz + h_prev @ Whz)
        r = sigmoid(x @ Wxr + h_prev @ Whr)
        n = np.tanh(x @ Wxn + (r * h_prev) @ Whn)
        h_next = (1 - z) * h_prev + z * n
        self.cache = (x, h_prev, z, r, n)
        return h_next

    def backward(self, dh_next):
        H = self.Wh.shape[0]
        Wxz, Wxr, Wxn = self.Wx[:, :H], self.Wx[:, H:2 * H], self.Wx[:, 2 * H:]
        Whz, Whr, Whn = self.Wh[:, :H], self.Wh[:, H:2 * H], self.Wh[:, 2 * H:]
        x, h_prev, z, r, n = self.cache
        dn = dh_next * z
        dh_prev = dh_next * (1 - z)
        da = dn * (1 - n ** 2)
        dWhn = (r * h_prev).T @ da
        drh = da @ Whn.T
        dWxn = x.T @ da
        dx = da @ Wxn.T
        dh_prev += r * drh
        dz = dh_next * (n - h_prev)
        da = dz * z * (1 - z)
        dWhz = h_prev.T @ da
        dh_prev += da @ Whz.T
        dWxz = x.T @ da
        dx += da @ Wxz.T
        da = drh * h_prev * r * (1 - r)
        dWhr = h_prev.T @ da
        dh_prev += da @ Whr.T
        dWxr = x.T @ da
        dx += da @ Wxr.T
        self.dWx = np.hstack((dWxz, dWxr, dWxn))
        self.dWh = np.hstack((dWhz, dWhr, dWhn))
        return dx, dh_prev
