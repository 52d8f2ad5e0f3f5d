# expected: right
import numpy as np

rng = np.random.default_rng(1)


class Policy:
    def __init__(self, n_in, n_hidden, n_actions):
        self.W1 = rng.normal(0, 0.4, (n_in, n_hidden))
        self.W2 = rng.normal(0, 0.4, (n_hidden, n_actions))

    def act(self, s):
        h = np.tanh(s @ self.W1)
        z = h @ self.W2
        e = np.exp(z - z.max())
        p = e / e.sum()
        a = rng.choice(len(p), p=p)
        return a, (s, h, p, a)

    def update(self, memory, advantages, lr):
        gW1, gW2 = np.zeros_like(self.W1), np.zeros_like(self.W2)
        for (s, h, p, a), adv in zip(memory, advantages):
            dz = p.copy()
            dz[a] -= 1
            dz *= adv
            gW2 += np.outer(h, dz)
            dh = self.W2 @ dz * (1 - h**2)
            gW1 += np.outer(s, dh)
        self.W1 -= lr * gW1 / len(memory)
        self.W2 -= lr * gW2 / len(memory)


policy = Policy(3, 8, 2)
for episode in range(300):
    memory, rewards = [], []
    for step in range(20):
        s = rng.normal(size=3)
        a, m = policy.act(s)
        memory.append(m)
        rewards.append(1.0 if (s[0] + s[1] > 0) == (a == 1) else 0.0)
    R = np.array(rewards)
    policy.update(memory, R - R.mean(), 0.5)
    if episode % 50 == 0:
        print(episode, R.mean())
