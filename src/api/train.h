/* SPDX-License-Identifier: Apache-2.0 */
/* train.h - the training of a model folder that already holds its dataset. */
#ifndef TDM_API_TRAIN_H
#define TDM_API_TRAIN_H

#include "base/run.h"
#include "model/model.h"

/* Validation people below this share judge early stopping; the others teach the fusion. */
#define TDM_JUDGES 0.3

/* Asked for each model before it is fitted, in the order of the registry: may change *p, which holds what `o` says. `in`
 * is what it would be fitted with; its judge says `metric`, higher is better. `key` is a hash of all that the model's bytes
 * depend on as things stand. */
typedef struct tdm_chooser {
    tdm_status (*choose)(void *ctx, tdm_params *p, const tdm_model_ops *ops, const tdm_fit_input *in,
                         const char *metric, uint64_t key, tdm_err *err);
    void *ctx;
} tdm_chooser;

/* Fits what `o` asks for, saving each model as it is done, and writes the manifest. `chooser` may be NULL. With
 * o->refit, or a split by files, that is done in `folder`/before first, and what was chosen there is fitted again in `folder` (refit.c). */
tdm_status tdm_train_folder(const char *folder, const tdm_options *o, const tdm_chooser *chooser, tdm_run *run,
                            tdm_err *err);

/* One fit of all models. `before`: a whole folder whose settings, lengths of training and fusion are taken over instead of
 * chosen; or NULL. */
tdm_status tdm_train_once(const char *folder, const tdm_options *o, const tdm_chooser *chooser,
                          const char *before, tdm_run *run, tdm_err *err);

/* Puts a copy of a dataset folder's files into `to`, so that what is trained there can be moved and asked alone. */
tdm_status tdm_dataset_copy(const char *from, const char *to, tdm_err *err);

/* The same with settings sought by trials (tune.c), within o->trials and o->budget; also writes tuned.conf. */
tdm_status tdm_tune_folder(const char *folder, const tdm_options *o, tdm_run *run, tdm_err *err);

#endif
