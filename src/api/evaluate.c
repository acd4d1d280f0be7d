/* SPDX-License-Identifier: Apache-2.0 */
/* evaluate.c - a model folder judged on its held-out people: the document, the report, and the files asked for. */
#include "api/evaluate.h"

#include "api/answer.h"
#include "api/recommend.h"
#include "api/settings.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/run.h"
#include "eval/files.h"
#include "tune/told.h"

#include <stdio.h>
#include <string.h>

/* ---- what the document says besides figures ---- */

/* A JSON file of the folder, or NULL where there is none that can be read. */
static cJSON *optional(const char *folder, const char *name)
{
    cJSON *json = NULL;
    char *path = tdm_path_join(folder, name);
    if (path && tdm_file_exists(path) && tdm_json_read(&json, path, NULL)) json = NULL;
    tdm_free(path);
    return json;
}

void tdm_evaluation_describe(cJSON *o, const tdm_bundle *b, const char *on)
{
    char hex[17];
    snprintf(hex, sizeof hex, "%016llx", (unsigned long long)b->data->fingerprint);
    cJSON *d = cJSON_AddObjectToObject(o, "dataset");
    cJSON_AddNumberToObject(d, "users", (double)b->data->U);
    cJSON_AddNumberToObject(d, "items", (double)b->data->I);
    cJSON_AddNumberToObject(d, "interactions", (double)b->data->N);
    cJSON_AddNumberToObject(d, "training_interactions", (double)b->split->train->N);
    cJSON_AddStringToObject(d, "fingerprint", hex);
    cJSON_AddStringToObject(o, "split", tdm_split_kind_name(b->protocol.split));
    cJSON_AddStringToObject(o, "ties", tdm_ties_name(b->protocol.ties));
    cJSON_AddStringToObject(o, "seen", tdm_seen_name(b->protocol.seen));
    cJSON_AddItemToObject(o, "protocol", tdm_protocol_json(&b->protocol));
    cJSON_AddStringToObject(o, "on", on);
}

static void describe_training(cJSON *o, const tdm_bundle *b, const tdm_options *opt, uint64_t seed)
{
    cJSON *settings = cJSON_AddObjectToObject(o, "settings"), *training = optional(b->folder, "training.json");
    const cJSON *m;
    cJSON_AddStringToObject(settings, "preset", tdm_json_str(b->manifest, "preset", "standard"));
    cJSON_AddStringToObject(settings, "tandem", TDM_VERSION);
    cJSON *models = cJSON_AddObjectToObject(settings, "models");
    cJSON_ArrayForEach(m, cJSON_GetObjectItemCaseSensitive(b->manifest, "models"))
    {
        cJSON *p = cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(m, "parameters"), true);
        if (p) cJSON_AddItemToObject(models, tdm_json_str(m, "name", "?"), p);
    }
    cJSON_AddNumberToObject(o, "seed", tdm_json_num(b->manifest, "seed", 0));
    cJSON_AddNumberToObject(o, "evaluation_seed", (double)seed);
    if (opt->command) tdm_json_add_text(o, "command", tdm_str_of(opt->command));
    if (training) cJSON_AddItemToObject(o, "training", training);
    cJSON *fusion = optional(b->folder, "fusion.json"), *data = optional(b->folder, "dataset.json");
    if (fusion) cJSON_AddItemToObject(o, "fusion", fusion);
    cJSON *health = cJSON_DetachItemFromObjectCaseSensitive(data, "health");
    if (health) cJSON_AddItemToObject(o, "health", health);
    cJSON_Delete(data);
}

/* "search": how the settings of the folder's models were found, where they were searched for. A file that cannot be
 * read costs the figures of the search and not the evaluation. */
static tdm_status add_search(cJSON *o, const tdm_bundle *b, tdm_run *run, tdm_err *err)
{
    tdm_trials trials;
    tdm_err why = {{0}};
    cJSON *search = cJSON_CreateObject();
    const cJSON *m;
    char *path = tdm_path_join(b->folder, "tune.jsonl");
    tdm_status st = search && path ? TDM_OK : tdm_nomem(err, "an evaluation");
    bool readable = !st && !tdm_trials_open(&trials, path, &why);
    if (!st && !readable) tdm_log(run, TDM_LOG_WARN, "evaluate", "%s", why.msg);
    cJSON_ArrayForEach(m, cJSON_GetObjectItemCaseSensitive(b->manifest, "models"))
    {
        int i = tdm_models_index(tdm_str_of(tdm_json_str(m, "name", "?")));
        if (!readable || st || i < 0) continue;
        tdm_params chosen;
        st = tdm_settings_stored(&chosen, b->manifest, tdm_models[i], err);
        if (!st) st = tdm_search_tell(search, &trials, tdm_models[i], &chosen, err);
    }
    if (readable) tdm_trials_clear(&trials);
    if (!st && search->child) cJSON_AddItemToObject(o, "search", search);
    else cJSON_Delete(search);
    tdm_free(path);
    return st;
}

