/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_rows.c - any bytes as a raw log: unpacked, looked at, read and cleaned. The last two bytes pick what is expected
 * and which rules are left out.
 * Every row is taken or rejected for one reason, what is taken is UTF-8, and blocks of any size give the same rows. */
#include "agree.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "data/intake.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void add(tdm_buf *out, const void *p, size_t n)
{
    tdm_buf_add(out, &n, sizeof n);
    tdm_buf_add(out, p, n);
}

enum { ROWS, REJECTS, OUTSIDE, CLEANED, KINDS };

/* What came of one block: counts checked, and all of it to out[KINDS]. */
static void taken(tdm_buf *out, const tdm_intake *x)
{
    size_t lines = 0, rejected = 0;
    for (size_t k = 0; k < TDM_REJECTS; k++) rejected += x->rejected[k];
    if (x->batch.n + rejected + x->below_min_rating + x->left_out_events != x->rows + x->several_people) abort();
    for (size_t i = 0; i < x->rejects.n; i++) lines += x->rejects.p[i] == '\n';
    if (lines != rejected || !tdm_utf8_valid((tdm_str){x->rejects.n ? x->rejects.p : "", x->rejects.n})) abort();
    if (rejected) tdm_buf_add(&out[REJECTS], x->rejects.p, x->rejects.n);
    for (size_t i = 0; i < x->batch.n; i++) {
        const tdm_batch_row *r = &x->batch.row[i];
        tdm_str mine = {x->batch.bytes.p + r->at, r->user_n + r->summary_n + r->review_n};
        tdm_str its = {x->batch.bytes.p + r->item_at, r->item_n + r->title_n};
        if (!r->user_n || !r->item_n || !tdm_utf8_valid(mine) || !tdm_utf8_valid(its)) abort();
        add(&out[ROWS], mine.p, mine.n);
        add(&out[ROWS], its.p, its.n);
        uint32_t lengths[] = {r->user_n, r->item_n, r->summary_n, r->flags};
        add(&out[ROWS], lengths, sizeof lengths);
        add(&out[ROWS], &r->rating, sizeof r->rating);
        add(&out[ROWS], &r->time, sizeof r->time);
    }
    for (size_t i = 0; i < x->n_outside; i++) {
        const tdm_outside *o = &x->outside[i];
        if (o->at + o->n > x->raw.n) abort();
        add(&out[OUTSIDE], &o->line, sizeof o->line);
        add(&out[OUTSIDE], x->raw.p + o->at, o->n);
    }
}

static void take(tdm_buf *out, const tdm_intake_rules *rules, tdm_str text, uint64_t offset, size_t most)
{
    size_t cleaned[TDM_CLEANED] = {0};
    static tdm_intake x;
    tdm_records *r;
    if (tdm_records_open(&r, rules->shape, NULL)) abort();
    tdm_block b = {.line = 1, .offset = offset};
    for (int k = 0; k < KINDS; k++) tdm_buf_reset(&out[k]);
    while (text.n) {
        b.n = most ? tdm_block_cut(rules->shape, text, most, true) : text.n;
        if (!(b.p = malloc(b.n + TDM_BLOCK_PADDING))) abort();
        memcpy(b.p, text.p, b.n);
        memset(b.p + b.n, 0, TDM_BLOCK_PADDING);
        tdm_records_begin(r, &b);
        if (tdm_intake_block(&x, r, rules, NULL)) abort();
        taken(out, &x);
        for (int k = 0; k < TDM_CLEANED; k++) cleaned[k] += x.cleaned[k];
        for (size_t i = 0; i < b.n; i++) b.line += b.p[i] == '\n';
        b.offset += b.n;
        text.p += b.n;
        text.n -= b.n;
        free(b.p);
    }
    tdm_buf_add(&out[CLEANED], cleaned, sizeof cleaned);
    tdm_records_close(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static const char *const formats[] = {NULL, "json", "csv", "tsv", "sequences", "table", NULL, NULL};
    static const char *const maps[] = {NULL, "user=2,item=1,rating=a", "event=event,event:view=0,event:buy=2", NULL};
    static tdm_buf whole[KINDS], pieces[KINDS];
    uint8_t a = steering(p, &n), keep = a & 128 ? steering(p, &n) : 0;
    tdm_source *s;
    tdm_reader r;
    tdm_err err;
    if (tdm_source_open_bytes(&s, "input", p, n, &err)) return 0;
    if (tdm_reader_open_source(&r, s, false, formats[a & 7], maps[a >> 3 & 3], &err)) return 0;
    const tdm_intake_rules rules = {
        .shape = &r.shape,
        .name = "input",
        .min_rating = a & 32 ? 3 : 0,
        .keep_bad = true,
        .high = a & 64 ? 5 : 1e9,
        .keep = {.placeholders = keep & 1, .people = keep & 2, .html = keep & 4, .length = keep & 8}};
    if (!tdm_source_fill(r.s, 1 << 20, &err)) {
        tdm_str text = tdm_source_ahead(r.s);
        if (text.n > 1 << 16) text.n = 1 << 16; /* of what was packed tightly */
        take(whole, &rules, text, tdm_source_offset(r.s), 0);
        take(pieces, &rules, text, tdm_source_offset(r.s), a & 128 ? 1 : 64);
        for (int k = 0; k < KINDS; k++) {
            const char *differ = records_differ(&whole[k], &pieces[k]);
            if (!differ) continue;
            fprintf(stderr, "%s, %s\n", r.shape.text, differ);
            abort();
        }
    }
    tdm_reader_close(&r);
    return 0;
}
