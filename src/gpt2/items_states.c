/* SPDX-License-Identifier: Apache-2.0 */
/* items_states.c - histories kept between events. */
#include "gpt2/items_states.h"
#include "base/mem.h"
#include "base/status.h"
#include "gpt2/decode.h"
#include "gpt2/items_parts.h"

#include <math.h>
#include <string.h>

struct tdm_items_states {
    const tdm_items *m;
    tdm_gpt2_packed *packed;
    tdm_decoder *d;
    size_t people;
    uint32_t *token; /* people x T: what each has been read as, the beginning first */
    size_t *n;       /* people: how many tokens; 0: not begun */
    float *last;     /* people x C: what stands behind the newest */
    size_t *who;     /* people: who takes a step */
    uint32_t *next;  /* people: with what */
};

tdm_status tdm_items_states_open(tdm_items_states **out, const tdm_model *m, size_t people, tdm_pool *pool,
                                 tdm_err *err)
{
    *out = NULL;
    if (m->ops != &tdm_gpt2_items_ops)
        return tdm_fail(err, TDM_E_ARG, "%s does not keep histories; gpt2-items does", m->ops->name);
    tdm_items_states *s = tdm_new(1, sizeof *s);
    if (!s) return tdm_nomem(err, "the states of histories");
    *s = (tdm_items_states){.m = (const tdm_items *)m, .people = people};
    tdm_gpt2_shape shape = s->m->g->s;
    s->token = tdm_new(people, shape.T * sizeof *s->token);
    s->n = tdm_new(people, sizeof *s->n);
    s->last = tdm_new(people, shape.C * sizeof *s->last);
    s->who = tdm_new(people, sizeof *s->who);
    s->next = tdm_new(people, sizeof *s->next);
    tdm_status st =
        s->token && s->n && s->last && s->who && s->next ? TDM_OK : tdm_nomem(err, "the states of histories");
    if (!st) st = tdm_gpt2_packed_open(&s->packed, s->m->g, TDM_WEIGHTS_F32, pool, err);
    if (!st) st = tdm_decoder_open(&s->d, s->packed, people, shape.T, pool, err);
    if (st) tdm_items_states_close(s);
    else *out = s;
    return st;
}

void tdm_items_states_close(tdm_items_states *s)
{
    if (!s) return;
    tdm_decoder_close(s->d);
    tdm_gpt2_packed_close(s->packed);
    tdm_free(s->token);
    tdm_free(s->n);
    tdm_free(s->last);
    tdm_free(s->who);
    tdm_free(s->next);
    tdm_free(s);
}

static tdm_status outside(const tdm_items_states *s, size_t person, tdm_err *err)
{
    return tdm_fail(err, TDM_E_ARG, "there is no person %zu among the %zu whose histories are kept", person, s->people);
}

static void remember(tdm_items_states *s, size_t person, size_t row)
{
    size_t C = s->m->g->s.C;
    memcpy(s->last + person * C, tdm_decoder_state(s->d, row), C * sizeof *s->last);
}

/* Reads a person's n tokens from the first on. */
static tdm_status read_all(tdm_items_states *s, size_t person, size_t n, tdm_err *err)
{
    s->n[person] = 0; /* until it has gone well */
    tdm_decoder_rewind(s->d, person, 0);
    tdm_status st = tdm_decoder_feed(s->d, person, s->token + person * s->m->g->s.T, n, err);
    if (st) return st;
    s->n[person] = n;
    remember(s, person, 0);
    return TDM_OK;
}

tdm_status tdm_items_states_begin(tdm_items_states *s, size_t person, const tdm_history *h, tdm_err *err)
{
    if (person >= s->people) return outside(s, person, err);
    return read_all(s, person, tdm_items_tokens(s->m, s->token + person * s->m->g->s.T, h, SIZE_MAX), err);
}

tdm_status tdm_items_states_extend(tdm_items_states *s, const size_t *person, const uint32_t *item, size_t n,
                                   tdm_err *err)
{
    size_t T = s->m->g->s.T, steps = 0;
    for (size_t i = 0; i < n; i++) {
        if (person[i] >= s->people) return outside(s, person[i], err);
        if (!s->n[person[i]])
            return tdm_fail(err, TDM_E_ARG, "person %zu has no history to extend: begin it first", person[i]);
    }
    tdm_status st = TDM_OK;
    for (size_t i = 0; i < n && !st; i++) {
        size_t p = person[i];
        uint32_t *token = s->token + p * T;
        if (item[i] >= s->m->I) continue;
        if (s->n[p] < T) {
            token[s->n[p]] = item[i];
            s->who[steps] = p;
            s->next[steps++] = item[i];
        } else { /* the window is full: its oldest goes, and all others stand elsewhere */
            memmove(token + 1, token + 2, (T - 2) * sizeof *token);
            token[T - 1] = item[i];
            st = read_all(s, p, T, err);
        }
    }
    if (!st && steps) st = tdm_decoder_step(s->d, s->who, s->next, steps, err);
    for (size_t i = 0; i < steps && !st; i++) {
        s->n[s->who[i]]++;
        remember(s, s->who[i], i);
    }
    for (size_t i = 0; i < n && st; i++) s->n[person[i]] = 0;
    return st;
}

tdm_status tdm_items_states_score(const tdm_items_states *s, float *scores, size_t person, tdm_err *err)
{
    const tdm_items *m = s->m;
    size_t C = m->g->s.C;
    if (person >= s->people) return outside(s, person, err);
    if (!s->n[person]) return tdm_fail(err, TDM_E_ARG, "person %zu has no history yet: begin it first", person);
    tdm_gemm(0, 1, 1, m->I, C, 1, s->last + person * C, C, m->g->w.wte, C, 0, scores, m->I);
    for (size_t i = 0; i < m->I; i++)
        if (!m->known[i]) scores[i] = -INFINITY;
    return TDM_OK;
}
