/* SPDX-License-Identifier: Apache-2.0 */
/* words.c - the model gpt2-words: its parameters, its folder, its table of functions.
 *
 * The folder is a Hugging Face GPT-2 that other tools open, with three files more: words.json, the parameters and whose
 * sentence stands, and review.txt and history.txt, the forms in which it was trained and is asked (form.h).
 *
 *     {"model": "gpt2-words", "form": 1, "parameters": {"C": 128, ...},
 *      "sentence": {"stands": "review", "people": 100, "rouge@l": {"gpt2": 0.077, "review": 0.133}, "of": "9f..."}} */
#include "gpt2/words.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/status.h"
#include "gpt2/words_parts.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const tdm_param tdm_words_params[] = {
    {"C", 128, 8, 4096, TDM_INTEGER, "channels, from scratch"},
    {"L", 2, 1, 96, TDM_INTEGER, "layers, from scratch"},
    {"H", 4, 1, 64, TDM_INTEGER, "heads, from scratch"},
    {"window", 256, WORDS_T, 1024, TDM_INTEGER, "tokens of a document at most"},
    {"vocabulary", 0, 0, 50000, TDM_INTEGER, "tokens to learn, from scratch; 0: by the amount of text"},
    {"steps", 0, 0, 10000000, TDM_INTEGER, "updates; 0: by the amount of text and the size of the model"},
    {"epochs", 12, 0.01, 1000, TDM_LOG,
     "how often each document is read, up to `longest`; of few texts up to three times as often"},
    {"longest", 1200, 1, 10000000, TDM_INTEGER, "updates at most where `steps` is 0"},
    {"tokens", 2048, 64, 1000000, TDM_INTEGER, "tokens of an update"},
    {"rate", 0.002, 1e-6, 0.1, TDM_LOG, "learning rate from scratch"},
    {"tuning_rate", 0.00005, 1e-7, 0.1, TDM_LOG, "learning rate from a pretrained model"},
    {"lora", 0, 0, 1024, TDM_INTEGER,
     "rank of adapters trained in place of a pretrained model's weights; 0: the weights are trained"},
    {"lora_rate", 0.0005, 1e-7, 0.1, TDM_LOG, "learning rate of the adapters and of the rows of new tokens"},
    {"floor", 0.05, 0, 1, TDM_LINEAR, "share of the rate at the end of its cosine; 1: the rate stays"},
    {"average", -1, -1, 100000, TDM_INTEGER,
     "updates that an average of the weights, which is kept, reaches back; 0: none; -1: 60 from scratch, an eighth of "
     "all at most, and none from a pretrained model"},
    {"bf16", 0, 0, 1, TDM_INTEGER,
     "1: products in bf16, sums in floats (mixed precision); tandem doctor names the way"},
    {"dropout", 0.1, 0, 0.9, TDM_LINEAR, "part of the activations left out in training"},
    {"decay", 0.1, 0, 1, TDM_LINEAR, "weight decay"},
    {"context", 0.1, 0, 1, TDM_LINEAR, "how much the prompt's own words count in the loss"},
    {"title", 1, 0, 1, TDM_LINEAR, "how much the name of the item of a review counts in the loss"},
    {"history", 3, 0, 1000, TDM_INTEGER, "history items in front of a review"},
    {"temperature", 0.6, 0, 2, TDM_LINEAR, "of the sentences; 0: always the likeliest word"},
    {"top_k", 40, 0, 100000, TDM_INTEGER, "words are drawn from so many likeliest; 0: from all"},
    {"top_p", 0.9, 0, 1, TDM_LINEAR, "words are drawn from the likeliest with this probability together"},
    {"min_p", 0, 0, 1, TDM_LINEAR,
     "words are drawn from those this many times as likely as the likeliest; 0: from all"},
    {"penalty", 1, 0.1, 10, TDM_LOG, "words of the answer so far become less likely by this; 1: they do not"},
    {"sentence", 0, 0, 2, TDM_INTEGER,
     "whose stands beside a recommendation: 0: whose did better on validation people, 1: GPT-2's, 2: a reviewer's"},
    {"beam", 16, 1, 1000, TDM_INTEGER, "beginnings of one length that a ranking of titles carries on"},
    {"packed", 0, 0, 2, TDM_INTEGER, "weights that writing and ranking read: 0: as they are, 1: as bf16, 2: as int8"},
    {0},
};

