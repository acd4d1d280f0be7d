/* SPDX-License-Identifier: Apache-2.0 */
/* files.c - what trec_eval reads, and a line of JSON for each person and model.
 *
 *     NAME.run    person Q0 item place score NAME        qrels.txt    person 0 item 1
 *
 * trec_eval orders a run by its score column and breaks ties by item id, so the column holds length - place + 1: it
 * falls strictly, and the order that was judged here is the order that is judged there. A run holds the largest
 * cutoff's worth of items for each person with a counted target. Fields are separated by blanks, so blanks, control
 * characters and '%' inside an id are written as %XX. */
#include "eval/files.h"

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"

#include <errno.h>
#include <string.h>

static void put_id(FILE *f, tdm_str id)
{
    for (size_t i = 0; i < id.n; i++) {
        unsigned char c = (unsigned char)id.p[i];
        if (c <= ' ' || c == '%' || c == 0x7f) fprintf(f, "%%%02X", c);
        else putc(c, f);
    }
}

static tdm_status file_open(FILE **out, const char *path, tdm_err *err)
{
    *out = fopen(path, "wb");
    return *out ? TDM_OK : tdm_fail(err, TDM_E_IO, "%s: could not be written: %s", path, strerror(errno));
}

static tdm_status file_close(FILE *f, const char *path, tdm_err *err)
{
    bool bad = ferror(f) != 0;
    if (fclose(f) || bad) return tdm_fail(err, TDM_E_IO, "%s: could not be written whole; is the disk full?", path);
    return TDM_OK;
}

/* ---- TREC ---- */

static void put_qrels(FILE *f, const tdm_files *files, const tdm_lists *l)
{
    const tdm_questions *qs = l->questions;
    for (size_t i = 0; i < l->n; i++) {
        size_t q = l->asked[i], begin = (size_t)qs->target_at[q], end = (size_t)qs->target_at[q + 1];
        for (size_t t = begin; t < end; t++) {
            bool again = false;
            for (size_t s = begin; s < t && !again; s++) again = qs->target_counts[s] && qs->target[s] == qs->target[t];
            if (!qs->target_counts[t] || again) continue;
            put_id(f, tdm_strings_at(&files->data->user_id, qs->user[q]));
            fputs(" 0 ", f);
            put_id(f, tdm_strings_at(&files->data->item_id, qs->target[t]));
            fputs(" 1\n", f);
        }
    }
}

static void put_run(FILE *f, const tdm_files *files, const tdm_lists *l)
{
    for (size_t i = 0; i < l->n; i++)
        for (size_t p = 0; p < l->found[i]; p++) {
            put_id(f, tdm_strings_at(&files->data->user_id, l->questions->user[l->asked[i]]));
            fputs(" Q0 ", f);
            put_id(f, tdm_strings_at(&files->data->item_id, l->list[i * l->depth + p]));
            fprintf(f, " %zu %zu ", p + 1, l->found[i] - p);
            put_id(f, tdm_str_of(l->name));
            putc('\n', f);
        }
}

static tdm_status trec_write(tdm_files *files, const tdm_lists *l, bool run, tdm_err *err)
{
    tdm_buf name = {0};
    FILE *f;
    tdm_buf_fmt(&name, "%s/", files->trec);
    for (const char *c = run ? l->name : "qrels"; *c; c++) tdm_buf_char(&name, *c == '/' || *c == ':' ? '-' : *c);
    tdm_buf_str(&name, run ? ".run" : ".txt");
    tdm_status st = name.failed ? tdm_nomem(err, files->trec) : file_open(&f, name.p, err);
    if (!st) {
        if (run) put_run(f, files, l);
        else put_qrels(f, files, l);
        st = file_close(f, name.p, err);
    }
    tdm_buf_clear(&name);
    return st;
}

/* ---- people ---- */

static tdm_status people_write(tdm_files *files, const tdm_lists *l, tdm_err *err)
{
    const tdm_evaluation *e = l->evaluation;
    tdm_buf line = {0};
    for (size_t i = 0; i < l->n && !line.failed; i++) {
        tdm_buf_reset(&line);
        tdm_buf_str(&line, "{\"model\": ");
        tdm_json_quote(&line, tdm_str_of(l->name));
        tdm_buf_str(&line, ", \"user\": ");
        tdm_json_quote(&line, tdm_strings_at(&files->data->user_id, l->questions->user[l->asked[i]]));
        for (size_t c = 0; c < e->n_k; c++)
            for (int m = 0; m < TDM_METRICS; m++)
                tdm_buf_fmt(&line, ", \"%s@%zu\": %.10g", tdm_measure_name(m), e->k[c],
                            l->metrics[(i * e->n_k + c) * TDM_METRICS + (size_t)m]);
        tdm_buf_str(&line, "}\n");
        fwrite(line.p, 1, line.n, files->people);
    }
    bool failed = line.failed;
    tdm_buf_clear(&line);
    return failed ? tdm_nomem(err, files->per_person) : TDM_OK;
}

/* ---- the whole ---- */

tdm_status tdm_files_open(tdm_files *f, const tdm_dataset *data, const char *trec, const char *per_person, tdm_err *err)
{
    *f = (tdm_files){.data = data, .trec = trec, .per_person = per_person};
    tdm_status st = trec ? tdm_folder_make(trec, err) : TDM_OK;
    if (!st && per_person) st = file_open(&f->people, per_person, err);
    return st;
}

tdm_status tdm_files_take(void *ctx, const tdm_lists *l, tdm_err *err)
{
    tdm_files *f = ctx;
    tdm_status st = TDM_OK;
    if (f->trec && !f->qrels_written) {
        st = trec_write(f, l, false, err);
        f->qrels_written = true;
    }
    if (!st && f->trec) st = trec_write(f, l, true, err);
    if (!st && f->people) st = people_write(f, l, err);
    return st;
}

tdm_status tdm_files_close(tdm_files *f, tdm_err *err)
{
    FILE *people = f->people;
    f->people = NULL;
    return people ? file_close(people, f->per_person, err) : TDM_OK;
}
