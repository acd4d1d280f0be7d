/* SPDX-License-Identifier: Apache-2.0 */
#include "data/shelf.h"

#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FIXED = 8, LENGTHS = 8, LEAST = 1 << 12, MOST = 1 << 16 }; /* chunks grow from 4 KiB to 64 KiB */
enum { TIME_4 = 8, TIME_8 = 16, RATING_1 = 32, RATING_4 = 64 };   /* of a row's form, beside TDM_ROW_... */

void tdm_shelf_open(tdm_shelf *s, const char *folder)
{
    memset(s, 0, sizeof *s);
    s->folder = folder;
    s->fd = -1;
}

void tdm_shelved_clear(tdm_shelf *s, tdm_shelved *r)
{
    for (size_t k = 0; k < r->n; k++) {
        if (!r->chunk[k].p) continue;
        atomic_fetch_sub(&s->held, r->chunk[k].cap);
        tdm_free(r->chunk[k].p);
    }
    tdm_free(r->chunk);
    *r = (tdm_shelved){0};
}

void tdm_shelf_close(tdm_shelf *s)
{
    for (size_t p = 0; p < TDM_PARTS; p++) tdm_shelved_clear(s, &s->part[p]);
    if (s->fd >= 0) close(s->fd);
    s->fd = -1;
}

/* ---- packed rows ---- */

enum { TENTHS = 255 }; /* ratings of 0 .. 25.4 in whole tenths are one byte */

/* The rating as tenths; TENTHS: it is none of these. */
static unsigned tenths_of(float rating)
{
    if (!(rating >= 0 && rating < 25.45f)) return TENTHS;
    unsigned n = (unsigned)(rating * 10 + 0.5f);
    return (float)n / 10 == rating && n < TENTHS ? n : TENTHS;
}

/* The form of a row: which of the fields stand in it in how many bytes. */
static unsigned form_of(const tdm_packed *row, unsigned tenths)
{
    unsigned form = row->flags & (TDM_ROW_TEST | TDM_ROW_ORDERED);
    if (row->time != TDM_NO_TIME) form |= row->time >= 0 && row->time <= UINT32_MAX ? TIME_4 : TIME_8;
    if (!isnan(row->rating)) form |= tenths < TENTHS ? RATING_1 : RATING_4;
    return row->summary.n + row->review.n ? form | TDM_ROW_TEXT : form;
}

static size_t length_of(unsigned form, const tdm_packed *row)
{
    return FIXED +
           (form & TIME_4   ? 4
            : form & TIME_8 ? 8
                            : 0) +
           (form & RATING_1   ? 1
            : form & RATING_4 ? 4
                              : 0) +
           (form & TDM_ROW_TEXT ? LENGTHS + row->summary.n + row->review.n : 0);
}

static void pack(char *p, unsigned form, unsigned tenths, const tdm_packed *row)
{
    uint32_t head = row->user << 8 | form, time = (uint32_t)row->time;
    memcpy(p, &head, 4);
    memcpy(p + 4, &row->item, 4);
    p += FIXED;
    if (form & TIME_4) memcpy(p, &time, 4), p += 4;
    else if (form & TIME_8) memcpy(p, &row->time, 8), p += 8;
    if (form & RATING_1) *p++ = (char)tenths;
    else if (form & RATING_4) memcpy(p, &row->rating, 4), p += 4;
    if (!(form & TDM_ROW_TEXT)) return;
    uint32_t n[2] = {(uint32_t)row->summary.n, (uint32_t)row->review.n};
    memcpy(p, n, sizeof n);
    if (n[0]) memcpy(p + LENGTHS, row->summary.p, n[0]);
    if (n[1]) memcpy(p + LENGTHS + n[0], row->review.p, n[1]);
}

size_t tdm_row_unpack(tdm_packed *row, const char *from)
{
    const char *p = from + FIXED;
    uint32_t head, time, n[2];
    memcpy(&head, from, 4);
    memcpy(&row->item, from + 4, 4);
    row->user = head >> 8;
    row->flags = head & (TDM_ROW_TEST | TDM_ROW_ORDERED | TDM_ROW_TEXT);
    row->time = TDM_NO_TIME;
    row->rating = NAN;
    row->summary = row->review = (tdm_str){"", 0};
    if (head & TIME_4) memcpy(&time, p, 4), row->time = time, p += 4;
    else if (head & TIME_8) memcpy(&row->time, p, 8), p += 8;
    if (head & RATING_1) row->rating = (float)(unsigned char)*p++ / 10;
    else if (head & RATING_4) memcpy(&row->rating, p, 4), p += 4;
    if (!(head & TDM_ROW_TEXT)) return (size_t)(p - from);
    memcpy(n, p, sizeof n);
    row->summary = (tdm_str){p + LENGTHS, n[0]};
    row->review = (tdm_str){p + LENGTHS + n[0], n[1]};
    return (size_t)(p - from) + LENGTHS + n[0] + n[1];
}

