/* SPDX-License-Identifier: Apache-2.0 */
/* linear.h - what the item-to-item models share: a score is a weighted sum of links from the history.
 *
 *     score(t) = sum over history items j of decay^(steps of j from the end) * link(j, t)
 *
 * They differ in how the links are made. Being linear, each history item's share of a score is exact. Links may be
 * negative; a sum that is not above zero is no opinion, so scores never are. */
#ifndef TDM_CF_LINEAR_H
#define TDM_CF_LINEAR_H

#include "cf/baseline.h"
#include "cf/links.h"
#include "model/model.h"

typedef struct tdm_linear {
    tdm_model base;
    tdm_params p;
    double decay; /* of the history: its parameter "history_decay" */
    tdm_links links;
    const float *missing;  /* I, after an update: of each row, the mass that its links lack (update.h); else NULL */
    tdm_safetensors *file; /* what mapped arrays lie in; NULL for a fitted model */
} tdm_linear;

/* Members of tdm_model_ops, for a model whose struct begins with a tdm_linear. */
tdm_status tdm_linear_score(const tdm_model *m, float *scores, const tdm_history *h, size_t B, tdm_err *err);
tdm_status tdm_linear_topk(const tdm_model *m, const tdm_ranked *out, const tdm_history *h, size_t B,
                           const tdm_wanted *w, tdm_err *err);
tdm_status tdm_linear_because(const tdm_model *m, tdm_evidence *out, const tdm_history *h, uint32_t item, tdm_err *err);
tdm_status tdm_linear_save(const tdm_model *m, const char *path, tdm_err *err);
void tdm_linear_close(tdm_model *m);

/* Begins a model of `size` bytes with these parameters; NULL where memory is short. */
void *tdm_linear_new(size_t size, const tdm_model_ops *ops, const tdm_params *p);

/* Opens what tdm_linear_save wrote into a model of `size` bytes. */
tdm_status tdm_linear_load(tdm_model **out, size_t size, const tdm_model_ops *ops, const char *path, size_t I,
                           tdm_err *err);

/* Save with tensors of the model's own behind the links. */
tdm_status tdm_linear_write(const tdm_linear *l, const char *path, const tdm_tensor *extra, size_t n, tdm_err *err);

#endif
