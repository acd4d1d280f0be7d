/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "gpt2/words_parts.h"
#include "words_world.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const tdm_words *parts(const tdm_model *m) { return (const tdm_words *)m; }

/* One model for the tests that only read it. */
static struct {
    tdm_dataset *d;
    tdm_run *run;
    tdm_model *m;
} shared;

static int setup(void **state)
{
    (void)state;
    shared.d = words_world(true);
    shared.run = words_run(2);
    shared.m = words_fitted(shared.d, shared.run, 500);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tdm_model_close(shared.m);
    tdm_run_close(shared.run);
    tdm_dataset_close(shared.d);
    return 0;
}

static uint32_t item(const tdm_dataset *d, const char *id)
{
    uint32_t i = tdm_dataset_item(d, tdm_str_of(id));
    CHECK(i != TDM_NONE);
    return i;
}

/* ---- documents ---- */

static size_t count(const uint32_t *token, size_t n, uint32_t mark)
{
    size_t c = 0;
    for (size_t i = 0; i < n; i++) c += token[i] == mark;
    return c;
}

/* Of a document's prompt the name of the item that the review is about counts by `title`, all else by `context`. */
static void names_count_as_much_as_is_set(void **state)
{
    (void)state;
    tdm_words w = *parts(shared.m); /* but for the setting */
    tdm_docs docs, held;
    tdm_err e;
    CHECK_OK(tdm_params_set(&w.p, "gpt2-words", "title", 0.25, &e), e);
    CHECK_OK(tdm_docs_make(&docs, &held, &w, shared.run, &e), e);
    for (size_t q = 0; q < docs.n; q++) {
        size_t last = docs.start[q], names = 0;
        for (size_t i = last; i < docs.start[q + 1]; i++)
            if (docs.all.token.at[i] == w.mark.item) last = i;
        for (size_t i = docs.start[q]; docs.all.token.at[i] != w.mark.summary; i++) {
            CHECK(docs.all.weight[i] == 0.25f || docs.all.weight[i] == 0.1f || docs.all.token.at[i] == w.mark.text);
            if (docs.all.weight[i] == 0.25f) CHECK(i > last && ++names);
        }
        CHECK(names >= 2); /* the name and the mark of its end */
    }
    tdm_docs_clear(&docs);
    tdm_docs_clear(&held);
}

static void documents_have_the_form_whatever_people_write(void **state)
{
    (void)state;
    const tdm_words *w = parts(shared.m);
    tdm_docs docs, held;
    tdm_err e;
    CHECK_OK(tdm_docs_make(&docs, &held, w, shared.run, &e), e);
    CHECK(docs.n + held.n == WORLD_PEOPLE * WORLD_EACH && docs.n > WORLD_PEOPLE * WORLD_EACH / 2);
    for (size_t q = 0; q < docs.n; q++) {
        const uint32_t *t = docs.all.token.at + docs.start[q];
        const float *weight = docs.all.weight + docs.start[q];
        size_t n = docs.start[q + 1] - docs.start[q];
        CHECK(n <= 256 && t[0] == w->mark.text && t[n - 1] == w->mark.text && count(t, n, w->mark.text) == 2);
        size_t items = count(t, n, w->mark.item);
        CHECK(items >= 1 && items <= 4 && count(t, n, w->mark.end) == items);
        CHECK(count(t, n, w->mark.summary) == 1 && count(t, n, w->mark.review) == 1);
        CHECK(count(t, n, w->mark.because) <= BECAUSE && count(t, n, w->mark.others) <= OTHERS);
        bool answer = false;
        for (size_t i = 0; i < n; i++) {
            if (answer) CHECK(weight[i] == 1); /* all of the answer is to be learned */
            answer |= t[i] == w->mark.summary;
        }
    }
    tdm_docs_clear(&docs);
    tdm_docs_clear(&held);
}