tdm_status tdm_gpt2_words_check(const tdm_params *p, const char *pretrained, tdm_err *err)
{
    double rank = tdm_param_get(p, "lora");
    if (!(rank > 0) || pretrained) return TDM_OK;
    return tdm_fail(
        err, TDM_E_ARG,
        "gpt2-words.lora=%.0f: adapters need a pretrained GPT-2 to stand beside; name its folder with --gpt2, "
        "or leave lora at 0",
        rank);
}

/* ---- whose sentence stands ---- */

const tdm_words_choice *tdm_gpt2_words_choice(const tdm_model *m) { return &((const tdm_words *)m)->choice; }

void tdm_gpt2_words_choose(tdm_model *m, const tdm_words_choice *c) { ((tdm_words *)m)->choice = *c; }

bool tdm_gpt2_words_is_told(const tdm_model *m)
{
    const tdm_words *w = (const tdm_words *)m;
    return !w->writes || tdm_param_get(&w->p, "sentence") > 0;
}

bool tdm_gpt2_words_cedes(const tdm_model *m)
{
    if (!m || m->ops != &tdm_gpt2_words_ops) return false;
    const tdm_words *w = (const tdm_words *)m;
    double set = tdm_param_get(&w->p, "sentence");
    return set > 0 ? set > 1 : w->choice.review;
}

static bool write_choice(cJSON *o, const tdm_words_choice *c)
{
    char of[17];
    if (!c->of) return true; /* nothing was judged */
    cJSON *s = cJSON_AddObjectToObject(o, "sentence"), *rouge;
    snprintf(of, sizeof of, "%016" PRIx64, c->of);
    bool fine = s && cJSON_AddStringToObject(s, "stands", c->review ? "review" : "gpt2") &&
                cJSON_AddNumberToObject(s, "people", (double)c->people);
    rouge = fine && c->people ? cJSON_AddObjectToObject(s, "rouge@l") : NULL;
    if (rouge)
        fine = cJSON_AddNumberToObject(rouge, "gpt2", c->gpt2) && cJSON_AddNumberToObject(rouge, "review", c->reviewer);
    else fine = fine && !c->people;
    return fine && cJSON_AddStringToObject(s, "of", of);
}

/* A folder without one is older than the choice, or was never judged: GPT-2's stands. */
static void read_choice(tdm_words_choice *c, const cJSON *o)
{
    const cJSON *s = cJSON_GetObjectItemCaseSensitive(o, "sentence"),
                *rouge = cJSON_GetObjectItemCaseSensitive(s, "rouge@l");
    double people = tdm_json_num(s, "people", 0);
    c->review = !strcmp(tdm_json_str(s, "stands", "gpt2"), "review");
    c->people = people >= 0 && people < 1e9 ? (size_t)people : 0;
    c->gpt2 = tdm_json_num(rouge, "gpt2", 0);
    c->reviewer = tdm_json_num(rouge, "review", 0);
    c->of = strtoull(tdm_json_str(s, "of", "0"), NULL, 16);
}

/* ---- the folder ---- */

static tdm_status write_parameters(const tdm_words *w, const char *path, tdm_err *err)
{
    cJSON *o = cJSON_CreateObject(), *p = cJSON_AddObjectToObject(o, "parameters");
    bool fine = p && cJSON_AddStringToObject(o, "model", w->base.ops->name) && cJSON_AddNumberToObject(o, "form", 1);
    for (size_t i = 0; fine && tdm_words_params[i].name; i++)
        fine = cJSON_AddNumberToObject(p, tdm_words_params[i].name, w->p.value[i]);
    fine = fine && write_choice(o, &w->choice);
    char *file = fine ? tdm_path_join(path, "words.json") : NULL;
    tdm_status st = file ? tdm_json_write(o, file, err) : tdm_nomem(err, "words.json");
    tdm_free(file);
    cJSON_Delete(o);
    return st;
}

