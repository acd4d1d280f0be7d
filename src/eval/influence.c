/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/influence.h"

#include "base/mem.h"
#include "eval/rank.h"
#include "hybrid/hybrid.h"

#include <math.h>

enum { GRAIN = 4 };

typedef struct asking {
    const tdm_evaluate_input *in;
    const tdm_model *m;
    const uint32_t *asked, *list, *found;
    size_t k, P;
    double *share;  /* people x P; all zero where no part has an opinion */
    tdm_status *st; /* chunks */
    tdm_err *err;
} asking;

static tdm_status ask(const asking *a, size_t i, float *parts, tdm_err *err)
{
    const tdm_history h = tdm_questions_history(a->in->questions, a->asked[i]);
    double *share = a->share + i * a->P;
    size_t counted = 0;
    tdm_status st = tdm_hybrid_parts_of(a->m, parts, &h, a->list + i * a->k, a->found[i], err);
    for (size_t k = 0; k < a->found[i] && !st; k++) {
        const float *part = parts + k * a->P;
        double all = 0;
        for (size_t p = 0; p < a->P; p++) all += fabs((double)part[p]);
        if (!(all > 0)) continue;
        counted++;
        for (size_t p = 0; p < a->P; p++) share[p] += fabs((double)part[p]) / all;
    }
    for (size_t p = 0; p < a->P && counted; p++) share[p] /= (double)counted;
    return st;
}

static void ask_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const asking *a = ctx;
    float *parts = tdm_new(a->k * a->P, sizeof *parts);
    a->st[chunk] = parts ? TDM_OK : tdm_nomem(&a->err[chunk], "the parts of recommendations");
    for (size_t i = begin; i < end && !a->st[chunk]; i++) a->st[chunk] = ask(a, i, parts, &a->err[chunk]);
    tdm_free(parts);
}

static void sum_up(tdm_influence *out, const asking *a, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const double *share = a->share + i * a->P;
        double all = 0;
        int class = tdm_length_class(tdm_questions_history(a->in->questions, a->asked[i]).n);
        for (size_t p = 0; p < a->P; p++) all += share[p];
        if (!(all > 0)) continue;
        out->of[class]++;
        out->people++;
        for (size_t p = 0; p < a->P; p++) out->share[class][p] += share[p];
    }
    for (int c = 0; c < TDM_LENGTHS; c++)
        for (size_t p = 0; p < a->P && out->of[c]; p++) out->share[c][p] /= (double)out->of[c];
}

tdm_status tdm_evaluate_influence(tdm_influence *out, const tdm_evaluate_input *in, tdm_run *run, tdm_err *err)
{
    *out = (tdm_influence){.list = tdm_main_cutoff(in)};
    if (out->list > in->train->I) out->list = in->train->I;
    const tdm_model *m = in->subject < in->n_models ? in->models[in->subject] : NULL, *const * models;
    if (!m || m->ops != &tdm_hybrid_ops) return TDM_OK;
    size_t P = tdm_hybrid_models(m, &models), k = out->list, chunks = tdm_chunks(TDM_INFLUENCE_PEOPLE, GRAIN);
    uint32_t *asked = tdm_new(in->questions->n, sizeof *asked), *list = tdm_new(TDM_INFLUENCE_PEOPLE, k * sizeof *list);
    uint32_t *found = tdm_new(TDM_INFLUENCE_PEOPLE, sizeof *found);
    asking a = {in,
                m,
                asked,
                list,
                found,
                k,
                P,
                tdm_new(TDM_INFLUENCE_PEOPLE, P * sizeof(double)),
                tdm_new(chunks, sizeof(tdm_status)),
                tdm_new(chunks, sizeof(tdm_err))};
    bool room = asked && list && found && a.share && a.st && a.err && P <= TDM_INFLUENCE_PARTS;
    tdm_status st = room ? TDM_OK : tdm_nomem(err, "the parts of recommendations");
    size_t n = st ? 0 : tdm_questions_asked(asked, in->questions);
    if (n > TDM_INFLUENCE_PEOPLE) n = TDM_INFLUENCE_PEOPLE;
    const tdm_rank_job job = {m, in->questions, asked, n, in->train->I, k, in->seen, &in->unlike, NULL};
    if (!st) st = tdm_rank(list, found, &job, run->pool, run, err);
    if (!st) tdm_pool_for(run->pool, n, GRAIN, ask_chunk, &a);
    for (size_t c = 0; c < chunks && !st; c++)
        if ((st = a.st[c]) && err) *err = a.err[c];
    if (!st) {
        out->P = P;
        for (size_t p = 0; p < P; p++) out->name[p] = models[p]->ops->name;
        sum_up(out, &a, n);
    }
    void *const all[] = {asked, list, found, a.share, a.st, a.err};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) tdm_free(all[i]);
    return st;
}
