/* SPDX-License-Identifier: Apache-2.0 */
/* personal.c - are sentences made for the person? The same item recommended to many people, in a model folder.
 *
 *     truth_personal MODEL [people]          200 people; prints one JSON object
 *
 * The item is the one that the hybrid has in the first ten of most people; of those the first so many are asked, with
 * one seed. Counted are the different sentences, as they are shown and of GPT-2's own words alone, with the sampling of
 * the folder and greedily.
 *
 * Then each sentence is scored behind its own prompt and behind another person's, the same item in both:
 *
 *     log p(sentence | prompt of u, item)   against   log p(sentence | prompt of v, item)
 *
 * with v the next of the people whose evidence is not that of u; and the prompt is what the sentence was made from: the
 * newest items of the history, the item, what led to it, what others wrote. Scored are the tokens behind <|review|>,
 * their end too. "own" is the share of pairs in which the own prompt makes it likelier, ties being half; "by" the mean
 * difference per token. "item": the same with the sentence for a person's best item against the next person's prompt
 * for theirs. */
#include "api/ask.h"
#include "base/mem.h"
#include "gpt2/score.h"
#include "gpt2/words_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST = 10 };

typedef struct told {
    uint32_t person, item;
    char *shown, *written;
    tdm_evidence evidence;
} told;

static void stop(const char *why)
{
    fprintf(stderr, "truth_personal: %s\n", why);
    exit(2);
}

static void fine(tdm_status st, const tdm_err *err)
{
    if (st) stop(err->msg);
}

static tdm_str user_of(const tdm_bundle *b, size_t u) { return tdm_strings_at(&b->data->user_id, u); }

/* An answer about person u: the list, or one item. */
static cJSON *asked(tdm_recommender *r, size_t u, const char *item)
{
    char *answer, *user = tdm_strndup(user_of(r->b, u).p, user_of(r->b, u).n);
    tdm_err err;
    cJSON *o = NULL;
    tdm_query q = {.user = user, .n = LIST, .words = item != NULL, .sentence = "gpt2", .seed = 1};
    if (!user) stop("not enough memory");
    fine(item ? tdm_recommender_explain(r, &answer, &q, item, &err) : tdm_recommender_recommend(r, &answer, &q, &err),
         &err);
    fine(tdm_json_parse(&o, answer, strlen(answer), "an answer", &err), &err);
    tdm_text_free(answer);
    tdm_free(user);
    return o;
}

static uint32_t item_of(const tdm_bundle *b, const cJSON *o)
{
    return tdm_dataset_item(b->data, tdm_str_of(tdm_json_str(o, "item", "")));
}

static char *copy(const char *s)
{
    char *c = tdm_strdup(s);
    if (!c) stop("not enough memory");
    return c;
}

/* What u is told of an item. */
static told tell(tdm_recommender *r, uint32_t u, uint32_t item)
{
    char *id = tdm_strndup(tdm_strings_at(&r->b->data->item_id, item).p, tdm_strings_at(&r->b->data->item_id, item).n);
    if (!id) stop("not enough memory");
    cJSON *o = asked(r, u, id);
    told t = {.person = u,
              .item = item,
              .shown = copy(tdm_json_str(o, "text", "")),
              .written = copy(tdm_json_str(o, "written", ""))};
    const cJSON *one;
    cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(o, "because"))
    {
        if (t.evidence.n_because == TDM_EVIDENCE_ITEMS) break;
        t.evidence.because[t.evidence.n_because].item = item_of(r->b, one);
        t.evidence.because[t.evidence.n_because++].share = (float)tdm_json_num(one, "share", 0);
    }
    cJSON_Delete(o);
    tdm_free(id);
    return t;
}

