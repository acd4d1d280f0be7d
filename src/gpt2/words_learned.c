/* SPDX-License-Identifier: Apache-2.0 */
/* words_learned.c - what a training of gpt2-words changes, from its beginning to what is saved.
 *
 * Adapters stand at all four linear layers of each block, with alpha = 2 rank: a rank can be changed without a new rate
 * (Hu et al. 2021, 4.1). In the end they are added into the weights, so a model that was tuned with them is a GPT-2
 * like any other. LayerNorms, biases, positions and the rows of old tokens stay as they are, bit for bit. */
#include "gpt2/words_learned.h"
#include "base/mem.h"
#include "base/status.h"

#include <string.h>

static const char stage[] = "gpt2-words";

static void add(tdm_learned *l, const char *name, const char *mean, float *at, size_t n)
{
    if (n) l->part[l->n++] = (struct tdm_learned_part){.name = name, .mean = mean, .at = at, .n = n};
}

tdm_status tdm_learned_open(tdm_learned *l, const tdm_words *w, uint64_t seed, tdm_err *err)
{
    const tdm_gpt2_shape s = w->g->s;
    const tdm_lora_options o = {.rank = (size_t)tdm_param_get(&w->p, "lora"),
                                .alpha = 2 * (float)tdm_param_get(&w->p, "lora")};
    *l = (tdm_learned){.g = w->g};
    if (!o.rank) {
        add(l, "weights", "average", w->g->block, w->g->n);
        return TDM_OK;
    }
    tdm_status st = tdm_lora_open(&l->lora, s, &o, err);
    if (st) return st;
    tdm_lora_init(l->lora, seed);
    l->rows = w->fresh;
    add(l, "adapters", "average.adapters", l->lora->block, l->lora->n);
    add(l, "rows", "average.rows", w->g->w.wte + (s.V - l->rows) * s.C, l->rows * s.C);
    return TDM_OK;
}

void tdm_learned_clear(tdm_learned *l)
{
    for (size_t k = 0; k < l->n; k++) tdm_free(l->part[k].average);
    tdm_lora_close(l->lora);
    *l = (tdm_learned){0};
}

tdm_status tdm_learned_join(tdm_learned *l, tdm_course *c, bool averages, tdm_err *err)
{
    for (size_t k = 0; k < l->n; k++) tdm_course_array(c, l->part[k].name, l->part[k].at, l->part[k].n);
    for (size_t k = 0; averages && k < l->n; k++) {
        struct tdm_learned_part *p = &l->part[k];
        p->average = tdm_new(p->n, sizeof *p->average);
        if (!p->average) return tdm_nomem(err, stage);
        memcpy(p->average, p->at, p->n * sizeof *p->average);
        tdm_course_average(c, p->mean, p->average, p->at, p->n);
    }
    return TDM_OK;
}

void tdm_learned_finish(tdm_learned *l)
{
    for (size_t k = 0; k < l->n; k++)
        if (l->part[k].average) memcpy(l->part[k].at, l->part[k].average, l->part[k].n * sizeof *l->part[k].at);
    if (l->lora) tdm_lora_merge(l->g, l->lora);
}