bool tdm_row_ordered(const char *from)
{
    uint32_t head;
    memcpy(&head, from, 4);
    return head & TDM_ROW_ORDERED;
}

bool tdm_shelved_add(tdm_shelf *s, tdm_shelved *r, const tdm_packed *row)
{
    unsigned tenths = tenths_of(row->rating), form = form_of(row, tenths);
    size_t length = length_of(form, row);
    tdm_chunk *c = r->n ? &r->chunk[r->n - 1] : NULL;
    if (!c || !c->p || c->cap - c->n < length) {
        size_t cap = c ? 2 * c->cap : LEAST;
        if (cap > MOST) cap = MOST;
        if (cap < length) cap = length;
        if (tdm_grow(&r->chunk, &r->cap, r->n + 1, sizeof *r->chunk)) return false;
        char *p = tdm_new(cap, 1);
        if (!p) return false;
        atomic_fetch_add(&s->held, cap);
        c = &r->chunk[r->n++];
        *c = (tdm_chunk){.p = p, .cap = cap};
    }
    pack(c->p + c->n, form, tenths, row);
    c->n += length;
    r->rows++;
    return true;
}

/* ---- the file ---- */

static tdm_status file_make(tdm_shelf *s, tdm_err *err)
{
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/.tandem-XXXXXX", s->folder);
    if (n < 0 || (size_t)n >= sizeof path) return tdm_fail(err, TDM_E_ARG, "%.200s: too long a name", s->folder);
    tdm_status st = tdm_folder_make(s->folder, err);
    if (st) return st;
    s->fd = mkstemp(path);
    if (s->fd < 0)
        return tdm_fail(err, TDM_E_IO, "%s: no file could be made for the rows beyond --memory: %s", s->folder,
                        strerror(errno));
    unlink(path); /* gone by itself, however we end */
    return TDM_OK;
}

tdm_status tdm_shelved_spill(tdm_shelf *s, tdm_shelved *r, tdm_err *err)
{
    tdm_status st = s->fd < 0 ? file_make(s, err) : TDM_OK;
    for (size_t k = 0; !st && k < r->n; k++) {
        tdm_chunk *c = &r->chunk[k];
        if (!c->p) continue;
        c->at = atomic_fetch_add(&s->end, c->n);
        for (size_t done = 0; !st && done < c->n;) {
            ssize_t w = pwrite(s->fd, c->p + done, c->n - done, (off_t)(c->at + done));
            if (w < 0 && errno != EINTR)
                st = tdm_fail(err, TDM_E_IO, "%s: rows beyond --memory could not be written: %s", s->folder,
                              strerror(errno));
            done += w > 0 ? (size_t)w : 0;
        }
        if (st) break;
        atomic_fetch_sub(&s->held, c->cap);
        tdm_free(c->p);
        c->p = NULL;
    }
    return st;
}

tdm_status tdm_shelf_spill(tdm_shelf *s, tdm_err *err)
{
    tdm_status st = TDM_OK;
    for (size_t p = 0; !st && p < TDM_PARTS; p++) st = tdm_shelved_spill(s, &s->part[p], err);
    return st;
}

tdm_status tdm_chunk_bytes(const char **p, char **read, const tdm_shelf *s, const tdm_chunk *c, tdm_err *err)
{
    *read = NULL;
    *p = c->p;
    if (c->p) return TDM_OK;
    if (!(*read = tdm_new(c->n, 1))) return tdm_nomem(err, "the rows");
    for (size_t done = 0; done < c->n;) {
        ssize_t got = pread(s->fd, *read + done, c->n - done, (off_t)(c->at + done));
        if (got == 0 || (got < 0 && errno != EINTR)) {
            tdm_free(*read);
            *read = NULL;
            return tdm_fail(err, TDM_E_IO, "%s: rows beyond --memory could not be read back: %s", s->folder,
                            got ? strerror(errno) : "the file is short");
        }
        done += got > 0 ? (size_t)got : 0;
    }
    *p = *read;
    return TDM_OK;
}

void tdm_shelved_close(tdm_shelved_cursor *c)
{
    tdm_free(c->read);
    c->read = NULL;
}

tdm_status tdm_shelved_next(tdm_shelved_cursor *c, tdm_packed *row, bool *more, tdm_err *err)
{
    const tdm_shelved *r = c->rows;
    while (c->chunk < r->n && (!c->p || c->at == r->chunk[c->chunk].n)) {
        if (c->p) c->chunk++;
        c->at = 0;
        c->p = NULL;
        tdm_shelved_close(c);
        if (c->chunk == r->n) break;
        tdm_status st = tdm_chunk_bytes(&c->p, &c->read, c->shelf, &r->chunk[c->chunk], err);
        if (st) return st;
    }
    *more = c->chunk < r->n;
    if (*more) c->at += tdm_row_unpack(row, c->p + c->at);
    return TDM_OK;
}
