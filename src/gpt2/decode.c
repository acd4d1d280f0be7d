/* SPDX-License-Identifier: Apache-2.0 */
/* decode.c - rows of tokens through all layers, over what their texts have cached.
 *
 * A row is a token of some text. Steps have rows of different texts and read packed weights (kernels/packed.h); a
 * feed's rows are of one text, and when they are many they are bound by arithmetic, so that their products are made by
 * tdm_gemm from the weights as they are. Products are cut by columns, attention by rows and heads: never by threads. */
#include "gpt2/decode_parts.h"
#include "base/mem.h"
#include "base/status.h"
#include "kernels/kernels.h"

#include <math.h>
#include <string.h>

enum { ROWS = 256, MANY = 24, PANELS = 2, COLUMNS = 384, BLOCK = 32 };

typedef struct place {
    size_t text, at; /* at: its position */
} place;

struct tdm_decoder {
    const tdm_gpt2_packed *p;
    const tdm_gpt2 *g;
    tdm_pool *pool;
    tdm_pages pages;
    place *row; /* of the pass in the works */
    size_t rows, n;
    bool feeding;                     /* rows are of one text, one behind another */
    float *x, *ln, *qkv, *att, *wide; /* rows: C, C, 3C, C, 4C floats */
    tdm_row_i8 q;
    float *scores; /* one row: H x most; a feed: blocks of BLOCK x most */
    float *cache;  /* a feed's keys and values of one layer, most x 2C */
    size_t cache_cap;
    size_t l;
};

/* ---- products ---- */

typedef struct product {
    tdm_decoder *d;
    float *y;
    const float *x, *bias; /* bias NULL: none */
    size_t n;
    const tdm_packed *w;
    const float *plain; /* in x out */
} product;

static void panels(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const product *a = ctx;
    (void)chunk;
    tdm_packed_product(a->y, a->x, &a->d->q, a->n, a->w, a->bias, begin, end);
}

static void columns(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const product *a = ctx;
    size_t in = a->w->in, out = a->w->out;
    (void)chunk;
    for (size_t i = 0; i < a->n; i++) {
        float *y = a->y + i * out;
        if (a->bias) memcpy(y + begin, a->bias + begin, (end - begin) * sizeof *y);
        else memset(y + begin, 0, (end - begin) * sizeof *y);
    }
    tdm_gemm(0, 0, a->n, end - begin, in, 1, a->x, in, a->plain + begin, out, 1, a->y + begin, out);
}

static void multiply(tdm_decoder *d, float *y, const float *x, size_t n, const tdm_packed *w, const float *plain,
                     const float *bias)
{
    product a = {d, y, x, bias, n, w, plain};
    if (plain && d->feeding && n >= MANY) {
        tdm_pool_for(d->pool, w->out, COLUMNS, columns, &a);
        return;
    }
    if (w->kind == TDM_WEIGHTS_I8) tdm_rows_i8_take(&d->q, x, n, w->in);
    tdm_pool_for(d->pool, tdm_panels(w->out), PANELS, panels, &a);
}

/* ---- attention ---- */

/* Row i, head h, over the pages of its text. */
static void attend_one(void *ctx, size_t chunk, size_t begin, size_t end)
{
    tdm_decoder *d = ctx;
    const tdm_kernels *k = tdm_kernels_best();
    size_t C = d->g->s.C, H = d->g->s.H, width = C / H;
    float scale = 1 / sqrtf((float)width);
    (void)chunk;
    for (size_t task = begin; task < end; task++) {
        size_t i = task / H, h = task % H, seen = d->row[i].at + 1;
        const float *q = d->qkv + i * 3 * C + h * width;
        float *score = d->scores + task * d->pages.most, *out = d->att + i * C + h * width;
        for (size_t at = 0; at < seen; at++)
            score[at] = scale * k->dot(q, tdm_pages_row(&d->pages, d->row[i].text, d->l, at, C) + h * width, width);
        float sum = k->exp_sum(score, score, k->max(score, seen), seen);
        memset(out, 0, width * sizeof *out);
        for (size_t at = 0; at < seen; at++)
            k->axpy(out, score[at], tdm_pages_row(&d->pages, d->row[i].text, d->l, at, C) + C + h * width, width);
        k->scale(out, 1 / sum, out, width);
    }
}

/* A block of a feed's rows over the cache, which was brought into one piece. */
static void attend_block(void *ctx, size_t chunk, size_t begin, size_t end)
{
    tdm_decoder *d = ctx;
    size_t C = d->g->s.C;
    tdm_attention_cached(d->att + begin * C, d->qkv + begin * 3 * C, 3 * C, d->cache, d->cache + C, 2 * C, d->g->s,
                         end - begin, d->row[0].at + end, d->scores + chunk * BLOCK * d->pages.most);
}

