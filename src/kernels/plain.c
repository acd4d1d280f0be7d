/* SPDX-License-Identifier: Apache-2.0 */
/* plain.c - every kernel as its formula says, in C that any processor runs. Sums are carried in double, so that this
 * table is also the one to compare with. */
#include "kernels/tables.h"

#include <math.h>

static float dot(const float *a, const float *b, size_t n)
{
    double s = 0;
    for (size_t i = 0; i < n; i++) s += (double)a[i] * (double)b[i];
    return (float)s;
}

static void axpy(float *y, float a, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) y[i] += a * x[i];
}

static void scale(float *y, float a, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) y[i] = a * x[i];
}

static float sum(const float *x, size_t n)
{
    double s = 0;
    for (size_t i = 0; i < n; i++) s += (double)x[i];
    return (float)s;
}

static float max(const float *x, size_t n)
{
    float m = -INFINITY;
    for (size_t i = 0; i < n; i++)
        if (x[i] > m) m = x[i];
    return m;
}

static float exp_sum(float *y, const float *x, float shift, size_t n)
{
    double s = 0;
    for (size_t i = 0; i < n; i++) s += (double)(y[i] = expf(x[i] - shift));
    return (float)s;
}

static void drop(float *x, const uint64_t *draw, uint16_t cut, float up, size_t n)
{
    for (size_t i = 0; i < n; i++) x[i] = (draw[i / 4] >> 16 * (i % 4) & 0xffff) < cut ? 0 : x[i] * up;
}

static float sigmoid_of(float x) { return 1 / (1 + expf(-2 * TDM_GELU_K * (x + TDM_GELU_CUBE * x * x * x))); }

static void gelu(float *y, float *x, const float *bias, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        x[i] += bias[i];
        y[i] = x[i] * sigmoid_of(x[i]);
    }
}

static void gelu_back(float *dx, const float *dy, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float s = sigmoid_of(x[i]), du = 2 * TDM_GELU_K * (1 + 3 * TDM_GELU_CUBE * x[i] * x[i]);
        dx[i] = dy[i] * (s + x[i] * s * (1 - s) * du);
    }
}

static void norm(float *y, float stat[2], const float *x, const float *w, const float *b, size_t n)
{
    double mean = 0, square = 0;
    for (size_t i = 0; i < n; i++) mean += (double)x[i];
    mean /= (double)n;
    for (size_t i = 0; i < n; i++) square += ((double)x[i] - mean) * ((double)x[i] - mean);
    stat[0] = (float)mean;
    stat[1] = (float)(1 / sqrt(square / (double)n + (double)TDM_NORM_EPS));
    for (size_t i = 0; i < n; i++) y[i] = (x[i] - stat[0]) * stat[1] * w[i] + b[i];
}

/* With h = (x - mean) rstd and d = dy w:  dx = rstd (d - mean(d) - h mean(d h)). */
static void norm_back(float *dx, float *dw, float *db, const float *dy, const float *x, const float stat[2],
                      const float *w, size_t n)
{
    double d_mean = 0, dh_mean = 0;
    for (size_t i = 0; i < n; i++) {
        float h = (x[i] - stat[0]) * stat[1];
        d_mean += (double)(dy[i] * w[i]);
        dh_mean += (double)(dy[i] * w[i] * h);
        dw[i] += dy[i] * h;
        db[i] += dy[i];
    }
    float a = (float)(d_mean / (double)n), c = (float)(dh_mean / (double)n);
    for (size_t i = 0; i < n; i++) dx[i] += stat[1] * (dy[i] * w[i] - a - (x[i] - stat[0]) * stat[1] * c);
}

static void adamw(float *w, float *m, float *v, const float *g, size_t n, const tdm_adamw_rates *r)
{
    for (size_t i = 0; i < n; i++) {
        float x = g[i] * r->scale;
        m[i] = r->beta1 * m[i] + (1 - r->beta1) * x;
        v[i] = r->beta2 * v[i] + (1 - r->beta2) * x * x;
        w[i] = r->keep * w[i] - r->rate * r->fix1 * m[i] / (sqrtf(r->fix2 * v[i]) + r->eps);
    }
}

void tdm_kernels_init_c(tdm_kernels *k)
{
    *k = (tdm_kernels){.isa = "c",
                       .dot = dot,
                       .axpy = axpy,
                       .scale = scale,
                       .sum = sum,
                       .max = max,
                       .exp_sum = exp_sum,
                       .drop = drop,
                       .gelu = gelu,
                       .gelu_back = gelu_back,
                       .norm = norm,
                       .norm_back = norm_back,
                       .adamw = adamw};
    tdm_small_spd_init_c(k);
    tdm_above_init_c(k);
    tdm_sgd_init_c(k);
    tdm_few_init_c(k);
}