/* ---- different ---- */

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static size_t different(const told *t, size_t n, bool written)
{
    char **s = tdm_new(n, sizeof *s);
    if (!s) stop("not enough memory");
    for (size_t i = 0; i < n; i++) s[i] = written ? t[i].written : t[i].shown;
    qsort(s, n, sizeof *s, by_text);
    size_t d = 0;
    for (size_t i = 0; i < n; i++) d += !i || strcmp(s[i], s[i - 1]) != 0;
    tdm_free(s);
    return d;
}

/* ---- likelier ---- */

static double logp(const tdm_words *w, const tdm_bundle *b, const told *of, const told *behind, bool shown, size_t *n)
{
    tdm_history h = tdm_dataset_history(b->data, behind->person);
    const tdm_reason r = {.history = &h, .item = behind->item, .evidence = &behind->evidence, .seed = 1};
    tdm_prompt prompt = {0};
    tdm_tokens t = {0};
    tdm_err err;
    double sum;
    fine(tdm_words_ask(&prompt, w, &r, true, &err), &err);
    tdm_prompt_mark(&prompt, w->mark.review, 0);
    fine(tdm_prompt_encode(&t, w->b, tdm_str_of(shown ? of->shown : of->written), SIZE_MAX, &err), &err);
    uint32_t *token = tdm_new(t.n + 1, sizeof *token);
    if (prompt.failed || !token) stop("not enough memory");
    size_t room = w->g->s.T + 1 - prompt.token.n, len = t.n + 1 < room ? t.n + 1 : room;
    for (size_t i = 0; i < t.n; i++) token[i] = t.at[i];
    token[t.n] = w->mark.text;
    const uint32_t start[2] = {0, (uint32_t)len};
    fine(tdm_gpt2_score(w->packed, &sum, NULL, prompt.token.at, prompt.token.n, token, start, 1, NULL, &err), &err);
    *n = len;
    tdm_prompt_clear(&prompt);
    tdm_free(t.at);
    tdm_free(token);
    return sum;
}

static bool same_evidence(const told *a, const told *b)
{
    for (size_t k = 0; k < BECAUSE; k++) {
        bool in_a = k < a->evidence.n_because, in_b = k < b->evidence.n_because;
        if (in_a != in_b || (in_a && a->evidence.because[k].item != b->evidence.because[k].item)) return false;
    }
    return true;
}

static void pairs(cJSON *o, const char *name, const tdm_words *w, const tdm_bundle *b, const told *t, size_t n,
                  bool shown)
{
    double own = 0, by = 0;
    size_t pairs = 0;
    for (size_t i = 0; i < n; i++) {
        size_t j = (i + 1) % n, tokens;
        while (j != i && same_evidence(&t[i], &t[j])) j = (j + 1) % n;
        if (j == i || !*t[i].written) continue;
        double here = logp(w, b, &t[i], &t[i], shown, &tokens), there = logp(w, b, &t[i], &t[j], shown, &tokens);
        own += here > there ? 1 : here < there ? 0 : 0.5;
        by += (here - there) / (double)tokens;
        pairs++;
    }
    cJSON *one = cJSON_AddObjectToObject(o, name);
    cJSON_AddNumberToObject(one, "pairs", (double)pairs);
    cJSON_AddNumberToObject(one, "own", pairs ? own / (double)pairs : 0);
    cJSON_AddNumberToObject(one, "by", pairs ? by / (double)pairs : 0);
}

/* ---- whom to ask ---- */

/* Who has each item in the first ten: lists[u x LIST + k], TDM_NONE behind the end. */
static uint32_t *lists_of(tdm_recommender *r, size_t U)
{
    uint32_t *lists = tdm_new(U * LIST, sizeof *lists);
    if (!lists) stop("not enough memory");
    for (size_t u = 0; u < U; u++) {
        cJSON *o = asked(r, u, NULL);
        const cJSON *one = cJSON_GetObjectItemCaseSensitive(o, "recommendations")->child;
        for (size_t k = 0; k < LIST; k++) {
            lists[u * LIST + k] = one ? item_of(r->b, one) : TDM_NONE;
            one = one ? one->next : NULL;
        }
        cJSON_Delete(o);
    }
    return lists;
}

