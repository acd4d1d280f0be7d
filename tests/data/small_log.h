/* SPDX-License-Identifier: Apache-2.0 */
/* small_log.h - a log made row by row, as a dataset whose files are gone already: for tests that need one to work on.
 */
#ifndef TDM_TESTS_SMALL_LOG_H
#define TDM_TESTS_SMALL_LOG_H

#include "data/build.h"

/* Writes what the builder holds into a folder of its own under /tmp, maps it and removes the folder. */
tdm_status small_log_finish(tdm_dataset **out, tdm_builder *b, size_t core, tdm_left_out *left, tdm_err *err);

#endif
