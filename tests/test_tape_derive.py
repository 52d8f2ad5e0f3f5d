"""Each operation's derivative against central differences of the program that is traced."""

import re

import numpy as np
import pytest

from byhand.diagnosis.tape.derive import Unknown, forward, operand, sweep
from byhand.diagnosis.tape.run import trace

PREAMBLE = """
import copy, functools, itertools, math, operator
import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view
from scipy import signal
from scipy.special import erf, expit, log_softmax, logsumexp, softmax, xlogy

def in_place(A, B):
    D = A.copy(); D -= B; D *= 2; D[0] += B[1]; D[:, 1] = R[:2]
    return D * D

def views_in_place(A):
    D = np.zeros((2, 3)); V = D[0]; W = D.T; V += A[0]; W[1] += A[:, 1]
    return D * D + V

def reshaped_view(A):
    D = A.copy(); F = D.reshape(-1); F[2] *= 3.0
    return D * D

def element_by_element(A, B):
    D = np.zeros((2, 3))
    for i in range(2):
        for j in range(3):
            D[i, j] = A[i, j] * B[i][j]
            D[i][j] += A[i, j]
    return D

def lists(A):
    w = [a * 2.0 for a in A[0]]
    w[1] -= A[1, 1]; w.append(w[0] * w[2])
    return np.array(w)

def nested_lists(A, B):
    return np.array([[sum(A[i][k] * B[j][k] for k in range(3)) for j in range(2)] for i in range(2)])

def add_at(A, R):
    D = A.copy(); np.add.at(D, ([0, 0, 1], [1, 1, 2]), R); np.subtract.at(D, (0, 1), R[0])
    return D * D

def out_argument(A, B):
    D = np.empty((2, 3)); np.multiply(A, B, out=D); np.maximum(D, 0.1, D); np.exp(D, out=D)
    return D

def overwritten(A):
    D = A * 2; E = D * D; D[...] = 0.0; D.fill(1.0)
    return E + D

def diagonal_view(A):
    D = A @ A.T; D[np.diag_indices(2)] *= 3.0
    return D

def swapped(A):
    D = A.copy(); D[0], D[1] = D[1].copy(), D[0] * 2.0
    return D

def convolution(A, R):
    D = np.zeros((2, 2))
    for j in range(2):
        D[:, j] = (A[:, j:j + 2] * R[:2]).sum(axis=1)
    return D

def recurrence(A, R):
    h = np.zeros(3)
    for t in range(2):
        h = np.tanh(A[t] + h * R)
    return h

def closure(A):
    def scaled(f): return lambda x: f(x) * R
    return scaled(np.tanh)(A)

def generated(A):
    def rows():
        for row in A:
            yield row * R
    return np.stack(list(rows()))

def copied(A):
    state = {"W": A * 2, "list": [A[0], A[1] * 3]}
    twin = copy.deepcopy(state)
    state["W"][...] = 0.0
    return twin["W"] * twin["list"][1]

class Value:
    def __init__(self, data): self.data = data
    def __add__(self, other): return Value(self.data + other.data)
    def __mul__(self, other): return Value(self.data * other.data)

def objects(A):
    total = Value(0.0)
    for a, b in zip(A[0], A[1]): total = total + Value(a) * Value(b)
    return total.data * R

def vectorized(A):
    return np.vectorize(lambda a: math.tanh(a) if a > 0 else 0.1 * a)(A)

def in_list_of_arrays(A, R):
    W = [A, R.copy()]; W[1] -= 0.5 * A[0]; W[0] = W[0] * W[1]
    return W[0]

def object_array(A, R):
    W = np.empty(2, dtype=object); W[0] = A[0]; W[1] = R
    W = W - 0.5 * W
    return W[0] * W[1]

def momentum(A):
    v = np.zeros_like(A); w = A.copy()
    for _ in range(3):
        v = 0.9 * v - 0.1 * w * w; w += v
    return w

def swapped_axes_written(A):
    D = A.copy(); D.T[0, :] = R[:2]; D.swapaxes(0, 1)[2] += R[:2]
    return D ** 2

def written_through_mask(A):
    D = A * 1.0; D[D > 0] *= 2.0; D[A < -0.5] = 0.0
    return D

def fortran(A):
    D = np.asfortranarray(A * 2); V = D[:, 1]; V *= 3.0; E = D.T; E[0] += R[:2]
    return D * D

def max_pool(A):
    return sliding_window_view(A, (2, 2)).max(axis=(2, 3))

def accumulated(A):
    return np.array(list(itertools.accumulate(A[0], lambda a, b: a * b)))

def unpacked(R):
    a, b, c = R; x, *rest = [a, b, c]
    return np.array([a * b, b * c, rest[1] * x])

def starred(R):
    def f(a, b, c): return a * b + c
    return f(*R) * R

def walrus(A): return (z := A * 2) * z

def flat_iterated(A): return np.array([a * a for a in A.flat])

def copied_over(A):
    D = np.zeros((2, 3)); np.copyto(D, A * 2)
    return D * D

A = np.array(a0); B = np.array(b0); R = np.array(r0); P = np.array(p0); C = np.array(c0); S = np.array(s0)
T = np.array(t0)
out = EXPRESSION
res = (np.asarray(out) * w0).sum()
"""

