/* SPDX-License-Identifier: Apache-2.0 */
#include "hybrid/fusion.h"

#include "base/json.h"
#include "base/mem.h"
#include "model/topk.h"

#include <math.h>
#include <string.h>

tdm_status tdm_fusion_init(tdm_fusion *f, const tdm_model *const *model, const tdm_dataset *train, tdm_err *err)
{
    *f = (tdm_fusion){.model = model, .I = train->I, .mean = NAN};
    while (model && model[f->P]) f->P++;
    if (!f->P || f->P > TDM_FUSION_MODELS)
        return tdm_fail(err, TDM_E_ARG, "hybrid: joins 1 to %d models that rank, and was given %zu", TDM_FUSION_MODELS,
                        f->P);
    f->people = tdm_new(f->I, sizeof *f->people);
    if (!f->people) return tdm_nomem(err, "the hybrid");
    double sum = 0;
    size_t n = 0;
    for (size_t k = 0; k < train->N; k++) {
        if (train->item[k] >= f->I)
            return tdm_fail(err, TDM_E_FORMAT, "hybrid: training row %zu names item %u of %zu", k, train->item[k],
                            f->I);
        f->people[train->item[k]]++;
        if (!isfinite(train->rating ? train->rating[k] : NAN)) continue;
        sum += (double)train->rating[k];
        n++;
    }
    for (size_t i = 0; i < f->I; i++) f->people[i] = (float)log1p((double)f->people[i]);
    if (n) f->mean = sum / (double)n;
    return TDM_OK;
}

void tdm_fusion_clear(tdm_fusion *f)
{
    tdm_network_clear(&f->net);
    tdm_free(f->people);
    f->people = NULL;
}

double tdm_gate_at(const tdm_gate *g, double x)
{
    return (x < g->low ? g->low : x > g->high ? g->high : x) - g->centre;
}

double tdm_opinion_norm(const float *score, size_t I, tdm_form form)
{
    double sum = 0, top = -INFINITY;
    if (form == TDM_FORM_SHARE) {
        for (size_t i = 0; i < I; i++)
            if (score[i] > 0 && score[i] < INFINITY) sum += (double)score[i];
        return sum > 0 ? 1 / sum : 0;
    }
    for (size_t i = 0; i < I; i++)
        if ((double)score[i] > top && score[i] < INFINITY) top = (double)score[i];
    for (size_t i = 0; i < I; i++)
        if (isfinite(score[i])) sum += exp((double)score[i] - top);
    return sum > 0 ? top + log(sum) : INFINITY;
}

double tdm_opinion_at(float score, tdm_form form, double norm, double floor)
{
    if (!isfinite(score)) return 0;
    if (form == TDM_FORM_SHARE) return score > 0 ? log1p((double)score * norm / floor) : 0;
    double x = (double)score - norm - log(floor);
    return x > 40 ? x : log1p(exp(x)); /* past 40 the 1 is lost anyway */
}

tdm_status tdm_fusion_voices(const tdm_fusion *f, float *scores, double *norms, const tdm_history *h, tdm_err *err)
{
    tdm_history last = *h;
    last.n = h->n > 0;
    last.items += h->n - last.n;
    if (last.ratings) last.ratings += h->n - last.n;
    if (last.times) last.times += h->n - last.n;
    tdm_status st = TDM_OK;
    for (size_t v = 0; v < 2 * f->P && !st; v++) {
        const tdm_model *m = f->model[v % f->P];
        float *s = scores + v * f->I;
        if (v < f->P || last.n) st = m->ops->score(m, s, v < f->P ? h : &last, 1, err);
        else
            for (size_t i = 0; i < f->I; i++) s[i] = -INFINITY;
        if (!st) norms[v] = tdm_opinion_norm(s, f->I, f->part[v % f->P].form);
    }
    return st;
}

size_t tdm_fusion_best(const tdm_fusion *f, uint32_t *best, float *room, const float *score, const tdm_history *h,
                       size_t n)
{
    memcpy(room, score, f->I * sizeof *room);
    for (size_t j = 0; !f->seen && j < h->n; j++)
        if (h->items[j] < f->I) room[h->items[j]] = -INFINITY;
    return tdm_topk(best, NULL, room, f->I, n);
}

