/* SPDX-License-Identifier: Apache-2.0 */
#include "cf/linear.h"
#include "base/mem.h"
#include "base/status.h"
#include "cf/recency.h"
#include "model/evidence.h"
#include "model/stored.h"

#include <math.h>

static tdm_status score_one(const tdm_linear *l, float *scores, const tdm_history *h, tdm_err *err)
{
    size_t I = l->links.I;
    tdm_recency r;
    tdm_status st = tdm_recency_make(&r, h, l->decay, I, err);
    if (st) return st;
    for (size_t i = 0; i < I; i++) scores[i] = 0;
    for (size_t j = 0; j < r.n; j++) {
        float w = (float)r.weight[j];
        for (int64_t k = l->links.offset[r.item[j]]; k < l->links.offset[r.item[j] + 1]; k++)
            scores[l->links.item[k]] += w * l->links.weight[k];
    }
    for (size_t i = 0; i < I; i++)
        if (!(scores[i] > 0)) scores[i] = -INFINITY; /* or what the history speaks against would rank before the rest */
    tdm_recency_clear(&r);
    return TDM_OK;
}

tdm_status tdm_linear_score(const tdm_model *m, float *scores, const tdm_history *h, size_t B, tdm_err *err)
{
    const tdm_linear *l = (const tdm_linear *)m;
    tdm_status st = TDM_OK;
    for (size_t b = 0; b < B && !st; b++) st = score_one(l, scores + b * l->links.I, &h[b], err);
    return st;
}

tdm_status tdm_linear_because(const tdm_model *m, tdm_evidence *out, const tdm_history *h, uint32_t item, tdm_err *err)
{
    const tdm_linear *l = (const tdm_linear *)m;
    *out = (tdm_evidence){.rest = 1};
    double *part = tdm_new(h->n, sizeof *part);
    if (!part) return tdm_nomem(err, "a history's shares");
    tdm_recency r;
    tdm_status st = tdm_recency_make(&r, h, l->decay, l->links.I, err);
    if (!st) {
        for (size_t j = 0; j < r.n; j++) part[r.at[j]] = r.weight[j] * (double)tdm_links_at(&l->links, r.item[j], item);
        tdm_evidence_shares(out, h, part, 0);
    }
    tdm_recency_clear(&r);
    tdm_free(part);
    return st;
}

void *tdm_linear_new(size_t size, const tdm_model_ops *ops, const tdm_params *p)
{
    tdm_linear *l = tdm_new(1, size);
    if (!l) return NULL;
    l->base.ops = ops;
    l->p = *p;
    l->decay = tdm_param_get(p, "history_decay");
    return l;
}

void tdm_linear_close(tdm_model *m)
{
    tdm_linear *l = (tdm_linear *)m;
    if (!l) return;
    tdm_links_clear(&l->links);
    if (!l->file) tdm_free((void *)(uintptr_t)l->missing);
    tdm_safetensors_close(l->file);
    tdm_free(l);
}

tdm_status tdm_linear_write(const tdm_linear *l, const char *path, const tdm_tensor *extra, size_t n, tdm_err *err)
{
    tdm_tensor t[TDM_STORED_TENSORS];
    tdm_links_tensors(t, &l->links, "links.offset", "links.item", "links.weight");
    for (size_t i = 0; i < n; i++) t[3 + i] = extra[i];
    if (l->missing) t[3 + n++] = tdm_tensor_1d("links.missing", TDM_F32, l->missing, l->links.I);
    return tdm_stored_write(path, l->base.ops->name, &l->p, t, 3 + n, err);
}

tdm_status tdm_linear_save(const tdm_model *m, const char *path, tdm_err *err)
{
    return tdm_linear_write((const tdm_linear *)m, path, NULL, 0, err);
}

tdm_status tdm_linear_load(tdm_model **out, size_t size, const tdm_model_ops *ops, const char *path, size_t I,
                           tdm_err *err)
{
    *out = NULL;
    tdm_params p;
    tdm_safetensors *file;
    tdm_status st = tdm_stored_open(&file, &p, path, ops->name, ops->params, err);
    if (st) return st;
    tdm_linear *l = tdm_linear_new(size, ops, &p);
    if (!l) {
        tdm_safetensors_close(file);
        return tdm_nomem(err, path);
    }
    l->file = file;
    st = tdm_links_read(&l->links, file, path, I, "links.offset", "links.item", "links.weight", err);
    if (!st && tdm_safetensors_find(file, "links.missing"))
        st = tdm_stored_floats(file, &l->missing, path, "links.missing", I, err);
    if (st) tdm_linear_close(&l->base);
    else *out = &l->base;
    return st;
}
