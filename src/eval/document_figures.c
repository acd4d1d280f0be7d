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