static tdm_status read_parameters(tdm_words *w, const char *path, tdm_err *err)
{
    w->p = tdm_params_standard(tdm_words_params);
    cJSON *o = NULL;
    char *file = tdm_path_join(path, "words.json");
    if (!file) return tdm_nomem(err, "words.json");
    tdm_status st = tdm_json_read(&o, file, err);
    const cJSON *p = st ? NULL : cJSON_GetObjectItemCaseSensitive(o, "parameters");
    if (!st && (tdm_json_num(o, "form", 0) != 1 || !cJSON_IsObject(p)))
        st =
            tdm_fail(err, TDM_E_FORMAT, "%s: not the parameters of gpt2-words in a form that this version reads", file);
    for (size_t i = 0; !st && tdm_words_params[i].name; i++) {
        const char *name = tdm_words_params[i].name;
        if (!cJSON_HasObjectItem(p, name)) continue; /* the folder is older than the parameter */
        double value = tdm_json_num(p, name, NAN);
        if (tdm_params_set(&w->p, file, name, value, err)) st = TDM_E_FORMAT;
    }
    if (!st) read_choice(&w->choice, o);
    cJSON_Delete(o);
    tdm_free(file);
    return st;
}

tdm_status tdm_gpt2_words_choice_read(tdm_words_choice *out, const char *path, tdm_err *err)
{
    cJSON *o;
    char *file = tdm_path_join(path, "words.json");
    *out = (tdm_words_choice){0};
    tdm_status st = file ? tdm_json_read(&o, file, err) : tdm_nomem(err, "words.json");
    tdm_free(file);
    if (st) return st;
    read_choice(out, o);
    cJSON_Delete(o);
    return TDM_OK;
}

tdm_status tdm_gpt2_words_note(const tdm_model *m, const char *path, tdm_err *err)
{
    return write_parameters((const tdm_words *)m, path, err);
}

static tdm_status save(const tdm_model *m, const char *path, tdm_err *err)
{
    const tdm_words *w = (const tdm_words *)m;
    tdm_status st = tdm_folder_make(path, err);
    if (!st) st = tdm_gpt2_save(w->g, path, err);
    if (!st) st = tdm_bpe_save(w->b, path, err);
    if (!st) st = tdm_forms_save(&w->forms, path, err);
    return st ? st : write_parameters(w, path, err);
}

static tdm_status load(tdm_model **out, const char *path, const tdm_dataset *train, const tdm_model *const *needs,
                       tdm_err *err)
{
    (void)needs;
    *out = NULL;
    tdm_words *w = tdm_new(1, sizeof *w);
    if (!w) return tdm_nomem(err, path);
    w->base.ops = &tdm_gpt2_words_ops;
    w->train = train;
    tdm_status st = read_parameters(w, path, err);
    if (!st) st = tdm_forms_load(&w->forms, path, err);
    if (!st) st = tdm_gpt2_load(&w->g, path, err);
    if (!st) st = tdm_bpe_open(&w->b, path, err);
    if (!st && (tdm_bpe_size(w->b) > w->g->s.V || w->g->s.T < WORDS_T))
        st = tdm_fail(err, TDM_E_FORMAT, "%s: %zu tokens in a model of %zu rows and %zu positions do not fit together",
                      path, tdm_bpe_size(w->b), w->g->s.V, w->g->s.T);
    if (!st) st = tdm_words_complete(w, err);
    if (!st) st = tdm_words_pack(w, NULL, err);
    if (st) tdm_words_close(&w->base);
    else *out = &w->base;
    return st;
}

const tdm_model_ops tdm_gpt2_words_ops = {
    .name = "gpt2-words",
    .summary = "GPT-2 over words: reads histories as text and writes the reason beside a recommendation",
    .path = "gpt2-words",
    .params = tdm_words_params,
    .fit = tdm_words_fit,
    .topk = tdm_words_topk,
    .write = tdm_words_write,
    .save = save,
    .load = load,
    .close = tdm_words_close,
};
