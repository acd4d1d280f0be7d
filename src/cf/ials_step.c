/* SPDX-License-Identifier: Apache-2.0 */
/* ials_step.c - one iteration of implicit alternating least squares.
 *
 * With one side fixed each row of the other is a small least-squares problem, so half an iteration is a parallel loop
 * over rows without shared writes. Rows are handed out in chunks of like work, whose borders and whose sums depend on
 * the data alone. What a row adds to the objective falls out of its solution: at x it is sum c - b'x - r'x, r being
 * what is left of b - A x. */
#include "base/mem.h"
#include "base/status.h"
#include "cf/ials.h"
#include "kernels/small_spd.h"

#include <math.h>
#include <string.h>

enum { CHUNKS = 512, PARTS = 48, BLOCK = 128 }; /* of rows to solve; of a sum over rows; rows turned at once */

struct tdm_ials {
    tdm_ials_rules r;
    tdm_ials_lists list[2]; /* people, items */
    float *factor[2];       /* X, Y */
    size_t *border[2];      /* CHUNKS + 2 of rows with like work */
    size_t chunks[2];
    tdm_run *run;
    const tdm_kernels *k;
    size_t threads, scratch; /* floats of one scratch */
    float *memory;           /* threads x scratch */
    atomic_flag *taken;      /* threads */
    double *part;            /* PARTS x (K x K + 1) */
    double *loss;            /* CHUNKS + 1 */
    double *G, *value, *off; /* K x K, K, K */
    float *turn, *spread;    /* K x K, K */
    float *people;           /* K: the diagonal of the sum of x x', before the last turn */
    atomic_int lost;         /* a row that rounding made unsolvable, plus one */

    size_t side; /* of the loop that runs: which factor is solved, summed or turned */
};

/* ---- one scratch for each thread that works ---- */

static float *scratch_take(tdm_ials *w, size_t *slot)
{
    for (size_t i = 0;; i = i + 1 < w->threads ? i + 1 : 0)
        if (!atomic_flag_test_and_set_explicit(&w->taken[i], memory_order_acquire)) {
            *slot = i;
            return w->memory + i * w->scratch;
        }
}

static void scratch_leave(tdm_ials *w, size_t slot)
{
    atomic_flag_clear_explicit(&w->taken[slot], memory_order_release);
}

/* ---- solving ---- */

double tdm_ials_pull(const tdm_ials_rules *r, double n, double m)
{
    return r->regularization * pow(n + r->unobserved * m, r->power);
}

static void solve_rows(void *ctx, size_t chunk, size_t first, size_t last)
{
    tdm_ials *w = ctx;
    size_t side = w->side, slot, K = w->r.K;
    (void)first, (void)last;
    if (atomic_load_explicit(&w->run->cancel, memory_order_relaxed)) return;
    const tdm_ials_lists *l = &w->list[side];
    float *d = scratch_take(w, &slot);
    const tdm_small_spd s = {w->k, w->factor[!side], K, d, (float)w->r.unobserved, d + K};
    double loss = 0;
    for (size_t row = w->border[side][chunk]; row < w->border[side][chunk + 1]; row++) {
        size_t at = (size_t)l->from[row], n = (size_t)l->from[row + 1] - at;
        float *x = w->factor[side] + row * K, pull = (float)tdm_ials_pull(&w->r, (double)n, (double)w->list[!side].n);
        double fit = 0;
        for (size_t k = 0; k < K; k++) d[k] = w->spread[k] + pull;
        if (w->r.steps && n <= tdm_small_spd_descend_limit(K))
            tdm_small_spd_descend(&s, x, &fit, l->at + at, l->a + at, NULL, n, w->r.steps);
        else if (!tdm_small_spd_solve(&s, x, &fit, l->at + at, l->a + at, NULL, n))
            atomic_store(&w->lost, (int)row + 1);
        for (size_t j = at; j < at + n; j++) loss += (double)l->a[j];
        loss += (double)n * w->r.unobserved - fit;
    }
    w->loss[chunk] = loss;
    scratch_leave(w, slot);
}

/* ---- the sum of x x', and of pull(x) |x|^2 ---- */