/* Every summary holds a word that nobody else writes: what stands before the answer never has the answer's. */
static void a_review_is_never_in_front_of_itself(void **state)
{
    (void)state;
    const tdm_words *w = parts(shared.m);
    tdm_docs docs, held;
    tdm_buf text = {0};
    tdm_err e;
    size_t others = 0;
    CHECK_OK(tdm_docs_make(&docs, &held, w, shared.run, &e), e);
    for (size_t q = 0; q < docs.n; q++) {
        const uint32_t *t = docs.all.token.at + docs.start[q];
        size_t n = docs.start[q + 1] - docs.start[q], at = 0;
        while (t[at] != w->mark.summary) at++;
        tdm_buf_reset(&text);
        tdm_bpe_decode(w->b, &text, t + at, n - at);
        const char *own = strstr(text.p, "own");
        CHECK(own != NULL);
        char word[32], person[32];
        CHECK(sscanf(own, "%31[a-z0-9]", word) == 1);
        snprintf(person, sizeof person, "%s", word);
        *strchr(person, 'x') = 0; /* "own12": nothing else that this person wrote either */
        strcat(person, "x");
        tdm_buf_reset(&text);
        tdm_bpe_decode(w->b, &text, t, at);
        CHECK(strstr(text.p, person) == NULL);
        others += count(t, at, w->mark.others);
    }
    CHECK(others > docs.n / 2);
    tdm_buf_clear(&text);
    tdm_docs_clear(&docs);
    tdm_docs_clear(&held);
}

/* ---- ranking ---- */

/* log p of an item's title and its end behind the prompt, without a cache and without the tree. */
static double title_logp(const tdm_words *w, const tdm_history *h, uint32_t i)
{
    tdm_prompt p = {0};
    tdm_question q = {
        .history = h, .item = TDM_NONE, .person = TDM_NONE, .rating = NAN, .most_history = 3, .room = 200};
    tdm_err e;
    CHECK_OK(tdm_words_prompt(&p, w, &q, NULL, &e), e);
    size_t at = p.token.n;
    tdm_prompt_add(&p, w->names.token + w->names.offset[i], (size_t)(w->names.offset[i + 1] - w->names.offset[i]), 0);
    tdm_prompt_mark(&p, w->mark.end, 0);
    uint32_t start[2] = {0, (uint32_t)p.token.n}, target[300];
    float logp[300];
    for (size_t k = 0; k < p.token.n; k++)
        target[k] = k + 1 < at || k + 1 == p.token.n ? TDM_GPT2_SILENT : p.token.at[k + 1];
    const tdm_gpt2_batch b = {.token = p.token.at, .start = start, .S = 1, .N = p.token.n, .target = target};
    CHECK_OK(tdm_gpt2_logp(w->g, logp, &b, &e), e);
    double sum = 0;
    for (size_t k = 0; k < p.token.n; k++) sum += (double)logp[k];
    tdm_prompt_clear(&p);
    return sum;
}

static void a_ranking_is_every_title_by_its_likelihood(void **state)
{
    (void)state;
    const tdm_words *w = parts(shared.m);
    enum { I = WORLD_KINDS * WORLD_ITEMS };
    uint32_t items[I];
    float scores[I];
    size_t n;
    tdm_err e;
    uint8_t seen[I] = {0};
    tdm_history h = tdm_dataset_history(shared.d, 0);
    CHECK_OK(words_topk(shared.m, items, scores, &n, &h, I, &e), e);
    CHECK(n == I);
    for (size_t r = 0; r < n; r++) {
        CHECK(items[r] < I && !seen[items[r]]++);
        CHECK(r == 0 || scores[r] <= scores[r - 1]);
        /* two ways to the same sum of about ten terms of size 1 to 10 in float: some 1e-5 apart at most */
        CHECK(fabs(title_logp(w, &h, items[r]) - (double)scores[r]) < 1e-3);
    }
    /* the two "Tea cup"s have one score, the lower index first */
    uint32_t a = item(shared.d, "i0-3"), b = item(shared.d, "i0-7");
    for (size_t r = 0; r < n; r++)
        if (items[r] == (a < b ? a : b)) CHECK(items[r + 1] == (a < b ? b : a) && scores[r + 1] == scores[r]);
    uint32_t three[3];
    CHECK_OK(words_topk(shared.m, three, scores, &n, &h, 3, &e), e);
    CHECK(n == 3 && memcmp(three, items, sizeof three) == 0);
}

/* Two people at once, what they have and a barred item left out: five each all the same, the first five that are left.
 */
