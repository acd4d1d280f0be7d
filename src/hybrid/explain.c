/* SPDX-License-Identifier: Apache-2.0 */
/* explain.c - evidence first, then a sentence that says it, then a check that it says no more. */
#include "hybrid/explain.h"

#include "base/mem.h"
#include "base/rng.h"
#include "hybrid/central.h"
#include "hybrid/check.h"
#include "hybrid/facts.h"
#include "hybrid/tidy.h"

#include <math.h>
#include <string.h>

enum { TRIES = 3 };

static const char *const speakers[] = {"gpt2", "review", "evidence"};

const char *tdm_speaker_name(tdm_speaker s) { return speakers[s]; }

int tdm_speaker_parse(const char *word)
{
    for (int s = TDM_SPEAKER_GPT2; s <= TDM_SPEAKER_EVIDENCE; s++)
        if (!strcmp(word, speakers[s])) return s;
    return -1;
}

/* The evidence as it may be told: what the model says, less history items that speak against the recommendation or that
 * the asker did not like. What they had goes to the rest. */
static tdm_status evidence_find(tdm_evidence *out, const tdm_explain_input *in, tdm_err *err)
{
    tdm_evidence e = {.rest = 1};
    *out = (tdm_evidence){.rest = 1};
    if (!in->model->ops->because) return TDM_OK;
    tdm_status st = in->model->ops->because(in->model, &e, in->history, in->item, err);
    if (st) return st;
    double listed = 0;
    for (size_t k = 0; k < e.n_because; k++) {
        if (!(e.because[k].share > 0) || e.because[k].item >= in->data->I) continue;
        if (tdm_facts_rating(in->history, e.because[k].item) < in->positive_from) continue;
        out->because[out->n_because].item = e.because[k].item;
        out->because[out->n_because++].share = e.because[k].share;
        listed += (double)e.because[k].share;
    }
    out->rest = (float)(1 - listed);
    for (size_t k = 0; k < e.n_people; k++)
        if (e.people[k].user < in->train->U && e.people[k].user != in->history->self) {
            out->people[out->n_people].user = e.people[k].user;
            out->people[out->n_people++].similarity = e.people[k].similarity;
        }
    return TDM_OK;
}

static bool numbers_add(cJSON *o, const tdm_explain_input *in, const tdm_evidence *e)
{
    bool ok = true;
    cJSON *because = cJSON_AddArrayToObject(o, "because");
    for (size_t k = 0; ok && k < e->n_because; k++) {
        cJSON *one = cJSON_CreateObject();
        ok = tdm_json_add_text(one, "item", tdm_strings_at(&in->data->item_id, e->because[k].item)) &&
             tdm_json_add_text(one, "title", tdm_dataset_name(in->data, e->because[k].item)) &&
             cJSON_AddNumberToObject(one, "share", (double)e->because[k].share) && because;
        cJSON_AddItemToArray(because, one);
    }
    ok = ok && because && cJSON_AddNumberToObject(o, "rest", (double)e->rest);
    cJSON *neighbours = cJSON_AddArrayToObject(o, "neighbours");
    for (size_t k = 0; ok && k < e->n_people; k++) {
        cJSON *one = cJSON_CreateObject();
        ok = tdm_json_add_text(one, "user", tdm_strings_at(&in->train->user_id, e->people[k].user)) &&
             cJSON_AddNumberToObject(one, "similarity", (double)e->people[k].similarity) && neighbours;
        cJSON_AddItemToArray(neighbours, one);
    }
    return ok && neighbours;
}

/* All that a sentence may repeat: the evidence, what the item is called, and what it was recommended for. */
static void known_make(tdm_buf *known, const tdm_explain_input *in, const tdm_evidence *e, const tdm_buf *lines,
                       size_t n)
{
    const tdm_dataset *d = in->data;
    for (size_t k = 0; k < n; k++) tdm_buf_fmt(known, "%s\n", lines[k].p);
    for (size_t k = 0; k <= e->n_because; k++) {
        uint32_t i = k < e->n_because ? e->because[k].item : in->item;
        tdm_str name = tdm_dataset_name(d, i);
        tdm_buf_add(known, name.p, name.n);
        tdm_buf_char(known, '\n');
    }
}

/* ---- one sentence ---- */

