/* SPDX-License-Identifier: Apache-2.0 */
/* network_learn.c - the network of network.h by AdamW on the listwise loss.
 *
 *     z_j = sum over voices v: o_jv w_jv          loss of a list = -sum over candidates: target * log softmax(z)
 *     dz = softmax(z) - target     dw_jv = dz_j o_jv     dB = h' dw     dh = dw B', 0 where h is     dA = x' dh
 *
 * (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019; the rate falls as a half cosine.) Inputs
 * are scaled to a spread of one while it learns. A step's lists are cut into the same chunks whatever the threads are,
 * and their gradients added in that order. */
#include "base/mem.h"
#include "base/rng.h"
#include "hybrid/network.h"
#include "kernels/kernels.h"

#include <math.h>
#include <string.h>

enum {
    HIDDEN = 64,
    EPOCHS = 8,
    STEP = 64, /* lists of a step */
    GRAIN = 8, /* of a chunk */
    CHUNKS = STEP / GRAIN,
    FEWEST = 500, /* fewer lists have never been enough for it */
    FOLDS = 5
};

static const double RATE = 0.003, DECAY = 0.01;

/* One chunk's room: a list's inputs and what flows through, and the sum of its gradients. */
typedef struct room {
    float *x, *h, *w, *dw, *dh;
    double *z;
    float *grad;
} room;

typedef struct learning {
    const tdm_listwise *s;
    tdm_network *net;
    const uint32_t *order; /* lists of this epoch */
    size_t first;          /* where the step begins in it */
    room room[CHUNKS];
} learning;

/* ---- one list ---- */

/* Inputs of list l into r->x, weights into r->w, scores into r->z. */
static void forward(const learning *g, room *r, const tdm_list *l)
{
    const tdm_network *net = g->net;
    size_t P = net->P, V = 2 * P, F = tdm_network_inputs(P), H = net->H;
    for (size_t j = 0; j < l->n; j++) {
        const float *row = l->row + j * tdm_row_width(P);
        float *x = r->x + j * F;
        for (size_t f = 0; f + 1 < F; f++) x[f] = row[f] * (float)g->s->scale[f];
        x[F - 1] = (float)l->length;
        memcpy(r->h + j * H, net->a, H * sizeof *r->h);
        memcpy(r->w + j * V, net->b, V * sizeof *r->w);
    }
    tdm_gemm(0, 0, l->n, H, F, 1, r->x, F, net->A, H, 1, r->h, H);
    for (size_t k = 0; k < l->n * H; k++) r->h[k] = r->h[k] > 0 ? r->h[k] : 0;
    tdm_gemm(0, 0, l->n, V, H, 1, r->h, H, net->B, V, 1, r->w, V);
    for (size_t j = 0; j < l->n; j++) {
        r->z[j] = 0;
        for (size_t v = 0; v < V; v++) r->z[j] += (double)r->x[j * F + v] * (double)r->w[j * V + v];
    }
}

/* Turns scores into probabilities and returns the loss. */
static double settle(double *z, const tdm_list *l, size_t P)
{
    double top = -INFINITY, mass = 0, hit = 0;
    for (size_t j = 0; j < l->n; j++) top = fmax(top, z[j]);
    for (size_t j = 0; j < l->n; j++) {
        hit += (double)l->row[j * tdm_row_width(P) + tdm_row_target(P)] * (z[j] - top);
        mass += z[j] = exp(z[j] - top);
    }
    for (size_t j = 0; j < l->n; j++) z[j] /= mass;
    return log(mass) - hit;
}