static void what_is_left_out_makes_room(void **state)
{
    (void)state;
    enum { I = WORLD_KINDS * WORLD_ITEMS, K = 5 };
    uint32_t all[I], items[2 * K];
    float scores[I], best[2 * K];
    size_t n, found[2];
    uint8_t barred[I] = {0};
    tdm_err e;
    const tdm_history h[2] = {tdm_dataset_history(shared.d, 0), tdm_dataset_history(shared.d, 1)};
    const tdm_wanted w = {.k = K, .filter_seen = true, .barred = barred};
    const tdm_ranked out = {items, best, found};
    barred[item(shared.d, "i0-7")] = 1;
    CHECK_OK(shared.m->ops->topk(shared.m, &out, h, 2, &w, &e), e);
    for (size_t b = 0; b < 2; b++) {
        CHECK_OK(words_topk(shared.m, all, scores, &n, &h[b], I, &e), e);
        size_t at = 0;
        for (size_t r = 0; r < n && at < K; r++) {
            bool out_of_it = barred[all[r]];
            for (size_t j = 0; j < h[b].n; j++) out_of_it = out_of_it || h[b].items[j] == all[r];
            if (out_of_it) continue;
            CHECK(items[b * K + at] == all[r] && best[b * K + at] == scores[r]);
            at++;
        }
        CHECK(found[b] == K && at == K);
    }
}

static void tea_people_are_offered_tea(void **state)
{
    (void)state;
    const tdm_dataset *d = shared.d;
    size_t own = 0, all = 0;
    tdm_err e;
    for (uint32_t u = 0; u < 10; u++) {
        uint32_t items[5];
        float scores[5];
        size_t n;
        tdm_history h = tdm_dataset_history(d, u);
        char kind = tdm_strings_at(&d->item_id, h.items[0]).p[1];
        CHECK_OK(words_topk(shared.m, items, scores, &n, &h, 5, &e), e);
        for (size_t r = 0; r < n; r++, all++) own += tdm_strings_at(&d->item_id, items[r]).p[1] == kind;
    }
    CHECK(own * 10 >= all * 9);
}

static void an_empty_history_and_a_foreign_item_are_no_harm(void **state)
{
    (void)state;
    uint32_t items[4], foreign[2] = {1000000, 0};
    float scores[4];
    size_t n;
    tdm_err e;
    char out[200];
    double logp;
    tdm_history none = {.self = TDM_NONE}, odd = {.items = foreign, .n = 2, .self = TDM_NONE};
    CHECK_OK(words_topk(shared.m, items, scores, &n, &none, 4, &e), e);
    CHECK(n == 4);
    CHECK_OK(words_topk(shared.m, items, scores, &n, &odd, 4, &e), e);
    CHECK(n == 4);
    tdm_reason r = {.history = &none, .item = 0, .seed = 1};
    CHECK_OK(shared.m->ops->write(shared.m, out, sizeof out, &logp, &r, &e), e);
    r.item = 1000000;
    CHECK(shared.m->ops->write(shared.m, out, sizeof out, &logp, &r, &e) == TDM_E_ARG && out[0] == 0);
}

/* ---- writing ---- */

static void sentences_are_one_line_and_end(void **state)
{
    (void)state;
    size_t written = 0, apt = 0, all = 0;
    tdm_err e;
    for (uint32_t u = 0; u < 6; u++)
        for (uint32_t i = 0; i < WORLD_KINDS * WORLD_ITEMS; i++) {
            char out[200], again[200];
            double logp, twice;
            tdm_history h = tdm_dataset_history(shared.d, u);
            bool tool = tdm_strings_at(&shared.d->item_id, i).p[1] == '1';
            /* tea for tea people: what one should say of a hammer to them, the data do not tell */
            if (tool != (tdm_strings_at(&shared.d->item_id, h.items[0]).p[1] == '1')) continue;
            all++;
            tdm_evidence because = {.n_because = 1, .rest = 0.5f};
            because.because[0].item = h.items[0];
            because.because[0].share = 0.5f;
            tdm_reason r = {.history = &h, .item = i, .evidence = &because, .seed = 3};
            CHECK_OK(shared.m->ops->write(shared.m, out, sizeof out, &logp, &r, &e), e);
            CHECK_OK(shared.m->ops->write(shared.m, again, sizeof again, &twice, &r, &e), e);
            assert_string_equal(out, again);
            CHECK(logp == twice && logp <= 0);
            if (!out[0]) continue;
            written++;
            if (all % 12 == 0) print_message("  %s (%.2f)\n", out, logp);
            CHECK(tdm_utf8_valid(tdm_str_of(out)) && tdm_prompt_ends(tdm_str_of(out)) && strlen(out) <= REVIEW_BYTES);
            for (const char *c = out; *c; c++) CHECK((unsigned char)*c >= 0x20);
            apt +=
                tool == (strstr(out, "strong") || strstr(out, "grip") || strstr(out, "steel") || strstr(out, "work"));
        }
    CHECK(written * 2 > all);
    CHECK(apt * 10 >= written * 9);
    char little[20];
    double logp;
    tdm_history h = tdm_dataset_history(shared.d, 0);
    tdm_reason r = {.history = &h, .item = 0, .seed = 3};
    CHECK_OK(shared.m->ops->write(shared.m, little, sizeof little, &logp, &r, &e), e);
    CHECK(strlen(little) < sizeof little);
}