/* ---- models ---- */

tdm_status tdm_evaluate_questions(tdm_evaluate_input *in, const tdm_bundle *b, const tdm_options *o, const char **on,
                                  const char **whose, tdm_err *err)
{
    *on = o->on ? o->on : "test";
    bool validation = !strcmp(*on, "validation");
    if (!validation && strcmp(*on, "test"))
        return tdm_fail(err, TDM_E_ARG, "--on takes test or validation, not \"%s\"", *on);
    in->questions = validation ? &b->split->validation : &b->split->test;
    if (!in->questions->n)
        return tdm_fail(err, TDM_E_ARG, "%s: the split %s holds nobody out for %s, so nothing can be judged", b->folder,
                        tdm_split_kind_name(b->protocol.split), *on);
    in->train = b->split->train;
    in->rating_low = b->data->rating_low;
    in->rating_high = b->data->rating_high;
    in->seen = b->protocol.seen;
    tdm_status st = tdm_cutoffs_parse(in->k, &in->n_k, o->cutoffs, err);
    if (!st) st = tdm_bundle_vectors(b, &in->vectors, &in->K, whose, err);
    return st ? st : tdm_diversity_make(&in->unlike, o->diversity, b, err);
}

/* ---- the report ---- */

/* Whether the question is the one that the folder's own report answers: people held out for test, asked with their
 * whole histories, plain lists. Any other keeps out of the folder, so that its report is what it was. */
static bool is_standard(const tdm_options *o)
{
    return (!o->on || !strcmp(o->on, "test")) && !o->newest && !(o->diversity > 0);
}

static tdm_status page_write(const cJSON *document, const char *path, tdm_err *err)
{
    tdm_buf page = {0};
    tdm_status st = tdm_evaluation_html(&page, document, err);
    if (!st) st = tdm_file_write(path, page.p, page.n, err);
    tdm_buf_clear(&page);
    return st;
}

static tdm_status report_write(const cJSON *document, const tdm_bundle *b, const tdm_options *o, tdm_err *err)
{
    if (!is_standard(o)) return o->report ? page_write(document, o->report, err) : TDM_OK;
    char *json = tdm_path_join(b->folder, "report.json"), *html = tdm_path_join(b->folder, "report.html");
    tdm_status st = json && html ? TDM_OK : tdm_nomem(err, "a report");
    if (!st) st = tdm_json_write(document, json, err);
    if (!st) st = page_write(document, o->report ? o->report : html, err);
    tdm_free(json);
    tdm_free(html);
    return st;
}

static tdm_status add_click(cJSON *document, const tdm_evaluate_input *in, tdm_run *run, tdm_err *err)
{
    tdm_evaluation *e;
    tdm_status st = tdm_evaluate_click(&e, in, run, err);
    if (!st && e->people) st = tdm_evaluation_add_click(document, e, err);
    tdm_evaluation_close(e);
    return st;
}

static tdm_status add_influence(cJSON *document, const tdm_evaluate_input *in, tdm_run *run, tdm_err *err)
{
    tdm_influence v;
    tdm_status st = tdm_evaluate_influence(&v, in, run, err);
    return st ? st : tdm_evaluation_add_influence(document, &v, err);
}

