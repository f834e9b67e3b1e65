"""Linear algebra of a quadratic loss: its minimum, and directions towards it."""

import torch
from torch import Tensor

EXHAUSTED = 1e-12  # relative norm below which a remainder is rounding error


def krylov_basis(matrix: Tensor, start: Tensor, size: int) -> Tensor:
    """Orthonormal basis of `start, matrix @ start, ...`, by the Lanczos method.

    Each column is orthogonalised against all earlier ones, twice: against the last two only, as
    in exact arithmetic, the columns become dependent after about ten steps.
    """
    basis: Tensor = (start / start.norm()).reshape(-1, 1)
    while basis.shape[1] < size:
        product = matrix @ basis[:, -1]
        rest = product
        for _ in range(2):
            rest = rest - basis @ (basis.T @ rest)
        if rest.norm() <= EXHAUSTED * product.norm():
            break  # the minimum is reached
        basis = torch.cat([basis, (rest / rest.norm()).reshape(-1, 1)], dim=1)
    return basis


def least_squares(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, float]:
    """The optimal weights and bias, half the Hessian of the loss, and the loss; float64."""
    design = torch.cat([x, torch.ones(len(x), 1)], dim=1).double()
    # gelsd also handles fewer rows than features, where the solution is not unique.
    best = torch.linalg.lstsq(design, y.double(), driver="gelsd").solution
    loss = (design @ best - y.double()).square().mean()
    return best.flatten(), design.T @ design / len(x), float(loss)


def krylov_excess(curvature: Tensor, off: Tensor, steps: int) -> float:
    """The least of `off @ curvature @ off` that steps along combined gradients can reach.

    Args:
        curvature: half the Hessian, shape `(p, p)`, float64.
        off: distance of the start from the minimum, shape `(p,)`, float64.
        steps: number of gradients, 1 .. p.
    """
    # Every such method changes `off` by a linear combination of these directions.
    directions = krylov_basis(curvature, curvature @ off, steps)
    inner = directions.T @ curvature @ directions
    off = off - directions @ torch.linalg.solve(inner, directions.T @ curvature @ off)
    return max(0.0, float(off @ curvature @ off))
