/* SPDX-License-Identifier: Apache-2.0 */
/* test_words_judge.c - how well reviews are foretold: which tokens count, by whom, behind which prompt. */
#include "check.h"

#include "base/mem.h"
#include "base/run.h"
#include "gpt2/words_judge.h"
#include "gpt2/words_parts.h"
#include "text/ngram.h"
#include "words_world.h"

#include <math.h>
#include <string.h>

static struct {
    tdm_dataset *d;
    tdm_run *run;
    tdm_model *m;
    tdm_held_review review[WORLD_PEOPLE * WORLD_EACH];
    size_t n;
} shared;

/* The last reviews of those whom training leaves out, as if they were held out. */
static int setup(void **state)
{
    (void)state;
    shared.d = words_world(true);
    shared.run = words_run(2);
    shared.m = words_fitted(shared.d, shared.run, 500);
    for (uint32_t u = 0; u < shared.d->U; u++) {
        int64_t k = shared.d->offset[u + 1] - 1;
        if (!tdm_docs_held(shared.d, u, shared.run->seed)) continue;
        tdm_history h = tdm_dataset_history(shared.d, u);
        h.n--;
        shared.review[shared.n++] = (tdm_held_review){
            .history = h, .user = u, .item = shared.d->item[k], .rating = shared.d->rating[k], .row = shared.d->row[k]};
    }
    return shared.n < 2;
}

static int teardown(void **state)
{
    (void)state;
    tdm_model_close(shared.m);
    tdm_run_close(shared.run);
    tdm_dataset_close(shared.d);
    return 0;
}

static tdm_words_perplexity judged(size_t n)
{
    tdm_words_perplexity p;
    tdm_err e;
    CHECK_OK(tdm_gpt2_words_judge(&p, shared.m, shared.review, n, shared.run->seed, shared.run, &e), e);
    return p;
}

/* -log p of the tokens of one answer behind its prompt, from the logits of the whole document. */
static double slow_loss(const tdm_held_review *r, size_t *tokens)
{
    const tdm_words *w = (const tdm_words *)shared.m;
    tdm_docs_maker maker = tdm_docs_maker_of(w, shared.run->seed);
    tdm_docs d = {0};
    tdm_err e;
    const tdm_review what = {
        .history = &r->history, .person = r->user, .item = r->item, .rating = r->rating, .draw = r->row};
    CHECK(!tdm_grow(&d.start, &d.cap, 1, sizeof *d.start));
    CHECK_OK(tdm_docs_add_review(&d, &maker, &what, r->row, &e), e);
    size_t n = d.start[1], V = w->g->s.V, from = 0;
    float *logits = tdm_new(n * V, sizeof *logits);
    const tdm_gpt2_batch b = {.token = d.all.token.at, .start = d.start, .S = 1, .N = n};
    CHECK_OK(tdm_gpt2_logits(w->g, logits, &b, &e), e);
    while (d.all.token.at[from] != w->mark.summary) from++;
    double loss = 0;
    for (size_t i = from; i + 1 < n; i++) { /* all that stands behind the first mark, the end too */
        double most = -INFINITY, sum = 0;
        for (size_t v = 0; v < V; v++) most = fmax(most, (double)logits[i * V + v]);
        for (size_t v = 0; v < V; v++) sum += exp((double)logits[i * V + v] - most);
        loss -= (double)logits[i * V + d.all.token.at[i + 1]] - most - log(sum);
        ++*tokens;
    }
    tdm_free(logits);
    tdm_docs_clear(&d);
    tdm_docs_maker_clear(&maker);
    return loss;
}

static void perplexity_is_that_of_the_answers_tokens(void **state)
{
    (void)state;
    double loss = 0;
    size_t tokens = 0;
    for (size_t k = 0; k < shared.n; k++) loss += slow_loss(&shared.review[k], &tokens);
    tdm_words_perplexity p = judged(shared.n);
    assert_int_equal(p.reviews, shared.n);
    assert_int_equal(p.tokens, tokens);
    double is = exp(loss / (double)tokens);
    if (!(fabs(p.own / is - 1) < 1e-5)) fail_msg("%.9g, not %.9g", p.own, is);
}

