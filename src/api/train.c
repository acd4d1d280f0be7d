/* SPDX-License-Identifier: Apache-2.0 */
/* train.c - fit, save, next; and going on after an interruption.
 *
 * A model's key is a hash of everything its bytes depend on: data, protocol, seed, its parameters and the keys of the
 * models it needs. progress.json holds the keys of what is saved; a model whose key is there is loaded, not fitted. The
 * manifest takes its place at the end, so a folder with a manifest is whole. */
#include "api/train.h"

#include "api/bundle.h"
#include "api/settings.h"
#include "api/speaker.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "eval/evaluate.h"
#include "gpt2/form.h"
#include "gpt2/gpt2.h"
#include "hybrid/hybrid.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

typedef struct trainer {
    const char *folder;
    const tdm_options *o;
    const tdm_chooser *chooser; /* or NULL */
    tdm_run *run;
    tdm_bundle b;
    const char *before; /* the folder whose choices are fitted again; or NULL */
    cJSON *before_manifest, *before_measured;
    tdm_questions judges, labels;
    tdm_forms forms;
    unsigned char chosen[TDM_MAX_MODELS];
    tdm_params params[TDM_MAX_MODELS];
    uint64_t key[TDM_MAX_MODELS];
    cJSON *done;     /* name: key, of what is saved; written as progress.json */
    cJSON *measured; /* name: {seconds, peak_memory, curves}; written as training.json */
} trainer;

static tdm_status path_to(char **out, const trainer *t, const char *name, tdm_err *err)
{
    *out = tdm_path_join(t->folder, name);
    return *out ? TDM_OK : tdm_nomem(err, name);
}

static tdm_status write_json(const trainer *t, const cJSON *json, const char *name, tdm_err *err)
{
    char *path;
    tdm_status st = path_to(&path, t, name, err);
    if (!st) st = tdm_json_write(json, path, err);
    tdm_free(path);
    return st;
}

/* ---- keys ---- */

static void key_hex(char out[17], uint64_t key) { snprintf(out, 17, "%016llx", (unsigned long long)key); }

static uint64_t add(uint64_t key, const void *bytes, size_t n) { return XXH3_64bits_withSeed(bytes, n, key); }

/* What a pretrained folder is, as far as the key goes: its weights, in whichever files and form they lie. One that
 * cannot be read is refused here, before anything is trained. */
static tdm_status add_pretrained(uint64_t *key, const char *folder, tdm_err *err)
{
    tdm_gpt2 *g;
    tdm_status st = tdm_gpt2_load(&g, folder, err);
    if (st) return st;
    *key = add(*key, &g->s, sizeof g->s);
    *key = add(*key, g->block, g->n * sizeof *g->block);
    tdm_gpt2_close(g);
    return TDM_OK;
}

static tdm_status make_key(trainer *t, int i, tdm_err *err)
{
    const tdm_model_ops *ops = tdm_models[i];
    cJSON *protocol = tdm_protocol_json(&t->b.protocol);
    char *text = cJSON_PrintUnformatted(protocol);
    cJSON_Delete(protocol);
    if (!text) return tdm_nomem(err, "a key");
    uint64_t key = add(t->b.data->fingerprint, text, strlen(text));
    cJSON_free(text);
    key = add(key, TDM_VERSION, strlen(TDM_VERSION));
    key = add(key, ops->name, strlen(ops->name));
    key = add(key, &t->run->seed, sizeof t->run->seed);
    for (int p = 0; ops->params && ops->params[p].name; p++) key = add(key, &t->params[i].value[p], sizeof(double));
    bool fusion = ops == &tdm_hybrid_ops;
    for (int k = 0; k < i; k++) {
        bool needed = fusion && t->chosen[k];
        for (const char *const *need = ops->needs; need && *need; need++)
            needed = needed || !strcmp(*need, tdm_models[k]->name);
        if (needed) key = add(key, &t->key[k], sizeof key);
    }
    const cJSON *m;
    cJSON_ArrayForEach(m, cJSON_GetObjectItemCaseSensitive(t->before_manifest, "models"))
    {
        const char *was = tdm_json_str(m, "key", "");
        if (!strcmp(tdm_json_str(m, "name", ""), ops->name)) key = add(key, was, strlen(was));
    }
    for (size_t f = 0; ops->write && f < TDM_FORM_KINDS; f++)
        key = add(key, t->forms.of[f].source, t->forms.of[f].source_n);
    tdm_status st = t->o->gpt2 && ops->write ? add_pretrained(&key, t->o->gpt2, err) : TDM_OK;
    t->key[i] = key;
    return st;
}