void tdm_fusion_ranks(const tdm_fusion *f, float *ranks, size_t p, const uint32_t *best, size_t n, const float *score)
{
    memset(ranks, 0, f->I * sizeof *ranks);
    for (size_t k = 0, place = 0; k < n && k < TDM_FUSION_RANKED; k++) {
        float s = score[best[k]];
        if (f->part[p].form == TDM_FORM_SHARE && !(s > 0)) break;
        if (k && s < score[best[k - 1]]) place = k;
        ranks[best[k]] = 1 / (float)(1 + place);
    }
}

/* ---- the file ---- */

static const char *const forms[] = {"share", "softmax"};
static const char *const weights[TDM_GATES] = {"weight", "by_people", "by_length", "by_seen"};

static void gate_add(cJSON *o, const char *key, const tdm_gate *g)
{
    cJSON *a = cJSON_AddObjectToObject(o, key);
    cJSON_AddNumberToObject(a, "centre", g->centre);
    cJSON_AddNumberToObject(a, "low", g->low);
    cJSON_AddNumberToObject(a, "high", g->high);
}

tdm_status tdm_fusion_write(const tdm_fusion *f, const char *path, tdm_err *err)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "kind", f->net.H ? "network" : "linear");
    cJSON_AddNumberToObject(o, "labels", (double)f->labels);
    cJSON_AddNumberToObject(o, "strength", f->strength);
    cJSON_AddBoolToObject(o, "seen", f->seen);
    gate_add(o, "by_people", &f->by_people);
    gate_add(o, "by_length", &f->by_length);
    cJSON *list = cJSON_AddArrayToObject(o, "models");
    for (size_t p = 0; p < f->P; p++) {
        cJSON *m = cJSON_CreateObject();
        cJSON_AddStringToObject(m, "name", f->model[p]->ops->name);
        cJSON_AddStringToObject(m, "form", forms[f->part[p].form]);
        cJSON_AddNumberToObject(m, "floor", f->part[p].floor);
        for (int k = 0; k < TDM_GATES; k++) cJSON_AddNumberToObject(m, weights[k], f->part[p].weight[k]);
        cJSON_AddItemToArray(list, m);
    }
    cJSON *net = f->net.H ? tdm_network_json(&f->net) : NULL;
    bool whole = !f->net.H || (net && cJSON_AddItemToObject(o, "network", net));
    if (isfinite(f->mean)) {
        cJSON *r = cJSON_AddObjectToObject(o, "rating");
        cJSON_AddNumberToObject(r, "labels", (double)f->rated);
        cJSON_AddNumberToObject(r, "mean", f->mean);
        cJSON_AddNumberToObject(r, "shift", f->shift);
        cJSON *by = cJSON_AddObjectToObject(r, "weights");
        for (size_t p = 0; p < f->P; p++)
            if (f->model[p]->ops->rate) cJSON_AddNumberToObject(by, f->model[p]->ops->name, f->rate[p]);
    } else {
        cJSON_AddNullToObject(o, "rating");
    }
    /* cJSON drops what memory was short for: count what the reader will ask for */
    whole = whole && cJSON_GetObjectItemCaseSensitive(o, "rating") && (size_t)cJSON_GetArraySize(list) == f->P;
    for (size_t p = 0; whole && p < f->P; p++)
        whole = cJSON_GetArraySize(cJSON_GetArrayItem(list, (int)p)) == 3 + TDM_GATES;
    tdm_status st = whole ? tdm_json_write(o, path, err) : tdm_nomem(err, path);
    cJSON_Delete(o);
    return st;
}

/* A finite number within [low, high], or an error that names it. */
static tdm_status number(double *out, const cJSON *o, const char *key, double low, double high, const char *path,
                         tdm_err *err)
{
    *out = tdm_json_num(o, key, NAN);
    if (*out >= low && *out <= high) return TDM_OK;
    return tdm_fail(err, TDM_E_FORMAT, "%s: \"%s\" is missing or no number from %g to %g; train the hybrid again", path,
                    key, low, high);
}

