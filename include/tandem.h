/* SPDX-License-Identifier: Apache-2.0 */
/* tandem.h - the face of libtandem: from a raw log of reviews to explained recommendations.
 *
 * A fallible function returns a tdm_status and takes a tdm_err last (it may be NULL); on failure its outputs are NULL
 * and the error holds one sentence. The library never prints and never exits. What an _open, _read or _make function
 * gives is the caller's to _close. */
#ifndef TANDEM_H
#define TANDEM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TDM_VERSION "0.1.0"

/* ---- status ---- */

#define TDM_STATUS_LIST(X)                                                                                             \
    X(OK, "success")                                                                                                   \
    X(E_NOMEM, "out of memory")                                                                                        \
    X(E_IO, "input/output error")                                                                                      \
    X(E_FORMAT, "malformed input")                                                                                     \
    X(E_ARG, "invalid argument")                                                                                       \
    X(E_UNSUPPORTED, "not supported")                                                                                  \
    X(E_CANCELLED, "cancelled")                                                                                        \
    X(E_NODEV, "backend not available")

typedef enum tdm_status {
#define X(name, text) TDM_##name,
    TDM_STATUS_LIST(X)
#undef X
} tdm_status;

typedef struct tdm_err { char msg[1024]; } tdm_err;

/* "malformed input" and so on. */
const char *tdm_status_text(tdm_status st);

/* ---- run: threads, seed, log, progress, cancel ---- */

typedef enum tdm_log_level { TDM_LOG_ERROR, TDM_LOG_WARN, TDM_LOG_INFO, TDM_LOG_DEBUG } tdm_log_level;

/* `stage` is one word ("prepare", "gpt2-items"), `message` one line without a newline. */
typedef void tdm_log_fn(void *ctx, tdm_log_level level, const char *stage, const char *message);

/* `done` of `total` (0: unknown); `note` is a few words such as "loss 4.21", or NULL. Called often: thin it out. */
typedef void tdm_progress_fn(void *ctx, const char *stage, uint64_t done, uint64_t total, const char *note);

typedef struct tdm_run_options {
    size_t threads; /* 0: one for each processor */
    uint64_t seed;
    tdm_log_fn *log;           /* may be NULL */
    tdm_progress_fn *progress; /* may be NULL */
    void *ctx;                 /* handed to both */
} tdm_run_options;

typedef struct tdm_run tdm_run;

tdm_status tdm_run_open(tdm_run **out, const tdm_run_options *options, tdm_err *err);
void tdm_run_close(tdm_run *run);

/* Asks the work to stop at the next safe point; it then returns TDM_E_CANCELLED. Safe in a signal handler. */
void tdm_run_cancel(tdm_run *run);

#ifdef __cplusplus
}
#endif
#endif
