"""What has been used to make series without a GAN: pieces of the real ones, and a fitted random walk with changing volatility."""

import numpy as np
from jaxtyping import Float


def block_bootstrap(
    moves: Float[np.ndarray, "rows columns"], count: int, steps: int, seed: int, block: float = 20.0
) -> Float[np.ndarray, "count steps columns"]:
    """Blocks of real moves one after another, of random length with this mean (Politis & Romano 1994, the stationary bootstrap)."""
    rng = np.random.default_rng(seed)
    position = rng.integers(0, len(moves), count)
    made = np.empty((count, steps, moves.shape[1]))
    for step in range(steps):
        made[:, step] = moves[position]
        anew = rng.random(count) < 1 / block
        position = np.where(anew, rng.integers(0, len(moves), count), (position + 1) % len(moves))
    return made


def fit_garch(moves: Float[np.ndarray, " steps"]) -> tuple[float, float, float, float]:
    """(mean, omega, alpha, beta) of a GARCH(1, 1) with normal shocks, by maximum likelihood (Bollerslev 1986)."""
    from scipy.optimize import minimize
    from scipy.signal import lfilter

    mean, variance = float(moves.mean()), float(moves.var())
    squared = (moves - mean) ** 2 / variance

    def cost(x: np.ndarray) -> float:
        persistence, share = 1 / (1 + np.exp(-x[0])), 1 / (1 + np.exp(-x[1]))
        alpha, beta = persistence * share, persistence * (1 - share)
        omega = np.exp(x[2])
        innovations = omega + alpha * squared[:-1]
        h = np.concatenate([[1.0], lfilter([1.0], [1.0, -beta], innovations, zi=np.array([beta]))[0]])
        return float((np.log(h) + squared / h).mean())

    best = minimize(
        cost, np.array([3.5, -2.0, -3.5]), method="Nelder-Mead", options={"maxiter": 2000, "fatol": 1e-9, "xatol": 1e-5}
    ).x
    persistence, share = 1 / (1 + np.exp(-best[0])), 1 / (1 + np.exp(-best[1]))
    return mean, float(np.exp(best[2]) * variance), float(persistence * share), float(persistence * (1 - share))


def garch_paths(
    fitted: tuple[float, float, float, float], count: int, steps: int, seed: int
) -> Float[np.ndarray, "count steps 1"]:
    """Paths of a GARCH(1, 1), after 200 steps of settling."""
    mean, omega, alpha, beta = fitted
    rng = np.random.default_rng(seed)
    variance = np.full(count, omega / max(1e-6, 1 - alpha - beta))
    path, shock = np.empty((count, steps)), np.zeros(count)
    for step in range(-200, steps):
        variance = omega + alpha * shock**2 + beta * variance
        shock = np.sqrt(variance) * rng.standard_normal(count)
        if step >= 0:
            path[:, step] = mean + shock
    return path[:, :, None]
