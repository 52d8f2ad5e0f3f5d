import numpy as np


class Module(object):
    def __init__(self):
        self.output = None
        self.gradInput = None
        self.training = True

    def forward(self, entry):
        return self.updateOutput(entry)

    def backward(self, entry, gradOutput):
        self.updateGradInput(entry, gradOutput)
        self.accGradParameters(entry, gradOutput)
        return self.gradInput

    def updateOutput(self, entry):
        pass

    def updateGradInput(self, entry, gradOutput):
        pass

    def accGradParameters(self, entry, gradOutput):
        pass


class Linear(Module):
    def __init__(self, n_in, n_out):
        super(Linear, self).__init__()
        stdv = 1. / np.sqrt(n_in)
        self.W = np.random.uniform(-stdv, stdv, size=(n_out, n_in))
        self.b = np.random.uniform(-stdv, stdv, size=n_out)
        self.gradW = np.zeros_like(self.W)
        self.gradb = np.zeros_like(self.b)

    def updateOutput(self, entry):
        self.output = np.dot(entry, self.W.T) + self.b
        return self.output

    def updateGradInput(self, entry, gradOutput):
        self.gradInput = np.dot(gradOutput, self.W)
        return self.gradInput

    def accGradParameters(self, entry, gradOutput):
        self.gradW += np.dot(gradOutput.T, entry)
        self.gradb += np.sum(gradOutput, axis=0)


class SoftMax(Module):
    def updateOutput(self, entry):
        self.output = np.subtract(entry, entry.max(axis=1, keepdims=True))
        self.output = np.exp(self.output)
        self.output = self.output / self.output.sum(axis=1, keepdims=True)
        return self.output

    def updateGradInput(self, entry, gradOutput):
        s = self.output
        self.gradInput = s * (gradOutput - np.sum(gradOutput * s, axis=1, keepdims=True))
        return self.gradInput


class ELU(Module):
    def __init__(self, alpha=1.0):
        super(ELU, self).__init__()
        self.alpha = alpha

    def updateOutput(self, entry):
        self.output = np.where(entry > 0, entry, self.alpha * (np.exp(entry) - 1))
        return self.output

    def updateGradInput(self, entry, gradOutput):
        self.gradInput = gradOutput * np.where(entry > 0, 1, self.alpha * np.exp(entry))
        return self.gradInput


class SoftPlus(Module):
    def updateOutput(self, entry):
        self.output = np.log(1 + np.exp(entry))
        return self.output

    def updateGradInput(self, entry, gradOutput):
        self.gradInput = gradOutput / (1 + np.exp(-entry))
        return self.gradInput