static uint32_t best_known(const uint32_t *lists, size_t n, size_t I)
{
    size_t *count = tdm_new(I, sizeof *count);
    uint32_t best = 0;
    if (!count) stop("not enough memory");
    for (size_t k = 0; k < n; k++)
        if (lists[k] < I) count[lists[k]]++;
    for (uint32_t i = 0; i < I; i++)
        if (count[i] > count[best]) best = i;
    tdm_free(count);
    return best;
}

static void told_clear(told *t, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        tdm_free(t[i].shown);
        tdm_free(t[i].written);
    }
}

/* Asks `n` people of `who` about the item, or each about the best of their own. */
static void tell_all(told *t, tdm_recommender *r, const uint32_t *who, size_t n, const uint32_t *lists, uint32_t item)
{
    for (size_t i = 0; i < n; i++) t[i] = tell(r, who[i], item == TDM_NONE ? lists[(size_t)who[i] * LIST] : item);
}

int main(int argc, char **argv)
{
    tdm_recommender *r;
    const tdm_model *m;
    tdm_err err;
    if (argc < 2) stop("usage: truth_personal MODEL [people]");
    size_t most = argc > 2 ? strtoul(argv[2], NULL, 10) : 200, n = 0;
    fine(tdm_recommender_open(&r, argv[1], &err), &err);
    fine(tdm_bundle_model(r->b, &m, tdm_gpt2_words_ops.name, &err), &err);
    tdm_recommender_keep(r, 0);
    tdm_words *w = (tdm_words *)(uintptr_t)m;
    size_t U = r->b->data->U, I = r->b->data->I;
    uint32_t *lists = lists_of(r, U), item = best_known(lists, U * LIST, I), *who = tdm_new(most, sizeof *who);
    told *t = tdm_new(most, sizeof *t);
    if (!who || !t) stop("not enough memory");
    for (size_t u = 0; u < U && n < most; u++)
        for (size_t k = 0; k < LIST; k++)
            if (lists[u * LIST + k] == item && n < most) who[n++] = (uint32_t)u;
    cJSON *o = cJSON_CreateObject();
    tdm_json_add_text(o, "item", tdm_strings_at(&r->b->data->item_id, item));
    cJSON_AddNumberToObject(o, "people", (double)n);
    for (int greedy = 0; greedy < 2; greedy++) {
        double as_set = tdm_param_get(&w->p, "temperature");
        if (greedy) fine(tdm_params_set(&w->p, "gpt2-words", "temperature", 0, &err), &err);
        tell_all(t, r, who, n, lists, item);
        cJSON *one = cJSON_AddObjectToObject(o, greedy ? "greedy" : "sampled");
        size_t by_gpt2 = 0;
        for (size_t i = 0; i < n; i++) by_gpt2 += *t[i].written != 0;
        cJSON_AddNumberToObject(one, "by_gpt2", (double)by_gpt2);
        cJSON_AddNumberToObject(one, "different", (double)different(t, n, false));
        cJSON_AddNumberToObject(one, "different_written", (double)different(t, n, true));
        pairs(one, "shown", w, r->b, t, n, true);
        pairs(one, "written", w, r->b, t, n, false);
        told_clear(t, n);
        tell_all(t, r, who, n, lists, TDM_NONE);
        pairs(one, "item", w, r->b, t, n, false);
        told_clear(t, n);
        if (greedy) fine(tdm_params_set(&w->p, "gpt2-words", "temperature", as_set, &err), &err);
    }
    char *text = cJSON_Print(o);
    puts(text ? text : "{}");
    cJSON_free(text);
    cJSON_Delete(o);
    tdm_free(lists);
    tdm_free(who);
    tdm_free(t);
    tdm_recommender_close(r);
    return 0;
}
