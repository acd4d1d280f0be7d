/* SPDX-License-Identifier: Apache-2.0 */
#include "base/draft.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/safetensors.h"

#include <stdlib.h>
#include <string.h>

enum { PADDING = 64 };

static void entry_add(tdm_buf *h, const tdm_tensor *t, size_t begin, size_t bytes)
{
    if (h->n > 9) tdm_buf_char(h, ',');
    tdm_json_quote(h, tdm_str_of(t->name));
    tdm_buf_fmt(h, ":{\"dtype\":\"%s\",\"shape\":[", tdm_dtype_name(t->dtype));
    for (size_t d = 0; d < t->dims; d++) tdm_buf_fmt(h, "%s%zu", d ? "," : "", t->shape[d]);
    tdm_buf_fmt(h, "],\"data_offsets\":[%zu,%zu]}", begin, begin + bytes);
}

/* Appends the length and the JSON to `h`; order[k]: which tensor lies k-th, at[i]: where tensor i begins behind the
 * header (n + 1 entries, the last is the end). */
static void header_make(tdm_buf *h, size_t *order, size_t *at, const tdm_tensor *t, size_t n, const char *const *meta,
                        size_t multiple)
{
    size_t end = 0, k = 0;
    tdm_buf_add(h, "\0\0\0\0\0\0\0\0{", 9);
    if (meta && meta[0]) {
        tdm_buf_str(h, "\"__metadata__\":{");
        for (size_t i = 0; meta[i]; i += 2) {
            if (i) tdm_buf_char(h, ',');
            tdm_json_quote(h, tdm_str_of(meta[i]));
            tdm_buf_char(h, ':');
            tdm_json_quote(h, tdm_str_of(meta[i + 1]));
        }
        tdm_buf_char(h, '}');
    }
    for (size_t size = 8; size; size /= 2) /* big elements first */
        for (size_t i = 0; i < n; i++)
            if (tdm_dtype_size(t[i].dtype) == size) {
                size_t bytes = tdm_tensor_count(&t[i]) * size;
                entry_add(h, &t[i], end, bytes);
                order[k++] = i;
                at[i] = end;
                end += bytes;
            }
    at[n] = end;
    tdm_buf_char(h, '}');
    while (!h->failed && (h->n % multiple || h->n % 8)) tdm_buf_char(h, ' ');
    for (int i = 0; !h->failed && i < 8; i++) h->p[i] = (char)((uint64_t)(h->n - 8) >> 8 * i);
}

static tdm_status write_padded(const char *path, const tdm_tensor *t, size_t n, const char *const *meta,
                               size_t multiple, tdm_err *err)
{
    tdm_buf h = {0};
    tdm_str *pieces = tdm_new(n + 1, sizeof *pieces);
    size_t *order = tdm_new(n, sizeof *order), *at = tdm_new(n + 1, sizeof *at);
    tdm_status st = pieces && order && at ? TDM_OK : tdm_nomem(err, path);
    if (!st) header_make(&h, order, at, t, n, meta, multiple);
    if (h.failed) st = tdm_nomem(err, path);
    if (!st) {
        pieces[0] = (tdm_str){h.p, h.n};
        for (size_t k = 0; k < n; k++) {
            const tdm_tensor *x = &t[order[k]];
            pieces[k + 1] = (tdm_str){x->data, tdm_tensor_count(x) * tdm_dtype_size(x->dtype)};
        }
        st = tdm_file_write_pieces(path, pieces, n + 1, err);
    }
    tdm_buf_clear(&h);
    tdm_free(pieces);
    tdm_free(order);
    tdm_free(at);
    return st;
}

tdm_status tdm_safetensors_write(const char *path, const tdm_tensor *t, size_t n, const char *const *meta, tdm_err *err)
{
    return write_padded(path, t, n, meta, PADDING, err);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const tdm_tensor *)a)->name, ((const tdm_tensor *)b)->name);
}

tdm_status tdm_safetensors_write_common(const char *path, const tdm_tensor *t, size_t n, const char *const *meta,
                                        tdm_err *err)
{
    tdm_tensor *sorted = tdm_new(n, sizeof *sorted);
    if (!sorted) return tdm_nomem(err, path);
    memcpy(sorted, t, n * sizeof *t);
    qsort(sorted, n, sizeof *sorted, by_name);
    tdm_status st = write_padded(path, sorted, n, meta, 8, err);
    tdm_free(sorted);
    return st;
}

/* ---- piece by piece ---- */

struct tdm_safetensors_out {
    tdm_draft *draft;
    size_t header, *at, *order;
};

void tdm_safetensors_drop(tdm_safetensors_out *o)
{
    if (!o) return;
    tdm_draft_drop(o->draft);
    tdm_free(o->at);
    tdm_free(o->order);
    tdm_free(o);
}

tdm_status tdm_safetensors_begin(tdm_safetensors_out **out, const char *path, const tdm_tensor *t, size_t n,
                                 tdm_err *err)
{
    tdm_buf h = {0};
    tdm_safetensors_out *o = tdm_new(1, sizeof *o);
    *out = NULL;
    if (!o) return tdm_nomem(err, path);
    o->at = tdm_new(n + 1, sizeof *o->at);
    o->order = tdm_new(n, sizeof *o->order);
    if (o->at && o->order) header_make(&h, o->order, o->at, t, n, NULL, PADDING);
    o->header = h.n;
    tdm_status st = o->at && o->order && !h.failed ? TDM_OK : tdm_nomem(err, path);
    if (!st) st = tdm_draft_open(&o->draft, path, o->header + o->at[n], err);
    if (!st) st = tdm_draft_put(o->draft, 0, h.p, h.n, err);
    tdm_buf_clear(&h);
    if (st) tdm_safetensors_drop(o);
    else *out = o;
    return st;
}

tdm_status tdm_safetensors_put(tdm_safetensors_out *o, size_t tensor, size_t at_byte, const void *bytes, size_t n,
                               tdm_err *err)
{
    return tdm_draft_put(o->draft, o->header + o->at[tensor] + at_byte, bytes, n, err);
}

tdm_status tdm_safetensors_end(tdm_safetensors_out *o, bool sync, tdm_err *err)
{
    tdm_status st = tdm_draft_end(o->draft, sync, err);
    o->draft = NULL;
    tdm_safetensors_drop(o);
    return st;
}
