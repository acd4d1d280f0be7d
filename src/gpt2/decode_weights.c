/* SPDX-License-Identifier: Apache-2.0 */
/* decode_weights.c - the matrices of a GPT-2 as decoding reads them. */
#include "gpt2/decode_parts.h"
#include "base/mem.h"
#include "base/status.h"

static tdm_status matrix(tdm_packed *out, const tdm_gpt2_packed *p, const tdm_linear *l, tdm_pool *pool, tdm_err *err)
{
    return tdm_packed_make(out, p->kind, l->w, l->in, l->out, false, pool, err);
}

tdm_status tdm_gpt2_packed_open(tdm_gpt2_packed **out, const tdm_gpt2 *g, tdm_weights kind, tdm_pool *pool,
                                tdm_err *err)
{
    const tdm_gpt2_shape s = g->s;
    *out = NULL;
    tdm_gpt2_packed *p = tdm_new(1, sizeof *p);
    if (!p) return tdm_nomem(err, "weights for decoding");
    *p = (tdm_gpt2_packed){.g = g, .kind = kind, .layer = tdm_new(s.L, sizeof *p->layer)};
    tdm_status st = p->layer ? TDM_OK : tdm_nomem(err, "weights for decoding");
    if (!st) st = tdm_packed_make(&p->table, kind, g->w.wte, s.C, s.V, true, pool, err);
    for (size_t l = 0; !st && l < s.L; l++) {
        const tdm_layer_w w = tdm_layer_of(&g->w, s, l);
        st = matrix(&p->layer[l].qkv, p, &w.qkv, pool, err);
        if (!st) st = matrix(&p->layer[l].att, p, &w.att, pool, err);
        if (!st) st = matrix(&p->layer[l].fc, p, &w.fc, pool, err);
        if (!st) st = matrix(&p->layer[l].proj, p, &w.proj, pool, err);
    }
    if (st) tdm_gpt2_packed_close(p);
    else *out = p;
    return st;
}

void tdm_gpt2_packed_close(tdm_gpt2_packed *p)
{
    if (!p) return;
    tdm_packed_clear(&p->table);
    for (size_t l = 0; p->layer && l < p->g->s.L; l++) {
        tdm_packed_clear(&p->layer[l].qkv);
        tdm_packed_clear(&p->layer[l].att);
        tdm_packed_clear(&p->layer[l].fc);
        tdm_packed_clear(&p->layer[l].proj);
    }
    tdm_free(p->layer);
    tdm_free(p);
}

size_t tdm_gpt2_packed_bytes(const tdm_gpt2_packed *p)
{
    size_t n = tdm_packed_bytes(&p->table);
    for (size_t l = 0; l < p->g->s.L; l++)
        n += tdm_packed_bytes(&p->layer[l].qkv) + tdm_packed_bytes(&p->layer[l].att) +
             tdm_packed_bytes(&p->layer[l].fc) + tdm_packed_bytes(&p->layer[l].proj);
    return n;
}
