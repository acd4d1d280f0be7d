/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/document.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Every figure is written with 17 digits by cJSON, so that a reader gets the double back. NaN has no JSON: it is left
 * out, or null where the key must be there. */
static void add_number(cJSON *o, const char *key, double v)
{
    if (isnan(v)) cJSON_AddNullToObject(o, key);
    else cJSON_AddNumberToObject(o, key, v);
}

static cJSON *estimate(const tdm_estimate *e)
{
    cJSON *o = cJSON_CreateObject();
    add_number(o, "value", e->value);
    if (!isnan(e->low)) {
        add_number(o, "low", e->low);
        add_number(o, "high", e->high);
    }
    return o;
}

static void add_estimate(cJSON *o, const tdm_estimate *e, const char *metric, size_t k)
{
    char key[32];
    if (isnan(e->value)) return;
    if (k) snprintf(key, sizeof key, "%s@%zu", metric, k);
    else snprintf(key, sizeof key, "%s", metric);
    cJSON_AddItemToObject(o, key, estimate(e));
}

static cJSON *model(const tdm_evaluation *e, const tdm_judged *j)
{
    cJSON *o = cJSON_CreateObject();
    for (size_t c = 0; j->ranks && c < e->n_k; c++)
        for (int m = 0; m < TDM_MEASURES; m++) add_estimate(o, &j->at[c][m], tdm_measure_name(m), e->k[c]);
    add_estimate(o, &j->rmse, "rmse", 0);
    add_estimate(o, &j->mae, "mae", 0);
    if (e->chance > 0 && j->ranks && !isnan(j->at[e->main][TDM_RECALL].value))
        cJSON_AddNumberToObject(o, "times_chance", j->at[e->main][TDM_RECALL].value / e->chance);
    if (j->prediction) {
        cJSON_AddNumberToObject(o, "rated", (double)j->rated);
        cJSON_AddNumberToObject(o, "unrated", (double)j->unrated);
    }
    cJSON_AddNumberToObject(o, "evaluation_seconds", j->seconds);
    return o;
}

static cJSON *comparison(const tdm_evaluation *e, const tdm_comparison *c)
{
    static const char *const names[] = {"ndcg", "recall"};
    char key[32];
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "a", e->models[c->a].name);
    cJSON_AddStringToObject(o, "b", e->models[c->b].name);
    if (c->of == TDM_OF_RMSE) snprintf(key, sizeof key, "rmse");
    else snprintf(key, sizeof key, "%s@%zu", names[c->of], e->k[e->main]);
    cJSON_AddStringToObject(o, "metric", key);
    cJSON_AddNumberToObject(o, "people", (double)c->people);
    add_number(o, "difference", c->difference.value);
    add_number(o, "low", c->difference.low);
    add_number(o, "high", c->difference.high);
    cJSON_AddNumberToObject(o, "p", c->corrected);
    cJSON_AddNumberToObject(o, "p_uncorrected", c->p);
    cJSON_AddBoolToObject(o, "significant", c->corrected < 0.05);
    return o;
}

static cJSON *slice(const tdm_evaluation *e, int s)
{
    cJSON *o = cJSON_CreateObject(), *models;
    cJSON_AddNumberToObject(o, "people", (double)e->slice_people[s]);
    models = cJSON_AddObjectToObject(o, "models");
    for (size_t i = 0; i < e->n_models; i++) {
        const tdm_judged *j = &e->models[i];
        if (!j->ranks) continue;
        cJSON *m = cJSON_AddObjectToObject(models, j->name);
        add_estimate(m, &j->slice_ndcg[s], "ndcg", e->k[e->main]);
        add_estimate(m, &j->slice_recall[s], "recall", e->k[e->main]);
    }
    return o;
}

