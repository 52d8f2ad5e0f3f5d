# expected: hidden-derivative-missing line 17
# A neural network small enough to read over breakfast.
# It learns "one or the other, but not both" from four examples.
import numpy as np

X = np.array([[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]])
y = np.array([[0, 1, 1, 0]]).T

np.random.seed(3)
syn0 = 2 * np.random.random((3, 6)) - 1
syn1 = 2 * np.random.random((6, 1)) - 1

for j in range(2500):
    l1 = 1 / (1 + np.exp(-X.dot(syn0)))
    l2 = 1 / (1 + np.exp(-l1.dot(syn1)))
    l2_delta = (y - l2) * l2 * (1 - l2)
    l1_delta = l2_delta.dot(syn1.T)
    syn1 += l1.T.dot(l2_delta)
    syn0 += X.T.dot(l1_delta)
    if j % 4000 == 0:
        print("error", 0.5 * np.sum((y - l2) ** 2))

print("after training:")
print(l2.round(3))