/* Adds the list's gradient, divided by the lists of a step, to r->grad. */
static void backward(const learning *g, room *r, const tdm_list *l)
{
    const tdm_network *net = g->net;
    size_t P = net->P, V = 2 * P, F = tdm_network_inputs(P), H = net->H, width = tdm_row_width(P);
    float *dA = r->grad, *da = dA + F * H, *dB = da + H, *db = dB + H * V;
    for (size_t j = 0; j < l->n; j++) {
        float dz = (float)(r->z[j] - (double)l->row[j * width + tdm_row_target(P)]) / STEP;
        for (size_t v = 0; v < V; v++) db[v] += r->dw[j * V + v] = dz * r->x[j * F + v];
    }
    tdm_gemm(1, 0, H, V, l->n, 1, r->h, H, r->dw, V, 1, dB, V);
    tdm_gemm(0, 1, l->n, H, V, 1, r->dw, V, net->B, V, 0, r->dh, H);
    for (size_t j = 0; j < l->n; j++)
        for (size_t k = 0; k < H; k++) {
            if (!(r->h[j * H + k] > 0)) r->dh[j * H + k] = 0;
            da[k] += r->dh[j * H + k];
        }
    tdm_gemm(1, 0, F, H, l->n, 1, r->x, F, r->dh, H, 1, dA, H);
}

static void chunk_learn(void *ctx, size_t chunk, size_t begin, size_t end)
{
    learning *g = ctx;
    room *r = &g->room[chunk];
    memset(r->grad, 0, tdm_network_size(g->net->P, g->net->H) * sizeof *r->grad);
    for (size_t k = begin; k < end; k++) {
        const tdm_list *l = &g->s->list[g->order[g->first + k]];
        forward(g, r, l);
        settle(r->z, l, g->net->P);
        backward(g, r, l);
    }
}

/* ---- a training ---- */

static void begin_at(tdm_network *net, const double *linear, uint64_t seed)
{
    size_t P = net->P, V = 2 * P, F = tdm_network_inputs(P), H = net->H;
    tdm_rng r = tdm_rng_make(seed, 0x6e657477, 0);
    for (size_t k = 0; k < F * H; k++) net->A[k] = (float)(tdm_rng_normal(&r) / sqrt((double)F));
    for (size_t k = 0; k < H * V; k++) net->B[k] = (float)(0.1 * tdm_rng_normal(&r) / sqrt((double)H));
    for (size_t k = 0; k < H; k++) net->a[k] = 0;
    for (size_t v = 0; v < V; v++) net->b[v] = v < P ? (float)linear[TDM_GATES * v] : 0;
}

/* Trains g->net on order[n], which is shuffled. */
static tdm_status train(learning *g, uint32_t *order, size_t n, const tdm_network_plan *plan, tdm_run *run,
                        const char *note, tdm_err *err)
{
    const tdm_kernels *k = tdm_kernels_best();
    size_t size = tdm_network_size(g->net->P, g->net->H), steps = n / STEP, all = steps * EPOCHS, t = 0;
    float *m = tdm_new(size, sizeof *m), *v = tdm_new(size, sizeof *v), *grad = tdm_new(size, sizeof *grad);
    tdm_status st = m && v && grad ? TDM_OK : tdm_nomem(err, "the fusion's network");
    tdm_rng shuffle = tdm_rng_make(plan->seed, 0x6e657477, 1);
    begin_at(g->net, plan->linear, plan->seed);
    g->order = order;
    for (size_t epoch = 0; !st && epoch < EPOCHS; epoch++) {
        tdm_rng_shuffle_u32(&shuffle, order, n);
        for (size_t s = 0; s < steps; s++) {
            g->first = s * STEP;
            tdm_pool_for(run->pool, STEP, GRAIN, chunk_learn, g);
            memset(grad, 0, size * sizeof *grad);
            for (size_t c = 0; c < CHUNKS; c++) k->axpy(grad, 1, g->room[c].grad, size);
            double rate = RATE * 0.5 * (1 + cos(3.14159265358979 * (double)t / (double)all));
            t++;
            tdm_adamw_rates a = {.beta1 = 0.9f, .beta2 = 0.999f, .eps = 1e-8f, .rate = (float)rate, .scale = 1};
            a.fix1 = (float)(1 / (1 - pow(0.9, (double)t)));
            a.fix2 = (float)(1 / (1 - pow(0.999, (double)t)));
            a.keep = (float)(1 - rate * DECAY);
            k->adamw(g->net->numbers, m, v, grad, size, &a);
        }
        tdm_progress(run, "hybrid", epoch + 1, EPOCHS, note);
        st = tdm_run_check(run, "hybrid", err);
    }
    tdm_free(m);
    tdm_free(v);
    tdm_free(grad);
    return st;
}

