/* SPDX-License-Identifier: Apache-2.0 */
/* rows.c - the kernels over rows of numbers: rows of a model's width and a vocabulary's length, and arrays nowhere
 * near. */
#include "measure.h"

#include "base/mem.h"
#include "base/rng.h"

#include <stdio.h>
#include <string.h>

typedef struct rows {
    tdm_kernels k;
    size_t n;
    float *a, *b, *c, *d, *e, *f, *g, stat[2];
    uint64_t *draw;
    float sink;
} rows;

static void dot(void *p)
{
    rows *r = p;
    r->sink += r->k.dot(r->a, r->b, r->n);
}
static void axpy(void *p)
{
    rows *r = p;
    r->k.axpy(r->a, 1e-9f, r->b, r->n);
}
static void scale(void *p)
{
    rows *r = p;
    r->k.scale(r->a, 0.5f, r->b, r->n);
}
static void sum(void *p)
{
    rows *r = p;
    r->sink += r->k.sum(r->a, r->n);
}
static void largest(void *p)
{
    rows *r = p;
    r->sink += r->k.max(r->a, r->n);
}
static void exp_sum(void *p)
{
    rows *r = p;
    r->sink += r->k.exp_sum(r->a, r->b, 1, r->n);
}
static void drop(void *p)
{
    rows *r = p;
    r->k.drop(r->a, r->draw, 6554, 1, r->n);
}
static void gelu(void *p) /* adds the bias again and again: a tiny one */
{
    rows *r = p;
    r->k.gelu(r->a, r->b, r->e, r->n);
}
static void gelu_back(void *p)
{
    rows *r = p;
    r->k.gelu_back(r->a, r->b, r->c, r->n);
}
static void norm(void *p)
{
    rows *r = p;
    r->k.norm(r->a, r->stat, r->b, r->c, r->d, r->n);
}
static void norm_back(void *p)
{
    rows *r = p;
    const float stat[2] = {0, 1e-6f}; /* what is added stays small */
    r->k.norm_back(r->a, r->c, r->d, r->b, r->f, stat, r->g, r->n);
}
static void adamw(void *p)
{
    rows *r = p;
    const tdm_adamw_rates o = {
        .beta1 = 0.9f, .beta2 = 0.999f, .eps = 1e-8f, .rate = 1e-9f, .fix1 = 1, .fix2 = 1, .keep = 1, .scale = 1};
    r->k.adamw(r->a, r->c, r->e, r->b, r->n, &o);
}

/* Operations an element as lanes.inc has them, two to an instruction, since the ceiling is one of multiplications with
 * additions: exp is 17 instructions. Bytes an element. */
static const struct {
    const char *name;
    bench_fn *fn;
    double instructions, quotients, read, written, fresh;
} all[] = {
    {"dot", dot, 1, 0, 8, 0, 0},
    {"axpy", axpy, 1, 0, 8, 4, 0},
    {"scale", scale, 1, 0, 4, 4, 4},
    {"sum", sum, 1, 0, 4, 0, 0},
    {"max", largest, 1, 0, 4, 0, 0},
    {"exp_sum", exp_sum, 19, 0, 4, 4, 4},
    {"drop", drop, 3, 0, 6, 4, 0},
    {"gelu", gelu, 24, 1, 8, 8, 4},
    {"gelu_back", gelu_back, 29, 1, 8, 4, 4},
    {"norm", norm, 6, 0, 20, 4, 4},
    {"norm_back", norm_back, 14, 0, 36, 12, 0},
    {"adamw", adamw, 11, 2, 16, 12, 0},
};

void bench_rows(const bench_tables *t)
{
    const size_t size[BENCH_LEVELS] = {128, bench_floats[BENCH_MIDDLE], bench_floats[BENCH_FAR] / 2};
    rows r = {.a = bench_drawn(size[BENCH_FAR]),
              .b = bench_drawn(size[BENCH_FAR]),
              .c = bench_drawn(size[BENCH_FAR]),
              .d = bench_drawn(size[BENCH_FAR]),
              .f = bench_drawn(size[BENCH_FAR]),
              .g = bench_drawn(size[BENCH_FAR]),
              .e = tdm_new(size[BENCH_FAR], sizeof(float)),
              .draw = tdm_new(size[BENCH_FAR] / 4, sizeof(uint64_t))};
    if (!r.e || !r.draw) bench_stop("not enough memory");
    for (size_t i = 0; i < size[BENCH_FAR] / 4; i++) r.draw[i] = tdm_mix64(i);
    bench_head("GB/s, read and written", t);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        for (int level = 0; level < BENCH_LEVELS; level++) {
            char name[64];
            r.n = size[level];
            double n = (double)r.n;
            snprintf(name, sizeof name, "%-10s%12zu", all[i].name, r.n);
            memset(r.e, 0, r.n * sizeof *r.e); /* gelu's bias, adamw's second moment */
            bench_line(name, t, false,
                       (bench_work){2 * all[i].instructions * n, all[i].quotients * n, all[i].read * n,
                                    all[i].written * n, all[i].fresh * n, level},
                       all[i].fn, &r, &r.k);
        }
    tdm_free(r.a);
    tdm_free(r.b);
    tdm_free(r.c);
    tdm_free(r.d);
    tdm_free(r.e);
    tdm_free(r.f);
    tdm_free(r.g);
    tdm_free(r.draw);
}
