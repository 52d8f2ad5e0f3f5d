# expected: right
import numpy as np
np.random.seed(2)
X = np.array([[0,0],[0,1],[1,0],[1,1]])
Y = np.array([[0],[1],[1],[0]])
f = lambda z: 1/(1+np.exp(-z))
A, a = np.random.randn(2, 4), np.random.randn(1, 4)
B, b = np.random.randn(4, 1), np.random.randn(1, 1)
for k in range(500):
    H = f(X@A + a)
    O = f(H@B + b)
    D = (O - Y)*O*(1 - O)/4
    E = D@B.T*H*(1 - H)
    A, a, B, b = A - 20*X.T@E, a - 20*E.sum(0, keepdims=True), B - 20*H.T@D, b - 20*D.sum(0, keepdims=True)
    if k % 500 == 0: print(k, ((O - Y)**2).mean()/2)
print(O.T)
