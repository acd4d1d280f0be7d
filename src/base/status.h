/* SPDX-License-Identifier: Apache-2.0 */
/* status.h - how a function says that it failed.
 *
 * The types are the library's public ones (tandem.h). The place that finds the fault writes the sentence with
 * tdm_fail(); everyone above passes the status up unchanged. */
#ifndef TDM_BASE_STATUS_H
#define TDM_BASE_STATUS_H

#include "tandem.h"

#include <stdarg.h>

/* Records why and returns `st`, so an origin is one line. `err` may be NULL. */
tdm_status tdm_fail(tdm_err *err, tdm_status st, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Out of memory, in one form everywhere: "not enough memory for <what>". */
tdm_status tdm_nomem(tdm_err *err, const char *what);

#endif
