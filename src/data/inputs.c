/* SPDX-License-Identifier: Apache-2.0 */
#include "data/inputs.h"

#include "base/mem.h"

bool tdm_input_of_items(const tdm_input *in) { return in->items || in->reader.shape.tags; }

void tdm_inputs_clear(tdm_inputs *all)
{
    for (size_t k = 0; k < all->n; k++) {
        tdm_reader_close(&all->in[k].reader);
        tdm_free(all->in[k].member);
    }
    tdm_free(all->in);
    *all = (tdm_inputs){0};
}

/* ---- names ---- */

static bool add(tdm_inputs *all, tdm_input in)
{
    if (tdm_grow(&all->in, &all->cap, all->n + 1, sizeof *all->in)) return false;
    all->in[all->n++] = in;
    return true;
}

typedef struct archive_of {
    tdm_inputs *all;
    tdm_input in;
} archive_of;

static bool member_add(void *ctx, const char *name)
{
    archive_of *a = ctx;
    tdm_input in = a->in;
    in.member = tdm_strdup(name);
    if (in.member && add(a->all, in)) return true;
    tdm_free(in.member);
    return false;
}

/* A file, or each file of an archive of several. */
static tdm_status name(tdm_inputs *all, const char *path, bool items, bool test, tdm_err *err)
{
    archive_of a = {all, {.path = path, .items = items, .test = test}};
    size_t was = all->n;
    if (!path) return TDM_OK;
    tdm_status st = tdm_source_members(path, member_add, &a, err);
    if (!st && all->n == was && !add(all, a.in)) st = tdm_nomem(err, "the files' names");
    return st;
}

/* ---- what they hold ---- */

/* Whether a refusal may be let pass: it is not the only file, and nobody asked to be strict. */
static bool may_pass(const tdm_inputs *all, const tdm_input *in, const tdm_options *o)
{
    return in->member || (all->n > 1 && !in->test && !in->items && !o->strict);
}

/* Looks at a file and finds out what it holds. */
static tdm_status look(const tdm_inputs *all, tdm_input *in, const tdm_options *o, tdm_run *run, tdm_err *err)
{
    tdm_source *s;
    tdm_err as_log = {{0}};
    const char *format = in->items ? NULL : o->format, *map = in->items ? NULL : o->map;
    tdm_status st =
        in->member ? tdm_source_open_member(&s, in->path, in->member, err) : tdm_source_open(&s, in->path, err);
    if (st) return st;
    in->reader.s = s;
    in->name = tdm_source_name(s);
    in->size = tdm_source_size(s);
    st = tdm_shape_find(&in->reader.shape, s, in->items, format, map, &as_log);
    if (st == TDM_E_FORMAT && !in->test) { /* the other kind, then */
        tdm_shape_clear(&in->reader.shape);
        bool good = !tdm_shape_find(&in->reader.shape, s, !in->items, NULL, NULL, NULL);
        good = good && (!in->items || in->reader.shape.tags);
        if (good) {
            in->items = true;
            return TDM_OK;
        }
        if (may_pass(all, in, o)) {
            in->passed_over = true;
            tdm_log(run, in->member ? TDM_LOG_INFO : TDM_LOG_WARN, "prepare", "passed over: %s", as_log.msg);
            return TDM_OK;
        }
    }
    if (st && err) *err = as_log;
    return st;
}

tdm_status tdm_inputs_open(tdm_inputs *out, const tdm_options *o, tdm_run *run, tdm_err *err)
{
    *out = (tdm_inputs){0};
    tdm_status st = o->n_sources ? TDM_OK : tdm_fail(err, TDM_E_ARG, "no file of interactions was named");
    for (size_t k = 0; !st && k < o->n_sources; k++) st = name(out, o->sources[k], false, false, err);
    if (!st) st = name(out, o->test, false, true, err);
    if (!st) st = name(out, o->items, true, false, err);
    size_t logs = 0;
    for (size_t k = 0; !st && k < out->n; k++) {
        tdm_input *in = &out->in[k];
        st = look(out, in, o, run, err);
        logs += !st && !in->passed_over && !tdm_input_of_items(in);
    }
    if (!st && !logs) { /* say what was found where a log was expected */
        tdm_reader *r = &out->in[0].reader;
        tdm_shape_clear(&r->shape);
        st = tdm_shape_find(&r->shape, r->s, false, o->format, o->map, err);
        if (!st)
            st =
                tdm_fail(err, TDM_E_FORMAT, "%s: found what people called items, and no interactions", out->in[0].name);
    }
    if (st) tdm_inputs_clear(out);
    return st;
}
