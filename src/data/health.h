/* SPDX-License-Identifier: Apache-2.0 */
/* health.h - what a user should know of their data before they trust a model of it. docs/data.md explains every key. */
#ifndef TDM_DATA_HEALTH_H
#define TDM_DATA_HEALTH_H

#include "base/json.h"
#include "data/dataset.h"

/* Adds to the object `health` everything that the dataset alone says: counts, histograms, ties, cores, languages,
 * warnings. Keys that are there are replaced, so that a table can be brought up to date; what only the reading knows
 * (rows_read, rejected, ...) is left as it is and looked at for the warnings. Linear in the log; beside it, it takes
 * about 4 bytes for each interaction. `run` NULL: one thread. */
tdm_status tdm_health_add(cJSON *health, const tdm_dataset *d, tdm_run *run, tdm_err *err);

#endif
