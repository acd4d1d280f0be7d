/* SPDX-License-Identifier: Apache-2.0 */
/* content.c - items whose words are like the words of the history.
 *
 *     score(t) = sum over history items j of decay^(steps of j from the end) * cosine(j, t)
 *
 * The cosine is that of the TF-IDF rows of terms.h (sparse: an inverted index makes it cost what the terms are shared
 * by, and it measured better than the dense one). `vectors` gives the dense rows of svd.h, which other models learn
 * from and which say how unlike the items of a list are. Items without terms have a zero vector and no score. */
#include "content/content.h"
#include "base/mem.h"
#include "base/status.h"
#include "content/svd.h"
#include "content/terms.h"
#include "model/evidence.h"
#include "model/stored.h"

#include <math.h>

static const tdm_param params[] = {
    {"K", 160, 1, TDM_SVD_LIMIT, TDM_INTEGER, "length of an item's vector", {64, 320, 32}},
    {"min_df", 2, 1, 1000, TDM_INTEGER, "a term is in at least so many items", {1, 5}},
    {"description_words", 40, 0, 10000, TDM_INTEGER, "words read of a description"},
    {"history_decay", 0.7, 0, 1, TDM_LINEAR, "how much an item one step older in the history still counts", {0.3, 1}},
    {0},
};

typedef struct content {
    tdm_model base;
    tdm_params p;
    tdm_terms terms; /* of a loaded model: the rows lie in the file, the inversion is made again */
    size_t K;
    const float *vectors; /* I x K */
    tdm_safetensors *file;
} content;

static void content_close(tdm_model *m)
{
    content *s = (content *)m;
    if (!s) return;
    if (s->file) {
        s->terms.offset = NULL;
        s->terms.term = NULL;
        s->terms.weight = NULL;
    } else {
        tdm_free((void *)(uintptr_t)s->vectors);
    }
    tdm_terms_clear(&s->terms);
    tdm_safetensors_close(s->file);
    tdm_free(s);
}

static tdm_status fit(tdm_model **out, const tdm_fit_input *in, tdm_err *err)
{
    *out = NULL;
    content *s = tdm_new(1, sizeof *s);
    if (!s) return tdm_nomem(err, "content");
    s->base.ops = &tdm_content_ops;
    s->p = *in->params;
    s->K = (size_t)tdm_param_get(&s->p, "K");
    tdm_status st = tdm_terms_make(&s->terms, in->train, (size_t)tdm_param_get(&s->p, "min_df"),
                                   (size_t)tdm_param_get(&s->p, "description_words"), err);
    float *vectors = st ? NULL : tdm_new(s->terms.I, s->K * sizeof *vectors);
    s->vectors = vectors;
    if (!st && !vectors) st = tdm_nomem(err, "the vectors of items");
    if (!st) st = tdm_svd_items(vectors, &s->terms, s->K, in->run, "content", err);
    if (st) content_close(&s->base);
    else *out = &s->base;
    return st;
}

/* ---- scoring ---- */

/* Calls for each history item that counts, newest first; an item that repeats counts at its newest place. How far back
 * the history is read: until a step counts less than a millionth. */
static size_t reach(const tdm_history *h, double decay)
{
    double steps = decay <= 0 ? 1 : decay >= 1 ? INFINITY : 1 + floor(log(1e-6) / log(decay));
    return steps < (double)h->n ? (size_t)steps : h->n;
}

static bool repeated_later(const tdm_history *h, size_t j)
{
    for (size_t k = j + 1; k < h->n; k++)
        if (h->items[k] == h->items[j]) return true;
    return false;
}

static void score_one(const content *s, float *scores, const tdm_history *h)
{
    const tdm_terms *t = &s->terms;
    double decay = tdm_param_get(&s->p, "history_decay"), w = 1;
    for (size_t i = 0; i < t->I; i++) scores[i] = 0;
    for (size_t step = 0, n = reach(h, decay); step < n; step++, w *= decay) {
        size_t j = h->n - 1 - step;
        if (h->items[j] >= t->I || repeated_later(h, j)) continue;
        for (int64_t k = t->offset[h->items[j]]; k < t->offset[h->items[j] + 1]; k++) {
            float x = (float)w * t->weight[k];
            for (int64_t q = t->from[t->term[k]]; q < t->from[t->term[k] + 1]; q++)
                scores[t->item[q]] += x * t->weight_of[q];
        }
    }
    for (size_t i = 0; i < t->I; i++)
        if (!(scores[i] > 0)) scores[i] = -INFINITY;
}

static tdm_status score(const tdm_model *m, float *scores, const tdm_history *h, size_t B, tdm_err *err)
{
    const content *s = (const content *)m;
    (void)err;
    for (size_t b = 0; b < B; b++) score_one(s, scores + b * s->terms.I, &h[b]);
    return TDM_OK;
}

