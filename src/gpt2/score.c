/* SPDX-License-Identifier: Apache-2.0 */
/* score.c - continuations side by side: each is a text that forks from the prefix, and one that is read to its end
 * gives its place to the next. */
#include "gpt2/score.h"
#include "base/mem.h"
#include "base/status.h"
#include "gpt2/decode_parts.h"
#include "gpt2/sample.h"

enum { SIDE = 24, PREFIX = SIDE };

/* A continuation being read: its tokens up to `at` are. */
typedef struct reading {
    size_t q, at;
    bool busy;
} reading;

static void add(double *sum, float *logp, size_t q, size_t at, double x)
{
    if (sum) sum[q] += x;
    if (logp) logp[at] = (float)x;
}

static tdm_status score_all(tdm_decoder *d, float *logits, size_t V, double *sum, float *logp, const uint32_t *prefix,
                            size_t n_prefix, const uint32_t *token, const uint32_t *start, size_t n, tdm_err *err)
{
    reading place[SIDE] = {0};
    tdm_status st = tdm_decoder_feed(d, PREFIX, prefix, n_prefix, err);
    if (st) return st;
    tdm_decoder_logits(d, logits, 1);
    double mass = tdm_log_mass(logits, V);
    for (size_t q = 0; q < n; q++) {
        if (sum) sum[q] = 0;
        if (start[q] < start[q + 1]) add(sum, logp, q, start[q], (double)logits[token[start[q]]] - mass);
    }
    for (size_t next = 0;;) {
        size_t text[SIDE], rows = 0;
        uint32_t say[SIDE];
        for (size_t i = 0; i < SIDE; i++) {
            reading *x = &place[i];
            if (x->busy && x->at + 1 == start[x->q + 1]) x->busy = false;
            while (!x->busy && next < n) { /* of one token all is known */
                *x = (reading){next, start[next], start[next + 1] - start[next] > 1};
                if (x->busy) tdm_decoder_fork(d, i, PREFIX);
                next++;
            }
            if (!x->busy) continue;
            text[rows] = i;
            say[rows++] = token[x->at++];
        }
        if (!rows) return TDM_OK;
        st = tdm_decoder_step(d, text, say, rows, err);
        if (st) return st;
        tdm_decoder_logits(d, logits, rows);
        for (size_t r = 0; r < rows; r++) {
            const reading *x = &place[text[r]];
            const float *row = logits + r * V;
            add(sum, logp, x->q, x->at, (double)row[token[x->at]] - tdm_log_mass(row, V));
        }
    }
}

tdm_status tdm_gpt2_score(const tdm_gpt2_packed *packed, double *sum, float *logp, const uint32_t *prefix,
                          size_t n_prefix, const uint32_t *token, const uint32_t *start, size_t n, tdm_pool *pool,
                          tdm_err *err)
{
    size_t V = packed->g->s.V, T = packed->g->s.T, longest = 1;
    for (size_t q = 0; q < n; q++) {
        if (start[q] > start[q + 1]) return tdm_fail(err, TDM_E_ARG, "continuation %zu ends before it begins", q);
        if (start[q + 1] - start[q] > longest) longest = start[q + 1] - start[q];
    }
    for (size_t i = 0; n && i < start[n]; i++)
        if (token[i] >= V) return tdm_fail(err, TDM_E_ARG, "token %u is not below %zu", token[i], V);
    if (!n_prefix || n_prefix > T || longest > T + 1 - n_prefix)
        return tdm_fail(err, TDM_E_ARG, "%zu tokens with %zu behind them, where the model reads 1 to %zu", n_prefix,
                        longest, T);
    tdm_decoder *d = NULL;
    float *logits = tdm_new(SIDE * V, sizeof *logits);
    tdm_status st = logits ? TDM_OK : tdm_nomem(err, "scores of continuations");
    if (!st) st = tdm_decoder_open(&d, packed, SIDE + 1, n_prefix + longest - 1, pool, err);
    if (!st) st = score_all(d, logits, V, sum, logp, prefix, n_prefix, token, start, n, err);
    tdm_decoder_close(d);
    tdm_free(logits);
    return st;
}
