/* SPDX-License-Identifier: Apache-2.0 */
/* exclude.c - a file of items that are not to be recommended: what a shop does not sell now, or may not show. */
#include "api/ask.h"
#include "base/file.h"
#include "base/mem.h"

#include <string.h>

bool tdm_ids_next(tdm_str *id, tdm_str *rest)
{
    while (rest->n) {
        const char *end = memchr(rest->p, '\n', rest->n);
        size_t n = end ? (size_t)(end - rest->p) : rest->n;
        *id = tdm_str_trim((tdm_str){rest->p, n});
        rest->p += n + (end != NULL);
        rest->n -= n + (end != NULL);
        if (id->n && id->p[0] != '#') return true;
    }
    return false;
}

tdm_status tdm_recommender_exclude(tdm_recommender *r, size_t *unknown, const char *path, tdm_err *err)
{
    tdm_map map = {0};
    size_t I = r->b->data->I;
    *unknown = 0;
    tdm_status st = tdm_map_open(&map, path, err);
    if (st) return st;
    uint8_t *out = tdm_new(I, sizeof *out);
    tdm_str rest = {(const char *)map.p, map.n}, id;
    if (!out) st = tdm_nomem(err, path);
    else if (r->excluded) memcpy(out, r->excluded, I);
    if (rest.n >= 3 && !memcmp(rest.p, "\xef\xbb\xbf", 3)) { /* a byte order mark */
        rest.p += 3;
        rest.n -= 3;
    }
    while (!st && tdm_ids_next(&id, &rest)) {
        uint32_t i = tdm_dataset_item(r->b->data, id);
        if (i == TDM_NONE) ++*unknown;
        else out[i] = 1;
    }
    tdm_map_close(&map);
    if (st) return st;
    tdm_free(r->excluded);
    r->excluded = out;
    return TDM_OK;
}