/* The keys that an interrupted or finished training left, or an empty object. */
static tdm_status read_done(trainer *t, tdm_err *err)
{
    char *progress, *manifest = NULL;
    cJSON *old = NULL;
    tdm_status st = path_to(&progress, t, "progress.json", err);
    if (!st) st = path_to(&manifest, t, "tandem.json", err);
    if (!st && tdm_file_exists(progress) && tdm_json_read(&t->done, progress, NULL)) t->done = NULL;
    if (!st && !t->done) {
        t->done = cJSON_CreateObject();
        if (tdm_file_exists(manifest) && tdm_json_read(&old, manifest, NULL)) old = NULL;
        const cJSON *m;
        cJSON_ArrayForEach(m, cJSON_GetObjectItemCaseSensitive(old, "models"))
            cJSON_AddStringToObject(t->done, tdm_json_str(m, "name", "?"), tdm_json_str(m, "key", ""));
        cJSON_Delete(old);
    }
    if (!st) st = write_json(t, t->done, "progress.json", err);
    if (!st) unlink(manifest); /* from here on the folder is in the making */
    tdm_free(progress);
    tdm_free(manifest);
    return st;
}

/* ---- one model ---- */

static tdm_status judge_ask(void *ctx, double *value, const tdm_model *m, tdm_err *err)
{
    trainer *t = ctx;
    return tdm_ndcg(value, m, &t->judges, t->b.split->train->I, 10, t->b.protocol.seen, t->run->pool, err);
}

/* For models made for ratings: minus the error, since a judge's higher value is the better. */
static tdm_status judge_ask_ratings(void *ctx, double *value, const tdm_model *m, tdm_err *err)
{
    trainer *t = ctx;
    tdm_status st = tdm_rmse(value, m, &t->judges, t->b.data->rating_low, t->b.data->rating_high, t->run->pool, err);
    *value = -*value;
    return st;
}

static bool is_done(trainer *t, int i, const char *path, const tdm_model **needs)
{
    char hex[17];
    key_hex(hex, t->key[i]);
    if (strcmp(tdm_json_str(t->done, tdm_models[i]->name, ""), hex)) return false;
    tdm_err why;
    if (tdm_models[i]->load(&t->b.model[i], path, t->b.split->train, needs, &why)) {
        tdm_log(t->run, TDM_LOG_WARN, tdm_models[i]->name, "fitted again, since what was saved cannot be read: %s",
                why.msg);
        return false;
    }
    tdm_log(t->run, TDM_LOG_INFO, tdm_models[i]->name, "already trained with these settings");
    return true;
}

static tdm_status save(trainer *t, int i, const char *path, double seconds, const tdm_fit_input *in, tdm_err *err)
{
    const char *name = tdm_models[i]->name;
    char hex[17];
    char *folder = tdm_strndup(path, (size_t)(strrchr(path, '/') - path));
    if (!folder) return tdm_nomem(err, path);
    tdm_status st = tdm_folder_make(folder, err);
    if (!st) st = t->b.model[i]->ops->save(t->b.model[i], path, err);
    tdm_free(folder);
    if (st) return st;
    key_hex(hex, t->key[i]);
    cJSON_DeleteItemFromObjectCaseSensitive(t->done, name);
    cJSON_AddStringToObject(t->done, name, hex);
    cJSON_DeleteItemFromObjectCaseSensitive(t->measured, name);
    cJSON *m = cJSON_AddObjectToObject(t->measured, name);
    cJSON_AddNumberToObject(m, "seconds", seconds);
    cJSON_AddNumberToObject(m, "peak_memory", (double)tdm_peak_memory());
    if (in->curves && in->curves->child) cJSON_AddItemToObject(m, "curves", cJSON_Duplicate(in->curves, true));
    if (in->chosen && in->chosen->child) cJSON_AddItemToObject(m, "chosen", cJSON_Duplicate(in->chosen, true));
    st = write_json(t, t->measured, "training.json", err);
    return st ? st : write_json(t, t->done, "progress.json", err);
}