static void sum_rows(void *ctx, size_t part, size_t begin, size_t end)
{
    tdm_ials *w = ctx;
    size_t K = w->r.K, slot;
    float *A = scratch_take(w, &slot);
    double *G = w->part + part * (K * K + 1), squares = 0;
    const tdm_ials_lists *l = &w->list[w->side];
    memset(G, 0, K * K * sizeof *G);
    for (size_t row = begin; row < end; row += BLOCK) {
        size_t n = end - row < BLOCK ? end - row : BLOCK;
        const float *X = w->factor[w->side] + row * K;
        memset(A, 0, K * K * sizeof *A);
        w->k->gram(A, K, X, K, n, K, 1);
        for (size_t i = 0; i < K; i++)
            for (size_t j = i; j < K; j++) G[i * K + j] += (double)A[i * K + j];
        for (size_t r = row; r < row + n; r++) {
            const float *x = w->factor[w->side] + r * K;
            double m = (double)w->list[!w->side].n;
            squares += tdm_ials_pull(&w->r, (double)(l->from[r + 1] - l->from[r]), m) * (double)w->k->dot(x, x, K);
        }
    }
    G[K * K] = squares;
    scratch_leave(w, slot);
}

static void turn_rows(void *ctx, size_t chunk, size_t begin, size_t end)
{
    tdm_ials *w = ctx;
    size_t K = w->r.K, slot;
    float *t = scratch_take(w, &slot), *x = w->factor[w->side] + begin * K;
    (void)chunk;
    tdm_gemm(0, 1, end - begin, K, K, 1, x, K, w->turn, K, 0, t, K);
    memcpy(x, t, (end - begin) * K * sizeof *x);
    scratch_leave(w, slot);
}

/* Turns both sides into the basis where the sum of x x' of `side` is diagonal. *squares: the sum of pull(x) |x|^2. */
static tdm_status straighten(tdm_ials *w, size_t side, double *squares, tdm_err *err)
{
    size_t K = w->r.K, n = w->list[side].n, grain = (n + PARTS - 1) / PARTS, parts;
    if (!grain) grain = 1;
    parts = tdm_chunks(n, grain);
    w->side = side;
    tdm_pool_for(w->run->pool, n, grain, sum_rows, w);
    memset(w->G, 0, K * K * sizeof *w->G);
    *squares = 0;
    for (size_t p = 0; p < parts; p++) {
        const double *G = w->part + p * (K * K + 1);
        for (size_t i = 0; i < K; i++)
            for (size_t j = i; j < K; j++) w->G[j * K + i] += G[i * K + j]; /* eigen reads below the diagonal */
        *squares += G[K * K];
    }
    if (!isfinite(*squares) || !tdm_small_eigen(w->value, w->G, w->off, K))
        return tdm_fail(err, TDM_E_ARG, "ials: the factors grew beyond all bounds; raise regularization");
    for (size_t k = 0; k < K; k++) {
        size_t from = K - 1 - k; /* falling */
        w->spread[k] = (float)(w->r.unobserved * fmax(w->value[from], 0));
        for (size_t j = 0; j < K; j++) w->turn[k * K + j] = (float)w->G[from * K + j];
    }
    tdm_pool_for(w->run->pool, n, BLOCK, turn_rows, w);
    w->side = !side;
    tdm_pool_for(w->run->pool, w->list[!side].n, BLOCK, turn_rows, w);
    return TDM_OK;
}

/* ---- an iteration ---- */

static tdm_status half(tdm_ials *w, size_t side, double *loss, tdm_err *err)
{
    w->side = side;
    tdm_pool_for(w->run->pool, w->chunks[side], 1, solve_rows, w);
    tdm_status st = tdm_run_check(w->run, "ials", err);
    if (!st && atomic_load(&w->lost))
        st = tdm_fail(err, TDM_E_ARG, "ials: %s %d cannot be solved in single precision; raise regularization",
                      side ? "item" : "person", atomic_load(&w->lost) - 1);
    *loss = 0;
    for (size_t c = 0; c < w->chunks[side]; c++) *loss += w->loss[c];
    return st;
}

