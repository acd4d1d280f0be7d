/* SPDX-License-Identifier: Apache-2.0 */
/* params.h - declared parameters: what a model can be set to, in which range, and what it is set to now. */
#ifndef TDM_MODEL_PARAMS_H
#define TDM_MODEL_PARAMS_H

#include "base/status.h"

typedef enum tdm_param_scale { TDM_LINEAR, TDM_LOG, TDM_INTEGER } tdm_param_scale;

/* One declared parameter. A table of these ends with a NULL name. */
typedef struct tdm_param {
    const char *name;
    double standard;     /* the default */
    double low, high;    /* allowed, ends included */
    tdm_param_scale scale;
    const char *help;
    struct {
        double from, to; /* where a search looks, ends included; above 0 on a log scale. Both 0: it leaves this alone */
        double step;     /* from, from + step, ...; 0: every value that the scale allows */
    } search;
} tdm_param;

enum { TDM_MAX_PARAMS = 32 };

/* Values for one model, in the order of its table. */
typedef struct tdm_params {
    const tdm_param *table;
    double value[TDM_MAX_PARAMS];
} tdm_params;

tdm_params tdm_params_standard(const tdm_param *table);

/* Sets one by name; an unknown name or a value out of range is an error that lists what is allowed. `model` is for the
 * sentence. */
tdm_status tdm_params_set(tdm_params *p, const char *model, const char *name, double value, tdm_err *err);

/* The value of a declared parameter. Asking for one that is not in the table is our own mistake: it asserts. */
double tdm_param_get(const tdm_params *p, const char *name);

#endif