/* The n-grams have read what training has, and nothing of those whom it leaves out. */
static void ngrams_read_what_training_reads(void **state)
{
    (void)state;
    const tdm_words *w = (const tdm_words *)shared.m;
    tdm_docs docs, held, answers = {0}, learned = {0};
    tdm_docs_maker maker = tdm_docs_maker_of(w, shared.run->seed);
    tdm_err e;
    tdm_ngram *m;
    double is;
    size_t tokens, read = 0;
    CHECK_OK(tdm_docs_make(&docs, &held, w, shared.run, &e), e);
    CHECK(!tdm_grow(&answers.start, &answers.cap, 1, sizeof *answers.start));
    CHECK(!tdm_grow(&learned.start, &learned.cap, docs.n + 1, sizeof *learned.start));
    for (size_t q = 0; q < docs.n; q++) { /* of each document what stands from the summary's mark on */
        uint32_t at = docs.start[q];
        while (docs.all.token.at[at] != w->mark.summary) at++;
        tdm_prompt_add(&learned.all, docs.all.token.at + at, docs.start[q + 1] - at, 1);
        read += docs.start[q + 1] - at - 1;
        learned.start[++learned.n] = (uint32_t)learned.all.token.n;
    }
    for (size_t k = 0; k < shared.n; k++) CHECK_OK(tdm_docs_add_answer(&answers, &maker, shared.review[k].row, &e), e);
    CHECK_OK(
        tdm_ngram_open(&m, TDM_JUDGE_ORDER, tdm_bpe_size(w->b), learned.all.token.at, learned.start, learned.n, &e), e);
    tdm_ngram_perplexity(m, &is, &tokens, answers.all.token.at, answers.start, answers.n);
    tdm_words_perplexity p = judged(shared.n);
    assert_int_equal(p.ngram_tokens, read);
    assert_int_equal(p.tokens, tokens);
    assert_true(fabs(p.ngram / is - 1) < 1e-12);
    tdm_ngram_close(m);
    tdm_docs_clear(&docs);
    tdm_docs_clear(&held);
    tdm_docs_clear(&answers);
    tdm_docs_clear(&learned);
    tdm_docs_maker_clear(&maker);
}

/* Tea people write of tea: a prompt about tools foretells that badly. */
static void the_prompt_of_the_pair_helps(void **state)
{
    (void)state;
    tdm_held_review two[2] = {shared.review[0]};
    tdm_words_perplexity p;
    tdm_err e;
    tdm_str first = tdm_strings_at(&shared.d->item_id, two[0].item);
    size_t k = 1;
    while (k < shared.n && tdm_strings_at(&shared.d->item_id, shared.review[k].item).p[1] == first.p[1]) k++;
    CHECK(k < shared.n);
    two[1] = shared.review[k];
    CHECK_OK(tdm_gpt2_words_judge(&p, shared.m, two, 2, shared.run->seed, shared.run, &e), e);
    if (!(p.own < 0.8 * p.other)) fail_msg("own %.3g, other %.3g", p.own, p.other);
    p = judged(1); /* nobody else's prompt */
    CHECK(p.own > 1 && isnan(p.other) && p.ngram > 1);
    p = judged(0);
    CHECK(!p.reviews && isnan(p.own) && isnan(p.other) && isnan(p.ngram));
}

static void the_same_at_any_number_of_threads(void **state)
{
    (void)state;
    tdm_words_perplexity one, many;
    tdm_err e;
    tdm_run *alone = words_run(1);
    CHECK_OK(tdm_gpt2_words_judge(&one, shared.m, shared.review, shared.n, shared.run->seed, alone, &e), e);
    many = judged(shared.n);
    CHECK(!memcmp(&one.own, &many.own, sizeof one.own) && !memcmp(&one.other, &many.other, sizeof one.other));
    atomic_store(&alone->cancel, 1);
    CHECK(tdm_gpt2_words_judge(&one, shared.m, shared.review, shared.n, 11, alone, &e) == TDM_E_CANCELLED);
    tdm_run_close(alone);
}

static void failures_are_clean(void **state)
{
    (void)state;
    tdm_words_perplexity p;
    tdm_err e;
    const tdm_model_ops other = {.name = "other"};
    const tdm_model stranger = {&other};
    CHECK(tdm_gpt2_words_judge(&p, &stranger, shared.review, 1, 1, shared.run, &e) == TDM_E_ARG);
    CHECK(strstr(e.msg, "other: only gpt2-words") != NULL);
    tdm_run *alone = words_run(1);
    size_t live = tdm_mem_live();
    long k = 0;
    for (;; k += k < 40 ? 1 : 37) { /* the beginning one by one, what repeats here and there */
        tdm_mem_fail_after(k);
        tdm_status st = tdm_gpt2_words_judge(&p, shared.m, shared.review, 2, shared.run->seed, alone, &e);
        tdm_mem_fail_after(-1);
        CHECK(tdm_mem_live() == live);
        if (!st) break;
        CHECK(st == TDM_E_NOMEM);
    }
    CHECK(k > 20);
    tdm_run_close(alone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(perplexity_is_that_of_the_answers_tokens),
        cmocka_unit_test(ngrams_read_what_training_reads),
        cmocka_unit_test(the_prompt_of_the_pair_helps),
        cmocka_unit_test(the_same_at_any_number_of_threads),
        cmocka_unit_test(failures_are_clean),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