tdm_status tdm_ials_step(tdm_ials *w, double *objective, tdm_err *err)
{
    double loss, squares, last;
    tdm_status st = half(w, 0, &loss, err);
    if (!st) st = straighten(w, 0, &squares, err);
    for (size_t k = 0; !st && k < w->r.K; k++) w->people[k] = (float)fmax(w->value[w->r.K - 1 - k], 0);
    if (!st) st = half(w, 1, &loss, err);
    if (!st) st = straighten(w, 1, &last, err);
    if (!st) *objective = loss + squares;
    return st;
}

const float *tdm_ials_spread(const tdm_ials *w) { return w->spread; }

void tdm_ials_people(const tdm_ials *w, float *out)
{
    size_t K = w->r.K;
    for (size_t i = 0; i < K; i++)
        for (size_t j = 0; j < K; j++) {
            double sum = 0;
            for (size_t k = 0; k < K; k++) sum += (double)(w->turn[i * K + k] * w->people[k] * w->turn[j * K + k]);
            out[i * K + j] = (float)sum;
        }
}

/* ---- making ---- */

static double work_of(double n, double K)
{
    double m = n < K ? n : K, most = n < K ? K : n;
    return m * m * most + m * m * m / 3 + 20 * n * K + 2000;
}

static size_t borders_make(size_t *border, const tdm_ials_lists *l, size_t K)
{
    double all = 0, done = 0;
    size_t chunks = 0;
    for (size_t r = 0; r < l->n; r++) all += work_of((double)(l->from[r + 1] - l->from[r]), (double)K);
    for (size_t r = 0; r < l->n; r++) {
        done += work_of((double)(l->from[r + 1] - l->from[r]), (double)K);
        if (done >= all / CHUNKS || r + 1 == l->n) {
            border[++chunks] = r + 1;
            done = 0;
        }
    }
    return chunks;
}

tdm_status tdm_ials_open(tdm_ials **out, const tdm_ials_rules *rules, const tdm_ials_lists *people,
                         const tdm_ials_lists *items, float *X, float *Y, tdm_run *run, tdm_err *err)
{
    *out = NULL;
    size_t K = rules->K, n = tdm_pool_threads(run->pool);
    double squares;
    tdm_ials *w = tdm_new(1, sizeof *w);
    if (!w) return tdm_nomem(err, "ials");
    *w = (tdm_ials){.r = *rules, .list = {*people, *items}, .factor = {X, Y}, .run = run, .threads = n};
    w->k = tdm_kernels_best();
    w->scratch = K + tdm_small_spd_scratch(K);
    w->memory = tdm_new(n, w->scratch * sizeof *w->memory);
    w->taken = tdm_new(n, sizeof *w->taken);
    w->part = tdm_new(PARTS, (K * K + 1) * sizeof *w->part);
    w->loss = tdm_new(CHUNKS + 1, sizeof *w->loss);
    w->G = tdm_new(K * K + 2 * K, sizeof *w->G);
    w->turn = tdm_new(K * K + 2 * K, sizeof *w->turn);
    for (size_t s = 0; s < 2; s++) w->border[s] = tdm_new(CHUNKS + 2, sizeof *w->border[s]);
    if (!w->memory || !w->taken || !w->part || !w->loss || !w->G || !w->turn || !w->border[0] || !w->border[1]) {
        tdm_ials_close(w);
        return tdm_nomem(err, "ials");
    }
    w->value = w->G + K * K;
    w->off = w->value + K;
    w->spread = w->turn + K * K;
    w->people = w->spread + K;
    for (size_t i = 0; i < n; i++) atomic_flag_clear(&w->taken[i]);
    for (size_t s = 0; s < 2; s++) w->chunks[s] = borders_make(w->border[s], &w->list[s], K);
    tdm_status st = straighten(w, 1, &squares, err);
    if (st) tdm_ials_close(w);
    else *out = w;
    return st;
}

void tdm_ials_close(tdm_ials *w)
{
    if (!w) return;
    tdm_free(w->memory);
    tdm_free(w->taken);
    tdm_free(w->part);
    tdm_free(w->loss);
    tdm_free(w->G);
    tdm_free(w->turn);
    for (size_t s = 0; s < 2; s++) tdm_free(w->border[s]);
    tdm_free(w);
}
