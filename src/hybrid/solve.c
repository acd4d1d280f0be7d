/* SPDX-License-Identifier: Apache-2.0 */
#include "hybrid/solve.h"

#include <math.h>

bool tdm_solve(double *A, double *b, size_t n)
{
    for (size_t j = 0; j < n; j++)
        for (size_t i = j; i < n; i++) {
            double s = A[i * n + j];
            for (size_t k = 0; k < j; k++) s -= A[i * n + k] * A[j * n + k];
            if (i > j) A[i * n + j] = s / A[j * n + j];
            else if (s > 0 && isfinite(s)) A[j * n + j] = sqrt(s);
            else return false;
        }
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++) b[i] -= A[i * n + k] * b[k];
        b[i] /= A[i * n + i];
    }
    for (size_t i = n; i-- > 0;) {
        for (size_t k = i + 1; k < n; k++) b[i] -= A[k * n + i] * b[k];
        b[i] /= A[i * n + i];
    }
    return true;
}

size_t tdm_pull_choose(const double *loss, size_t folds, size_t n)
{
    size_t best = 0;
    double least = INFINITY;
    for (size_t k = 0; k < n; k++) {
        double sum = 0;
        for (size_t f = 0; f < folds; f++) sum += loss[f * n + k];
        if (sum < least) least = sum, best = k;
    }
    for (size_t k = 0; k < best; k++) {
        double mean = 0, square = 0, F = (double)folds;
        for (size_t f = 0; f < folds; f++) {
            double d = loss[f * n + k] - loss[f * n + best];
            mean += d / F;
            square += d * d / F;
        }
        if (mean <= sqrt(fmax(square - mean * mean, 0) / (F - 1))) return k;
    }
    return best;
}
