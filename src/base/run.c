/* SPDX-License-Identifier: Apache-2.0 */
#include "base/run.h"
#include "base/mem.h"

#include <stdio.h>

tdm_status tdm_run_open(tdm_run **out, const tdm_run_options *o, tdm_err *err)
{
    *out = NULL;
    tdm_run *run = tdm_new(1, sizeof *run);
    if (!run) return tdm_nomem(err, "a run");
    run->seed = o->seed;
    run->log = o->log;
    run->progress = o->progress;
    run->ctx = o->ctx;
    tdm_status st = tdm_pool_open(&run->pool, o->threads, err);
    if (st) {
        tdm_free(run);
        return st;
    }
    *out = run;
    return TDM_OK;
}

void tdm_run_close(tdm_run *run)
{
    if (!run) return;
    tdm_pool_close(run->pool);
    tdm_free(run);
}

void tdm_run_cancel(tdm_run *run) { atomic_store_explicit(&run->cancel, 1, memory_order_relaxed); }

void tdm_log(tdm_run *run, tdm_log_level level, const char *stage, const char *fmt, ...)
{
    if (!run || !run->log) return;
    char line[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    run->log(run->ctx, level, stage, line);
}

void tdm_progress(tdm_run *run, const char *stage, uint64_t done, uint64_t total, const char *note)
{
    if (run && run->progress) run->progress(run->ctx, stage, done, total, note);
}

tdm_status tdm_run_check(const tdm_run *run, const char *stage, tdm_err *err)
{
    if (!run || !atomic_load_explicit(&run->cancel, memory_order_relaxed)) return TDM_OK;
    return tdm_fail(err, TDM_E_CANCELLED, "%s: interrupted", stage);
}
