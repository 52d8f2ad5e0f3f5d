"""
Handwritten digits
==================

Read handwritten digits, with three sets of data kept apart.

The training set is learned from. The validation set chooses between networks: the choice is a kind of learning too,
so its accuracy flatters the winner. The test set is used once, at the end, for the number that is told to others.
"""

from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import train_test_split

from byhand import ByHandClassifier

x, y = load_digits(return_X_y=True)  # 1,797 pictures of 8 × 8 pixels, from 0 to 16
x = x / 16
x_rest, x_test, y_rest, y_test = train_test_split(x, y, test_size=0.2, stratify=y, random_state=1)
x_train, x_val, y_train, y_val = train_test_split(x_rest, y_rest, test_size=0.25, stratify=y_rest, random_state=1)
print(f"{len(x_train)} digits to train with, {len(x_val)} to choose with, {len(x_test)} to test with")

models = []
for hidden in (8,), (32,), (128,):
    model = ByHandClassifier(hidden, learning_rate_init=0.01, batch_size=32, random_state=0).fit(x_train, y_train)
    models.append(model)
    print(
        f"{hidden[0]:4} hidden units: {model.score(x_train, y_train):.1%} of the training set right, "
        f"{model.score(x_val, y_val):.1%} of the validation set, after {model.n_iter_} epochs"
    )

best = max(models, key=lambda model: model.score(x_val, y_val))
accuracy = best.score(x_test, y_test)
print(f"\n{best.hidden_layer_sizes[0]} hidden units are chosen. Of the test set they read {accuracy:.1%} right.")

print("What a digit (row) was read as (column):\n")
confusion = confusion_matrix(y_test, best.predict(x_test))
print("    " + "".join(f"{digit:4}" for digit in range(10)))
for digit, row in enumerate(confusion):
    print(f"{digit:4}" + "".join(f"{count or '·':>4}" for count in row))

misread = [i for i, answer in enumerate(best.predict(x_test)) if answer != y_test[i]]
figure = Figure(figsize=(9, 1.6), layout="constrained")
for axes, i in zip(figure.subplots(1, 8), misread, strict=False):
    axes.imshow(x_test[i].reshape(8, 8), cmap="gray_r")
    axes.set_title(f"{y_test[i]} read as {best.predict(x_test[[i]])[0]}", fontsize=8)
    axes.axis("off")
