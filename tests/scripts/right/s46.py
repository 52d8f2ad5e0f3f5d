# expected: right
import numpy as np
R=np.random.default_rng(1)
X=R.normal(size=(200,2));t=(X@[2,-1]+.5+.8*R.normal(size=200)>0)*1.
X=np.c_[np.ones(200),X];w=np.zeros(3);s=lambda z:1/(1+np.exp(-z))
for i in range(500):
    w+=.02*X.T@(t-s(X@w))
    if i%100==0:p=s(X@w);print(i,-(t*np.log(p)+(1-t)*np.log(1-p)).sum())
print(w,((X@w>0)==t).mean())
