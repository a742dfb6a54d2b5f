"""Softmax regression and ridge regression over sparse rows. Both are convex, so where they end does not depend on luck.

Everything is in float64 and the results are rounded to a byte in the end: what another machine's arithmetic changes in
the last digits cannot be seen in the weights.
"""

import numpy as np
from scipy import optimize, sparse

from core.training.design import F64, Integers

STEPS = 200
TOLERANCE = 1e-9  # of the gradient


def softmax_regression(rows: sparse.csr_matrix, task: Integers, weight: F64, tasks: int, strength: float) -> F64:
    """[columns, tasks] that minimises the weighted log loss + |w|^2 / (2 strength); no intercept.

    Without an intercept a prompt of which nothing was ever seen gets no verdict instead of the commonest one.
    """
    truth = np.eye(tasks)[task.astype(int)]
    turned = rows.T.tocsr()
    size = rows.shape[1] * tasks

    def loss(flat: F64) -> tuple[float, F64]:
        logits = rows @ flat.reshape(-1, tasks)
        chance = softmax(logits)
        likely = np.log(np.maximum((chance * truth).sum(axis=1), 1e-300))
        gradient = turned @ (weight[:, None] * (chance - truth))
        penalty = float(flat @ flat) / (2 * strength)
        return float(-(weight * likely).sum()) + penalty, gradient.ravel() + flat / strength

    found = optimize.minimize(
        loss, np.zeros(size), jac=True, method="L-BFGS-B", options={"maxiter": STEPS, "gtol": TOLERANCE, "ftol": 0.0}
    )
    fitted: F64 = found.x.reshape(-1, tasks)
    return fitted


def ridge_regression(rows: sparse.csr_matrix, target: F64, weight: F64, strength: float) -> F64:
    """[columns] that minimise the weighted squared error + |w|^2 / strength."""
    scaled = sparse.diags(np.sqrt(weight)) @ rows
    found = sparse.linalg.lsqr(scaled, np.sqrt(weight) * target, damp=strength**-0.5, iter_lim=STEPS, atol=0, btol=0)
    fitted: F64 = found[0]
    return fitted


def softmax(logits: F64) -> F64:
    """Along the last axis."""
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    shares: F64 = raised / raised.sum(axis=-1, keepdims=True)
    return shares


def sharpness(logits: F64, task: Integers, weight: F64) -> float:
    """By what held-out logits must be multiplied for their softmax to be right as often as it says."""

    def loss(log_factor: float) -> float:
        chance = softmax(np.exp(log_factor) * logits)[np.arange(len(task)), task.astype(int)]
        return float(-(weight * np.log(np.maximum(chance, 1e-300))).sum())

    return float(np.exp(optimize.minimize_scalar(loss, bounds=(-3, 3), method="bounded").x))