static tdm_status judge(cJSON *document, const tdm_bundle *b, const tdm_options *o, tdm_run *run, tdm_err *err)
{
    const tdm_model *models[TDM_MAX_MODELS];
    const char *on, *whose;
    tdm_files files = {0};
    tdm_evaluate_input in = {
        .models = models, .seed = run->seed, .tradeoff = true, .lists = tdm_files_take, .ctx = &files};
    tdm_evaluation *e = NULL;
    tdm_status st = tdm_evaluate_questions(&in, b, o, &on, &whose, err);
    if (st) return st;
    tdm_questions asked = *in.questions;
    asked.newest = o->newest;
    in.questions = &asked;
    const tdm_model *subject;
    if (tdm_bundle_model(b, &subject, NULL, NULL)) subject = NULL; /* nothing ranks: ratings alone */
    for (int i = 0; tdm_models[i]; i++) {
        const tdm_model *m = b->model[i];
        if (!m || !(m->ops->score || m->ops->rate)) continue;
        models[in.n_models++] = m;
    }
    in.subject = in.n_models;
    for (size_t i = 0; i < in.n_models; i++)
        if (models[i] == subject) in.subject = i;
    tdm_log(run, TDM_LOG_INFO, "evaluate", "%zu models, %zu people held out for %s", in.n_models, in.questions->n, on);
    st = tdm_files_open(&files, b->data, o->trec, o->per_person, err);
    if (!st) st = tdm_evaluate(&e, &in, run, err);
    tdm_status closed = tdm_files_close(&files, st ? NULL : err);
    if (!st) st = closed;
    if (!st) {
        tdm_evaluation_describe(document, b, on);
        if (whose) cJSON_AddStringToObject(document, "vectors", whose);
        st = tdm_evaluation_add(document, e, in.subject, err);
    }
    if (!st && !o->newest) st = add_click(document, &in, run, err);
    if (!st && o->text) st = tdm_evaluate_text(document, b, in.questions, run, err);
    if (!st) st = add_influence(document, &in, run, err);
    if (!st && is_standard(o)) st = tdm_ablation_add(document, b, &in, run, err);
    if (!st) describe_training(document, b, o, run->seed);
    if (!st) st = add_search(document, b, run, err);
    tdm_evaluation_close(e);
    return st;
}

static tdm_status add_before(cJSON *document, const tdm_bundle *b, const tdm_options *o, tdm_run *run, tdm_err *err);

/* Judges the models of a folder into *document, and writes its report. */
static tdm_status folder_judge(cJSON **document, const char *folder, const tdm_options *o, tdm_run *run, tdm_err *err)
{
    tdm_bundle *b;
    tdm_status st = tdm_bundle_open(&b, folder, err);
    if (st) return st;
    *document = cJSON_CreateObject();
    st = *document ? judge(*document, b, o, run, err) : tdm_nomem(err, "an evaluation");
    if (!st && b->protocol.refit) st = add_before(*document, b, o, run, err);
    if (!st) st = report_write(*document, b, o, err);
    tdm_bundle_close(b);
    return st;
}

/* "before": the models that validation chose, as they were before they were fitted again. Their folder may be gone. */
static tdm_status add_before(cJSON *document, const tdm_bundle *b, const tdm_options *o, tdm_run *run, tdm_err *err)
{
    cJSON *judged = NULL;
    tdm_options same = *o; /* the figures; files that were asked for are of the folder itself */
    char *folder = tdm_path_join(b->folder, "before"), *manifest = folder ? tdm_path_join(folder, "tandem.json") : NULL;
    same.report = same.trec = same.per_person = NULL;
    tdm_status st = manifest ? TDM_OK : tdm_nomem(err, "an evaluation");
    if (!st && tdm_file_exists(manifest)) st = folder_judge(&judged, folder, &same, run, err);
    cJSON *models = cJSON_DetachItemFromObjectCaseSensitive(judged, "models");
    if (models) cJSON_AddItemToObject(document, "before", models);
    cJSON_Delete(judged);
    tdm_free(folder);
    tdm_free(manifest);
    return st;
}

tdm_status tdm_pipeline_evaluate(char **evaluation, const char *folder, const tdm_options *o, tdm_run *run,
                                 tdm_err *err)
{
    *evaluation = NULL;
    cJSON *document = NULL;
    tdm_status st = folder_judge(&document, folder, o, run, err);
    if (!st) return tdm_answer(evaluation, document, err);
    cJSON_Delete(document);
    return st;
}

tdm_status tdm_evaluation_text(char **text, const char *json, size_t width, tdm_err *err)
{
    *text = NULL;
    cJSON *document;
    tdm_buf out = {0};
    tdm_status st = tdm_json_parse(&document, json, strlen(json), "an evaluation", err);
    if (st) return st;
    st = tdm_evaluation_table(&out, document, width, err);
    if (!st) *text = out.p; /* the buffer's memory is tdm_text_free's kind */
    else tdm_buf_clear(&out);
    cJSON_Delete(document);
    return st;
}
