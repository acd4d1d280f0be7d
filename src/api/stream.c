/* SPDX-License-Identifier: Apache-2.0 */
#include "api/stream.h"

#include <string.h>

static int tell(const tdm_streaming *s, tdm_stream_kind kind, tdm_str text, const char *source)
{
    tdm_stream_event e = s->about;
    e.kind = kind;
    e.text = text.p;
    e.n = text.n;
    e.source = source;
    return s->fn(s->ctx, &e);
}

static tdm_status stopped(tdm_err *err)
{
    return tdm_fail(err, TDM_E_CANCELLED, "whoever the sentences were told to has stopped them");
}

tdm_status tdm_streaming_begin(tdm_streaming *s, size_t place, const char *item, const char *title, tdm_err *err)
{
    if (!s->fn) return TDM_OK;
    tdm_buf_reset(&s->sent);
    s->about = (tdm_stream_event){.place = place, .item = item, .title = title};
    return tell(s, TDM_SENTENCE_BEGIN, (tdm_str){"", 0}, NULL) ? stopped(err) : TDM_OK;
}

int tdm_streaming_draft(void *ctx, tdm_str text)
{
    tdm_streaming *s = ctx;
    size_t had = s->sent.n;
    if (text.n < had || (had && memcmp(text.p, s->sent.p, had) != 0)) {
        if (tell(s, TDM_SENTENCE_RESTART, (tdm_str){"", 0}, NULL)) return 1;
        tdm_buf_reset(&s->sent);
        had = 0;
    }
    if (text.n == had) return 0;
    const tdm_str piece = {text.p + had, text.n - had};
    tdm_buf_add(&s->sent, piece.p, piece.n);
    return s->sent.failed || tell(s, TDM_SENTENCE_TEXT, piece, NULL);
}

tdm_status tdm_streaming_done(tdm_streaming *s, const char *text, const char *source, tdm_err *err)
{
    if (!s->fn) return TDM_OK;
    int stop = tdm_streaming_draft(s, tdm_str_of(text)) || tell(s, TDM_SENTENCE_DONE, tdm_str_of(text), source);
    if (s->sent.failed) return tdm_nomem(err, "a sentence that is told");
    return stop ? stopped(err) : TDM_OK;
}

void tdm_streaming_clear(tdm_streaming *s) { tdm_buf_clear(&s->sent); }
