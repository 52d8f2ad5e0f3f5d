import numpy as np

def triplet_loss(anchor, positive, negative, margin=1.0):
    """Returns the mean loss and the gradients for the three inputs."""
    dp = anchor - positive
    dn = anchor - negative
    raw = (dp ** 2).sum(axis=1) - (dn ** 2).sum(axis=1) + margin
    active = (raw > 0).astype(float)[:, None]
    loss = np.maximum(raw, 0).mean()
    n = len(anchor)
    d_anchor = active * 2 * (dp - dn) / n
    d_positive = -active * 2 * dp / n
    d_negative = active * 2 * dn / n
    return loss, d_anchor, d_positive, d_negative