static cJSON *tradeoff(const tdm_evaluation *e)
{
    cJSON *o = cJSON_CreateObject(), *lists;
    cJSON_AddStringToObject(o, "model", e->models[e->tradeoff.model].name);
    cJSON_AddNumberToObject(o, "people", (double)e->tradeoff.people);
    cJSON_AddNumberToObject(o, "evaluation_seconds", e->tradeoff.seconds);
    lists = cJSON_AddArrayToObject(o, "lists");
    for (int i = 0; i < TDM_SPREADS; i++) {
        const tdm_spread *s = &e->tradeoff.at[i];
        cJSON *one = cJSON_CreateObject();
        cJSON_AddNumberToObject(one, "weight", s->weight);
        add_estimate(one, &s->ndcg, "ndcg", e->k[e->main]);
        add_estimate(one, &s->diversity, "diversity", e->k[e->main]);
        if (i) add_estimate(one, &s->difference, "difference", 0);
        cJSON_AddItemToArray(lists, one);
    }
    return o;
}

/* The best of the others by ndcg at the main cutoff; the first of equals. */
static size_t best_part(const tdm_evaluation *e, size_t subject)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < e->n_models; i++) {
        if (i == subject || !e->models[i].ranks) continue;
        double v = e->models[i].at[e->main][TDM_NDCG].value;
        if (!isnan(v) && (best == SIZE_MAX || v > e->models[best].at[e->main][TDM_NDCG].value)) best = i;
    }
    return best;
}

static void add_definitions(cJSON *o)
{
    static const char *const texts[][2] = {
        {"precision@k", "hits among the first k, divided by k"},
        {"recall@k", "hits among the first k, divided by the person's held-out relevant items"},
        {"f1@k", "harmonic mean of that person's precision@k and recall@k; 0 where both are 0"},
        {"map@k", "sum of the precision at the place of each hit, divided by min(k, held-out relevant items)"},
        {"ndcg@k",
         "each hit counts 1/log2(place + 1), divided by what min(k, held-out relevant items) hits on top give"},
        {"mrr@k", "1 / place of the first hit among the first k; 0 without one"},
        {"hit@k", "1 where there is a hit among the first k, else 0"},
        {"novelty@k", "mean over the list of -log2((n + 1) / (N + 1)): n of the N training people chose the item"},
        {"diversity@k", "mean over the pairs of the list of 1 - cosine of the items' text vectors"},
        {"coverage@k", "share of the catalogue that is in anyone's first k"},
        {"gini@k", "inequality of how often items are recommended, over the whole catalogue: 0 equal, 1 one item only"},
        {"rmse", "root of the mean squared difference of predicted and given rating, pooled over held-out ratings; "
                 "predictions are clipped to the data's scale"},
        {"mae", "mean absolute difference of predicted and given rating, pooled likewise"},
        {"interval", "95%, from 1,000 resamples of people"},
        {"long tail",
         "what the most recommended items have of all recommendations at the main cutoff; of the data, what the "
         "most chosen items have of all choices in training, each person's of an item once"},
        {"calibration",
         "held-out ratings in at most ten groups of one size by predicted rating: the mean predicted and "
         "the mean given rating of each"},
        {"p", "paired randomisation test over people with 10,000 draws, corrected by Holm over the table"},
        {"slices", "history: people by the interactions known before the question; target: only held-out items of that "
                   "kind count as relevant. head: the fifth of the catalogue with the most training interactions; "
                   "tail: the rest; new: without any"},
    };
    cJSON *d = cJSON_AddObjectToObject(o, "definitions");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) cJSON_AddStringToObject(d, texts[i][0], texts[i][1]);
}

