/* SPDX-License-Identifier: Apache-2.0 */
/* stream.h - the sentences of an answer, told while they are written: drafts as pieces, taken back where another is
 * shown in the end. Inside this folder. */
#ifndef TDM_API_STREAM_H
#define TDM_API_STREAM_H

#include "base/bytes.h"
#include "base/status.h"

typedef struct tdm_streaming {
    tdm_stream_fn *fn; /* NULL: nobody listens, and the calls below do nothing */
    void *ctx;
    tdm_stream_event about; /* place, item and title of the recommendation */
    tdm_buf sent;           /* what stands of its sentence */
} tdm_streaming;

tdm_status tdm_streaming_begin(tdm_streaming *s, size_t place, const char *item, const char *title, tdm_err *err);

/* The sentence so far: one that goes on from what was sent is a piece, any other a restart. Not 0: stop. `ctx` is the
 * tdm_streaming. */
int tdm_streaming_draft(void *ctx, tdm_str text);

/* What is shown, whether or not any of it was sent as a draft. */
tdm_status tdm_streaming_done(tdm_streaming *s, const char *text, const char *source, tdm_err *err);

void tdm_streaming_clear(tdm_streaming *s);

#endif