/* A sentence that is being written. */
typedef struct telling {
    const tdm_explain_input *in;
    const tdm_claims *claims;
    tdm_str known;
    tdm_buf lead; /* what GPT-2's or a reviewer's words stand behind */
    tdm_buf text; /* the lead and what was written */
    size_t told;  /* bytes of a draft that passed and were told */
    bool refused; /* something was that the evidence does not say */
} telling;

typedef enum verdict { FINE, EMPTY, BLOCKED, UNBACKED } verdict;

/* Puts t->text together and judges it. */
static tdm_status judge(verdict *out, telling *t, tdm_str written, tdm_err *err)
{
    bool blocked;
    *out = EMPTY;
    if (!written.n) return TDM_OK;
    tdm_buf_reset(&t->text);
    if (t->lead.n) tdm_buf_add(&t->text, t->lead.p, t->lead.n);
    tdm_buf_add(&t->text, written.p, written.n);
    if (t->text.failed) return tdm_nomem(err, "a sentence");
    tdm_str whole = {t->text.p, t->text.n};
    tdm_status st = tdm_block_find(t->in->block, &blocked, whole, NULL, err);
    if (st) return st;
    /* GPT-2's own words have to hold alone, and with what stands before them they have to fit */
    bool backed =
        tdm_sentence_check(NULL, written, t->known, t->claims) && tdm_sentence_check(NULL, whole, t->known, t->claims);
    *out = blocked ? BLOCKED : backed ? FINE : UNBACKED;
    return TDM_OK;
}

/* Hands on the words that are whole, if they pass: half a word may be the beginning of one that does not. What does not
 * pass is not told, nor is what goes on from it. A word that memory was too short to judge is not told either. */
static int draft_pass(void *ctx, tdm_str text)
{
    telling *t = ctx;
    verdict v;
    while (text.n && text.p[text.n - 1] != ' ') text.n--;
    while (text.n && text.p[text.n - 1] == ' ') text.n--;
    if (!text.n || text.n == t->told) return 0;
    if (judge(&v, t, text, NULL) || v != FINE) return 0;
    t->told = text.n;
    return t->in->draft(t->in->draft_ctx, (tdm_str){t->text.p, t->text.n});
}

/* For the writer, which has several to choose from. */
static bool fits(void *ctx, tdm_str written)
{
    telling *t = ctx;
    verdict v;
    if (judge(&v, t, written, NULL)) return false;
    t->refused = t->refused || v == UNBACKED;
    return v == FINE;
}

/* A sentence of the writer that passes, into `out`, and as it is shown into t->text; or an empty text. */
static tdm_status sentence_write(char *out, size_t cap, telling *t, tdm_explain_counts *c, const tdm_evidence *e,
                                 tdm_err *err)
{
    const tdm_explain_input *in = t->in;
    *out = 0;
    if (!in->writer || !in->writer->ops->write || in->speaker == TDM_SPEAKER_EVIDENCE) return TDM_OK;
    for (uint64_t k = 0; k < TRIES; k++) {
        tdm_reason r = {.history = in->history,
                        .item = in->item,
                        .evidence = e,
                        .block = in->block,
                        .seed = k ? tdm_mix64(in->seed + k) : in->seed,
                        .fits = fits,
                        .fits_ctx = t,
                        .draft = in->draft ? draft_pass : NULL,
                        .draft_ctx = t};
        double logp;
        verdict v;
        t->told = 0;
        t->refused = false;
        tdm_status st = in->writer->ops->write(in->writer, out, cap, &logp, &r, err);
        tdm_str s = {out, strnlen(out, cap)};
        if (s.n == cap || !isfinite(logp)) s.n = 0;
        if (!st) st = judge(&v, t, s, err);
        if (st) return st;
        c->tries++;
        if (v == FINE) return TDM_OK;
        if (v == EMPTY && t->refused) v = UNBACKED;
        ++*(v == EMPTY ? &c->unfinished : v == BLOCKED ? &c->blocked : &c->unbacked);
        *out = 0;
    }
    return TDM_OK;
}

/* A reviewer's sentence into `quote`, and into t->text behind the lead, in quotation marks and said to be one. Both are
 * empty where there is none, or where saying so would hold a blocked word. */
