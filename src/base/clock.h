/* SPDX-License-Identifier: Apache-2.0 */
/* clock.h - seconds and memory, for reports and progress only: no result may depend on them. */
#ifndef TDM_BASE_CLOCK_H
#define TDM_BASE_CLOCK_H

#include <stddef.h>

double tdm_seconds(void);        /* monotonic, since some fixed moment */
size_t tdm_peak_memory(void);    /* largest resident set of this process so far, in bytes */

#endif
