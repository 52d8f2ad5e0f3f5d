# ruff: noqa: E501
"""What a name in student code usually stands for. A hint where to look first; numbers decide."""

from __future__ import annotations

import re

_PATTERNS = {
    "x": r"x|xs|xi|inputs?|entr[ée]es?|eingaben?|eingang|entradas?|donn[ée]es|daten|data|features|samples?|x_?(train|data|in|inputs?|batch|b|xor|sample|all|i)|input_?(data|layer)",
    "y": r"y|ys|yi|t|d|targets?|cibles?|ziele?|zielwerte?|[ée]tiquettes?|sollwerte?|objetivos?|sorties?_(attendues?|voulues?)|labels?|expected|truth|desired"
    r"|(y|t|target|label)_?(train|true|data|xor|batch|b|real|target|i|all|sample)",
    "y_hat": r"y_?hat|y_?h|y_?pred(icted|iction)?|pred(iction)?s?|predicted|out(puts?)?|a_?out|output_?(activations?|layer|a)|o|final\w*"
    r"|sorties?|ausgaben?|ausgang|salidas?|pr[ée]dictions?|vorhersagen?|activations?_out|network_out(put)?|a_?o|yp",
    "learning_rate": r"(lr|eta|learning_?rate)(_?[a-z0-9]{1,8})?|taux(_\w+)?|lernrate|pas|tasa(_\w+)?|alpha|rate|step|step_?size|l_?r|gamma|η",
    "epochs": r"(n|num|nb|max|number_of)?_?(epochs?|[ée]poques?|epochen|[ée]pocas?|iter(ation)?s?|steps)|n_?(ep|it)",
    "container": r"parameters?|params?|param[èe]tres|par[áa]metros|parameter|pesos|poids|gewichte|weights|p|theta|model|net|network|w|ws|θ",
    "saved": r"passed|cache\w*|memory|saved|ctx|context|state|intermediates?|fwd|forward_\w*|activations|results?|values|layers?",
    "activation": r"(f|act|activation|phi|g|func|fn|function)(_?(fn|function|func))?(_?(hidden|out|output|h|o|1|2))?",
    "derivative": r"(df|d_?act\w*|\w*(deriv|prime|grad)\w*|f_?prime|dphi|dg)",
    "n_in": r"(n|num|nb|size|dim|d)_?(of_)?(in|inputs?|features|x)|(inputs?|in)_?(size|dim|nodes|units|features|neurons)|n_?x|d_?in|n0",
    "n_hidden": r"(n|num|nb|size|dim|d)_?(of_)?(hidden|h|hid)(_?(units|nodes|neurons|size))?|(hidden|h)_?(size|dim|nodes|units|neurons|layer_size)|n_?h|hidden|n1|H",
    "n_out": r"(n|num|nb|size|dim|d)_?(of_)?(out|outputs?|classes|y)|(outputs?|out)_?(size|dim|nodes|units|neurons)|n_?y|d_?out|n2",
    "sizes": r"(layer_?)?(sizes|dims|shape|layers|architecture|arch)|layer_?dims",
    "seed": r"seed|random_?(state|seed)|rng_?seed",
    "loss": r"(\w*_)?(loss|mse|cost|sse|bce|perte|co[uû]t|fehler|verlust|erreur|error|err|objective|rmse|e_?tot|total_?error|l|j|e)(_\w*)?|compute_?(loss|cost|error)|mean_?squared?_?error",
    "is_forward": r"\w*(forward|feed_?fwd|fwd|avant|vorw(ae|ä)rts|adelante|avanti)\w*|predict|pr[ée]dire|vorhersage\w*|model|network|net|propagate|f",
    "is_backward": r"\w*(backward|back_?prop\w*|bwd|r[ée]tro|arri[èe]re|r(ue|ü)ckw|atr[áa]s|indietro)\w*|(compute_?|get_?|calc\w*_?)?(grad(ient)?s?)|grads?_\w*",
    "is_loss": r"\w*(loss|perte|fonction_co[uû]t|verlust|mse|cost|(?<![a-z])sse|bce|cross_?entropy|squared_?error)\w*|error",
    "is_init": r"\w*(init|draw|create|make|build|new_|random_(weights|param)|setup)\w*",
    "is_train": r"\w*(entra[iî]n|apprend|apprentissage|lerne|entrena|train|fit|gradient_?descent|learn|optimi[sz]e|sgd|run|step|update)\w*",
    "is_accuracy": r"\w*accuracy\w*|acc|compute_?acc",
    "is_sigmoid": r"\w*(sigm|logistic)\w*|sig|σ",
    "is_relu": r"\w*relu\w*",
    "is_tanh": r"\w*tanh\w*",
    "is_identity": r"\w*(identity|linear)(?!_?(reg|model|loss|forward|layer))\w*",
    "is_softmax": r"\w*softmax\w*",
    "is_derivative": r"\w*(deriv|prime|grad|_der\b|dash)\w*|d_?(sigm|relu|tanh|act|ident|lin|sig)\w*|\w+_(d|der|p|backward)|σ_?(prime|d)",
}
_COMPILED = {kind: re.compile(f"(?:{pattern})\\Z", re.IGNORECASE) for kind, pattern in _PATTERNS.items()}


def means(name: str, kind: str) -> bool:
    """Whether `name` usually stands for a thing of this kind."""
    return bool(_COMPILED[kind].match(name.strip("_")))


def layer_of(name: str) -> int | None:
    """0 for a name of the hidden layer, 1 of the output's, or what its number says; None when it says nothing."""
    lowered = name.lower()
    if number := re.search(r"(\d+)\D*\Z", lowered):
        return int(number[1]) - 1
    if re.search(r"hid|cach[ée]|verborgen|versteckt|ocult|_?(ih|xh|h)\Z|in_?h|_in\b|inp", lowered):
        return 0
    if re.search(r"out|sortie|ausgabe|ausgang|salida|_?(ho|hy|o|y)\Z", lowered):
        return 1
    return None


def kind_of(name: str) -> str:
    """W for the name of weights, b for that of a bias; "" when it is neither."""
    lowered = name.lower().strip("_")
    if lowered.startswith(("grad", "d_", "delta", "dw", "db")):
        return ""
    if re.search(r"bias|biais|sesgo|schwelle", lowered):
        return "b"
    if re.search(r"weight|poids|gewicht|pesos?\b|pesos?_", lowered) or re.search(r"_w\d?\Z", lowered):
        return "W"
    if re.search(r"_b\d?\Z", lowered):
        return "b"
    if re.match(r"(b\Z|b\d|b_|bias|b[a-z]{1,2}\Z|bh|bo|beta\d?\Z|theta0)", lowered) and not lowered.startswith("batch"):
        return "b"
    if re.match(r"(w\Z|w\d|w_|weight|w[a-z]{1,2}\Z|theta|v\Z|u\Z|v_|u_|syn\d|k\Z)", lowered):
        return "W"
    return ""
