# expected: right
import random

random.seed(3)
w, b, rate = [0.0, 0.0], 0.0, 0.1
points = []
while len(points) < 120:
    x = (random.uniform(-1, 1), random.uniform(-1, 1))
    if abs(x[0] - 0.5 * x[1] - 0.1) > 0.02:
        points.append((x, 1 if x[0] - 0.5 * x[1] > 0.1 else -1))


def classify(x):
    return 1 if sum(a * c for a, c in zip(w, x)) + b > 0 else -1


for epoch in range(60):
    random.shuffle(points)
    wrong = 0
    for x, label in points:
        if classify(x) != label:
            wrong += 1
            for i in range(2):
                w[i] += rate * label * x[i]
            b += rate * label
    if wrong == 0:
        break
    if epoch % 10 == 0:
        print(epoch, wrong)
print(w, b)
