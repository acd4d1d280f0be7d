/* SPDX-License-Identifier: Apache-2.0 */
/* compare.c - two models of one dataset and one protocol, on the same people. */
#include "api/answer.h"
#include "api/evaluate.h"
#include "api/settings.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/run.h"

#include <stdio.h>
#include <string.h>

typedef struct side {
    tdm_bundle *b;
    const tdm_model *m;
    char *name; /* "FOLDER:MODEL" */
} side;

/* A folder may have a ':' in its name, so what is a folder as it stands is one. */
static tdm_status side_open(side *s, const char *what, tdm_err *err)
{
    const char *colon = tdm_folder_exists(what) ? NULL : strrchr(what, ':');
    char *folder = tdm_strndup(what, colon ? (size_t)(colon - what) : strlen(what));
    tdm_buf name = {0};
    tdm_status st = folder ? tdm_bundle_open(&s->b, folder, err) : tdm_nomem(err, what);
    if (!st) st = tdm_bundle_model(s->b, &s->m, colon ? colon + 1 : NULL, err);
    if (!st && !s->m->ops->score)
        st = tdm_fail(err, TDM_E_UNSUPPORTED, "%s: %s does not rank the catalogue, so it cannot be compared", folder,
                      s->m->ops->name);
    if (!st) {
        tdm_buf_fmt(&name, "%s:%s", folder, s->m->ops->name);
        s->name = name.p;
        if (name.failed) st = tdm_nomem(err, what);
    }
    tdm_free(folder);
    return st;
}

static void side_close(side *s)
{
    tdm_bundle_close(s->b);
    tdm_free(s->name);
}

/* Pairing people needs the same data, cut in the same way. */
static tdm_status same_questions(const side *a, const side *b, tdm_err *err)
{
    if (a->b->data->fingerprint != b->b->data->fingerprint)
        return tdm_fail(err, TDM_E_ARG,
                        "%s and %s were trained on different datasets (%016llx and %016llx), so their "
                        "people cannot be paired",
                        a->b->folder, b->b->folder, (unsigned long long)a->b->data->fingerprint,
                        (unsigned long long)b->b->data->fingerprint);
    cJSON *x = tdm_protocol_json(&a->b->protocol), *y = tdm_protocol_json(&b->b->protocol);
    char *p = x ? cJSON_PrintUnformatted(x) : NULL, *q = y ? cJSON_PrintUnformatted(y) : NULL;
    tdm_status st = p && q ? TDM_OK : tdm_nomem(err, "a comparison");
    if (!st && strcmp(p, q))
        st = tdm_fail(err, TDM_E_ARG, "%s and %s hold out different people: their protocols are %.200s and %.200s",
                      a->b->folder, b->b->folder, p, q);
    cJSON_free(p);
    cJSON_free(q);
    cJSON_Delete(x);
    cJSON_Delete(y);
    return st;
}

static tdm_status judge(cJSON *document, const side *a, const side *b, const tdm_options *o, tdm_run *run, tdm_err *err)
{
    const tdm_model *models[] = {a->m, b->m};
    const char *names[] = {a->name, b->name}, *on, *whose;
    if (!strcmp(a->name, b->name)) return tdm_fail(err, TDM_E_ARG, "%s is given twice; name two models", a->name);
    tdm_evaluate_input in = {.models = models, .names = names, .n_models = 2, .seed = run->seed};
    tdm_evaluation *e = NULL;
    tdm_status st = tdm_evaluate_questions(&in, a->b, o, &on, &whose, err);
    if (!st) st = tdm_evaluate(&e, &in, run, err);
    if (!st) {
        cJSON_AddStringToObject(document, "a", a->name);
        cJSON_AddStringToObject(document, "b", b->name);
        tdm_evaluation_describe(document, a->b, on);
        if (whose) cJSON_AddStringToObject(document, "vectors", whose);
        st = tdm_evaluation_add(document, e, 0, err);
    }
    tdm_evaluation_close(e);
    return st;
}

tdm_status tdm_compare(char **answer, const char *a, const char *b, const tdm_options *o, tdm_run *run, tdm_err *err)
{
    side x = {0}, y = {0};
    *answer = NULL;
    cJSON *document = cJSON_CreateObject();
    tdm_status st = document ? side_open(&x, a, err) : tdm_nomem(err, "a comparison");
    if (!st) st = side_open(&y, b, err);
    if (!st) st = same_questions(&x, &y, err);
    if (!st) st = judge(document, &x, &y, o, run, err);
    side_close(&x);
    side_close(&y);
    if (!st) return tdm_answer(answer, document, err);
    cJSON_Delete(document);
    return st;
}
