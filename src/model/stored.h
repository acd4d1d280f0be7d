/* SPDX-License-Identifier: Apache-2.0 */
/* stored.h - the one form of a model in a single safetensors file.
 *
 * The file's metadata names the model, tensor "parameters" (F64, in the order of the declared table) holds what it was
 * set to, the rest is the model's own. */
#ifndef TDM_MODEL_STORED_H
#define TDM_MODEL_STORED_H

#include "base/safetensors.h"
#include "model/params.h"

enum { TDM_STORED_TENSORS = 24 }; /* as many may one model have */

/* Writes `n` tensors of the model `name` to `path`, atomically; n < TDM_STORED_TENSORS. */
tdm_status tdm_stored_write(const char *path, const char *name, const tdm_params *p, const tdm_tensor *t, size_t n,
                            tdm_err *err);

/* Maps `path`, checks that it holds the model `name` and that every parameter is within its range. The caller closes
 * *out with tdm_safetensors_close. */
tdm_status tdm_stored_open(tdm_safetensors **out, tdm_params *p, const char *path, const char *name,
                           const tdm_param *table, tdm_err *err);

/* tdm_safetensors_need for F32 and F64 tensors whose every value must be finite. */
tdm_status tdm_stored_floats(const tdm_safetensors *s, const float **data, const char *path, const char *name,
                             size_t count, tdm_err *err);
tdm_status tdm_stored_doubles(const tdm_safetensors *s, const double **data, const char *path, const char *name,
                              size_t count, tdm_err *err);

#endif
