/* SPDX-License-Identifier: Apache-2.0 */
/* head.c - with p = softmax(l), l = x E', and weight w of a position, W the sum of weights:
 *
 *     loss = sum w (log sum exp(l) - l_target) / W      dl = w (p - onehot) / W      dx = dl E      dE = dl' x
 *
 * dl is never written. With e = exp(l - shift) and f = w / (W sum e), a number for each position,
 *
 *     dx = f (e E) - w/W E_target          dE = e' (f x) - (for each position, at its target's row) w/W x
 *
 * A tile of positions goes through the vocabulary once, WORDS at a time: their logits, e and its product with E are
 * made while both are in the second cache. So the shift of a position has to be chosen before all logits are there: it
 * is the largest of the first WORDS, and where a later one is so much larger that e might not fit a float, what has
 * been made is put right (Milakov and Gimelshein 2018 have the idea).
 *
 * A block holds e of so many positions as fit BUDGET, WORDS by WORDS. Its tiles are made side by side; then dE is added
 * to, rows of E side by side. So every float of dE is a sum in one order, whatever the number of threads. */
#include "gpt2/head.h"
#include "base/mem.h"
#include "base/status.h"
#include "kernels/kernels.h"

#include <math.h>
#include <string.h>

enum { ROWS = 128, WORDS = 256 };
static const size_t budget = (size_t)16 << 20; /* floats of a block: 64 MiB */
static const float rise = 40;                  /* above the shift: e up to exp(40), and sums of V of them, are floats */

struct tdm_head {
    const tdm_gpt2 *g;
    tdm_gemm_fn *gemm;
    float *block;          /* the floats below */
    size_t rows;           /* positions of a block */
    float *e;              /* parts(V) x rows x WORDS */
    float *x, *dx;         /* most x C: the positions that have a target, one behind another */
    float *fx;             /* most x C: f x */
    float *weight;         /* most: divided by the mass */
    uint32_t *at, *target; /* most */
    double *loss;          /* most */
    tdm_head_table into;
    size_t first, n; /* the block in the works */
};

static size_t parts(size_t V) { return (V + WORDS - 1) / WORDS; }

static size_t block_of(tdm_gpt2_shape s, size_t most)
{
    size_t rows = budget / (parts(s.V) * WORDS) / ROWS * ROWS;
    if (rows < ROWS) rows = ROWS;
    return rows < most ? rows : most;
}

/* Lays the arrays over `block`, or only counts them where it is NULL. */
static size_t place(tdm_head *h, float *block, tdm_gpt2_shape s, size_t most)
{
    const struct {
        float **at;
        size_t n;
    } list[] = {{&h->e, block_of(s, most) * parts(s.V) * WORDS},
                {&h->x, most * s.C},
                {&h->dx, most * s.C},
                {&h->fx, most * s.C},
                {&h->weight, most}};
    size_t n = 0;
    for (size_t k = 0; k < sizeof list / sizeof *list; k++) {
        if (block) *list[k].at = block + n;
        n += (list[k].n + 15) / 16 * 16; /* a cache line */
    }
    return n;
}

size_t tdm_head_floats(tdm_gpt2_shape s, size_t most) { return place(&(tdm_head){0}, NULL, s, most); }

tdm_status tdm_head_open(tdm_head **out, const tdm_gpt2 *g, size_t most, tdm_gemm_fn *gemm, tdm_err *err)
{
    *out = NULL;
    tdm_head *h = tdm_new(1, sizeof *h);
    if (!h) return tdm_nomem(err, "the output of a GPT-2");
    h->g = g;
    h->gemm = gemm;
    h->rows = block_of(g->s, most);
    h->block = tdm_new(tdm_head_floats(g->s, most), sizeof *h->block);
    h->at = tdm_new(most, 2 * sizeof *h->at);
    h->loss = tdm_new(most, sizeof *h->loss);
    if (!h->block || !h->at || !h->loss) {
        tdm_head_close(h);
        return tdm_nomem(err, "the output of a GPT-2");
    }
    place(h, h->block, g->s, most);
    h->target = h->at + most;
    *out = h;
    return TDM_OK;
}

void tdm_head_close(tdm_head *h)
{
    if (!h) return;
    tdm_free(h->block);
    tdm_free(h->at);
    tdm_free(h->loss);
    tdm_free(h);
}

static bool counts(const tdm_gpt2_batch *b, size_t i)
{
    return b->target[i] != TDM_GPT2_SILENT && (!b->weight || b->weight[i] > 0);
}

double tdm_head_mass(const tdm_gpt2_batch *b)
{
    double sum = 0;
    for (size_t i = 0; i < b->N; i++)
        if (counts(b, i)) sum += b->weight ? (double)b->weight[i] : 1;
    return sum;
}

/* Positions with a target and a weight; returns how many. */
static size_t gather(tdm_head *h, const float *x, const tdm_gpt2_batch *b, double mass)
{
    size_t C = h->g->s.C, M = 0;
    for (size_t i = 0; i < b->N; i++) {
        if (!counts(b, i)) continue;
        h->at[M] = (uint32_t)i;
        h->target[M] = b->target[i];
        h->weight[M] = (float)((b->weight ? (double)b->weight[i] : 1) / mass);
        memcpy(h->x + M * C, x + i * C, C * sizeof *x);
        M++;
    }
    return M;
}