/* Words that sentences would be full of: with a list none has any, and most are still written; without one, as before.
 */
static void blocked_words_are_not_written(void **state)
{
    (void)state;
    tdm_err e;
    tdm_block *block, *other;
    size_t before = 0, behind = 0, all = 0, changed = 0;
    CHECK_OK(tdm_block_open(&block, &e), e);
    CHECK_OK(tdm_block_read(block, "list", tdm_str_of("morning\nthe taste\nSTRONG\nfirm"), &e), e);
    CHECK_OK(tdm_block_open(&other, &e), e);
    CHECK_OK(tdm_block_read(other, "list", tdm_str_of("zebra crossing"), &e), e);
    for (uint32_t u = 0; u < 6; u++)
        for (uint32_t i = 0; i < WORLD_KINDS * WORLD_ITEMS; i += 3, all++) {
            char plain[200], same[200], out[200];
            double logp;
            bool found;
            tdm_history h = tdm_dataset_history(shared.d, u);
            tdm_reason r = {.history = &h, .item = i, .seed = 3};
            CHECK_OK(shared.m->ops->write(shared.m, plain, sizeof plain, &logp, &r, &e), e);
            r.block = other;
            CHECK_OK(shared.m->ops->write(shared.m, same, sizeof same, &logp, &r, &e), e);
            assert_string_equal(plain, same);
            r.block = block;
            CHECK_OK(shared.m->ops->write(shared.m, out, sizeof out, &logp, &r, &e), e);
            CHECK_OK(tdm_block_find(block, &found, tdm_str_of(out), NULL, &e), e);
            CHECK(!found);
            CHECK_OK(tdm_block_find(block, &found, tdm_str_of(plain), NULL, &e), e);
            before += found;
            behind += found && out[0];
            changed += strcmp(plain, out) != 0;
        }
    print_message("  %zu of %zu sentences had one, %zu of them were written without, %zu are others\n", before, all,
                  behind, changed);
    CHECK(before * 4 > all && behind * 2 > before && changed >= before);
    tdm_block_close(block);
    tdm_block_close(other);
}

typedef struct listener {
    size_t heard, stop_at;
    bool fine;
    char last[400];
} listener;

static int listen(void *ctx, tdm_str text)
{
    listener *l = ctx;
    l->fine = l->fine && text.n && text.n < sizeof l->last && tdm_utf8_valid(text) && tdm_str_trim(text).n == text.n &&
              !memchr(text.p, '\n', text.n);
    snprintf(l->last, sizeof l->last, "%.*s", TDM_STR_ARG(text));
    return ++l->heard == l->stop_at;
}

/* Whether or not somebody listens the sentence is the same; who listens hears of it, and can stop it at any word. */
static void drafts_are_told_and_change_nothing(void **state)
{
    (void)state;
    tdm_err e;
    size_t same = 0, all = 0;
    for (uint32_t u = 0; u < 6; u++) {
        char plain[200], out[200];
        double logp, twice;
        tdm_history h = tdm_dataset_history(shared.d, u);
        listener l = {.fine = true};
        tdm_reason r = {.history = &h, .item = h.items[0], .seed = 3};
        CHECK_OK(shared.m->ops->write(shared.m, plain, sizeof plain, &logp, &r, &e), e);
        r.draft = listen;
        r.draft_ctx = &l;
        CHECK_OK(shared.m->ops->write(shared.m, out, sizeof out, &twice, &r, &e), e);
        assert_string_equal(plain, out);
        CHECK(logp == twice && l.fine && l.heard > 8);
        same += !strcmp(out, l.last);
        all++;
        size_t heard = l.heard;
        for (size_t k = 1; k <= heard; k += 5) {
            l = (listener){.fine = true, .stop_at = k};
            CHECK(shared.m->ops->write(shared.m, out, sizeof out, &twice, &r, &e) == TDM_E_CANCELLED && !out[0]);
            CHECK(l.heard == k && strstr(e.msg, "stopped"));
        }
    }
    print_message("  the draft was the sentence %zu times of %zu\n", same, all);
}