CASES = """
A+B|A-B|A*B|A/P|-A|+A|A**2|A**3.0|P**-1|2.0**A|P**B|A%P|abs(A)|A+R|R*A|A/C|A-1.5|2-A|1/P|A*C*R|(A+B)*(A-B)
np.square(A)|np.exp(A)|np.exp2(A)|np.expm1(A)|np.log(P)|np.log2(P)|np.log10(P)|np.log1p(P)|np.sqrt(P)|np.cbrt(P)
np.reciprocal(P)|np.abs(A)|np.fabs(A)|np.sin(A)|np.cos(A)|np.tan(A)|np.arcsin(A/9)|np.arccos(A/9)|np.arctan(A)
np.sinh(A)|np.cosh(A)|np.tanh(A)|np.arcsinh(A)|np.arctanh(A/9)|np.sinc(A)|np.sign(A)*A|np.floor(A)*A
np.heaviside(A,0)*A|np.maximum(A,B)|np.minimum(A,0)|np.fmax(A,B)|np.fmin(A,B)|np.where(A>0,A,B)|np.where(A>0,A,0.1*A)
np.where(A>R,R,A)|np.clip(A,-.5,.5)|A.clip(0)|A.clip(0,None)|np.clip(A,None,0.3)|np.clip(A,a_min=0,a_max=1)
np.logaddexp(A,B)|np.hypot(A,B)|np.arctan2(A,P)|np.float_power(P,2)|np.nan_to_num(A)|A*(A>0)|(A>0)*A+(A<=0)*0.1*A
np.deg2rad(A)|np.multiply(A,B,where=True)|expit(A)|erf(A)|xlogy(P,P)|softmax(A,axis=1)|log_softmax(A,axis=0)
logsumexp(A)|logsumexp(A,axis=1)|softmax(A)|1/(1+np.exp(-A))|np.exp(A)/np.exp(A).sum(axis=1,keepdims=True)
np.log(np.sum(np.exp(A-A.max())))|A*(1-A)|np.power(P,2.5)|A.sum()|A.sum(axis=0)|A.sum(1,keepdims=True)|A.sum(axis=-1)
np.sum(A,axis=(0,1))|T.sum(axis=(0,2))|A.mean()|A.mean(axis=1)|np.mean(A,0)|T.mean(axis=(1,2),keepdims=True)|A.max()
A.max(axis=1,keepdims=True)|np.min(A,axis=0)|np.amax(T,axis=2)|P.prod()|P.prod(axis=0)|A.std()|A.var(axis=0)
A.std(axis=1,ddof=1)|np.var(A)|np.var(T,axis=(0,2),keepdims=True)|np.average(A,axis=0)|np.cumsum(R)|np.cumsum(A)
np.cumsum(A,axis=1)|A.cumsum(axis=0)|np.cumprod(R)|np.cumprod(P,axis=1)|np.diff(R)|np.diff(A,axis=0)|np.trace(A@B.T)
np.add.reduce(A)|np.multiply.reduce(P,axis=1)|np.maximum.reduce(A)|np.add.accumulate(A)|A@B.T|np.dot(R,A.T)|A@R
R[:2]@A|R@R|np.dot(A,R)|A.dot(R)|np.dot(A,2.0)|np.outer(R,R)|np.outer(A,R)|np.inner(A,B)|np.inner(R,A)|np.vdot(A,B)
np.matmul(A[None],B.T[None])|T@A.T|A@T[0].T|T@R|R[:2]@T|np.matmul(T,T.transpose(0,2,1))|T[None]@A.T[None,None]
np.dot(T,A.T)|np.dot(T,T.transpose(0,2,1))|np.inner(T,A)|np.tensordot(A,B,axes=([1],[1]))|np.tensordot(T,A,([2],[1]))
np.tensordot(T,T,axes=([0,1],[0,1]))|np.tensordot(A,B,2)|np.tensordot(R,R,0)|np.multiply.outer(R,R)
np.einsum('ij,ij->i',A,B)|np.einsum('ij,kj',A,B)|np.einsum('ij->',A)|np.einsum('ij->ji',A)|np.einsum('ii->i',A@B.T)
np.einsum('ii',A@A.T)|np.einsum('bij,kj->bik',T,A)|np.einsum('...j,kj->...k',T,A)|np.einsum('i,j,k->ijk',R,R,R)
np.einsum('ij,jk,k->i',A,B.T,R[:2])|np.einsum('bij,bkj->ik',T,T)|np.einsum('i,ij',R[:2],A)|np.einsum('ij,ij',A,B)
np.einsum('i...,i...->...',A,B)|np.einsum('ij,k->k',A,R)|np.convolve(R,A[0])|np.convolve(A.ravel(),R,'valid')
np.convolve(R,A.ravel(),'same')|np.correlate(A.ravel(),R)|np.correlate(R,A.ravel())|np.correlate(A.ravel(),R,'same')
signal.convolve2d(A,B)|signal.convolve2d(T[0],S,'same')|signal.correlate2d(A,B[:,:2],'valid')|signal.correlate2d(T[0],S,'same')
signal.correlate2d(A,B,'full')|signal.convolve(T,T[:,:1,:2],'valid')|signal.correlate(T,T[:1])|signal.correlate2d(S,A,'valid')
np.linalg.norm(A)|np.linalg.norm(R)|np.linalg.norm(A,axis=1)
np.linalg.norm(A,axis=0,keepdims=True)|np.linalg.norm(A,'fro')|np.linalg.norm(R,2)|np.linalg.inv(S)|np.linalg.det(S)
np.linalg.solve(S,R)|np.linalg.solve(S,A.T)|np.linalg.inv(np.stack([S,S.T@S]))|A[1]|A[:,1]|A[-1,::2]|A[::-1]|A[0,1]*A
A[[0,0,1]]|A[A>0]|A[np.arange(2),[2,0]]|A[:,None]|A[...,0]|A[None]|A[np.newaxis,:,1:]|T[1,:,0]|T[:,[0,0]]|T[...,1:]
A[1,2]*A[0]|A[np.array([[0,1],[1,1]])]|A[np.ix_([0,1],[0,2])]|A[:,R>0]|np.take(A,[0,0],axis=1)|A.take([0,4])
np.take_along_axis(A,np.array([[0],[2]]),1)|np.compress([True,False],A,axis=0)|A.item(1)*A|A.item(0,1)*A
A[0].tolist()[1]*A|A.tolist()[1][0]*R|np.concatenate([A,B])|np.concatenate((A,B),axis=1)
np.concatenate([A,B],axis=None)|np.hstack((A,B))|np.vstack((R,A))|np.dstack((A,B))|np.column_stack([R,R])
np.stack([A,B],axis=1)|np.append(A,B)|np.append(A,[R],axis=0)|np.insert(A,0,1,axis=1)|np.insert(R,1,R[2])
np.delete(A,1,axis=1)|np.c_[A,R[:2]]|np.r_[R,A[0]]|np.c_[np.ones(2),A]|np.hstack([np.ones((2,1)),A])
np.block([[A,B],[B,A]])|A.T|A.T@A|A.reshape(3,2)|A.reshape((3,-1))|np.reshape(A,-1)|A.ravel()|A.flatten()
A.flatten('F')|A.reshape(3,2,order='F')|A.ravel('F')|A.T.reshape(2,3)|A.T.ravel()|T.transpose(2,0,1)
np.transpose(T,(1,0,2))|np.swapaxes(T,0,2)|np.moveaxis(T,0,-1)|T.T|np.rollaxis(T,2)|np.expand_dims(A,0)
np.squeeze(A[:,:1])|A[:1].squeeze(0)|np.atleast_2d(R)@A.T|np.broadcast_to(R,(4,3))|np.tile(R,2)|np.tile(A,(2,2))
np.repeat(R,2)|np.repeat(A,[1,2],axis=0)|A.repeat(2,axis=1)|np.roll(R,1)|np.roll(A,1,axis=0)|np.flip(A)|np.fliplr(A)
np.rot90(A)|np.diag(R)|np.diag(A@A.T)|np.triu(A@B.T)|np.tril(S)|np.pad(R,1)|np.pad(A,((1,0),(0,2)))
np.pad(A,1,mode='edge')|np.pad(R,2,'reflect')|np.resize(R,5)|np.split(R,3)[1]*R|np.array_split(A,2,axis=1)[0]
np.hsplit(A,3)[2]|np.sort(R)|np.sort(A,axis=0)|np.diagonal(S)|S.diagonal()|sliding_window_view(R,2)
sliding_window_view(A,(2,2))|as_strided(R,(2,2),(8,8))|max_pool(A)|sliding_window_view(A,2,axis=1).sum(-1)
np.array([A[0],R])|np.array([[R[0],R[1]],[2.0,R[2]]])|np.array([R[0],1,2])|np.asarray([A,B])|np.array(A)
np.asarray(A)*A|np.array(R[0])*A|A.copy()|np.copy(A)|A.astype(float)|np.float64(R[0])*A|float(R[0])*A|R[0].item()*A
np.ones_like(A)*A|A.real|sum(R)|sum(x*x for x in R)|sum([A[0],A[1]])|sum(R,R[1])|max(R)*A|min(R[0],R[1])*A|abs(R[0])*R
pow(P[0,0],2)*A|round(R[0],3)*A|[x*2 for x in R][1]*R|np.array([x*y for x,y in zip(R,A[0])])
np.array(list(map(lambda q:q*q,R)))|np.array(list(map(math.exp,R)))|np.array([a*i for i,a in enumerate(R)])
sorted(R)[0]*A|list(R)[1]*A|tuple(A)[1]|list(reversed(R))[0]*A|functools.reduce(operator.mul,R)*A
functools.reduce(lambda a,b:a*b,list(R))*R|functools.partial(np.multiply,A)(B)|operator.add(A,B)|math.exp(R[0])*R
math.log(P[0,0])*R|math.log(P[0,0],2)*R|math.sqrt(P[0,1])*R|math.tanh(R[1])*R|math.pow(P[0,0],3)*R|math.sin(R[0])*R
1/(1+math.exp(-R[0]))*R|math.atan2(R[0],R[1])*R|{'w':A}['w']*A|(lambda x:x*x)(A)|A if A[0,0]>9 else B*A|walrus(A)
np.squeeze(A[0,0])*A|A.sum()*A.mean()|(A*B).sum(0)/(A.sum(0)**2+1)|in_place(A,B)|views_in_place(A)|reshaped_view(A)
element_by_element(A,B)|lists(A)|nested_lists(A,B)|add_at(A,R)|out_argument(A,B)|overwritten(A)|diagonal_view(A)
swapped(A)|convolution(A,R)|recurrence(A,R)|closure(A)|generated(A)|copied(A)|objects(A)|vectorized(A)
in_list_of_arrays(A,R)|object_array(A,R)|momentum(A)|swapped_axes_written(A)|written_through_mask(A)|fortran(A)
accumulated(A)|unpacked(R)|starred(R)|flat_iterated(A)|copied_over(A)|np.asmatrix(A)*np.asmatrix(B).T
np.asmatrix(A).sum(axis=1)|np.multiply(np.asmatrix(A),B)|np.asmatrix(A)[0]|np.asmatrix(A).T
"""
HEAD, *HELPERS = re.split(r"\n\n(?=def |class |A = )", PREAMBLE)
TAIL = HELPERS.pop()
EXPRESSIONS = [case for line in CASES.split("\n") for case in line.split("|") if case]
LEAVES = {"A": "a0", "B": "b0", "R": "r0", "P": "p0", "C": "c0", "S": "s0", "T": "t0"}
rng = np.random.default_rng(0)
VALUES = {
    "a0": rng.normal(size=(2, 3)),
    "b0": rng.normal(size=(2, 3)),
    "r0": rng.normal(size=3),
    "p0": rng.uniform(0.5, 2, (2, 3)),
    "c0": rng.uniform(0.5, 2, (2, 1)),
    "s0": rng.normal(size=(3, 3)) + 3 * np.eye(3),
    "t0": rng.normal(size=(2, 2, 3)),
}
PLAIN = compile(
    PREAMBLE.replace("out = EXPRESSION", "").replace("res = (np.asarray(out) * w0).sum()", ""), "plain", "exec"
)