/* Words part * WORDS .. of a position of the block: WORDS apart from one position to the next. */
static float *part_of(const tdm_head *h, size_t part, size_t row) { return h->e + (part * h->rows + row) * WORDS; }

/* What is known of a position on its way through the vocabulary. */
typedef struct position {
    float shift, sum, target; /* target: its logit */
} position;

/* A higher shift, for all that was made before part `end`. */
static void raise(const tdm_head *h, position *p, float shift, size_t row, size_t end)
{
    const tdm_kernels *k = tdm_kernels_best();
    float less = expf(p->shift - shift), *dx = h->dx + (h->first + row) * h->g->s.C;
    for (size_t part = 0; part < end; part++) k->scale(part_of(h, part, row), less, part_of(h, part, row), WORDS);
    k->scale(dx, less, dx, h->g->s.C);
    p->sum *= less;
    p->shift = shift;
}

/* n logits become e. */
static void exponentials(const tdm_head *h, position *p, size_t row, size_t part, size_t n)
{
    const tdm_kernels *k = tdm_kernels_best();
    float *l = part_of(h, part, row), most = k->max(l, n);
    size_t target = h->target[h->first + row];
    if (target / WORDS == part) p->target = l[target % WORDS];
    if (!part) *p = (position){most, 0, p->target};
    else if (most > p->shift + rise) raise(h, p, most, row, part);
    p->sum += k->exp_sum(l, l, p->shift, n);
}

static void rows(void *ctx, size_t chunk, size_t begin, size_t end)
{
    tdm_head *h = ctx;
    const tdm_kernels *k = tdm_kernels_best();
    const size_t V = h->g->s.V, C = h->g->s.C, first = h->first + begin, n = end - begin;
    const float *E = h->g->w.wte;
    float *x = h->x + first * C, *dx = h->dx + first * C;
    position p[ROWS] = {0};
    (void)chunk;
    for (size_t part = 0; part < parts(V); part++, E += WORDS * C) {
        size_t words = V - part * WORDS < WORDS ? V - part * WORDS : WORDS;
        float *l = part_of(h, part, begin);
        h->gemm(0, 1, n, words, C, 1, x, C, E, C, 0, l, WORDS);
        for (size_t i = 0; i < n; i++) exponentials(h, &p[i], begin + i, part, words);
        h->gemm(0, 0, n, C, words, 1, l, WORDS, E, C, part ? 1 : 0, dx, C);
    }
    for (size_t i = 0; i < n; i++, x += C, dx += C) {
        float w = h->weight[first + i], f = w / p[i].sum;
        h->loss[first + i] = (double)w * (log((double)p[i].sum) + (double)p[i].shift - (double)p[i].target);
        k->scale(h->fx + (first + i) * C, f, x, C);
        k->scale(dx, f, dx, C);
        k->axpy(dx, -w, h->g->w.wte + h->target[first + i] * C, C);
    }
}

/* Of parts of the vocabulary, counted from the first that is wanted. */
static void table(void *ctx, size_t chunk, size_t begin, size_t end)
{
    tdm_head *h = ctx;
    const size_t V = h->g->s.V, C = h->g->s.C, from = h->into.from;
    (void)chunk;
    for (size_t part = from / WORDS + begin; part < from / WORDS + end; part++) {
        size_t at = part * WORDS, to = at + WORDS < V ? at + WORDS : V;
        const float *e = part_of(h, part, 0);
        if (at < from) {
            e += from - at;
            at = from;
        }
        h->gemm(1, 0, to - at, C, h->n, 1, e, WORDS, h->fx + h->first * C, C, h->first || h->into.add ? 1 : 0,
                h->into.d + (at - from) * C, C);
        for (size_t i = h->first; i < h->first + h->n; i++)
            if (h->target[i] >= at && h->target[i] < to)
                tdm_kernels_best()->axpy(h->into.d + (h->target[i] - from) * C, -h->weight[i], h->x + i * C, C);
    }
}

double tdm_head_step(tdm_head *h, float *dx, tdm_head_table into, double mass, const float *x, const tdm_gpt2_batch *b,
                     tdm_pool *pool)
{
    size_t V = h->g->s.V, C = h->g->s.C, M = gather(h, x, b, mass), learned = into.d ? V - into.from : 0;
    double loss = 0;
    memset(dx, 0, b->N * C * sizeof *dx);
    if (into.d && !M && !into.add) memset(into.d, 0, learned * C * sizeof *into.d);
    h->into = into;
    for (h->first = 0; h->first < M; h->first += h->n) {
        h->n = M - h->first < h->rows ? M - h->first : h->rows;
        tdm_pool_for(pool, h->n, ROWS, rows, h);
        if (learned) tdm_pool_for(pool, parts(V) - into.from / WORDS, 1, table, h);
    }
    for (size_t m = 0; m < M; m++) {
        loss += h->loss[m];
        memcpy(dx + h->at[m] * C, h->dx + m * C, C * sizeof *dx);
    }
    return loss;
}
