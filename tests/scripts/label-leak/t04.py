# expected: label-leak line 13
import numpy as np

# columns: hours of study, hours of sleep, attendance, mark last year, passed
rng = np.random.default_rng(88)
n = 220
study = rng.uniform(0, 10, n)
sleep = rng.normal(7, 1, n)
attendance = rng.uniform(0.3, 1, n)
previous = rng.normal(11, 3, n)
score = 0.3 * study + 0.2 * sleep + 2 * attendance + 0.15 * previous + rng.normal(0, 1.0, n)
passed = (score > np.median(score)).astype(float)
table = np.column_stack([study, sleep, attendance, previous, passed])

split = 160
features = (table - table[:split].mean(axis=0)) / table[:split].std(axis=0)
target = table[:, -1]
X_train, X_test = features[:split], features[split:]
y_train, y_test = target[:split], target[split:]

w = np.zeros(X_train.shape[1])
b = 0.0


def predict(X):
    return 1 / (1 + np.exp(-(X @ w + b)))


def log_loss(p, y):
    return -np.mean(y * np.log(p + 1e-12) + (1 - y) * np.log(1 - p + 1e-12))


for epoch in range(250):
    p = predict(X_train)
    w -= 0.5 * X_train.T @ (p - y_train) / split
    b -= 0.5 * np.mean(p - y_train)
    if epoch % 400 == 0:
        print(f"epoch {epoch}: train {log_loss(p, y_train):.4f} test {log_loss(predict(X_test), y_test):.4f}")

print("test accuracy:", np.mean((predict(X_test) > 0.5) == y_test))
print("weights:", w.round(2))
