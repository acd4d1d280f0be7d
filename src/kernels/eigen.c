/* SPDX-License-Identifier: Apache-2.0 */
/* eigen.c - all eigenvalues and eigenvectors of a small symmetric matrix, in double: about 9 n^3 operations, a tenth of
 * what cyclic Jacobi rotations take. */
#include "kernels/small_spd.h"

#include <math.h>

enum { SWEEPS = 60 };

/* To a tridiagonal matrix: its diagonal goes to d, what stands beside it to e[1 ..]; the columns of V become the turn.
 */
static void reduce(double *V, double *d, double *e, size_t n)
{
    for (size_t j = 0; j < n; j++) d[j] = V[(n - 1) * n + j];
    for (size_t i = n - 1; i > 0; i--) {
        double scale = 0, h = 0;
        for (size_t k = 0; k < i; k++) scale += fabs(d[k]);
        if (scale == 0) {
            e[i] = d[i - 1];
            for (size_t j = 0; j < i; j++) {
                d[j] = V[(i - 1) * n + j];
                V[i * n + j] = V[j * n + i] = 0;
            }
        } else {
            for (size_t k = 0; k < i; k++) d[k] /= scale, h += d[k] * d[k];
            double f = d[i - 1], g = f > 0 ? -sqrt(h) : sqrt(h);
            e[i] = scale * g;
            h -= f * g;
            d[i - 1] = f - g;
            for (size_t j = 0; j < i; j++) e[j] = 0;
            for (size_t j = 0; j < i; j++) {
                f = d[j];
                V[j * n + i] = f;
                g = e[j] + V[j * n + j] * f;
                for (size_t k = j + 1; k < i; k++) {
                    g += V[k * n + j] * d[k];
                    e[k] += V[k * n + j] * f;
                }
                e[j] = g;
            }
            f = 0;
            for (size_t j = 0; j < i; j++) e[j] /= h, f += e[j] * d[j];
            for (size_t j = 0; j < i; j++) e[j] -= f / (h + h) * d[j];
            for (size_t j = 0; j < i; j++) {
                for (size_t k = j; k < i; k++) V[k * n + j] -= d[j] * e[k] + e[j] * d[k];
                d[j] = V[(i - 1) * n + j];
                V[i * n + j] = 0;
            }
        }
        d[i] = h;
    }
    for (size_t i = 0; i + 1 < n; i++) { /* the reflections, multiplied out */
        V[(n - 1) * n + i] = V[i * n + i];
        V[i * n + i] = 1;
        double h = d[i + 1];
        if (h != 0) {
            for (size_t k = 0; k <= i; k++) d[k] = V[k * n + i + 1] / h;
            for (size_t j = 0; j <= i; j++) {
                double g = 0;
                for (size_t k = 0; k <= i; k++) g += V[k * n + i + 1] * V[k * n + j];
                for (size_t k = 0; k <= i; k++) V[k * n + j] -= g * d[k];
            }
        }
        for (size_t k = 0; k <= i; k++) V[k * n + i + 1] = 0;
    }
    for (size_t j = 0; j < n; j++) {
        d[j] = V[(n - 1) * n + j];
        V[(n - 1) * n + j] = j + 1 == n;
    }
    e[0] = 0;
}

static void turn_rows(double *a, double *b, double c, double s, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        double h = b[k];
        b[k] = s * a[k] + c * h;
        a[k] = c * a[k] - s * h;
    }
}

/* Implicit QL; row i of W is turned along with d[i]. */
static bool settle(double *W, double *d, double *e, size_t n)
{
    double f = 0, most = 0;
    for (size_t i = 1; i < n; i++) e[i - 1] = e[i];
    e[n - 1] = 0;
    for (size_t l = 0; l < n; l++) {
        most = fmax(most, fabs(d[l]) + fabs(e[l]));
        size_t m = l;
        while (m + 1 < n && fabs(e[m]) > 0x1p-52 * most) m++;
        for (int sweep = 0; m > l && fabs(e[l]) > 0x1p-52 * most; sweep++) {
            if (sweep == SWEEPS) return false;
            double g = d[l], p = (d[l + 1] - g) / (2 * e[l]), r = p < 0 ? -hypot(p, 1) : hypot(p, 1);
            d[l] = e[l] / (p + r);
            d[l + 1] = e[l] * (p + r);
            double dl1 = d[l + 1], h = g - d[l], c = 1, c2 = 1, c3 = 1, el1 = e[l + 1], s = 0, s2 = 0;
            for (size_t i = l + 2; i < n; i++) d[i] -= h;
            f += h;
            p = d[m];
            for (size_t i = m; i-- > l;) {
                c3 = c2, c2 = c, s2 = s;
                g = c * e[i], h = c * p;
                r = hypot(p, e[i]);
                e[i + 1] = s * r;
                s = e[i] / r, c = p / r;
                p = c * d[i] - s * g;
                d[i + 1] = h + s * (c * g + s * d[i]);
                turn_rows(W + i * n, W + (i + 1) * n, c, s, n);
            }
            p = -s * s2 * c3 * el1 * e[l] / dl1;
            e[l] = s * p;
            d[l] = c * p;
        }
        d[l] += f;
        e[l] = 0;
    }
    return true;
}

bool tdm_small_eigen(double *values, double *vectors, double *off, size_t n)
{
    if (!n) return true;
    reduce(vectors, values, off, n);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++) {
            double t = vectors[i * n + j];
            vectors[i * n + j] = vectors[j * n + i];
            vectors[j * n + i] = t;
        }
    if (!settle(vectors, values, off, n)) return false;
    for (size_t i = 0; i < n; i++) { /* rising; n is small */
        size_t least = i;
        for (size_t j = i + 1; j < n; j++)
            if (values[j] < values[least]) least = j;
        double t = values[i];
        values[i] = values[least], values[least] = t;
        for (size_t k = 0; least != i && k < n; k++) {
            t = vectors[i * n + k];
            vectors[i * n + k] = vectors[least * n + k], vectors[least * n + k] = t;
        }
    }
    return true;
}