static tdm_status gate_read(tdm_gate *g, const cJSON *o, const char *key, const char *path, tdm_err *err)
{
    const cJSON *a = cJSON_GetObjectItemCaseSensitive(o, key);
    tdm_status st = number(&g->low, a, "low", 0, 100, path, err);
    if (!st) st = number(&g->high, a, "high", g->low, 100, path, err);
    if (!st) st = number(&g->centre, a, "centre", 0, 100, path, err);
    return st;
}

static tdm_status model_read(tdm_fusion *f, size_t p, const cJSON *m, const char *path, tdm_err *err)
{
    const char *name = tdm_json_str(m, "name", "nothing"), *form = tdm_json_str(m, "form", "");
    if (strcmp(name, f->model[p]->ops->name))
        return tdm_fail(err, TDM_E_FORMAT, "%s: joins %.60s where the folder has %s; train the hybrid again", path,
                        name, f->model[p]->ops->name);
    if (strcmp(form, forms[0]) && strcmp(form, forms[1]))
        return tdm_fail(err, TDM_E_FORMAT, "%s: %s has the unknown form \"%.60s\"", path, name, form);
    f->part[p].form = strcmp(form, forms[0]) ? TDM_FORM_SOFTMAX : TDM_FORM_SHARE;
    tdm_status st = number(&f->part[p].floor, m, "floor", 1e-30, 1, path, err);
    for (int k = 0; !st && k < TDM_GATES; k++) st = number(&f->part[p].weight[k], m, weights[k], -1e9, 1e9, path, err);
    return st;
}

static tdm_status rating_read(tdm_fusion *f, const cJSON *r, const char *path, tdm_err *err)
{
    double rated = 0;
    f->mean = NAN;
    if (cJSON_IsNull(r)) return TDM_OK;
    tdm_status st = number(&f->mean, r, "mean", -1e9, 1e9, path, err);
    if (!st) st = number(&f->shift, r, "shift", -1e9, 1e9, path, err);
    if (!st) st = number(&rated, r, "labels", 0, 1e15, path, err);
    f->rated = (size_t)rated;
    const cJSON *by = cJSON_GetObjectItemCaseSensitive(r, "weights");
    for (size_t p = 0; !st && p < f->P; p++)
        if (f->model[p]->ops->rate) st = number(&f->rate[p], by, f->model[p]->ops->name, -1e9, 1e9, path, err);
    return st;
}

tdm_status tdm_fusion_read(tdm_fusion *f, const char *path, tdm_err *err)
{
    cJSON *o;
    double labels = 0;
    tdm_status st = tdm_json_read(&o, path, err);
    if (st) return st;
    const char *kind = tdm_json_str(o, "kind", "nothing");
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(o, "models");
    bool network = !strcmp(kind, "network");
    if (!network && strcmp(kind, "linear"))
        st = tdm_fail(err, TDM_E_FORMAT, "%s: holds a fusion of kind \"%.60s\", unknown to this version", path, kind);
    else if (!cJSON_IsArray(list) || (size_t)cJSON_GetArraySize(list) != f->P)
        st = tdm_fail(err, TDM_E_FORMAT, "%s: joins %d models where the folder has %zu; train the hybrid again", path,
                      cJSON_GetArraySize(list), f->P);
    if (!st) st = number(&labels, o, "labels", 0, 1e15, path, err);
    if (!st) st = number(&f->strength, o, "strength", 0, 1e15, path, err);
    if (!st) st = gate_read(&f->by_people, o, "by_people", path, err);
    if (!st) st = gate_read(&f->by_length, o, "by_length", path, err);
    f->labels = (size_t)labels;
    f->seen = tdm_json_bool(o, "seen", false);
    for (size_t p = 0; !st && p < f->P; p++) st = model_read(f, p, cJSON_GetArrayItem(list, (int)p), path, err);
    if (!st && network)
        st = tdm_network_parse(&f->net, cJSON_GetObjectItemCaseSensitive(o, "network"), f->P, path, err);
    if (!st) st = rating_read(f, cJSON_GetObjectItemCaseSensitive(o, "rating"), path, err);
    cJSON_Delete(o);
    return st;
}
