# expected: right
"""Ratings as a product of a few factors each, with biases that all begin as one number, learned rating by rating."""
import random

random.seed(8)
people, films, k = 30, 20, 2
tastes = [[random.gauss(0, 0.8) for _ in range(k)] for _ in range(people)]
kinds = [[random.gauss(0, 0.8) for _ in range(k)] for _ in range(films)]
ratings = []
for u in range(people):
    for i in range(films):
        if random.random() < 0.5:
            ratings.append((u, i, 3 + sum(a * b for a, b in zip(tastes[u], kinds[i])) + random.gauss(0, 0.1)))

P = [[random.gauss(0, 0.1) for _ in range(k)] for _ in range(people)]
Q = [[random.gauss(0, 0.1) for _ in range(k)] for _ in range(films)]
of_person, of_film = [0.0] * people, [0.0] * films
mean = sum(r for _, _, r in ratings) / len(ratings)
step, decay = 0.03, 0.02


def guess(u, i):
    return mean + of_person[u] + of_film[i] + sum(P[u][f] * Q[i][f] for f in range(k))


for epoch in range(40):
    random.shuffle(ratings)
    for u, i, r in ratings:
        error = r - guess(u, i)
        of_person[u] += step * (error - decay * of_person[u])
        of_film[i] += step * (error - decay * of_film[i])
        for f in range(k):
            p, q = P[u][f], Q[i][f]
            P[u][f] += step * (error * q - decay * p)
            Q[i][f] += step * (error * p - decay * q)
print("root of the mean squared error", (sum((r - guess(u, i)) ** 2 for u, i, r in ratings) / len(ratings)) ** 0.5)
