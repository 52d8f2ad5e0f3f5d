import numpy as np

class PReLU:
    def __init__(self, channels):
        self.alpha = np.full(channels, 0.25)
        self.d_alpha = None

    def forward(self, inputs):
        self.inputs = inputs
        return np.where(inputs > 0, inputs, self.alpha * inputs)

    def backward(self, d_out):
        neg = self.inputs <= 0
        self.d_alpha = np.sum(d_out * self.inputs * neg, axis=0)
        return d_out * np.where(neg, self.alpha, 1.0)
