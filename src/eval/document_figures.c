/* SPDX-License-Identifier: Apache-2.0 */
/* document_figures.c - the points of the report's figures, as keys of the document. */
#include "eval/document.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static cJSON *tail_list(const double *share) { return cJSON_CreateDoubleArray(share, TDM_TAIL_POINTS); }

/* Whether every list has its points: cJSON drops what memory was short for. */
static bool add_tail(cJSON *o, const tdm_evaluation *e)
{
    cJSON *tail = cJSON_AddObjectToObject(o, "long_tail");
    bool whole = cJSON_AddItemToObject(tail, "items", tail_list(tdm_tail_items));
    whole = cJSON_AddItemToObject(tail, "data", tail_list(e->tail)) && whole;
    cJSON *models = cJSON_AddObjectToObject(tail, "models");
    for (size_t i = 0; i < e->n_models; i++) {
        const tdm_judged *j = &e->models[i];
        if (!j->ranks || !(j->tail[TDM_TAIL_POINTS - 1] > 0)) continue;
        whole = cJSON_AddItemToObject(models, j->name, tail_list(j->tail)) && whole;
    }
    return whole && models;
}

static bool add_bins(cJSON *o, const tdm_evaluation *e)
{
    bool whole = true;
    cJSON *models = NULL;
    for (size_t i = 0; whole && i < e->n_models; i++) {
        const tdm_judged *j = &e->models[i];
        if (!j->bins) continue;
        if (!models) models = cJSON_AddObjectToObject(o, "calibration");
        cJSON *list = cJSON_AddArrayToObject(models, j->name);
        for (size_t b = 0; b < j->bins; b++) {
            cJSON *one = cJSON_CreateObject();
            cJSON_AddNumberToObject(one, "ratings", (double)j->bin[b].n);
            cJSON_AddNumberToObject(one, "predicted", j->bin[b].predicted);
            cJSON_AddNumberToObject(one, "given", j->bin[b].given);
            whole = cJSON_GetArraySize(one) == 3 && cJSON_AddItemToArray(list, one) && whole;
        }
    }
    return whole;
}

tdm_status tdm_evaluation_add_figures(cJSON *o, const tdm_evaluation *e, tdm_err *err)
{
    bool whole = !e->people || add_tail(o, e);
    return add_bins(o, e) && whole ? TDM_OK : tdm_nomem(err, "an evaluation's figures");
}

/* ---- the hybrid's parts ---- */

tdm_status tdm_evaluation_add_influence(cJSON *o, const tdm_influence *v, tdm_err *err)
{
    if (!v->people) return TDM_OK;
    cJSON *all = cJSON_AddObjectToObject(o, "influence"), *parts = NULL;
    cJSON_AddNumberToObject(all, "people", (double)v->people);
    cJSON_AddNumberToObject(all, "list", (double)v->list);
    cJSON *history = cJSON_AddObjectToObject(all, "history");
    bool whole = history != NULL;
    for (int c = 0; c < TDM_LENGTHS && whole; c++) {
        if (!v->of[c]) continue;
        cJSON *class = cJSON_AddObjectToObject(history, tdm_slice_name(c));
        cJSON_AddNumberToObject(class, "people", (double)v->of[c]);
        parts = cJSON_AddObjectToObject(class, "parts");
        for (size_t p = 0; p < v->P; p++) cJSON_AddNumberToObject(parts, v->name[p], v->share[c][p]);
        whole = (size_t)cJSON_GetArraySize(parts) == v->P;
    }
    return whole ? TDM_OK : tdm_nomem(err, "the shares of parts");
}

static void add_interval(cJSON *o, const char *key, size_t k, const tdm_estimate *e)
{
    char name[48];
    snprintf(name, sizeof name, "%s@%zu", key, k);
    cJSON *one = cJSON_AddObjectToObject(o, name);
    cJSON_AddNumberToObject(one, "value", e->value);
    cJSON_AddNumberToObject(one, "low", e->low);
    cJSON_AddNumberToObject(one, "high", e->high);
}

/* What the whole hybrid, the evaluation's first model, has more than model b. */
static bool add_lost(cJSON *lost, const tdm_evaluation *e, size_t b)
{
    static const char *const names[] = {"ndcg", "recall"};
    char key[48];
    for (size_t i = 0; i < e->n_comparisons; i++) {
        const tdm_comparison *c = &e->comparisons[i];
        if (c->b != b || c->of == TDM_OF_RMSE) continue;
        snprintf(key, sizeof key, "%s@%zu", names[c->of], e->k[e->main]);
        cJSON *one = cJSON_AddObjectToObject(lost, key);
        cJSON_AddNumberToObject(one, "difference", -c->difference.value);
        cJSON_AddNumberToObject(one, "low", -c->difference.high);
        cJSON_AddNumberToObject(one, "high", -c->difference.low);
        cJSON_AddNumberToObject(one, "p", c->corrected);
        cJSON_AddNumberToObject(one, "p_uncorrected", c->p);
        cJSON_AddBoolToObject(one, "significant", c->corrected < 0.05);
    }
    return lost && lost->child;
}

tdm_status tdm_evaluation_add_ablation(cJSON *o, const tdm_evaluation *e, const tdm_ablated *a, size_t n, size_t labels,
                                       tdm_err *err)
{
    cJSON *all = cJSON_AddObjectToObject(o, "ablation");
    cJSON_AddNumberToObject(all, "people", (double)e->people);
    cJSON_AddNumberToObject(all, "labels", (double)labels);
    cJSON *hybrid = cJSON_AddObjectToObject(all, "whole"), *without = cJSON_AddObjectToObject(all, "without");
    bool there = hybrid && without;
    for (size_t i = 0; i <= n && there; i++) {
        const tdm_judged *j = &e->models[i];
        cJSON *m = i ? cJSON_AddObjectToObject(without, a[i - 1].name) : hybrid;
        add_interval(m, "ndcg", e->k[e->main], &j->at[e->main][TDM_NDCG]);
        add_interval(m, "recall", e->k[e->main], &j->at[e->main][TDM_RECALL]);
        there = cJSON_GetArraySize(m) == 2;
        if (!i) continue;
        cJSON *lacks = cJSON_AddArrayToObject(m, "lacks");
        for (const char *const *name = a[i - 1].lacks; *name; name++)
            cJSON_AddItemToArray(lacks, cJSON_CreateString(*name));
        there = there && cJSON_GetArraySize(lacks) > 0 && add_lost(cJSON_AddObjectToObject(m, "change"), e, i);
    }
    return there ? TDM_OK : tdm_nomem(err, "the hybrid without some of its parts");
}