def derivative(expression, values, weights, name):
    """∂res/∂name by central differences of the untraced program."""
    code = compile(expression, "expression", "eval")

    def res(shifted):
        space = {**values, name: shifted}
        exec(PLAIN, space)
        return float((np.asarray(eval(code, space)) * weights).sum())

    result = np.zeros_like(values[name])
    for i in np.ndindex(result.shape):
        step = np.zeros_like(result)
        step[i] = 1e-5
        result[i] = (res(values[name] + step) - res(values[name] - step)) / 2e-5
    return result


def helpers(expression):
    names = expression.replace("objects", "objects Value")
    return "\n".join(text for text in HELPERS if re.match(r"\w+ (\w+)", text)[1] in names)


def traced(expression, values, weights):
    source = f"{HEAD}\n{helpers(expression)}\n{TAIL}".replace("EXPRESSION", expression)
    given = "\n".join(f"{name} = __import__('numpy').array({v.tolist()!r})" for name, v in values.items())
    given += f"\nw0 = __import__('numpy').array({np.asarray(weights).tolist()!r})\n"
    return trace(given + source)


def adjoints(run):
    """The sweep's cotangent of each input, from the last node: res."""
    tape = run.tape
    assert run.failure is None, run.failure
    first = {text: node for node, text in tape.names.items()}
    leaves = {name: first[name] for name in LEAVES if name in first}
    blocked = set()
    found = sweep(tape.nodes, {len(tape.nodes) - 1: 1.0}, set(leaves.values()), blocked=blocked)
    assert not blocked
    return {name: found.get(node, 0.0) for name, node in leaves.items()}


def computed_again(nodes):
    """Each node that can be computed again gives what the program got."""
    for node in nodes:
        if node.op in ("leaf", "opaque") or "where" in node.kw:
            continue
        try:
            again = forward(node, [operand(nodes, a) for a in node.args])
        except Unknown:
            continue
        np.testing.assert_allclose(again.ravel(), np.ravel(node.value), rtol=1e-12, atol=1e-14, err_msg=node.op)


@pytest.mark.parametrize("expression", EXPRESSIONS)
@pytest.mark.filterwarnings("ignore")
def test_a_sweep_gives_what_central_differences_give(expression):
    space = dict(VALUES)
    exec(PLAIN, space)
    weights = np.random.default_rng(1).normal(size=np.shape(eval(expression, space)))
    run = traced(expression, VALUES, weights)
    computed_again(run.tape.nodes)
    grads = adjoints(run)
    assert float(run.names["res"]) == float((np.asarray(eval(expression, space)) * weights).sum())
    used = [name for name in LEAVES if name in expression or ("(" in expression and name == "R")]
    for name in used:
        expected = derivative(expression, VALUES, weights, LEAVES[name])
        np.testing.assert_allclose(grads.get(name, 0.0) + 0 * expected, expected, rtol=2e-6, atol=2e-8)
