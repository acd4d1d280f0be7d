/* SPDX-License-Identifier: Apache-2.0 */
/* bundle.h - an open model folder: its manifest, data, split and models. What every verb on a trained model begins
 * with.
 *
 *     tandem.json     manifest: version, fingerprint, seed, protocol, models with parameters and keys, SHA-256 of files
 *     dataset.json dataset.safetensors text.safetensors
 *     cf/ content.safetensors gpt2-items/ gpt2-words/ fusion.json
 *     training.json   seconds and peak memory of each model (measured, so not in the manifest), and the curves of
 * training report.json report.html */
#ifndef TDM_API_BUNDLE_H
#define TDM_API_BUNDLE_H

#include "api/registry.h"
#include "base/json.h"
#include "data/split.h"

typedef struct tdm_bundle {
    char *folder;
    cJSON *manifest;
    tdm_dataset *data;
    tdm_split *split;
    tdm_protocol protocol;
    tdm_model *model[TDM_MAX_MODELS]; /* by place in tdm_models; NULL: not in this folder */
} tdm_bundle;

/* Checks the sum of every file that the manifest names before anything is read from it. */
tdm_status tdm_bundle_open(tdm_bundle **out, const char *folder, tdm_err *err);
void tdm_bundle_close(tdm_bundle *b);

/* The model called `name`; NULL: the hybrid, else the last of the registry that ranks. An unknown or untrained one is
 * an error that lists those there are. */
tdm_status tdm_bundle_model(const tdm_bundle *b, const tdm_model **out, const char *name, tdm_err *err);

/* Item vectors (I x K, the model's own): those of content, else the first there are. *whose: that model's name. NULL
 * and 0 where no model has any. */
tdm_status tdm_bundle_vectors(const tdm_bundle *b, const float **vectors, size_t *K, const char **whose, tdm_err *err);

/* The open models that model `i` is handed: those it names, or, for the hybrid, all that rank. NULL at the end. */
void tdm_models_needed(const tdm_model **needs, tdm_model *const *models, int i);

/* ---- the manifest ---- */

enum { TDM_FORMAT = 1 };

/* Names of the files at `path` in `folder`: the file itself, or the sorted files of a folder, as "path/name", into a
 * JSON object with the SHA-256 of each. */
tdm_status tdm_manifest_add_files(cJSON *files, const char *folder, const char *path, tdm_err *err);

/* Whether every file of the manifest is there with its sum. */
tdm_status tdm_manifest_check(const cJSON *manifest, const char *folder, tdm_err *err);

#endif