static tdm_fit_input fit_input(const trainer *t, int i, const tdm_model **needs, const tdm_judge *judge)
{
    return (tdm_fit_input){.train = t->b.split->train,
                           .params = &t->params[i],
                           .needs = needs,
                           .judge = t->judges.n ? judge : NULL,
                           .labels = &t->labels,
                           .seen = t->b.protocol.seen == TDM_SEEN_KEEP,
                           .pretrained = t->o->gpt2,
                           .forms = &t->forms,
                           .memory = t->o->memory,
                           .run = t->run};
}

/* The settings that somebody else chooses, and the key that follows. */
static tdm_status choose(trainer *t, int i, const tdm_model **needs, tdm_err *err)
{
    const tdm_model_ops *ops = tdm_models[i];
    const tdm_judge judge = {ops->for_ratings ? judge_ask_ratings : judge_ask, t};
    const char *metric = ops->for_ratings ? "-rmse" : "ndcg@10";
    const tdm_fit_input in = fit_input(t, i, needs, &judge);
    tdm_params chosen = t->params[i];
    tdm_status st = t->chooser->choose(t->chooser->ctx, &chosen, ops, &in, metric, t->key[i], err);
    t->params[i] = chosen;
    return st ? st : make_key(t, i, err);
}

/* What validation chose for a model, where there was one and there is none now. */
static const cJSON *chosen_before(const trainer *t, int i)
{
    const cJSON *m = cJSON_GetObjectItemCaseSensitive(t->before_measured, tdm_models[i]->name);
    return cJSON_GetObjectItemCaseSensitive(m, "chosen");
}

/* Weights of the fusion were learned from validation people: they stay, over parts that were fitted again. */
static tdm_status take_over(trainer *t, int i, const tdm_model **needs, tdm_err *err)
{
    char *path = tdm_path_join(t->before, tdm_models[i]->path);
    if (!path) return tdm_nomem(err, t->before);
    tdm_status st = tdm_models[i]->load(&t->b.model[i], path, t->b.split->train, needs, err);
    tdm_free(path);
    return st;
}

static tdm_status fit(trainer *t, int i, const char *path, const tdm_model **needs, tdm_err *err)
{
    char name[64], *checkpoint;
    snprintf(name, sizeof name, "%s.checkpoint", tdm_models[i]->name);
    tdm_status st = path_to(&checkpoint, t, name, err);
    if (st) return st;
    const tdm_judge judge = {judge_ask, t};
    tdm_fit_input in = fit_input(t, i, needs, &judge);
    in.checkpoint = checkpoint;
    in.train_log = t->o->train_log;
    in.curves = cJSON_CreateObject();
    in.chosen = cJSON_CreateObject();
    in.again = chosen_before(t, i);
    double began = tdm_seconds();
    tdm_peak_memory_reset();
    tdm_progress(t->run, tdm_models[i]->name, 0, 0, NULL);
    tdm_log(t->run, TDM_LOG_INFO, tdm_models[i]->name, "fitting: %s", tdm_models[i]->summary);
    st = t->before && tdm_models[i] == &tdm_hybrid_ops ? take_over(t, i, needs, err)
                                                       : tdm_models[i]->fit(&t->b.model[i], &in, err);
    if (!st) st = save(t, i, path, tdm_seconds() - began, &in, err);
    if (!st) unlink(checkpoint);
    cJSON_Delete(in.curves);
    cJSON_Delete(in.chosen);
    tdm_free(checkpoint);
    return st;
}

