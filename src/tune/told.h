/* SPDX-License-Identifier: Apache-2.0 */
/* told.h - a search as an answer, for reports. */
#ifndef TDM_TUNE_TOLD_H
#define TDM_TUNE_TOLD_H

#include "model/model.h"
#include "tune/trials.h"

/* Adds the search that chose `chosen` for a model to `to`, under the model's name; nothing where the file has none:
 *
 *     {"metric": "ndcg@10", "first": 0.05, "value": 0.06, "best": 12, "seconds": 80.5,
 *      "parameters": {"lambda": {"from": 1, "to": 3000, "scale": "log", "importance": 0.61}},
 *      "trials": [the lines of trials.h, without "model" and "search"]}
 *
 * importance: of the ranks of all trials that did not fail, the share of the variance that lies between the thirds of
 * this parameter (the correlation ratio); 0 with fewer than TDM_TOLD_FEWEST trials. */
enum { TDM_TOLD_FEWEST = 9, TDM_TOLD_THIRDS = 3 };

tdm_status tdm_search_tell(cJSON *to, const tdm_trials *t, const tdm_model_ops *ops, const tdm_params *chosen,
                           tdm_err *err);

#endif