static void attend(tdm_decoder *d, size_t n)
{
    size_t C = d->g->s.C;
    for (size_t i = 0; i < n; i++)
        memcpy(tdm_pages_row(&d->pages, d->row[i].text, d->l, d->row[i].at, C), d->qkv + i * 3 * C + C,
               2 * C * sizeof *d->qkv);
    if (!d->feeding || n == 1) {
        tdm_pool_for(d->pool, n * d->g->s.H, d->g->s.H < 4 ? d->g->s.H : 4, attend_one, d);
        return;
    }
    for (size_t at = 0, all = d->row[0].at + n; at < all; at += TDM_PAGE)
        memcpy(d->cache + at * 2 * C, tdm_pages_row(&d->pages, d->row[0].text, d->l, at, C),
               (all - at < TDM_PAGE ? all - at : TDM_PAGE) * 2 * C * sizeof *d->cache);
    tdm_pool_for(d->pool, n, BLOCK, attend_block, d);
}

/* ---- a pass ---- */

static void norms(const tdm_decoder *d, size_t n, const float *w, const float *b)
{
    float stat[2];
    for (size_t i = 0, C = d->g->s.C; i < n; i++) tdm_kernels_best()->norm(d->ln + i * C, stat, d->x + i * C, w, b, C);
}

static void layer(tdm_decoder *d, size_t n)
{
    const tdm_kernels *k = tdm_kernels_best();
    const tdm_layer_w w = tdm_layer_of(&d->g->w, d->g->s, d->l);
    const tdm_packed_layer *p = &d->p->layer[d->l];
    size_t C = d->g->s.C;
    norms(d, n, w.ln1w, w.ln1b);
    multiply(d, d->qkv, d->ln, n, &p->qkv, w.qkv.w, w.qkv.b);
    attend(d, n);
    multiply(d, d->ln, d->att, n, &p->att, w.att.w, w.att.b);
    k->axpy(d->x, 1, d->ln, n * C);
    norms(d, n, w.ln2w, w.ln2b);
    multiply(d, d->wide, d->ln, n, &p->fc, w.fc.w, NULL);
    for (size_t i = 0; i < n; i++) k->gelu(d->wide + i * 4 * C, d->wide + i * 4 * C, w.fc.b, 4 * C);
    multiply(d, d->ln, d->wide, n, &p->proj, w.proj.w, w.proj.b);
    k->axpy(d->x, 1, d->ln, n * C);
}

/* The d->row rows through all layers; their pages are reserved. What follows the last layer is left in x. */
static void pass(tdm_decoder *d, const uint32_t *token, size_t n)
{
    size_t C = d->g->s.C;
    for (size_t i = 0; i < n; i++) {
        memcpy(d->x + i * C, d->g->w.wte + token[i] * C, C * sizeof *d->x);
        tdm_kernels_best()->axpy(d->x + i * C, 1, d->g->w.wpe + d->row[i].at * C, C);
    }
    for (d->l = 0; d->l < d->g->s.L; d->l++) layer(d, n);
    for (size_t i = 0; i < n; i++) d->pages.text[d->row[i].text].n = d->row[i].at + 1;
}

static tdm_status tokens_check(const tdm_decoder *d, const uint32_t *token, size_t n, tdm_err *err)
{
    for (size_t i = 0; i < n; i++)
        if (token[i] >= d->g->s.V) return tdm_fail(err, TDM_E_ARG, "token %u is not below %zu", token[i], d->g->s.V);
    return TDM_OK;
}

tdm_status tdm_decoder_feed(tdm_decoder *d, size_t text, const uint32_t *tokens, size_t n, tdm_err *err)
{
    size_t C = d->g->s.C, rows = 0;
    tdm_status st = tokens_check(d, tokens, n, err);
    if (!st) st = tdm_pages_reserve(&d->pages, text, n, err);
    if (!st && n > 1 && tdm_grow(&d->cache, &d->cache_cap, (d->pages.text[text].n + n) * 2 * C, sizeof *d->cache))
        st = tdm_nomem(err, "a text");
    if (st || !n) return st;
    d->feeding = true;
    for (size_t at = 0; at < n; at += rows) {
        rows = n - at < ROWS ? n - at : ROWS;
        for (size_t i = 0; i < rows; i++) d->row[i] = (place){text, d->pages.text[text].n + i};
        pass(d, tokens + at, rows);
    }
    memmove(d->x, d->x + (rows - 1) * C, C * sizeof *d->x);
    norms(d, 1, d->g->w.lnfw, d->g->w.lnfb);
    d->n = 1;
    return TDM_OK;
}

