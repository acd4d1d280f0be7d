/* SPDX-License-Identifier: Apache-2.0 */
/* sgd.c - gradient descent on a factorisation of ratings, one rating at a time, as its formula says.
 *
 *     e = value - (p + c) . q        p += rate (e q - pull_p p)        q += rate (e (p + c) - pull_q q)
 *
 * (Koren, "Factorization Meets the Neighborhood", KDD 2008; without c, Funk's.) Both rows move at once, from what they
 * were. Some of their last numbers may be held: a 1 held in p makes the number of q beside it an offset of its own. */
#include "kernels/tables.h"

static double sgd(const tdm_sgd *s, const tdm_sgd_rating *r, size_t n)
{
    size_t K = s->K, whole = K - TDM_PAD;
    double square = 0;
    for (size_t j = 0; j < n; j++) {
        float *p = s->P + r[j].p * K, *q = s->Q + r[j].q * K;
        const float *c = s->C ? s->C + r[j].p * K : NULL;
        double sum = 0;
        for (size_t k = 0; k < K; k++) sum += ((double)p[k] + (c ? (double)c[k] : 0)) * (double)q[k];
        float e = (float)((double)r[j].value - sum);
        for (size_t k = 0; k < K; k++) {
            float v = c ? p[k] + c[k] : p[k], dp = e * q[k] - s->pull_p[r[j].p] * p[k],
                  dq = e * v - s->pull_q[r[j].q] * q[k];
            p[k] += s->rate * (k < whole ? 1 : s->open[k - whole]) * dp;
            q[k] += s->rate * (k < whole ? 1 : s->open[TDM_PAD + k - whole]) * dq;
        }
        square += (double)e * (double)e;
    }
    return square;
}

void tdm_sgd_init_c(tdm_kernels *k) { k->sgd = sgd; }
