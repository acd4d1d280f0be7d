/* SPDX-License-Identifier: Apache-2.0 */
/* ablation.c - what the hybrid is without some of its parts. The parts are as they were fitted; the weights are learned
 * again without those left out, from the same validation people, and judged on the same test people. Of both a part is
 * enough, and the whole hybrid is then learned again too, so that all know the same. */
#include "api/evaluate.h"
#include "api/train.h"
#include "base/clock.h"
#include "hybrid/hybrid.h"

#include <string.h>

enum {
    LABELS = 4000, /* validation people at most: with more, learning takes longer and the differences stay */
    JUDGED = 4000, /* test people at most: the first, and people are numbered by a hash of their ids */
    GROUPS = 3
};

/* These know no taste: they count choices, and stay where CF goes. */
static const char *const counting[] = {"popularity", "recent", "category-popularity"};

static bool is_gpt2(const tdm_model_ops *ops) { return !strncmp(ops->path, "gpt2-", 5); }

static bool is_cf(const tdm_model_ops *ops)
{
    for (size_t i = 0; i < sizeof counting / sizeof *counting; i++)
        if (!strcmp(ops->name, counting[i])) return false;
    return !strncmp(ops->path, "cf/", 3);
}

static bool is_content(const tdm_model_ops *ops) { return !strcmp(ops->name, "content"); }

static const struct {
    const char *name;
    bool (*holds)(const tdm_model_ops *ops);
} groups[GROUPS] = {{"without GPT-2", is_gpt2}, {"without CF", is_cf}, {"without content", is_content}};

typedef struct ablation {
    const tdm_bundle *b;
    tdm_questions labels;
    tdm_params params;
    tdm_run *run;
    tdm_model *fitted[GROUPS + 1]; /* closed at the end */
    size_t n_fitted;
    tdm_ablated without[GROUPS];
    const tdm_model *model[GROUPS + 1]; /* the whole, then those without */
    const char *name[GROUPS + 1];
    size_t n; /* without */
} ablation;

static tdm_status fit(ablation *a, const tdm_model *const *needs, tdm_err *err)
{
    const tdm_fit_input in = {.train = a->b->split->train,
                              .params = &a->params,
                              .needs = needs,
                              .labels = &a->labels,
                              .seen = a->b->protocol.seen == TDM_SEEN_KEEP,
                              .run = a->run};
    return tdm_hybrid_ops.fit(&a->fitted[a->n_fitted++], &in, err);
}

/* The group's hybrid; none where it lacks nothing, or has nothing left. */
static tdm_status fit_without(ablation *a, size_t group, const tdm_model *const *needs, tdm_err *err)
{
    const tdm_model *left[TDM_MAX_MODELS + 1];
    tdm_ablated *w = &a->without[a->n];
    size_t n = 0, gone = 0;
    *w = (tdm_ablated){.name = groups[group].name};
    for (size_t i = 0; needs[i]; i++)
        if (!groups[group].holds(needs[i]->ops)) left[n++] = needs[i];
        else if (gone < TDM_INFLUENCE_PARTS) w->lacks[gone++] = needs[i]->ops->name;
    left[n] = NULL;
    if (!n || !gone) return TDM_OK;
    tdm_status st = fit(a, left, err);
    if (st) return st;
    a->n++;
    a->name[a->n] = w->name;
    a->model[a->n] = a->fitted[a->n_fitted - 1];
    return TDM_OK;
}

/* What the folder's hybrid was trained with, save that fewer people may be enough. Whether they are fewer. */
static bool params_take(ablation *a, const cJSON *models)
{
    const cJSON *m, *p;
    a->params = tdm_params_standard(tdm_hybrid_ops.params);
    cJSON_ArrayForEach(m, models) cJSON_ArrayForEach(p, cJSON_GetObjectItemCaseSensitive(m, "parameters"))
    {
        if (!strcmp(tdm_json_str(m, "name", ""), tdm_hybrid_ops.name) && cJSON_IsNumber(p))
            (void)tdm_params_set(&a->params, tdm_hybrid_ops.name, p->string, p->valuedouble, NULL);
    }
    double people = tdm_param_get(&a->params, "people");
    if (!(people > LABELS && a->labels.n > LABELS)) return false;
    return !tdm_params_set(&a->params, tdm_hybrid_ops.name, "people", LABELS, NULL);
}

