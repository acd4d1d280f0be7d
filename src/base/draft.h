/* SPDX-License-Identifier: Apache-2.0 */
/* draft.h - a file of known length that is never whole in memory: written beside its final name, from any thread and in
 * any order, and renamed when it is done. After a crash at any moment the old file is there, or the new one, whole. */
#ifndef TDM_BASE_DRAFT_H
#define TDM_BASE_DRAFT_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct tdm_draft tdm_draft;

/* Makes "<path>.tmp" of so many bytes, all zero. */
tdm_status tdm_draft_open(tdm_draft **out, const char *path, size_t bytes, tdm_err *err);
tdm_status tdm_draft_put(tdm_draft *d, size_t at, const void *bytes, size_t n, tdm_err *err);

/* Both free. _end renames, after the disk has it where `sync`; _drop leaves what was at `path` before, NULL is fine. */
tdm_status tdm_draft_end(tdm_draft *d, bool sync, tdm_err *err);
void tdm_draft_drop(tdm_draft *d);

#endif
