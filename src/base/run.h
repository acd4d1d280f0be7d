/* SPDX-License-Identifier: Apache-2.0 */
/* run.h - what every long piece of work is handed: the pool, the seed, where to log, and whether to stop. */
#ifndef TDM_BASE_RUN_H
#define TDM_BASE_RUN_H

#include "base/pool.h"

#include <stdatomic.h>
#include <stdbool.h>

struct tdm_run {
    tdm_pool *pool;
    uint64_t seed;
    tdm_log_fn *log;           /* may be NULL */
    tdm_progress_fn *progress; /* may be NULL */
    void *ctx;                 /* handed to both */
    atomic_int cancel;
};

/* One line of the log: a stage ("prepare", "gpt2-items") and a message. Safe from the calling thread only. */
void tdm_log(tdm_run *run, tdm_log_level level, const char *stage, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* `done` of `total` units of `stage` (total 0: unknown), with a short note such as "loss 4.21" or NULL. Cheap enough
 * for every batch: the receiver thins it out. */
void tdm_progress(tdm_run *run, const char *stage, uint64_t done, uint64_t total, const char *note);

/* TDM_OK, or TDM_E_CANCELLED with "<stage>: interrupted" once somebody has called tdm_run_cancel(). */
tdm_status tdm_run_check(const tdm_run *run, const char *stage, tdm_err *err);

#endif