static tdm_status reviewer_say(tdm_buf *quote, telling *t, tdm_err *err)
{
    const tdm_explain_input *in = t->in;
    bool blocked;
    if (in->speaker != TDM_SPEAKER_REVIEW) return TDM_OK;
    tdm_status st = tdm_central_find(quote, in, in->history->self, err);
    if (st || !quote->n) return st;
    if (t->lead.n > 2) { /* a sentence of its own: it ends with ": " where GPT-2's words follow */
        tdm_buf_add(&t->text, t->lead.p, t->lead.n - 2);
        tdm_buf_str(&t->text, ". ");
    }
    tdm_quote_add(&t->text, (tdm_str){quote->p, quote->n});
    if (t->text.failed) return tdm_nomem(err, "a reviewer's sentence");
    st = tdm_block_find(in->block, &blocked, (tdm_str){t->text.p, t->text.n}, NULL, err);
    if (!st && blocked) tdm_buf_reset(quote);
    return st;
}

static tdm_status words_add(cJSON *o, telling *t, const tdm_facts *f, const tdm_buf *lines, size_t n, tdm_err *err)
{
    const tdm_explain_input *in = t->in;
    tdm_buf known = {0}, plain = {0}, quote = {0};
    tdm_explain_counts c = {0};
    char written[TDM_SENTENCE_BYTES + 1] = "";
    cJSON *list = cJSON_AddArrayToObject(o, "evidence");
    bool ok = list != NULL;
    for (size_t k = 0; ok && k < n; k++) ok = cJSON_AddItemToArray(list, cJSON_CreateString(lines[k].p));
    known_make(&known, in, f->evidence, lines, n);
    t->known = (tdm_str){known.p, known.n};
    tdm_status st = ok && !known.failed ? TDM_OK : tdm_nomem(err, "a recommendation's evidence");
    if (!st && in->lead) st = tdm_facts_lead(&t->lead, f, err);
    if (!st) st = reviewer_say(&quote, t, err);
    if (!st && !quote.n) st = sentence_write(written, sizeof written, t, &c, f->evidence, err);
    if (!st && !quote.n && !*written) st = tdm_facts_say(&plain, f, err);
    if (!st) {
        const char *text = quote.n || *written ? t->text.p : plain.n ? plain.p : "";
        const char *source = quote.n ? "review" : *written ? "gpt2" : plain.n ? "evidence" : "none";
        c.again = c.tries > 1;
        ++*(quote.n ? &c.review : *written ? &c.gpt2 : plain.n ? &c.evidence : &c.none);
        ok = cJSON_AddStringToObject(o, "text", text) && cJSON_AddStringToObject(o, "text_source", source) &&
             (!*written || cJSON_AddStringToObject(o, "written", written)) &&
             (!quote.n || cJSON_AddStringToObject(o, "quote", quote.p)) &&
             cJSON_AddNumberToObject(o, "tries", (double)c.tries);
        if (!ok) st = tdm_nomem(err, "a sentence");
    }
#define X(name)                                                                                                        \
    if (in->counts) in->counts->name += c.name;
    TDM_EXPLAIN_COUNTS(X)
#undef X
    tdm_buf_clear(&known);
    tdm_buf_clear(&plain);
    tdm_buf_clear(&quote);
    return st;
}

tdm_status tdm_explain(cJSON *o, const tdm_explain_input *in, tdm_err *err)
{
    tdm_evidence e;
    tdm_facts facts;
    tdm_buf lines[TDM_FACTS_LINES];
    size_t n;
    if (in->item >= in->data->I)
        return tdm_fail(err, TDM_E_ARG, "there is no item %u among %zu to explain", in->item, in->data->I);
    tdm_status st = evidence_find(&e, in, err);
    if (!st && !numbers_add(o, in, &e)) st = tdm_nomem(err, "a recommendation's reasons");
    if (!st) st = tdm_facts_find(&facts, in, &e, err);
    if (st) return st;
    tdm_claims *own = NULL;
    st = tdm_facts_lines(lines, &n, &facts, err);
    if (!st && !in->claims) st = tdm_claims_open(&own, in->data, err);
    telling t = {.in = in, .claims = in->claims ? in->claims : own};
    if (!st) st = words_add(o, &t, &facts, lines, n, err);
    tdm_buf_clear(&t.lead);
    tdm_buf_clear(&t.text);
    tdm_claims_close(own);
    for (size_t k = 0; k < n; k++) tdm_buf_clear(&lines[k]);
    tdm_facts_clear(&facts);
    return st;
}