static tdm_status model_make(trainer *t, int i, tdm_err *err)
{
    const tdm_model *needs[TDM_MAX_MODELS + 1];
    char *path;
    tdm_status st = make_key(t, i, err);
    if (!st) st = path_to(&path, t, tdm_models[i]->path, err);
    if (st) return st;
    tdm_models_needed(needs, t->b.model, i);
    if (t->chooser) st = choose(t, i, needs, err);
    if (st) {
        tdm_free(path);
        return st;
    }
    if (!is_done(t, i, path, needs)) st = tdm_run_check(t->run, tdm_models[i]->name, err);
    if (!st && !t->b.model[i]) st = fit(t, i, path, needs, err);
    tdm_free(path);
    return st;
}

/* Whose sentence stands is judged when all is there: it is the sentences beside the recommendations of the whole. */
static tdm_status speaker_choose(trainer *t, tdm_err *err)
{
    uint64_t of = 0;
    int writer = -1;
    for (int i = 0; tdm_models[i]; i++) {
        if (!t->b.model[i]) continue;
        of = add(of, &t->key[i], sizeof t->key[i]);
        if (tdm_models[i]->write) writer = i;
    }
    if (writer < 0) return TDM_OK;
    char *path, *before = t->before ? tdm_path_join(t->before, tdm_models[writer]->path) : NULL;
    if (t->before && !before) return tdm_nomem(err, t->before);
    tdm_status st = path_to(&path, t, tdm_models[writer]->path, err);
    if (!st) st = tdm_speaker_choose(&t->b, path, before, of, t->run, err);
    tdm_free(path);
    tdm_free(before);
    return st;
}

/* ---- the manifest ---- */

static cJSON *models_json(const trainer *t)
{
    cJSON *list = cJSON_CreateArray();
    for (int i = 0; tdm_models[i]; i++) {
        if (!t->chosen[i]) continue;
        char hex[17];
        key_hex(hex, t->key[i]);
        cJSON *m = cJSON_CreateObject(), *params;
        cJSON_AddStringToObject(m, "name", tdm_models[i]->name);
        cJSON_AddStringToObject(m, "path", tdm_models[i]->path);
        cJSON_AddStringToObject(m, "key", hex);
        params = cJSON_AddObjectToObject(m, "parameters");
        for (int p = 0; tdm_models[i]->params && tdm_models[i]->params[p].name; p++)
            cJSON_AddNumberToObject(params, tdm_models[i]->params[p].name, t->params[i].value[p]);
        cJSON_AddItemToArray(list, m);
    }
    return list;
}

static tdm_status manifest_write(const trainer *t, tdm_err *err)
{
    static const char *const data_files[] = {"dataset.json", "dataset.safetensors", "text.safetensors"};
    char hex[17], *progress;
    cJSON *m = cJSON_CreateObject(), *files;
    key_hex(hex, t->b.data->fingerprint);
    cJSON_AddStringToObject(m, "tandem", TDM_VERSION);
    cJSON_AddNumberToObject(m, "format", TDM_FORMAT);
    cJSON_AddStringToObject(m, "dataset", hex);
    cJSON_AddNumberToObject(m, "seed", (double)t->run->seed);
    cJSON_AddStringToObject(m, "preset", t->o->preset ? t->o->preset : "standard");
    cJSON_AddItemToObject(m, "protocol", tdm_protocol_json(&t->b.protocol));
    cJSON_AddItemToObject(m, "models", models_json(t));
    files = cJSON_AddObjectToObject(m, "files");
    tdm_status st = files ? TDM_OK : tdm_nomem(err, "the manifest");
    for (int i = 0; !st && i < 3; i++) st = tdm_manifest_add_files(files, t->folder, data_files[i], err);
    for (int i = 0; !st && tdm_models[i]; i++)
        if (t->chosen[i]) st = tdm_manifest_add_files(files, t->folder, tdm_models[i]->path, err);
    if (!st) st = write_json(t, m, "tandem.json", err);
    cJSON_Delete(m);
    if (!st && !(st = path_to(&progress, t, "progress.json", err))) {
        unlink(progress);
        tdm_free(progress);
    }
    return st;
}

