/* SPDX-License-Identifier: Apache-2.0 */
/* clock.h - seconds and memory, for reports and progress only: no result may depend on them. */
#ifndef TDM_BASE_CLOCK_H
#define TDM_BASE_CLOCK_H

#include <stddef.h>

double tdm_seconds(void);         /* monotonic, since some fixed moment */
size_t tdm_resident_memory(void); /* resident set now, in bytes; 0: unknown */
size_t tdm_peak_memory(void);     /* largest resident set since the last reset, in bytes; 0: unknown */
void tdm_peak_memory_reset(void); /* counts from now on, where the kernel allows it */

#endif
