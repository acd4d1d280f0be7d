/* SPDX-License-Identifier: Apache-2.0 */
#include "data/describe.h"

#include "base/utf8.h"
#include "data/reader.h"

static void string_add(cJSON *o, const char *key, tdm_str s)
{
    tdm_buf b = {0}, quoted = {0};
    tdm_json_quote(&quoted, tdm_utf8_cut(s, 200)); /* whatever the bytes are, valid UTF-8 comes out */
    tdm_buf_add(&b, quoted.p, quoted.n);
    if (!b.failed && !quoted.failed) cJSON_AddItemToObject(o, key, cJSON_Parse(b.p));
    tdm_buf_clear(&b);
    tdm_buf_clear(&quoted);
}

/* The first three records. */
static tdm_status first_add(cJSON *first, tdm_reader *r, tdm_err *err)
{
    tdm_block block = {0};
    tdm_records *records = NULL;
    tdm_record rec;
    bool blocks = true, more = false;
    tdm_status st = tdm_records_open(&records, &r->shape, err);
    for (int n = 0; n < 3 && !st;) {
        if (!more) {
            st = tdm_block_next(&block, r->s, &r->shape, TDM_BLOCK, &blocks, err);
            if (st || !blocks) break;
            tdm_records_begin(records, &block);
        }
        st = tdm_records_next(records, &rec, &more, err);
        if (st || !more) continue;
        n++;
        cJSON *row = cJSON_CreateObject();
        if (rec.bad) cJSON_AddStringToObject(row, "bad", rec.bad);
        for (int k = 0; k < TDM_ROLES; k++)
            if (rec.value[k].n) string_add(row, tdm_role_name((tdm_role)k), rec.value[k]);
        cJSON_AddItemToArray(first, row);
    }
    tdm_records_close(records);
    tdm_block_clear(&block);
    return st;
}

static tdm_status describe(cJSON **out, tdm_reader *r, bool items, tdm_err *err)
{
    const tdm_shape *s = &r->shape;
    tdm_status st = TDM_OK;
    cJSON *j = cJSON_CreateObject(), *columns, *first, *roles;
    cJSON_AddStringToObject(j, "kind", "raw file");
    cJSON_AddStringToObject(j, "holds", s->tags ? "tags" : items ? "items" : "interactions");
    cJSON_AddStringToObject(j, "format", s->text);
    cJSON_AddStringToObject(j, "packing", tdm_source_packing(r->s));
    columns = cJSON_AddArrayToObject(j, "columns");
    for (size_t i = 0; i < s->names.n && (s->form != TDM_FORM_TABLE || s->dialect.header); i++) {
        cJSON *name = cJSON_CreateObject();
        string_add(name, "name", tdm_cell(&s->names, i));
        cJSON_AddItemToArray(columns, cJSON_DetachItemFromObject(name, "name"));
        cJSON_Delete(name);
    }
    roles = cJSON_AddObjectToObject(j, "roles");
    for (int k = 0; s->form == TDM_FORM_TABLE && k < TDM_ROLES; k++)
        if (s->column[k] >= 0) cJSON_AddNumberToObject(roles, tdm_role_name((tdm_role)k), s->column[k] + 1);
    first = cJSON_AddArrayToObject(j, "first");
    st = first ? first_add(first, r, err) : tdm_nomem(err, "the answer");
    if (st) cJSON_Delete(j);
    else *out = j;
    return st;
}

tdm_status tdm_raw_describe(cJSON **out, const char *path, tdm_err *err)
{
    tdm_reader r;
    bool items = false;
    *out = NULL;
    tdm_status st = tdm_reader_open(&r, path, false, NULL, NULL, err);
    if (st == TDM_E_FORMAT && !tdm_reader_open(&r, path, true, NULL, NULL, NULL)) {
        items = true;
        st = TDM_OK;
    }
    if (!st) st = describe(out, &r, items, err);
    tdm_reader_close(&r);
    return st;
}