/* How much better than the linear weights the network foretells the lists of fold 0: mean and its standard error. */
static void gain_find(double *mean, double *error, const learning *g, const double *linear)
{
    size_t P = g->net->P, n = 0;
    double sum = 0, square = 0;
    room r = g->room[0];
    for (size_t q = 0; q < g->s->n; q += FOLDS) {
        const tdm_list *l = &g->s->list[q];
        forward(g, &r, l);
        double d = -settle(r.z, l, P);
        for (size_t j = 0; j < l->n; j++) r.z[j] = tdm_list_score(linear, g->s, l, j);
        d += settle(r.z, l, P);
        sum += d;
        square += d * d;
        n++;
    }
    *mean = sum / (double)n;
    *error = sqrt(fmax(square / (double)n - *mean * *mean, 0) / (double)n);
}

/* Works the scales into the numbers. */
static void scales_fold(tdm_network *net, const double *scale, double length_scale)
{
    size_t V = 2 * net->P, F = tdm_network_inputs(net->P), H = net->H;
    for (size_t f = 0; f < F; f++)
        for (size_t k = 0; k < H; k++) net->A[f * H + k] *= (float)(f + 1 < F ? scale[f] : length_scale);
    for (size_t v = 0; v < V; v++) {
        for (size_t k = 0; k < H; k++) net->B[k * V + v] *= (float)scale[v];
        net->b[v] *= (float)scale[v];
    }
}

static bool rooms_make(learning *g)
{
    size_t V = 2 * g->net->P, F = tdm_network_inputs(g->net->P), H = g->net->H, most = 1;
    for (size_t q = 0; q < g->s->n; q++)
        if (g->s->list[q].n > most) most = g->s->list[q].n;
    for (size_t c = 0; c < CHUNKS; c++) {
        room *r = &g->room[c];
        float *all = tdm_new(most, (F + 2 * H + 2 * V) * sizeof *all);
        *r = (room){.x = all, .z = tdm_new(most, sizeof *r->z)};
        r->grad = tdm_new(tdm_network_size(g->net->P, H), sizeof *r->grad);
        if (!all || !r->z || !r->grad) return false;
        r->h = all + most * F;
        r->dh = r->h + most * H;
        r->w = r->dh + most * H;
        r->dw = r->w + most * V;
    }
    return true;
}

tdm_status tdm_network_learn(tdm_network *out, const tdm_listwise *s, const tdm_network_plan *plan, tdm_run *run,
                             tdm_err *err)
{
    *out = (tdm_network){0};
    if (s->n < FEWEST) return TDM_OK;
    tdm_network net;
    learning g = {.s = s, .net = &net};
    uint32_t *order = tdm_new(s->n, sizeof *order);
    double mean = 0, error = 0;
    size_t n = 0;
    tdm_status st = tdm_network_init(&net, s->P, HIDDEN, err);
    if (!st && (!order || !rooms_make(&g))) st = tdm_nomem(err, "the fusion's network");
    if (!st) {
        for (uint32_t q = 0; q < s->n; q++)
            if (q % FOLDS) order[n++] = q;
        st = train(&g, order, n, plan, run, "a network, without a fifth of the people", err);
    }
    if (!st) {
        gain_find(&mean, &error, &g, plan->linear);
        tdm_log(run, TDM_LOG_INFO, "hybrid",
                "on people left out a network is %.4f better than the linear weights, give "
                "or take %.4f: %s",
                mean, error, mean > error ? "kept" : "left");
    }
    if (!st && mean > error) {
        for (uint32_t q = 0; q < s->n; q++) order[q] = q;
        st = train(&g, order, s->n, plan, run, "the network", err);
        scales_fold(&net, s->scale, plan->length_scale);
    }
    for (size_t c = 0; c < CHUNKS; c++) {
        tdm_free(g.room[c].x);
        tdm_free(g.room[c].z);
        tdm_free(g.room[c].grad);
    }
    tdm_free(order);
    if (st || !(mean > error)) tdm_network_clear(&net);
    else *out = net;
    return st;
}
