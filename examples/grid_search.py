"""
A grid search
=============

Which size, activation and penalty? A grid search over a pipeline, with cross-validation, as for any estimator."""

from matplotlib.figure import Figure
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from byhand import ByHandClassifier

x, y = load_breast_cancer(return_X_y=True)  # 569 tumours, 30 measurements of each
x_train, x_test, y_train, y_test = train_test_split(x, y, stratify=y, random_state=0)

# The scaling belongs into the pipeline, so that it too is learned from the training folds only.
pipeline = make_pipeline(StandardScaler(), ByHandClassifier(learning_rate_init=0.01, max_iter=1000, random_state=0))
grid = {
    "byhandclassifier__hidden_layer_sizes": [(4,), (16,)],
    "byhandclassifier__activation": ["relu", "tanh"],
    "byhandclassifier__alpha": [0.1, 10.0],
}
search = GridSearchCV(pipeline, grid, cv=5).fit(x_train, y_train)

results = search.cv_results_
print("accuracy in cross-validation, best first:")
for i in results["rank_test_score"].argsort()[:5]:
    choice = ", ".join(f"{name.partition('__')[2]}={value!r}" for name, value in results["params"][i].items())
    print(f"  {results['mean_test_score'][i]:.1%} ± {results['std_test_score'][i]:.1%}  {choice}")

accuracy = search.score(x_test, y_test)
print(f"The best of them on {len(y_test)} tumours that it has never seen: {accuracy:.1%}")

figure = Figure(figsize=(7, 2.6), layout="constrained")
axes = figure.subplots()
order = results["rank_test_score"].argsort()[::-1]
axes.errorbar(results["mean_test_score"][order], range(len(order)), xerr=results["std_test_score"][order], fmt="o")
labels = [", ".join(str(value) for value in results["params"][i].values()) for i in order]
axes.set(yticks=range(len(order)), yticklabels=labels, xlabel="accuracy in cross-validation, ± its deviation")