static tdm_status because(const tdm_model *m, tdm_evidence *out, const tdm_history *h, uint32_t item, tdm_err *err)
{
    const content *s = (const content *)m;
    *out = (tdm_evidence){.rest = 1};
    double *part = tdm_new(h->n, sizeof *part), decay = tdm_param_get(&s->p, "history_decay"), w = 1;
    if (!part) return tdm_nomem(err, "a history's shares");
    for (size_t step = 0, n = reach(h, decay); item < s->terms.I && step < n; step++, w *= decay) {
        size_t j = h->n - 1 - step;
        if (h->items[j] >= s->terms.I || repeated_later(h, j)) continue;
        part[j] = w * tdm_terms_dot(&s->terms, h->items[j], item);
    }
    tdm_evidence_shares(out, h, part, 0);
    tdm_free(part);
    return TDM_OK;
}

static tdm_status vectors(const tdm_model *m, const float **out, size_t *K, tdm_err *err)
{
    const content *s = (const content *)m;
    (void)err;
    *out = s->vectors;
    *K = s->K;
    return TDM_OK;
}

/* ---- disk ---- */

static tdm_status save(const tdm_model *m, const char *path, tdm_err *err)
{
    const content *s = (const content *)m;
    size_t n = (size_t)s->terms.offset[s->terms.I];
    tdm_tensor t[4] = {
        tdm_tensor_1d("terms.offset", TDM_I64, s->terms.offset, s->terms.I + 1),
        tdm_tensor_1d("terms.term", TDM_U32, s->terms.term, n),
        tdm_tensor_1d("terms.weight", TDM_F32, s->terms.weight, n),
        tdm_tensor_2d("vectors", TDM_F32, s->vectors, s->terms.I, s->K),
    };
    return tdm_stored_write(path, s->base.ops->name, &s->p, t, 4, err);
}

/* The rows of terms, checked: offsets rise, terms rise within a row, weights are positive. */
static tdm_status terms_read(tdm_terms *t, const tdm_safetensors *file, const char *path, tdm_err *err)
{
    const void *p;
    const float *weight;
    tdm_status st = tdm_safetensors_need(file, &p, "terms.offset", TDM_I64, t->I + 1, err);
    if (st) return st;
    const int64_t *offset = p;
    bool rising = offset[0] == 0;
    for (size_t i = 0; rising && i < t->I; i++) rising = offset[i] <= offset[i + 1];
    if (!rising) return tdm_fail(err, TDM_E_FORMAT, "%s: terms.offset does not rise from 0", path);
    size_t n = (size_t)offset[t->I];
    st = tdm_safetensors_need(file, &p, "terms.term", TDM_U32, n, err);
    if (!st) st = tdm_stored_floats(file, &weight, path, "terms.weight", n, err);
    if (st) return st;
    const uint32_t *term = p;
    for (size_t i = 0; i < t->I; i++)
        for (int64_t k = offset[i]; k < offset[i + 1]; k++) {
            if (term[k] >= n || !(weight[k] > 0) || (k > offset[i] && term[k] <= term[k - 1]))
                return tdm_fail(err, TDM_E_FORMAT, "%s: entry %lld of terms is out of order or range", path,
                                (long long)k);
            if (term[k] >= t->V) t->V = (size_t)term[k] + 1;
        }
    t->offset = (int64_t *)(uintptr_t)offset;
    t->term = (uint32_t *)(uintptr_t)term;
    t->weight = (float *)(uintptr_t)weight;
    return tdm_terms_invert(t, err);
}

static tdm_status load(tdm_model **out, const char *path, const tdm_dataset *train, const tdm_model *const *needs,
                       tdm_err *err)
{
    (void)needs;
    *out = NULL;
    content *s = tdm_new(1, sizeof *s);
    if (!s) return tdm_nomem(err, path);
    s->base.ops = &tdm_content_ops;
    s->terms.I = train->I;
    tdm_status st = tdm_stored_open(&s->file, &s->p, path, s->base.ops->name, params, err);
    if (!st) {
        s->K = (size_t)tdm_param_get(&s->p, "K");
        st = tdm_stored_floats(s->file, &s->vectors, path, "vectors", train->I * s->K, err);
    }
    if (!st) st = terms_read(&s->terms, s->file, path, err);
    if (st) content_close(&s->base);
    else *out = &s->base;
    return st;
}

const tdm_model_ops tdm_content_ops = {
    .name = "content",
    .summary = "items whose title, brand, categories and words are like the history's",
    .path = "content.safetensors",
    .params = params,
    .fit = fit,
    .score = score,
    .because = because,
    .vectors = vectors,
    .save = save,
    .load = load,
    .close = content_close,
};