static void made_up_words_are_known_as_such(void **state)
{
    (void)state;
    const tdm_lexicon *l = &parts(shared.m)->lexicon;
    tdm_str text = tdm_str_of(" \"Morning!!\" (day) ... x"), empty = {0};
    tdm_str a = tdm_lexicon_word(&text), b = tdm_lexicon_word(&text);
    CHECK(tdm_str_is(a, "Morning") && tdm_str_is(b, "day"));
    CHECK(tdm_lexicon_knows(l, a) && !tdm_lexicon_knows(l, tdm_str_of("mornink")));
    CHECK(tdm_lexicon_joins(l, tdm_str_of("every"), a) && !tdm_lexicon_joins(l, a, tdm_str_of("every")));
    CHECK(tdm_lexicon_word(&empty).n == 0);
}

static void without_reviews_it_ranks_and_is_silent(void **state)
{
    (void)state;
    tdm_dataset *d = words_world(false);
    tdm_run *run = words_run(1);
    tdm_model *m = words_fitted(d, run, 60);
    uint32_t items[3];
    float scores[3];
    size_t n;
    char out[100] = "x";
    double logp;
    tdm_err e;
    tdm_history h = tdm_dataset_history(d, 1);
    CHECK_OK(words_topk(m, items, scores, &n, &h, 3, &e), e);
    CHECK(n == 3);
    tdm_reason r = {.history = &h, .item = items[0], .seed = 3};
    CHECK_OK(m->ops->write(m, out, sizeof out, &logp, &r, &e), e);
    CHECK(out[0] == 0);
    tdm_model_close(m);
    tdm_run_close(run);
    tdm_dataset_close(d);
}

/* Each allocation of a ranking and of a sentence fails once. */
static void short_memory_leaves_nothing_behind(void **state)
{
    (void)state;
    tdm_err e;
    size_t live = tdm_mem_live();
    tdm_history h = tdm_dataset_history(shared.d, 0);
    tdm_block *block;
    CHECK_OK(tdm_block_open(&block, &e), e);
    CHECK_OK(tdm_block_read(block, "list", tdm_str_of("morning"), &e), e);
    live = tdm_mem_live();
    listener l = {.fine = true};
    const tdm_reason r = {.history = &h, .item = 1, .block = block, .seed = 3, .draft = listen, .draft_ctx = &l};
    for (int write = 0; write < 2; write++) {
        long k = 0;
        for (; k < 2000; k++) {
            uint32_t items[4];
            float scores[4];
            size_t n;
            char out[200];
            double logp;
            tdm_mem_fail_after(k);
            tdm_status st = write ? shared.m->ops->write(shared.m, out, sizeof out, &logp, &r, &e)
                                  : words_topk(shared.m, items, scores, &n, &h, 4, &e);
            tdm_mem_fail_after(-1);
            CHECK(tdm_mem_live() == live);
            if (!st) break;
            CHECK(st == TDM_E_NOMEM && (write ? out[0] == 0 : n == 0));
        }
        CHECK(k > 50 && k < 2000);
    }
    tdm_block_close(block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_count_as_much_as_is_set),
        cmocka_unit_test(documents_have_the_form_whatever_people_write),
        cmocka_unit_test(a_review_is_never_in_front_of_itself),
        cmocka_unit_test(a_ranking_is_every_title_by_its_likelihood),
        cmocka_unit_test(what_is_left_out_makes_room),
        cmocka_unit_test(tea_people_are_offered_tea),
        cmocka_unit_test(an_empty_history_and_a_foreign_item_are_no_harm),
        cmocka_unit_test(sentences_are_one_line_and_end),
        cmocka_unit_test(blocked_words_are_not_written),
        cmocka_unit_test(drafts_are_told_and_change_nothing),
        cmocka_unit_test(made_up_words_are_known_as_such),
        cmocka_unit_test(without_reviews_it_ranks_and_is_silent),
        cmocka_unit_test(short_memory_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