/* ---- the whole ---- */

/* A JSON file of a folder; an empty object where there is none that can be read. */
static tdm_status json_of(cJSON **out, const char *folder, const char *name, tdm_err *err)
{
    char *path = tdm_path_join(folder, name);
    if (!path) return tdm_nomem(err, folder);
    if (!tdm_file_exists(path) || tdm_json_read(out, path, NULL)) *out = cJSON_CreateObject();
    tdm_free(path);
    return *out ? TDM_OK : tdm_nomem(err, name);
}

static tdm_status begin(trainer *t, tdm_err *err)
{
    tdm_status st = tdm_settings_check(t->o, err);
    if (!st) st = tdm_forms_read(&t->forms, t->o->forms, t->o->n_forms, err);
    if (!st) st = tdm_models_choose(t->chosen, t->o->models, err);
    if (!st && t->before) st = json_of(&t->before_measured, t->before, "training.json", err);
    if (!st && t->before) st = json_of(&t->before_manifest, t->before, "tandem.json", err);
    for (int i = 0; !st && tdm_models[i]; i++)
        st = t->before ? tdm_settings_stored(&t->params[i], t->before_manifest, tdm_models[i], err)
                       : tdm_settings_params(&t->params[i], tdm_models[i], t->o, err);
    if (!st) st = tdm_dataset_open(&t->b.data, t->folder, err);
    if (!st) st = tdm_protocol_parse(&t->b.protocol, t->o, t->b.data->has_times, t->run->seed, err);
    if (!st) st = tdm_split_make(&t->b.split, t->b.data, &t->b.protocol, err);
    const tdm_questions *v = st ? NULL : &t->b.split->validation;
    if (!st) st = tdm_questions_part(&t->judges, v, t->b.data, 0, TDM_JUDGES, t->run->seed, err);
    if (!st) st = tdm_questions_part(&t->labels, v, t->b.data, TDM_JUDGES, 1, t->run->seed, err);
    if (!st) st = json_of(&t->measured, t->folder, "training.json", err);
    if (st) return st;
    tdm_log(t->run, TDM_LOG_INFO, "split", "%s: %zu training interactions, %zu validation people, %zu test people",
            tdm_split_kind_name(t->b.protocol.split), t->b.split->train->N, v->n, t->b.split->test.n);
    return read_done(t, err);
}

tdm_status tdm_train_once(const char *folder, const tdm_options *o, const tdm_chooser *chooser, const char *before,
                          tdm_run *run, tdm_err *err)
{
    trainer *t = tdm_new(1, sizeof *t);
    if (!t) return tdm_nomem(err, "training");
    t->folder = folder;
    t->o = o;
    t->chooser = chooser;
    t->before = before;
    t->run = run;
    tdm_status st = begin(t, err);
    for (int i = 0; !st && tdm_models[i]; i++)
        if (t->chosen[i]) st = model_make(t, i, err);
    if (!st) st = speaker_choose(t, err);
    if (!st) st = manifest_write(t, err);
    if (st == TDM_E_CANCELLED && err) {
        tdm_buf kept = {0};
        for (int i = 0; tdm_models[i]; i++)
            if (t->b.model[i]) tdm_buf_fmt(&kept, "%s%s", kept.n ? ", " : "", tdm_models[i]->name);
        tdm_fail(err, st, "interrupted; kept in %s: the data%s%s; the same command goes on from there", folder,
                 kept.n ? ", " : "", kept.n ? kept.p : "");
        tdm_buf_clear(&kept);
    }
    for (int i = TDM_MAX_MODELS - 1; i >= 0; i--) tdm_model_close(t->b.model[i]);
    tdm_questions_clear(&t->judges);
    tdm_questions_clear(&t->labels);
    tdm_split_close(t->b.split);
    tdm_dataset_close(t->b.data);
    cJSON_Delete(t->done);
    cJSON_Delete(t->measured);
    cJSON_Delete(t->before_manifest);
    cJSON_Delete(t->before_measured);
    tdm_free(t);
    return st;
}