tdm_status tdm_evaluation_add(cJSON *o, const tdm_evaluation *e, size_t subject, tdm_err *err)
{
    char key[32];
    cJSON_AddNumberToObject(o, "people", (double)e->people);
    cJSON_AddNumberToObject(o, "held_out", (double)e->held_out);
    cJSON_AddNumberToObject(o, "targets", (double)e->targets);
    cJSON_AddNumberToObject(o, "relevant", (double)e->counted);
    cJSON_AddNumberToObject(o, "ratings", (double)e->ratings);
    cJSON_AddNumberToObject(o, "candidates", (double)e->candidates);
    if (e->diversity > 0) cJSON_AddNumberToObject(o, "diversity", e->diversity);
    if (e->newest) cJSON_AddNumberToObject(o, "newest", (double)e->newest);
    cJSON *list = cJSON_AddArrayToObject(o, "cutoffs");
    for (size_t c = 0; c < e->n_k; c++) cJSON_AddItemToArray(list, cJSON_CreateNumber((double)e->k[c]));
    snprintf(key, sizeof key, "ndcg@%zu", e->k[e->main]);
    cJSON_AddStringToObject(o, "main", key);
    if (e->chance > 0) {
        cJSON *chance = cJSON_AddObjectToObject(o, "chance");
        snprintf(key, sizeof key, "recall@%zu", e->k[e->main]);
        cJSON_AddNumberToObject(chance, key, e->chance);
    }
    if (subject < e->n_models) cJSON_AddStringToObject(o, "subject", e->models[subject].name);
    size_t best = best_part(e, subject);
    if (best != SIZE_MAX) cJSON_AddStringToObject(o, "best_part", e->models[best].name);
    cJSON *models = cJSON_AddObjectToObject(o, "models");
    for (size_t i = 0; i < e->n_models; i++) cJSON_AddItemToObject(models, e->models[i].name, model(e, &e->models[i]));
    cJSON *pairs = cJSON_AddArrayToObject(o, "comparisons");
    for (size_t i = 0; i < e->n_comparisons; i++) cJSON_AddItemToArray(pairs, comparison(e, &e->comparisons[i]));
    cJSON *slices = cJSON_AddObjectToObject(o, "slices"), *history = cJSON_AddObjectToObject(slices, "history");
    cJSON *target = cJSON_AddObjectToObject(slices, "target");
    for (int s = 0; s < TDM_SLICES; s++)
        if (e->slice_people[s])
            cJSON_AddItemToObject(s < TDM_LENGTHS ? history : target, tdm_slice_name(s), slice(e, s));
    if (e->tradeoff.people) cJSON_AddItemToObject(o, "diversity_cost", tradeoff(e));
    tdm_status st = tdm_evaluation_add_figures(o, e, err);
    if (st) return st;
    add_definitions(o);
    /* cJSON gives NULL where memory is short; a part that is missing at the end means that some addition failed. */
    return cJSON_GetObjectItemCaseSensitive(o, "definitions") ? TDM_OK : tdm_nomem(err, "an evaluation's document");
}

tdm_status tdm_evaluation_add_click(cJSON *o, const tdm_evaluation *e, tdm_err *err)
{
    double popular = NAN;
    cJSON *click = cJSON_AddObjectToObject(o, "one_click");
    cJSON_AddNumberToObject(click, "people", (double)e->people);
    cJSON *models = cJSON_AddObjectToObject(click, "models");
    for (size_t i = 0; i < e->n_models; i++)
        if (!strcmp(e->models[i].name, "popularity")) popular = e->models[i].at[e->main][TDM_RECALL].value;
    bool there = models != NULL;
    for (size_t i = 0; there && i < e->n_models; i++) {
        const tdm_judged *j = &e->models[i];
        const tdm_estimate *at = j->at[e->main];
        if (!j->ranks || isnan(at[TDM_RECALL].value)) continue;
        cJSON *m = cJSON_AddObjectToObject(models, j->name);
        add_estimate(m, &at[TDM_RECALL], "recall", e->k[e->main]);
        add_estimate(m, &at[TDM_NDCG], "ndcg", e->k[e->main]);
        there = cJSON_GetArraySize(m) == 2;
        if (e->chance > 0) cJSON_AddNumberToObject(m, "times_chance", at[TDM_RECALL].value / e->chance);
        if (popular > 0) cJSON_AddNumberToObject(m, "times_popularity", at[TDM_RECALL].value / popular);
    }
    return there ? TDM_OK : tdm_nomem(err, "an evaluation's document");
}
