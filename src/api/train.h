/* SPDX-License-Identifier: Apache-2.0 */
/* train.h - the training of a model folder that already holds its dataset. */
#ifndef TDM_API_TRAIN_H
#define TDM_API_TRAIN_H

#include "base/run.h"

/* Validation people below this share judge early stopping; the others teach the fusion. */
#define TDM_JUDGES 0.3

/* Fits what `o` asks for, saving each model as it is done, and writes the manifest. */
tdm_status tdm_train_folder(const char *folder, const tdm_options *o, tdm_run *run, tdm_err *err);

#endif
