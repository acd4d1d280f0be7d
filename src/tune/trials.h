/* SPDX-License-Identifier: Apache-2.0 */
/* trials.h - the file of a search: a line of JSON for each trial, in the order in which they were made.
 *
 *     {"model": "ease", "search": "0f3a...", "trial": 4, "metric": "ndcg@10", "value": 0.0512, "judged": [],
 *      "seconds": 1.21, "reason": "finished", "settings": {"lambda": 83.1, "history_decay": 0.55}}
 *
 * `search` is a hash of everything else that a value depends on: the data, the protocol, the seed, the settings that
 * the search began from, the models below. Lines of another search stay in the file and are not read as this one's.
 * `judged` is what the judge said on the way, one value for each of the model's own passes. `value` is null where a
 * trial was stopped or failed; `reason` says why. The file is written whole after each trial, so that a kill at any
 * moment leaves all trials before. */
#ifndef TDM_TUNE_TRIALS_H
#define TDM_TUNE_TRIALS_H

#include "base/json.h"
#include "model/params.h"

#include <stdint.h>

typedef struct tdm_trials {
    char *path;
    cJSON *lines; /* an array of objects as above, each checked */
} tdm_trials;

typedef enum tdm_trial_end { TDM_TRIAL_FINISHED, TDM_TRIAL_STOPPED, TDM_TRIAL_FAILED } tdm_trial_end;

/* One trial of one search. */
typedef struct tdm_trial {
    tdm_trial_end end;
    double value; /* finished: higher is better; else NaN */
    const double *judged;
    size_t steps; /* values of judged */
    double seconds;
    char reason[256]; /* "finished", "stopped: ...", "failed: ..." */
    tdm_params settings;
} tdm_trial;

/* Reads `path`, or is empty where there is none. A line that is no trial is an error that says which. */
tdm_status tdm_trials_open(tdm_trials *t, const char *path, tdm_err *err);
void tdm_trials_clear(tdm_trials *t);

/* The same from bytes that `path` is said to hold. */
tdm_status tdm_trials_read(tdm_trials *t, const char *path, const void *bytes, size_t n, tdm_err *err);

/* Trial `number` (from 0) of a search, or NULL; and what it holds: the value (NaN: none), the settings that are of
 * `p`'s table laid over *p, the passes judged. */
const cJSON *tdm_trials_find(const tdm_trials *t, const char *model, uint64_t search, size_t number);
void tdm_trial_settings(tdm_params *p, const cJSON *line);
double tdm_trial_value(const cJSON *line);
double tdm_trial_judged(const cJSON *line, size_t step); /* NaN: it did not come so far */

/* Adds a trial and writes the file. */
tdm_status tdm_trials_add(tdm_trials *t, const char *model, uint64_t search, size_t number, const char *metric,
                          const tdm_trial *trial, tdm_err *err);

#endif