static tdm_status fit_all(ablation *a, const tdm_model *whole, bool again, int place, tdm_err *err)
{
    const tdm_model *needs[TDM_MAX_MODELS + 1];
    tdm_models_needed(needs, a->b->model, place);
    tdm_status st = again ? fit(a, needs, err) : TDM_OK;
    a->model[0] = again ? a->fitted[0] : whole;
    a->name[0] = tdm_hybrid_ops.name;
    for (size_t g = 0; g < GROUPS && !st; g++) st = fit_without(a, g, needs, err);
    return st;
}

/* The questions up to as many people as are judged. */
static tdm_questions first_of(const tdm_questions *qs)
{
    tdm_questions some = *qs;
    size_t people = 0;
    for (some.n = 0; some.n < qs->n && people < JUDGED; some.n++) {
        bool counts = false;
        for (int64_t t = qs->target_at[some.n]; t < qs->target_at[some.n + 1]; t++) counts |= qs->target_counts[t];
        people += counts;
    }
    return some;
}

static tdm_status judge(cJSON *document, const ablation *a, const tdm_evaluate_input *plain, double began, tdm_err *err)
{
    tdm_evaluation *e;
    const tdm_questions some = first_of(plain->questions);
    double people = tdm_param_get(&a->params, "people");
    const tdm_evaluate_input in = {.models = a->model,
                                   .names = a->name,
                                   .n_models = a->n + 1,
                                   .questions = &some,
                                   .train = plain->train,
                                   .k = {tdm_main_cutoff(plain)},
                                   .n_k = 1,
                                   .seen = plain->seen,
                                   .seed = plain->seed};
    tdm_status st = tdm_evaluate(&e, &in, a->run, err);
    if (!st && e->people)
        st = tdm_evaluation_add_ablation(document, e, a->without, a->n,
                                         (double)a->labels.n < people ? a->labels.n : (size_t)people, err);
    tdm_evaluation_close(e);
    cJSON *added = cJSON_GetObjectItemCaseSensitive(document, "ablation");
    if (added) cJSON_AddNumberToObject(added, "evaluation_seconds", tdm_seconds() - began);
    return st;
}

tdm_status tdm_ablation_add(cJSON *document, const tdm_bundle *b, const tdm_evaluate_input *in, tdm_run *run,
                            tdm_err *err)
{
    ablation a = {.b = b, .run = run};
    int place = tdm_models_index(tdm_str_of(tdm_hybrid_ops.name));
    uint64_t own = run->seed;
    double began = tdm_seconds();
    if (place < 0 || !b->model[place] || !b->split->validation.n) return TDM_OK;
    run->seed = (uint64_t)tdm_json_num(b->manifest, "seed", 0); /* the people and the draws of training */
    tdm_status st = tdm_questions_part(&a.labels, &b->split->validation, b->data, TDM_JUDGES, 1, run->seed, err);
    if (!st && a.labels.n) {
        bool again = params_take(&a, cJSON_GetObjectItemCaseSensitive(b->manifest, "models"));
        tdm_log(run, TDM_LOG_INFO, "evaluate", "the hybrid without some of its parts, learned from validation people");
        if (tdm_param_get(&a.params, "people") > 0) st = fit_all(&a, b->model[place], again, place, err);
    }
    run->seed = own;
    if (!st && a.n) st = judge(document, &a, in, began, err);
    for (size_t i = 0; i < a.n_fitted; i++) tdm_model_close(a.fitted[i]);
    tdm_questions_clear(&a.labels);
    return st;
}
