"""The catalogue of mistakes: one entry for each, with the words that `byhand check` and `byhand why` both use."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mistake:
    """One mistake, in words.

    Attributes
    ----------
    id : str
        Its name in JSON output.
    title : str
        What was done, in a few words.
    looks_like : str
        How it shows, in the code or in the numbers.
    why : str
        Why it is wrong, with the formula.
    mend : str
        What to do.
    plain : str
        Why it is wrong in plain words, without a formula; what a reader meets first.
    """

    id: str
    title: str
    looks_like: str
    why: str
    mend: str
    plain: str


_ENTRIES = (
    Mistake(
        "missing-import",
        "a library is used but not imported",
        "NameError: name 'np' is not defined, and no line imports it.",
        "Python knows a library only after its import; np is no more than the customary name for numpy.",
        "Put the import at the top: import numpy as np.",
        plain="Python knows a library only after an import has named it.",
    ),
    Mistake(
        "name-before-definition",
        "a name is used above the line that defines it",
        "NameError, although the name is assigned further down.",
        "A script runs from top to bottom; what a lower line defines does not exist yet. (In a notebook the cell "
        "may have been run earlier, so that the mistake shows only after a restart.)",
        "Move the definition above its first use.",
        plain="A script runs from top to bottom; what a lower line defines is not there yet.",
    ),
    Mistake(
        "undefined-name",
        "a name is never defined",
        "NameError, and no line assigns the name; often it is spelt differently elsewhere.",
        "Python looks the name up when the line runs, and nothing has that name.",
        "Define it, or use the name under which it is defined.",
        plain="Python looks a name up when the line runs, and nothing has that name.",
    ),
    Mistake(
        "shape-mismatch",
        "two shapes do not fit",
        "ValueError: operands could not be broadcast, or matmul: mismatch in its core dimension.",
        "A product A B needs as many columns in A as rows in B: with W of shape (n_out, n_in), a column x gives W x, "
        "and a batch X with a sample a row gives X Wᵀ.",
        "Write the shapes beside the line; transpose one factor, or swap them.",
        plain="Each array has a number of rows and columns, and these two do not belong together.",
    ),
    Mistake(
        "size-one-array-to-scalar",
        "an array of one element is put where a number belongs",
        "TypeError: only 0-dimensional arrays can be converted to Python scalars (before NumPy 2.4 a warning).",
        "An array of shape (1,) is not a number: A[i, j] = v needs a number v, while W_out @ a has shape (1,).",
        "Take the number out, v[0] or v.item(), or assign to a slice of the same shape.",
        plain="An array that holds one number is still an array; the number has to be taken out of it.",
    ),
    Mistake(
        "broadcast-error-matrix",
        "the error became a matrix",
        "ŷ has shape (n, 1), y has shape (n,), and ŷ − y has shape (n, n).",
        "NumPy broadcasts (n, 1) against (n,) to (n, n): every output is compared with every target, and the best "
        "answer to that is their mean, ŷ = ȳ.",
        "Give both the same shape: y.reshape(-1, 1), or ŷ[:, 0].",
        plain="A column minus a row is a table: every output is compared with every target, not only with its own.",
    ),
    Mistake(
        "learning-rate-too-high",
        "the learning rate is too high",
        "The loss grows by a constant factor, jumps about, or becomes inf and nan.",
        "For a quadratic loss a step multiplies the error along an eigenvector of the Hessian by 1 − ηλ, which "
        "shrinks it only when η < 2/λ_max.",
        "Divide the learning rate by 10 until the loss falls steadily.",
        plain="Each step goes past the lowest point, and lands higher than it began.",
    ),
    Mistake(
        "learning-rate-too-low",
        "the learning rate is too low",
        "The loss goes down a little and looks finished; the outputs are hardly better than at the start.",
        "A step is η times the gradient: along a direction of curvature λ the error shrinks to (1 − ηλ)ⁿ in n steps, "
        "and stays what it was where n η λ is much less than 1.",
        "Multiply the learning rate by 10 until the loss falls clearly, or until it jumps about: then take the one "
        "before.",
        plain="Each step goes the right way, and is so short that the training ends before it has got anywhere.",
    ),
    Mistake(
        "learning-rate-vanishes",
        "the learning rate has become next to nothing",
        "The loss falls at first and then stands still, far from its least, and the steps are as good as none.",
        "A rate that is multiplied by c < 1 at every step is ηcᵗ: all further steps together are shorter than "
        "η cᵗ/(1 − c) times the gradient.",
        "Let the rate fall once an epoch, not at every step; or let it fall more slowly.",
        plain="The steps become shorter and shorter, until the training stands still before it is there.",
    ),
    Mistake(
        "unscaled-data",
        "the inputs are not on one scale",
        "Inputs of very different sizes; a learning rate that is too high for one is too low for the other.",
        "The Hessian of a linear layer is XᵀX, so that λ_max grows as the square of the largest input: "
        "η < 2/λ_max then leaves the small directions almost unmoved.",
        "Standardise each input: (x − mean) / standard deviation, with the training set's mean and deviation.",
        plain="A step that is right for one input is far too long or too short for another.",
    ),
    Mistake(
        "reshape-instead-of-transpose",
        "a table is reshaped where it was to be transposed",
        "X.reshape(n, d) of an array with the shape (d, n), so that the samples become rows.",
        "A reshape reads the numbers in the order in which they lie, row after row, and cuts them anew. Row 1 of the "
        "result is the beginning of the old row 1: one feature of many samples, not many features of one.",
        "Write X.T: it puts the number of row i and column j into row j and column i. With more axes split first, then "
        "name their order: x.reshape(n, t, heads, d).transpose(0, 2, 1, 3).",
        plain="What was one sample lies scattered over many rows, and no row fits its target any more.",
    ),
    Mistake(
        "scaled-by-row",
        "the inputs are scaled row by row",
        "X.mean(axis=1) and X.std(axis=1), where a row is a sample and its columns are metres, years and euros.",
        "Each column has to be brought to one scale, (x − mean) / deviation, with those of the column over all rows. "
        "Along a row the largest column decides both, and the rows come out nearly alike.",
        "Take axis=0, and the training set's mean and deviation for all other data.",
        plain="Numbers of different kinds are averaged, and what tells the samples apart is lost.",
    ),
    Mistake(
        "scaled-apart",
        "the test set is scaled with its own mean and deviation",
        "X_test − X_test.mean(axis=0) beside X_train − X_train.mean(axis=0); the test measures something else.",
        "A network is a function of its inputs as it met them: (x − m) / s with one m and one s. With another m and s "
        "the same house, or flower, is another point, and its prediction another one.",
        "Keep m and s of the training set, and scale all other data with these.",
        plain="The same input becomes other numbers in the test than it was in training.",
    ),
    Mistake(
        "sign-flipped",
        "a sign is flipped",
        "The gradient is the true one times −1; the loss climbs.",
        "With L = (ŷ − y)², dL/dŷ = 2 (ŷ − y), and the step is θ ← θ − η dL/dθ: it goes down. One minus too many "
        "(or too few) goes up. Error and step may both be written the other way round, (y − ŷ) and +, but not one.",
        "Use ŷ − y with −=, or y − ŷ with +=.",
        plain="The step goes uphill: the loss is made larger, not smaller.",
    ),
    Mistake(
        "output-derivative-missing",
        "the derivative of the output's activation is missing",
        "δ_out = dL/dŷ, where the output goes through an activation.",
        "The chain rule passes through ŷ = f(z): δ_out = dL/dŷ ⊙ f′(z_out). (Only with cross-entropy on a sigmoid or "
        "softmax do the two factors simplify to ŷ − y.)",
        "Multiply the output's error by f′(z_out).",
        plain="The output went through a function, and the way back has to go through that function's slope.",
    ),
    Mistake(
        "hidden-derivative-missing",
        "the derivative of a hidden activation is missing",
        "δ_hidden = W_outᵀ δ_out and nothing more.",
        "δ_hidden = (W_outᵀ δ_out) ⊙ f′(z_hidden): what is sent back reaches the hidden outputs a, and from a to z "
        "leads f′.",
        "Multiply by f′(z_hidden).",
        plain="The hidden values went through a function, and the way back has to go through its slope, unit by unit.",
    ),
    Mistake(
        "derivative-of-activation",
        "the derivative is given the wrong one of z and a",
        "σ′ written for z, σ(z)(1 − σ(z)), is called with a = σ(z); or written for a, a(1 − a), is called with z.",
        "f′ is wanted at z. σ′(z) = σ(z)(1 − σ(z)) = a(1 − a); with a put into the first form, f is applied twice.",
        "Hand the derivative what it is written for.",
        plain="The slope is taken at the wrong place: at what came out of the function instead of what went "
        "in, or the reverse.",
    ),
    Mistake(
        "updated-weights-used",
        "the output weights are updated before the hidden error uses them",
        "W_out −= … stands above the line that sends δ_out back through W_out.",
        "dL/da_hidden = W_outᵀ δ_out with the W_out that the forward pass used. The loss was computed with that one.",
        "Compute all gradients first, then update all parameters.",
        plain="The error is sent back through weights that have just been changed; the forward pass used the old ones.",
    ),
    Mistake(
        "hidden-error-raw",
        "the raw error is sent back instead of Wᵀ δ",
        "The hidden error is made of ŷ − y, without W_out or without f′(z_out).",
        "A hidden unit feels the output's error through its weight, and only as far as the output's activation lets "
        "it through: dL/da_hidden = W_outᵀ δ_out with δ_out = dL/dŷ ⊙ f′(z_out).",
        "Send back δ_out, through W_outᵀ.",
        plain="The hidden layer is told the raw error, as if the output's weights and slope were not in between.",
    ),
    Mistake(
        "activation-missing",
        "the forward pass has no activation where the backward pass has its derivative",
        "A value goes on as it is, and its error is multiplied with an activation's derivative, which belongs to no "
        "function that was applied.",
        "δ_k = dL/da_k ⊙ f_k′(z_k) is for a_k = f_k(z_k). Where a_k = z_k, f_k′ is 1.",
        "Apply the activation in the forward pass; or leave its derivative out, where the layer is meant to be linear.",
        plain="The way back goes through a function's slope, and the way there never went through the function.",
    ),
    Mistake(
        "wrong-layer-activation",
        "the derivative or the values of another layer are used",
        "The forward pass applies one activation, the backward pass the derivative of another; or the values of one "
        "layer stand where another's belong.",
        "Layer k has its own δ_k = dL/da_k ⊙ f_k′(z_k) and dL/dW_k = δ_kᵀ a_{k−1}: f_k, z_k and a_{k−1} are those of "
        "its own forward pass.",
        "Follow one layer through forward and backward and use its own activation and values.",
        plain="Each layer has to go back through its own function and its own values.",
    ),
    Mistake(
        "bias-missing",
        "there is no bias in the forward pass",
        "The output does not change when the bias does, or there is none.",
        "Without b, z = W x is 0 at x = 0 whatever the weights: every unit's boundary goes through the origin.",
        "z = W x + b in every layer.",
        plain="Without a bias every unit's boundary goes through the origin.",
    ),
    Mistake(
        "bias-gradient-wrong",
        "the gradient of a bias is wrong",
        "dL/dW is right and dL/db is not: a derivative, a sum over the samples or a factor is missing.",
        "z = W x + b has dz/db = 1, so that dL/db = Σₙ δₙ: the same δ as in dL/dW, summed over the samples.",
        "delta.sum(axis=0), with a sample a row.",
        plain="A bias is stepped by something other than its own share of the error.",
    ),
    Mistake(
        "parameter-never-updated",
        "a parameter is never changed",
        "It holds the same numbers after training as before; its gradient is not zero.",
        "Every parameter takes the step θ ← θ − η dL/dθ. (Inside a function, W = W − … makes a new local W, unless "
        "the function says global W or changes it in place.)",
        "Update it, and check that the update reaches the array that the forward pass uses.",
        plain="It keeps the numbers it began with, so it can learn nothing.",
    ),
    Mistake(
        "constant-factor",
        "a constant factor is missing or too many",
        "The gradient is the true one of the loss as written, times a constant such as 2 or ½.",
        "d(ŷ − y)²/dŷ = 2 (ŷ − y), and d ½(ŷ − y)²/dŷ = ŷ − y. The direction is right, the step is longer or shorter "
        "than the learning rate says.",
        "Let loss and gradient have the same factor.",
        plain="The direction is right; the step is longer or shorter than the learning rate says.",
    ),
    Mistake(
        "sum-versus-mean",
        "one has a sum over the samples, the other a mean",
        "The gradient is the true one times the number of samples (or outputs), or divided by it.",
        "L = Σₙ Lₙ has the gradient Σₙ dLₙ/dθ, and L = (1/n) Σₙ Lₙ has (1/n) Σₙ dLₙ/dθ. With n samples the step is "
        "n times as long, so that a learning rate found with one does not fit the other.",
        "Divide both by n, or neither.",
        plain="One line adds the samples up where another takes their average, so the step depends on how "
        "many there are.",
    ),
    Mistake(
        "transposed-gradient",
        "a gradient or a weight matrix is transposed",
        "dL/dW has the shape of Wᵀ, or its numbers stand in the transposed order; or W stands where Wᵀ belongs; or a "
        "kernel is met from its other end, W[k - 1 - j] for W[j].",
        "With z = W x, dL/dW_kj = δ_k x_j has the shape of W, δ xᵀ; and what is sent back is Wᵀ δ.",
        "dL/dW always has the shape of W: δᵀ X for W X, Xᵀ δ for X W.",
        plain="Rows and columns are exchanged, so each weight gets the step of another.",
    ),
    Mistake(
        "dot-instead-of-elementwise",
        "a matrix product stands where the product is element by element",
        "np.dot or @ between the error and f′(z).",
        "δ = dL/da ⊙ f′(z): unit k's error is multiplied by unit k's derivative. A dot product adds them all up.",
        "Use * there.",
        plain="A matrix product adds up what should stay apart: each unit's error belongs to its own slope.",
    ),
    Mistake(
        "stale-gradient",
        "a gradient is old",
        "It belongs to an earlier forward pass or batch, or is added to the one before without being reset.",
        "The step needs dL/dθ at the present parameters and batch. Sums that are never set to zero add up all "
        "earlier gradients.",
        "Run the forward pass before each backward pass, and set accumulated gradients to zero.",
        plain="The step belongs to an earlier moment: the weights, or the batch, have changed since.",
    ),
    Mistake(
        "update-outside-loop",
        "the update stands outside the loop",
        "Only the last (or first) sample or epoch counts: an indentation too few, = in place of +=, or a return "
        "inside the loop.",
        "dL/dθ = Σₙ dLₙ/dθ: each sample adds its part, and each epoch makes its step.",
        "Move the line into the loop, or add up with +=.",
        plain="The line runs once where it should run each time, so only a part of the samples or epochs counts.",
    ),
    Mistake(
        "label-leak",
        "the prediction uses the answer",
        "ŷ changes when y does, with inputs and parameters fixed; or a target is among the inputs.",
        "ŷ = f(x; θ) must not know y: at the time of use there is none, and the loss says nothing about learning.",
        "Take y out of the forward pass and out of the inputs.",
        plain="The answer is handed in with the question, so a small loss shows nothing.",
    ),
    Mistake(
        "symmetric-initialization",
        "all hidden units start the same",
        "The weights start at zero or at one constant; the hidden units stay identical.",
        "Units with equal weights have equal outputs and equal gradients, so that they stay equal: ten units compute "
        "what one could. With W_out = 0 nothing is sent back at all.",
        "Draw the weights at random; the biases may start at 0.",
        plain="Units that start alike stay alike, and ten of them do the work of one.",
    ),
    Mistake(
        "tiny-initialization",
        "the weights start too small",
        "All outputs are nearly equal, and the loss lies still for a long time.",
        "What is sent back has W as a factor in every layer; with W near 0 gradients are products of tiny numbers.",
        "Draw them with a standard deviation near 1/√n_in (Glorot; √(2/n_in) for ReLU, He).",
        plain="What is sent back is multiplied by weights near zero, and hardly anything arrives.",
    ),
    Mistake(
        "dead-relu-output",
        "the ReLU at the output is dead",
        "z_out ≤ 0 on every sample: ŷ = 0, all gradients are 0, the loss does not move.",
        "relu′(z) = 0 for z < 0, and with it δ_out = dL/dŷ · relu′(z_out) = 0: nothing can ever change.",
        "No ReLU on the output: identity for regression, sigmoid for 0 and 1.",
        plain="A ReLU that gets only negative numbers gives 0 and has no slope, so nothing can ever change.",
    ),
    Mistake(
        "dead-relu-hidden",
        "hidden ReLU units are dead",
        "Their z ≤ 0 on every sample; their gradients are exactly 0.",
        "relu′(z) = 0 for z < 0: a unit that is off on all samples gets no gradient and stays off.",
        "A smaller learning rate, another initialisation (He), or leaky ReLU.",
        plain="A unit that is off for every sample gets no slope, and stays off.",
    ),
    Mistake(
        "saturated-units",
        "units are saturated",
        "|z| ≥ 5 on most samples while the error is still high.",
        "σ′(z) = σ(z)(1 − σ(z)) < 0.007 for |z| > 5: whatever error arrives, hardly any of it is let through.",
        "Smaller initial weights, scaled inputs; cross-entropy in place of squares at the output.",
        plain="Far out, the function is flat: whatever error arrives, hardly any of it passes.",
    ),
    Mistake(
        "target-outside-range",
        "the targets cannot be reached",
        "Targets below 0 or above 1 with a sigmoid output, negative ones with ReLU, beyond ±1 with tanh.",
        "σ(z) lies between 0 and 1: the nearest it comes to y = 2 is 1, with z growing without end.",
        "Scale the targets, or use the identity at the output.",
        plain="The output's function cannot give such numbers, however long it trains.",
    ),
    Mistake(
        "linear-collapse",
        "the network is only linear",
        "The output is an affine function of the input, although there are several layers.",
        "W₂(W₁x + b₁) + b₂ = (W₂W₁)x + (W₂b₁ + b₂): layers without an activation between them are one layer. XOR is "
        "not linear: the best such answer is ½ everywhere.",
        "Put a non-linear activation on the hidden layer.",
        plain="Layers without a function between them are together one straight line.",
    ),
    Mistake(
        "too-few-epochs",
        "training stopped early",
        "The loss is still falling at the last epoch.",
        "Gradient descent with a small step needs many steps: the error falls by a factor 1 − ηλ each.",
        "Train longer, or with a larger learning rate (below 2/λ_max).",
        plain="The loss is still on its way down when the training ends.",
    ),
    Mistake(
        "log-of-zero",
        "the logarithm of zero",
        "The loss is inf or nan: log(0), or 0 · log(0).",
        "−y log p − (1 − y) log(1 − p) is infinite at p = 0 or 1, which a sigmoid reaches in floating point at "
        "z ≈ 37; and 0 · (−inf) = nan.",
        "Compute the loss from z (logits): max(z, 0) − z y + log(1 + e^−|z|); or clip p to [1e-12, 1 − 1e-12].",
        plain="The logarithm of 0 is no number, and one such value spoils the whole loss.",
    ),
    Mistake(
        "softmax-wrong-axis",
        "the softmax is taken over the wrong axis",
        "The probabilities of one sample do not add up to 1; those of one class do, or all together.",
        "p_k = e^{z_k} / Σ_j e^{z_j} with the sum over the classes of one sample.",
        "sum(axis=-1, keepdims=True) for a sample a row.",
        plain="The shares of one sample's classes should add up to 1; here other numbers do.",
    ),
    Mistake(
        "shares-not-one",
        "the shares of a sample do not add up to 1",
        "The softmax is stable, and its outputs are no probabilities: they add up to less than 1.",
        "e^{z − m} / Σ e^{z} is the softmax times e^{−m}; with m above and below the line it cancels.",
        "e = np.exp(z - z.max(axis=1, keepdims=True)); e / e.sum(axis=1, keepdims=True).",
        plain="The same number must be subtracted above and below the line, or none.",
    ),
    Mistake(
        "argmax-wrong-axis",
        "classes are read off along the wrong axis",
        "There is one class for each class, and not one for each sample.",
        "The class of a sample is the place of its largest output: argmax over the outputs of that sample.",
        "np.argmax(outputs, axis=1) for a sample a row, axis=0 for a sample a column.",
        plain="It is asked which sample is the largest for each class, and not which class for each sample.",
    ),
    Mistake(
        "threshold-wrong",
        "an output is held against the wrong number to read off a class",
        "p > 0 for a probability p, which lies between 0 and 1.",
        "Class 1 is the likelier one where p > ½, or where the score before the sigmoid is above 0.",
        "(p > 0.5), or (z > 0).",
        plain="Every sample gets the same class, whatever the network says of it.",
    ),
    Mistake(
        "gradient-overwritten",
        "a gradient is set where it should be added to",
        "self.grad = … in an operation's way back, or dx[…] = … for windows that overlap.",
        "What is used in several places gets a gradient from each of them: dL/dx is their sum.",
        "Begin with zeros, and write +=.",
        plain="A value that is used twice hears only the last of those who used it.",
    ),
    Mistake(
        "softmax-overflow",
        "the softmax overflows",
        "nan for large z: e^z is inf above z ≈ 710, and inf / inf is nan.",
        "e^{z_k − m} / Σ_j e^{z_j − m} is the same number for every m; with m = max z no exponent is positive.",
        "Subtract the row's maximum first.",
        plain="e to a large number is too large for the computer, and infinity over infinity is no number.",
    ),
    Mistake(
        "other-than-said",
        "a function does other than its name or its text says",
        "Called with numbers of which the answer is known, it gives another one: a short gradient is made longer, "
        "a rate jumps where its rise ends, positions where labels are asked for.",
        "Who calls a function relies on what it says of itself; nothing else shows what it is for.",
        "Call it by hand with a few numbers of which you know what must come out.",
        plain="Whoever calls a function relies on its name and on what is written above it.",
    ),
    Mistake(
        "metric-wrong",
        "the measure is not what it is called",
        "The accuracy (or error, or loss) printed differs from the one computed from outputs and targets.",
        "Accuracy is the share of samples whose class is right: mean(argmax ŷ = argmax y), or mean((ŷ > ½) = y).",
        "Compare arrays of one shape, and divide by the number of samples.",
        plain="The number that is printed is not what its name says.",
    ),
    Mistake(
        "input-mutated",
        "a function changes what it was given",
        "The array handed in holds other numbers afterwards, as after x[x < 0] = 0 or x −= …",
        "NumPy arrays are passed, not copied: the caller's z, or the data, is overwritten, and what uses it later "
        "(f′(z), the next epoch) gets other numbers.",
        "Make a new array: np.maximum(x, 0), x = x − …",
        plain="The function writes into the caller's array, and what uses it later gets other numbers.",
    ),
    Mistake(
        "integer-parameters",
        "the parameters are integers",
        "W or b has an integer dtype; W −= 0.1 · gradient fails or is cut to whole numbers.",
        "An integer array holds whole numbers only: a step of −0.3 becomes 0.",
        "Make them float: np.zeros(n), np.array([1.0, 2.0]).",
        plain="An array of whole numbers cuts every step down to a whole number, mostly to 0.",
    ),
    Mistake(
        "label-shuffle-mismatch",
        "inputs and targets are shuffled differently",
        "After shuffling, the targets no longer belong to their inputs; the loss stays at the best constant's.",
        "Pairs (xᵢ, yᵢ) must stay together: one permutation for both.",
        "order = rng.permutation(n); X, y = X[order], y[order].",
        plain="After the shuffle, inputs stand beside other inputs' targets.",
    ),
    Mistake(
        "derivative-always-1",
        "the derivative of the activation is the same everywhere",
        "A function for relu′ gives 1 for every z, as np.ones_like(z) or (z > 0).any() does.",
        "relu′(z) = 1 for z > 0 and 0 for z < 0; with 1 everywhere δ is W_outᵀ δ_out, as if there were no activation.",
        "Compare z itself with 0, element by element: 1.0 * (z > 0).",
        plain="A unit that is off must not get any of the error; here each unit gets all of it.",
    ),
    Mistake(
        "sigmoid-falling",
        "the sigmoid is mirrored",
        "σ(z) = 1 / (1 + e^z): the output falls where z grows.",
        "σ(z) = 1 / (1 + e^−z). With e^{+z} it is σ(−z), whose derivative is −σ(z)(1 − σ(z)): a σ′ without the minus "
        "goes uphill.",
        "Write the exponent with a minus: np.exp(-z).",
        plain="The curve runs downhill where its slope is written for one that runs uphill.",
    ),
    Mistake(
        "forward-returns-z",
        "the forward pass gives back z, not the activation",
        "The activation is computed and not used: the next layer, or the loss, gets z.",
        "Layer k passes on a_k = f(z_k); with z_k passed on, f is not in the network and f′ not in its gradient.",
        "Return, and pass on, what the activation gives.",
        plain="The function between the layers is computed and then left out.",
    ),
    Mistake(
        "slope-read-again",
        "a slope is computed again after the weights have changed",
        "Inside a loop over the weights, f′(W x + b) is computed anew although an earlier turn has changed W.",
        "All dL/dW_jk of one step are taken at the same W: f′(z_j) with the z_j of the forward pass.",
        "Compute the slope once, before the loop that changes the weights.",
        plain="The first weight's step moves the point at which the others' slope is then taken.",
    ),
    Mistake(
        "learning-rate-twice",
        "the learning rate is multiplied in twice",
        "The step is η² times the gradient: the gradient holds η already.",
        "θ ← θ − η dL/dθ has η once; with η = 0.1 the step is a tenth of what is meant.",
        "Leave the learning rate out of the gradient, or out of the step.",
        plain="The step is as many times too small again as the learning rate is.",
    ),
    Mistake(
        "seed-in-loop",
        "the seed is set inside the loop",
        "Each turn draws the same random numbers: the same batch, the same noise, the same mask.",
        "A generator's numbers follow from its seed; set anew, it begins anew, and the draws are not independent.",
        "Set the seed once, above the loop.",
        plain="What should be drawn anew each time is the same each time.",
    ),
    Mistake(
        "one-sample-only",
        "the training sees one sample only",
        "An index that never moves, or a slice of one: the same row in every step.",
        "The loss is a sum over all samples, Σₙ Lₙ; with one n alone, the others have no part in the gradient.",
        "Let the index run over all samples.",
        plain="All samples but one have no say in what is learned.",
    ),
    Mistake(
        "start-changed",
        "the starting values are changed in place",
        "W = start, then W −= …: start holds the trained numbers afterwards, and a second run begins there.",
        "NumPy's −= writes into the array, and W and start are names of the same array.",
        "Begin with a copy: W = start.copy(), or step with W = W − ….",
        plain="Two names stand for one array, and training the one changes the other.",
    ),
    Mistake(
        "label-without-effect",
        "one of the labels has no say in the loss",
        "The labels are 0 and 1, and the loss is one of margins, such as max(0, 1 − y f) or log(1 + e^(−y f)).",
        "Such a loss knows of a row what y f is. With y = 0 that is 0 whatever f is: the row gives no gradient, and "
        "all that is learned is to answer with the other class.",
        "Write the labels as −1 and 1: y = 2 y − 1.",
        plain="The rows of one class are never asked, so the network learns to give the other answer to all.",
    ),
    Mistake(
        "target-unused",
        "no step has anything to do with the targets",
        "The backward pass begins with the derivative of the output, and never with how far it is from the target; or "
        "Y[:, labels] = 1 writes every label into every row.",
        "dL/da holds the target, as a − y does; without it the parameters move where the output is steepest, whatever "
        "it should be.",
        "Begin the backward pass with the derivative of the loss by the output: (a − y), times what the loss asks for; "
        "of row n set the one number, Y[np.arange(len(Y)), labels] = 1.",
        plain="The network is changed without being told what it should have answered.",
    ),
    Mistake(
        "dropout-when-measured",
        "dropout is still on where the network is only measured",
        "The mask is drawn in every forward pass, also for the loss or the accuracy on a test set.",
        "Dropout changes the network at random so that no unit relies on another; its expectation is the network as a "
        "whole, and that is what is to be judged.",
        "Draw the mask in training only; with (…) / keep in training nothing else changes in the test.",
        plain="What is measured is not the network but what chance has left of it.",
    ),
    Mistake(
        "batches-overlap",
        "the batches overlap",
        "for k in range(n_batches): X[k : k + size] — the next batch begins one row further on, not one batch.",
        "Batch k has the rows k · size to (k + 1) · size − 1; with k to k + size − 1 an epoch of n / size batches has "
        "n / size + size − 1 rows, most of them again and again.",
        "Count in steps of the batch's size: for k in range(0, n, size).",
        plain="Each batch is nearly the one before, and most of the data is never used.",
    ),
    Mistake(
        "batch-left-out",
        "the last batch of each pass is left out",
        "for k in range(0, n - size, size): X[k : k + size] — range ends before its end, so k = n - size never comes.",
        "With n a multiple of size, range(0, n - size, size) has n / size - 1 numbers: a pass has n - size rows, and "
        "without an order by chance the same ones are never learned from.",
        "Go on to the end: for k in range(0, n, size); a batch that is shorter does no harm where the mean is taken.",
        plain="One batch of the data is not used in any pass.",
    ),
    Mistake(
        "held-out-rows-used",
        "what is measured as unseen was used in the training",
        "fit(X, y), and then a test on X[600:]; one model that goes on through all folds of a cross-validation; "
        "columns chosen by their correlation with all labels, before the data are cut.",
        "The error on rows that had a part in choosing θ, or in choosing the inputs, is too small: even where y has "
        "nothing to do with x, it can be made as small as one likes.",
        "Cut the data first. Train, and choose, with the training rows alone; begin each fold with new parameters.",
        plain="A test tells something only with rows that had no part in the training: these had.",
    ),
    Mistake(
        "class-left-out",
        "what is measured is of a class that was not learned",
        "The rows are sorted by class, as those of many files are, and X[:split], X[split:] cut them in this order.",
        "A network that has (almost) never been given a class can't know it: the error on it says nothing of how well "
        "the others were learned.",
        "Put inputs and targets into one order by chance before they are cut: i = rng.permutation(n); X, y = X[i], "
        "y[i].",
        plain="What was never shown can't be known, and it alone is asked for.",
    ),
    Mistake(
        "root-of-negative",
        "a root is taken of negative numbers",
        "np.sqrt gives nan, and from then on everything is nan; often in Adam or RMSProp, with v = β v + (1 − β) g.",
        "√v is real for v ≥ 0 only. An optimizer divides by the root of a mean of squares, v = β v + (1 − β) g²: "
        "a size, whatever the gradient's sign; a variance is a mean of squares, too.",
        "Look at what the root is taken of: a square is missing there.",
        plain="A negative number has no root, and what is made of it is no number either.",
    ),
    Mistake(
        "best-not-copied",
        "the best weights are kept without a copy",
        "if loss < best: best_W = W, and W −= … later: best_W is W, and holds the last weights, not the best.",
        "An assignment gives an array one more name. NumPy's −= writes into the array, whatever its names; a list or a "
        "dictionary that is copied still holds the same arrays.",
        "Keep a copy: best_W = W.copy(); of a list or a dictionary, a copy of each array in it.",
        plain="Two names stand for one array, and training goes on changing what was kept.",
    ),
    Mistake(
        "result-unused",
        "a result is put nowhere",
        "np.clip(grad, -1, 1), rng.permutation(X) or x.reshape(-1, 1) stands alone in its line; Adam keeps a mean of "
        "the squares, and divides by the root of something else.",
        "Most functions of NumPy make a new array and leave the one that they are given as it was; only a few write "
        "into it, such as shuffle and sort, += and what has out=….",
        "Give the result a name, the old one perhaps: grad = np.clip(grad, -1, 1).",
        plain="The line computes something and nobody keeps it: without the line all would be the same.",
    ),
    Mistake(
        "clipping-turned-round",
        "clipping that makes long gradients longer",
        "if norm > most: g *= norm / most. Meant was g *= most / norm.",
        "A gradient g of length |g| above m is to become m g/|g|, of length m. Multiplied with |g|/m it has the length "
        "|g|²/m, and the longer it was, the more it has grown.",
        "Multiply with most / norm, where norm is larger than most.",
        plain="Clipping is to keep a steep place from throwing the parameters far away; this throws them farther.",
    ),
    Mistake(
        "loss-wrong",
        "the loss is not the one that is made small",
        "The gradient is that of a known loss, ŷ − y of a cross-entropy say; what is written as the loss is not it.",
        "−Σ (y log ŷ + (1 − y) log (1 − ŷ)) has the derivative ŷ − y before a sigmoid, and −Σ y log ŷ has it before a "
        "softmax. A loss with another derivative says nothing of how such a training goes.",
        "Write the loss that belongs to the steps; a difference quotient shows whether it does.",
        plain="What is shown as the loss and what the steps make small are two things.",
    ),
    Mistake(
        "loss-on-other-data",
        "the loss is computed on other data than the step",
        "The numbers printed are of another batch, or of the test set, than those that the gradient comes from.",
        "dL/dθ is the gradient of the loss on the samples that it was computed with, and says nothing of another's.",
        "Compute the loss and the gradient from the same forward pass; print the test loss under its own name.",
        plain="What is printed is not what is being made smaller.",
    ),
    Mistake(
        "weight-gradient-wrong",
        "the gradient of a weight is wrong",
        "The numbers it is stepped by are not the derivative of the loss, while those of other parameters are.",
        "dL/dW = δᵀ a: the layer's own δ, and the values that came into the layer.",
        "Write down the shapes, and take the layer's own δ and its own inputs.",
        plain="This weight is stepped by something other than its own share of the error.",
    ),
    Mistake(
        "wrong-parameter-gradient",
        "a parameter is stepped by the gradient of another",
        "The numbers that it is stepped by are the gradient of another parameter of the same shape.",
        "Each θ has its own dL/dθ.",
        "Use its own gradient.",
        plain="Two gradients have been mixed up.",
    ),
    Mistake(
        "delta-wrong",
        "what is sent back through the layers is wrong",
        "Everything behind this value follows rightly from it, and it is not the derivative of the loss.",
        "δ_k = dL/dz_k = (W_{k+1}ᵀ δ_{k+1}) ⊙ f_k′(z_k).",
        "Follow the formula of this value back to the loss, factor by factor.",
        plain="All that comes after this value is right; the value itself is not.",
    ),
    Mistake(
        "derivative-twice",
        "the derivative of an activation is taken twice",
        "An error that already is the delta, as with cross-entropy, is multiplied with the slope once more.",
        "With cross-entropy and a sigmoid or softmax dL/dz = a - y: f'(z) has cancelled out of it.",
        "Leave the slope out behind this loss, or use the squared error, whose delta has it.",
        plain="The loss's own derivative has this slope in it already; once more makes the steps too small.",
    ),
    Mistake(
        "derivative-wrong",
        "the derivative of the activation is wrong",
        "What is multiplied with in the backward pass is another function than the activation's derivative.",
        "δ = (Wᵀ δ) ⊙ f'(z): for a sigmoid f' = a (1 - a), for tanh 1 - a².",
        "Derive f once more, and hold it against (f(z + h) - f(z - h)) / 2h for a small h.",
        plain="The slope that the backward pass uses is not that of the function in the forward pass.",
    ),
    Mistake(
        "momentum-reset",
        "what an optimizer remembers has no part in its steps",
        "A velocity or a moment is made anew in the loop, or what is computed for it is never stored, or never used.",
        "With v ← βv − ηg the step sums up earlier gradients. Where v is 0 again in each step, v = −ηg is all that "
        "comes of it: plain gradient descent, or with g/√g² steps of one length.",
        "Make the velocity once, before the loop, one for each parameter, and store what it becomes.",
        plain="The step is to remember the earlier ones, and each time it begins with nothing.",
    ),
    Mistake(
        "moments-shared",
        "one array remembers what two should",
        "m = v = np.zeros(…), [zeros] * n, or one velocity for all parameters of a shape.",
        "Each parameter needs memories of its own, and Adam two of them: the mean of g and that of g². In Python a = b "
        "gives one array two names.",
        "Make an array for each: one for each parameter, and one for each moment.",
        plain="Two things are written into one place, and each spoils the other.",
    ),
    Mistake(
        "bias-correction-wrong",
        "a mean of gradients is corrected by a wrong number",
        "m / (1 - beta2**t), a t that stays 1, a mean that takes g with another weight than 1 - beta, or a mean that "
        "is corrected and then not used.",
        "m ← βm + (1 − β)g begins at 0, so after t steps its weights add up to 1 − βᵗ; dividing by that, with the same "
        "β and the number t of its own steps, makes them add up to 1.",
        "Divide each mean by 1 − βᵗ with its own β, let t grow by one a step, and use the result in the step.",
        plain="The average is stretched by a number that belongs to another average, or to another step.",
    ),
    Mistake(
        "root-missing",
        "the gradient is divided by another power of its size than the first",
        "m / (v + eps) in place of m / (sqrt(v) + eps), or a mean of |g|, not of g², under the root.",
        "v is a mean of g², so g/√v keeps its size whatever the gradient's is. g/v goes with 1/g: small gradients make "
        "long steps. With |g| in v, g/√v goes with √|g|: it keeps half of what was to be taken out.",
        "Square the gradient for the mean, and take the square root of the mean: both of them.",
        plain="What is divided by was to have the gradient's size: here it has another power of it.",
    ),
    Mistake(
        "dropout-scale-wrong",
        "dropout multiplies what it keeps by the wrong number",
        "(rand > p) / p, where p is the share that is dropped; a mask of zeros and ones, and nothing after training.",
        "Of numbers h a share q is kept, as m ⊙ h / q: the mean is still h, so nothing is rescaled when predicting. "
        "With another number the layers behind see other sizes in training than afterwards.",
        "Divide by the share that is kept, in the forward pass and on the way back alike.",
        plain="What is kept is to make up for what is dropped, and makes too much or too little of it.",
    ),
    Mistake(
        "mask-missing",
        "what the forward pass multiplies by is missing on the way back",
        "Dropout's mask, another factor of the data, or which number of a block was the largest, stands in the forward "
        "pass and not in the backward pass.",
        "With h′ = m ⊙ h the error goes back as dL/dh = m ⊙ dL/dh′: what was switched off gets no gradient, and what "
        "was scaled up gets a larger one.",
        "Keep the mask, gate or choice of the forward pass, and multiply the error by the same.",
        plain="What the forward pass let through in part, or not at all, is changed as if it had passed whole.",
    ),
    Mistake(
        "mask-drawn-anew",
        "dropout drops other values on the way back than on the way forward",
        "The mask is drawn a second time in the backward pass, in place of that of the forward pass.",
        "With h′ = m ⊙ h the error goes back as dL/dh = m ⊙ dL/dh′, with the same m: another one sends errors to units "
        "that took no part in the answer, and none to some that did.",
        "Keep the mask that the forward pass has drawn, and multiply the error by it.",
        plain="Other units are changed than those that took part in the answer.",
    ),
    Mistake(
        "way-left-out",
        "one of the ways that the error comes back is missing",
        "A value goes on to several places, and the backward pass follows some of them: the state of a recurrent net "
        "to the next step, the stream beside a residual block, the mean and the variance of a batch.",
        "Where h goes into f and into g, dL/dh = (∂f/∂h)ᵀ dL/df + (∂g/∂h)ᵀ dL/dg: the errors of all ways are added.",
        "Write down every line of the forward pass in which the value stands; each gives a summand of its error.",
        plain="A value has a say in several places, and only some of them are asked how they would have it changed.",
    ),
    Mistake(
        "rows-counted-once",
        "of rows that were read several times only one gradient is kept",
        "G[rows] += g with a row twice in rows: NumPy writes each row once, the last sum wins.",
        "A row that is read n times gets the sum of n gradients; G[rows] += g reads all of G[rows] first and writes it "
        "back afterwards, so the others are lost.",
        "np.add.at(G, rows, g), or a loop over the rows.",
        plain="What several samples say of the same row is forgotten but for the last of them.",
    ),
    Mistake(
        "penalty-gradient-wrong",
        "the derivative of the penalty is missing, or has another factor",
        "The loss adds a penalty on the weights, and the step has no such part, or one of another size.",
        "The loss is L + λ‖W‖², so its gradient is dL/dW + 2λW; with λ/2 ‖W‖² it is dL/dW + λW.",
        "Differentiate the penalty as it stands in the loss, with its factor, and add it to the gradient.",
        plain="The loss counts large weights as bad, and the steps do not know it, or not how much.",
    ),
    Mistake(
        "syntax-error",
        "Python cannot read the line",
        "SyntaxError or IndentationError, before anything runs.",
        "A script is read as a whole before its first line runs: a missing bracket, colon or quote stops it at once.",
        "Look at this line and at the end of the one above it.",
        plain="A bracket, a colon, a quote or an indentation is not as Python needs it.",
    ),
    Mistake(
        "missing-module",
        "a library is not there",
        "ModuleNotFoundError or ImportError.",
        "Python looks for a module beside the script and among the installed packages, under exactly this name.",
        "Install it, or put the file beside the script; look at the spelling.",
        plain="The import names something that is not installed and not beside the script.",
    ),
    Mistake(
        "missing-file",
        "a file is not there",
        "FileNotFoundError.",
        "A relative path starts at the folder that the script runs in.",
        "Put the file beside the script, and name it as it is spelt there.",
        plain="The script opens a file that it cannot find from where it runs.",
    ),
    Mistake(
        "missing-attribute",
        "an object does not have what is asked of it",
        "AttributeError.",
        "What stands before the dot is another kind of object than the line expects, often None or a list.",
        "Print the type of what stands before the dot.",
        plain="What stands before the dot does not have what stands behind it.",
    ),
    Mistake(
        "wrong-arguments",
        "a function is called with other arguments than it takes",
        "TypeError about missing, unexpected or too many arguments.",
        "Arguments go to parameters in order, or by name; a method gets its object as the first one.",
        "Compare the call with the line that defines the function.",
        plain="The call and the definition do not have the same arguments.",
    ),
    Mistake(
        "index-outside",
        "an index lies outside",
        "IndexError.",
        "An axis of length n has the indices 0 to n − 1.",
        "Print the shape; count from 0.",
        plain="The index is larger than the last one there is.",
    ),
    Mistake(
        "missing-key",
        "a dictionary does not have the key",
        "KeyError.",
        "A dictionary gives only what was stored under exactly this key.",
        "Print the dictionary's keys; look at the spelling.",
        plain="Nothing was stored under this name.",
    ),
    Mistake(
        "division-by-zero",
        "something is divided by zero",
        "ZeroDivisionError.",
        "a / b has no value at b = 0; often b is a count that is still 0.",
        "See what the divisor counts, and when it is 0.",
        plain="The divisor is 0 when this line runs.",
    ),
    Mistake(
        "number-overflow",
        "a number has grown too large",
        "OverflowError or FloatingPointError.",
        "A floating-point number goes to about 1.8·10³⁰⁸; e^z gets there at z ≈ 710.",
        "See which number grows, and why: mostly the learning rate is too high, or an exponent has the wrong sign.",
        plain="The numbers grow without end.",
    ),
    Mistake(
        "endless-recursion",
        "a function calls itself without end",
        "RecursionError.",
        "Each call waits for the one inside it; after about a thousand Python stops.",
        "Give it a case in which it does not call itself.",
        plain="The function has no way out.",
    ),
    Mistake(
        "python-error",
        "Python stops with an error",
        "The last line of Python's message says which.",
        "What Python says is in the sentence above; the line is the innermost one of the script itself.",
        "Print what the line uses, just above it.",
        plain="The script ends here, and what it would have done after this is not seen.",
    ),
)

CATALOGUE: dict[str, Mistake] = {mistake.id: mistake for mistake in _ENTRIES}
"""Every mistake by its id."""
