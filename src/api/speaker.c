/* SPDX-License-Identifier: Apache-2.0 */
#include "api/speaker.h"

#include "api/held.h"
#include "base/mem.h"
#include "eval/texts.h"
#include "gpt2/words.h"
#include "hybrid/central.h"

enum { PEOPLE = 100 };

const tdm_model *tdm_bundle_writer(const tdm_bundle *b)
{
    for (int i = 0; tdm_models[i]; i++)
        if (b->model[i] && b->model[i]->ops->write) return b->model[i];
    return NULL;
}

tdm_status tdm_speaker_of(tdm_speaker *out, const tdm_bundle *b, const char *word, tdm_err *err)
{
    int asked = word ? tdm_speaker_parse(word) : TDM_SPEAKER_GPT2;
    *out = TDM_SPEAKER_GPT2;
    if (asked < 0) return tdm_fail(err, TDM_E_ARG, "--sentence takes gpt2, review or evidence, not \"%s\"", word);
    if (word) *out = (tdm_speaker)asked;
    else if (tdm_gpt2_words_cedes(tdm_bundle_writer(b))) *out = TDM_SPEAKER_REVIEW;
    return TDM_OK;
}

tdm_status tdm_speaker_say(char **text, const tdm_explain_input *in, tdm_err *err)
{
    cJSON *o = cJSON_CreateObject();
    tdm_status st = o ? tdm_explain(o, in, err) : tdm_nomem(err, "a sentence");
    *text = st ? NULL : tdm_strdup(tdm_json_str(o, "text", ""));
    cJSON_Delete(o);
    return st || *text ? st : tdm_nomem(err, "a sentence");
}

/* ---- the choice ---- */

enum { GPT2, REVIEWER, KINDS };

typedef struct judging {
    const tdm_bundle *b;
    const tdm_model *model, *writer;
    tdm_claims *claims;
    tdm_run *run;
    tdm_text_pair pair[KINDS][PEOPLE]; /* texts and references are owned, but where a reviewer has none: GPT-2's then */
    size_t n;
} judging;

static tdm_status ask(judging *j, const tdm_held_review *r, tdm_err *err)
{
    const tdm_explain_input in = {.data = j->b->data,
                                  .train = j->b->split->train,
                                  .model = j->model,
                                  .writer = j->writer,
                                  .history = &r->history,
                                  .item = r->item,
                                  .positive_from = j->b->protocol.positive_from,
                                  .seed = j->run->seed,
                                  .claims = j->claims};
    tdm_buf reviewer = {0};
    char *gpt2 = NULL, *reference = tdm_held_reference(j->b->data, r), *said = NULL;
    tdm_status st = reference ? tdm_central_find(&reviewer, &in, r->user, err) : tdm_nomem(err, "a review");
    if (!st) st = tdm_speaker_say(&gpt2, &in, err);
    if (!st && reviewer.n && !(said = tdm_strndup(reviewer.p, reviewer.n))) st = tdm_nomem(err, "a sentence");
    tdm_buf_clear(&reviewer);
    if (st) {
        tdm_free(gpt2);
        tdm_free(reference);
        return st;
    }
    j->pair[GPT2][j->n] = (tdm_text_pair){tdm_str_of(gpt2), tdm_str_of(reference)};
    j->pair[REVIEWER][j->n++] = (tdm_text_pair){tdm_str_of(said ? said : gpt2), tdm_str_of(reference)};
    return TDM_OK;
}

static void judging_close(judging *j)
{
    for (size_t k = 0; k < j->n; k++) {
        const char *gpt2 = j->pair[GPT2][k].written.p, *said = j->pair[REVIEWER][k].written.p;
        if (said != gpt2) tdm_free((char *)(uintptr_t)said);
        tdm_free((char *)(uintptr_t)gpt2);
        tdm_free((char *)(uintptr_t)j->pair[GPT2][k].reference.p);
    }
    tdm_claims_close(j->claims);
    tdm_free(j);
}

static tdm_status judge(tdm_words_choice *c, judging *j, tdm_err *err)
{
    tdm_held held;
    tdm_text_scores gpt2, reviewer;
    tdm_status st = tdm_held_find(&held, j->b, &j->b->split->validation, true, PEOPLE, 1, err);
    for (size_t k = 0; !st && k < held.n; k++) {
        st = tdm_run_check(j->run, "gpt2-words", err);
        if (!st) st = ask(j, &held.at[k], err);
        tdm_progress(j->run, "gpt2-words", k, held.n, "sentences judged");
    }
    if (!st) st = tdm_texts_score(&gpt2, j->pair[GPT2], j->n, NULL, 0, err);
    if (!st) st = tdm_texts_score(&reviewer, j->pair[REVIEWER], j->n, NULL, 0, err);
    tdm_held_clear(&held);
    if (st) return st;
    c->people = j->n;
    c->gpt2 = gpt2.rougel;
    c->reviewer = reviewer.rougel;
    c->review = c->reviewer > c->gpt2;
    if (j->n)
        tdm_log(
            j->run, TDM_LOG_INFO, "gpt2-words",
            "beside what %zu validation people wrote, its sentences have a rouge@l of %.3f, reviewers' %.3f: %s stand",
            c->people, c->gpt2, c->reviewer, c->review ? "reviewers'" : "its own");
    return TDM_OK;
}

tdm_status tdm_speaker_choose(tdm_bundle *b, const char *path, const char *before, uint64_t of, tdm_run *run,
                              tdm_err *err)
{
    tdm_words_choice c = {.of = of ? of : 1};
    int i = tdm_models_index(tdm_str_of(tdm_gpt2_words_ops.name));
    tdm_model *writer = i < 0 ? NULL : b->model[i];
    tdm_status st = TDM_OK;
    if (!writer || tdm_gpt2_words_is_told(writer) || tdm_gpt2_words_choice(writer)->of == c.of) return TDM_OK;
    if (before) {
        st = tdm_gpt2_words_choice_read(&c, before, err);
        c.of = of ? of : 1;
    } else {
        judging *j = tdm_new(1, sizeof *j);
        if (!j) return tdm_nomem(err, "a choice of sentences");
        j->b = b;
        j->writer = writer;
        j->run = run;
        if (tdm_bundle_model(b, &j->model, NULL, NULL)) j->model = writer; /* alone in the folder: without evidence */
        st = tdm_claims_open(&j->claims, b->data, err);
        if (!st) st = judge(&c, j, err);
        judging_close(j);
    }
    if (st) return st;
    tdm_gpt2_words_choose(writer, &c);
    return tdm_gpt2_words_note(writer, path, err);
}