tdm_status tdm_decoder_step(tdm_decoder *d, const size_t *text, const uint32_t *token, size_t n, tdm_err *err)
{
    tdm_status st = tokens_check(d, token, n, err);
    if (!st && n > d->pages.texts) st = tdm_fail(err, TDM_E_ARG, "a step of %zu texts, of %zu", n, d->pages.texts);
    for (size_t i = 0; !st && i < n; i++) {
        d->row[i] = (place){text[i], d->pages.text[text[i]].n};
        for (size_t j = 0; j < i && !st; j++)
            if (text[j] == text[i]) st = tdm_fail(err, TDM_E_ARG, "text %zu is twice in a step", text[i]);
        if (!st) st = tdm_pages_reserve(&d->pages, text[i], 1, err);
    }
    if (st || !n) return st;
    d->feeding = false;
    pass(d, token, n);
    norms(d, n, d->g->w.lnfw, d->g->w.lnfb);
    d->n = n;
    return TDM_OK;
}

/* ---- what comes out ---- */

const float *tdm_decoder_state(const tdm_decoder *d, size_t row) { return d->ln + row * d->g->s.C; }

void tdm_decoder_logits(tdm_decoder *d, float *logits, size_t n)
{
    multiply(d, logits, d->ln, n < d->n ? n : d->n, &d->p->table, NULL, NULL);
}

void tdm_decoder_logits_of(const tdm_decoder *d, size_t row, float *logits, const uint32_t *token, size_t n)
{
    const float *x = tdm_decoder_state(d, row);
    size_t C = d->g->s.C;
    for (size_t i = 0; i < n; i++) logits[i] = tdm_kernels_best()->dot(x, d->g->w.wte + token[i] * C, C);
}

size_t tdm_decoder_length(const tdm_decoder *d, size_t text) { return d->pages.text[text].n; }
void tdm_decoder_rewind(tdm_decoder *d, size_t text, size_t n) { tdm_pages_rewind(&d->pages, text, n); }
void tdm_decoder_fork(tdm_decoder *d, size_t to, size_t from) { tdm_pages_fork(&d->pages, to, from); }

/* ---- opening ---- */

tdm_status tdm_decoder_open(tdm_decoder **out, const tdm_gpt2_packed *packed, size_t texts, size_t most, tdm_pool *pool,
                            tdm_err *err)
{
    const tdm_gpt2_shape s = packed->g->s;
    *out = NULL;
    if (!texts || !most || most > s.T)
        return tdm_fail(err, TDM_E_ARG, "%zu texts of %zu tokens, where the model reads 1 to %zu", texts, most, s.T);
    tdm_decoder *d = tdm_new(1, sizeof *d);
    if (!d) return tdm_nomem(err, "decoding");
    size_t rows = most < ROWS ? most : ROWS, blocks = tdm_chunks(rows, BLOCK) * BLOCK;
    if (rows < texts) rows = texts;
    *d = (tdm_decoder){.p = packed, .g = packed->g, .pool = pool, .rows = rows};
    d->row = tdm_new(rows, sizeof *d->row);
    d->x = tdm_new(rows, s.C * sizeof(float));
    d->ln = tdm_new(rows, s.C * sizeof(float));
    d->qkv = tdm_new(rows, 3 * s.C * sizeof(float));
    d->att = tdm_new(rows, s.C * sizeof(float));
    d->wide = tdm_new(rows, 4 * s.C * sizeof(float));
    d->scores = tdm_new(texts * s.H > blocks ? texts * s.H : blocks, most * sizeof(float));
    tdm_status st = TDM_OK;
    if (!d->row || !d->x || !d->ln || !d->qkv || !d->att || !d->wide || !d->scores) st = tdm_nomem(err, "decoding");
    if (!st && packed->kind == TDM_WEIGHTS_I8) st = tdm_rows_i8_make(&d->q, rows, 4 * s.C, err);
    if (!st) st = tdm_pages_open(&d->pages, s, texts, most, err);
    if (st) tdm_decoder_close(d);
    else *out = d;
    return st;
}

void tdm_decoder_close(tdm_decoder *d)
{
    if (!d) return;
    tdm_pages_clear(&d->pages);
    tdm_free(d->row);
    tdm_free(d->x);
    tdm_free(d->ln);
    tdm_free(d->qkv);
    tdm_free(d->att);
    tdm_free(d->wide);
    tdm_free(d->q.q);
    tdm_free(d->scores);
    tdm_free(d->cache);
    tdm_free(d);
}
