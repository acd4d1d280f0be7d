/* SPDX-License-Identifier: Apache-2.0 */
/* learn.h - the hybrid's weights from validation questions. Inside this folder only. */
#ifndef TDM_HYBRID_LEARN_H
#define TDM_HYBRID_LEARN_H

#include "hybrid/fusion.h"

extern const tdm_param tdm_learn_params[];

/* Fills what f needs to rank. Without labels the weights are equal, and the log says so. */
tdm_status tdm_fusion_learn(tdm_fusion *f, const tdm_fit_input *in, tdm_err *err);

/* Fills what f needs to predict ratings. */
tdm_status tdm_fusion_learn_ratings(tdm_fusion *f, const tdm_fit_input *in, tdm_err *err);

#endif
