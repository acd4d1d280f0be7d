/* SPDX-License-Identifier: Apache-2.0 */
/* search.h - the best settings of one model, by trying: where to look is tpe.h's, how long to look is here.
 *
 * Trials are made one after another, each with the whole pool. A model that asks its judge on the way (once an epoch,
 * once a pass) can be stopped at a rung, the 2nd, 6th, 18th ... time that it asks: it goes on where fewer than a third
 * of all trials that came to this rung were better there, and so do the first three. That is asynchronous successive
 * halving in its stopping form (Li et al. 2020, "A System for Massively Parallel Hyperparameter Tuning"), decided in
 * the order of the trials: a decision depends on those before it alone. So a search that is killed and begun again, or
 * begun again for more trials, makes the same trials and the same choices. */
#ifndef TDM_TUNE_SEARCH_H
#define TDM_TUNE_SEARCH_H

#include "base/run.h"
#include "model/model.h"
#include "tune/tpe.h"
#include "tune/trials.h"

enum {
    TDM_RUNG_FIRST = 2,     /* the judgement at which the first trials are stopped */
    TDM_RUNG_KEPT = 3,      /* one in so many goes on, and the next rung is so many times as far */
    TDM_SEARCH_TRIALS = 30, /* of a model, where nothing else is said */
    TDM_SEARCH_MOST = 2000
};

typedef struct tdm_search_input {
    const tdm_model_ops *ops;
    const tdm_fit_input *fit; /* what each trial is fitted with; params: where the search begins, its first trial;
                                 judge: what is sought, needed */
    const char *metric;       /* what the judge says: "ndcg@10" */
    uint64_t key;             /* of everything but the settings that a trial depends on (trials.h) */
    size_t trials;            /* at most, those of earlier calls counted; 1 .. TDM_SEARCH_MOST */
    size_t patience; /* it ends after so many trials of which none was better by a thousandth; 0: it does not */
    double seconds;  /* no trial begins once the trials took so long together; INFINITY: no limit */
} tdm_search_input;

/* What a search came to. */
typedef struct tdm_searched {
    tdm_params best;
    double first, value; /* of the settings it began from (NaN: they failed); of the best */
    size_t trials, stopped, failed;
    size_t at, gained; /* which trial, from 0, was the best; was the last that was better by a thousandth */
    double seconds;
} tdm_searched;

/* What a line of the file tells about how good its settings were; x is not filled. */
tdm_tried tdm_tried_of(const cJSON *line);

/* Whether a search of the model has anything to look through. */
bool tdm_search_has(const tdm_model_ops *ops);

/* Makes the trials that `t` does not hold yet, adding each. A trial whose settings cannot be fitted counts as failed;
 * where all have, the last one's sentence is the error. Interrupted: TDM_E_CANCELLED, and the trials so far are in the
 * file. */
tdm_status tdm_search(tdm_searched *out, tdm_trials *t, const tdm_search_input *in, tdm_err *err);

#endif
