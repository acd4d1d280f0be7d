/* SPDX-License-Identifier: Apache-2.0 */
/* test_explained.c - explanations are made once: what is asked again costs no decoding and is the same to the byte,
 * what differs in anything is made anew, and what is kept is bounded. */
#include "check.h"

#include "api/cache.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/utf8.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- a log with something to say of tea and of tools, and a model that has learned to say it ---- */

enum { PEOPLE = 40, EACH = 5, ITEMS = 8 };

static char top[] = "/tmp/tandem-explained-XXXXXX", model[64], words[64];

static void log_write(const char *reviews, const char *items)
{
    static const char *const titles[2][ITEMS] = {
        {"Green tea", "Black tea", "Tea pot", "Tea cup", "Herbal tea", "Honey", "Tea strainer", "Milk jug"},
        {"Steel hammer", "Steel saw", "Tool box", "Wood glue", "Hand drill", "Tape measure", "Gloves", "Bench vice"}};
    static const char *const says[2][2] = {
        {"I drink it every morning with great pleasure.", "The taste is tr\xc3\xa8s warm and kind all day."},
        {"It is strong and does the work without fuss.", "The grip is firm and the steel holds its edge."}};
    tdm_buf b = {0};
    tdm_err err;
    for (int u = 0; u < PEOPLE; u++)
        for (int k = 0; k < EACH; k++)
            tdm_buf_fmt(&b,
                        "{\"user_id\": \"u%d\", \"item_id\": \"i%d-%d\", \"rating\": %d, \"timestamp\": %d, "
                        "\"summary\": \"%s\", \"text\": \"%s\"}\n",
                        u, u % 2, (u / 2 * 3 + k) % ITEMS, 4 + k % 2, 1500000000 + (u + 3 * k) * 86400,
                        u % 2 ? "Good tool" : "Fine tea", says[u % 2][(u / 2 + k) % 2]);
    CHECK_OK(tdm_file_write(reviews, b.p, b.n, &err), err);
    tdm_buf_reset(&b);
    for (int i = 0; i < 2 * ITEMS; i++)
        tdm_buf_fmt(&b, "{\"item_id\": \"i%d-%d\", \"title\": \"%s\"}\n", i / ITEMS, i % ITEMS,
                    titles[i / ITEMS][i % ITEMS]);
    CHECK_OK(tdm_file_write(items, b.p, b.n, &err), err);
    tdm_buf_clear(&b);
}

static int open_all(void **state)
{
    (void)state;
    static const char *const set[] = {"gpt2-words.C=32",       "gpt2-words.H=2",       "gpt2-words.vocabulary=400",
                                      "gpt2-words.tokens=600", "gpt2-words.steps=400", "gpt2-words.dropout=0"};
    char reviews[64], items[64], *evaluation;
    tdm_err err;
    tdm_run *run;
    if (!mkdtemp(top)) return -1;
    snprintf(model, sizeof model, "%s/model", top);
    snprintf(words, sizeof words, "%s/words.txt", top);
    snprintf(reviews, sizeof reviews, "%s/reviews.jsonl", top);
    snprintf(items, sizeof items, "%s/items.jsonl", top);
    log_write(reviews, items);
    const char *sources[] = {reviews};
    const tdm_options o = {.sources = sources,
                           .n_sources = 1,
                           .items = items,
                           .preset = "quick",
                           .models = "popularity,item-knn,gpt2-words",
                           .set = set,
                           .n_set = sizeof set / sizeof *set};
    CHECK_OK(tdm_run_open(&run, &(tdm_run_options){.threads = 2, .seed = 1}, &err), err);
    CHECK_OK(tdm_pipeline_fit(&evaluation, model, &o, run, &err), err);
    tdm_text_free(evaluation);
    tdm_run_close(run);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", top);
    return system(command);
}

static tdm_recommender *opened(void)
{
    tdm_recommender *r;
    tdm_err err;
    CHECK_OK(tdm_recommender_open(&r, model, &err), err);
    return r;
}

static char *asked(tdm_recommender *r, const tdm_query *q)
{
    char *answer;
    tdm_err err;
    CHECK_OK(tdm_recommender_recommend(r, &answer, q, &err), err);
    return answer;
}

/* The count `name` of `group`. */
static long count(tdm_recommender *r, const char *group, const char *name)
{
    char *text;
    cJSON *o;
    tdm_err err;
    CHECK_OK(tdm_recommender_counts(r, &text, &err), err);
    CHECK_OK(tdm_json_parse(&o, text, strlen(text), "counts", &err), err);
    double n = tdm_json_num(cJSON_GetObjectItem(o, group), name, -1);
    CHECK(n >= 0);
    cJSON_Delete(o);
    tdm_text_free(text);
    return (long)n;
}

static const tdm_query tea = {.user = "u2", .model = "item-knn", .n = 3, .words = 1, .sentence = "gpt2", .seed = 5};

static void the_second_answer_costs_no_decoding(void **state)
{
    (void)state;
    tdm_recommender *kept = opened(), *fresh = opened();
    tdm_recommender_keep(fresh, 0);
    char *first = asked(kept, &tea), *second = asked(kept, &tea);
    CHECK(count(kept, "cache", "missed") == 3 && count(kept, "cache", "found") == 3);
    CHECK(count(kept, "cache", "kept") == 3 && count(kept, "cache", "bytes") > 300);
    long tries = count(kept, "sentences", "tries"), written = count(kept, "sentences", "gpt2");
    CHECK(tries >= 3 && written >= 1 && written + count(kept, "sentences", "evidence") == 3);
    CHECK(tries == written + count(kept, "sentences", "unfinished") + count(kept, "sentences", "unbacked"));
    assert_string_equal(first, second);
    for (int k = 0; k < 2; k++) { /* without a cache: as often as it is asked, and the same */
        char *again = asked(fresh, &tea);
        assert_string_equal(first, again);
        tdm_text_free(again);
    }
    CHECK(count(fresh, "cache", "found") == 0 && count(fresh, "cache", "kept") == 0);
    CHECK(count(fresh, "sentences", "tries") == 2 * tries);
    tdm_text_free(first);
    tdm_text_free(second);
    tdm_recommender_close(kept);
    tdm_recommender_close(fresh);
}

/* One thing other than before each: nothing is found, and the answer is that of a recommender that keeps nothing. */
static void whatever_differs_is_made_anew(void **state)
{
    (void)state;
    tdm_recommender *kept = opened(), *fresh = opened();
    tdm_recommender_keep(fresh, 0);
    tdm_query q[] = {tea, tea, tea, tea, tea, tea, tea, tea, tea};
    q[1].seed = 6;
    q[2].user = "u4";
    q[3].model = "gpt2-words";
    q[4].user = NULL, q[4].history = "i0-0,i0-1";
    q[5].user = NULL, q[5].history = "i0-1,i0-0";
    q[6].user = NULL, q[6].history = "i0-0:5,i0-1";
    q[7].user = NULL, q[7].history = "i0-0:4,i0-1";
    q[8].sentence = "review";
    for (size_t k = 0; k < sizeof q / sizeof *q; k++) {
        char *a = asked(kept, &q[k]), *b = asked(fresh, &q[k]);
        assert_string_equal(a, b);
        tdm_text_free(a);
        tdm_text_free(b);
    }
    CHECK(count(kept, "cache", "found") == 0 && count(kept, "cache", "missed") == count(kept, "cache", "kept"));
    char *answer; /* one item of the list, asked about alone, is the same explanation */
    tdm_err err;
    cJSON *o;
    char *list = asked(kept, &tea);
    CHECK_OK(tdm_json_parse(&o, list, strlen(list), "an answer", &err), err);
    const cJSON *best = cJSON_GetObjectItem(o, "recommendations")->child;
    CHECK_OK(tdm_recommender_explain(kept, &answer, &tea, tdm_json_str(best, "item", ""), &err), err);
    cJSON *alone;
    CHECK_OK(tdm_json_parse(&alone, answer, strlen(answer), "an answer", &err), err);
    CHECK(count(kept, "cache", "found") == 4);
    assert_string_equal(tdm_json_str(alone, "text", ""), tdm_json_str(best, "text", "\x01"));
    cJSON_Delete(alone);
    cJSON_Delete(o);
    tdm_text_free(list);
    tdm_text_free(answer);
    tdm_recommender_close(kept);
    tdm_recommender_close(fresh);
}

static void blocked_words_are_not_found_in_what_was_kept(void **state)
{
    (void)state;
    tdm_err err;
    tdm_recommender *r = opened();
    CHECK_OK(tdm_file_write(words, "tea\nmorning\n", 12, &err), err);
    char *before = asked(r, &tea);
    CHECK(strstr(before, "morning") || strstr(before, "tea\\\""));
    CHECK_OK(tdm_recommender_block(r, words, &err), err);
    char *behind = asked(r, &tea);
    cJSON *o, *one, *line;
    CHECK_OK(tdm_json_parse(&o, behind, strlen(behind), "an answer", &err), err);
    cJSON_ArrayForEach(one, cJSON_GetObjectItem(o, "recommendations"))
    {
        CHECK(!strstr(tdm_json_str(one, "text", "tea"), "tea") && !strstr(tdm_json_str(one, "text", ""), "morning"));
        cJSON_ArrayForEach(line, cJSON_GetObjectItem(one, "evidence")) CHECK(!strstr(line->valuestring, "morning"));
    }
    CHECK(count(r, "cache", "found") == 0 && count(r, "cache", "kept") == 3);
    cJSON_Delete(o);
    tdm_text_free(before);
    tdm_text_free(behind);
    tdm_recommender_close(r);
}

/* ---- told while they are written ---- */

typedef struct hearing {
    tdm_buf stands, said; /* of the sentence now; of all sentences, a line each */
    size_t place, events, pieces, restarts, done, most_pieces, pieces_here;
    const char *never; /* a word that no draft may hold */
    size_t stop_at;    /* the event that is answered with "stop"; 0: none is */
    bool open, fine;
} hearing;

static int hear(void *ctx, const tdm_stream_event *e)
{
    hearing *h = ctx;
    h->events++;
    h->fine = h->fine && e->place == h->place && *e->item && *e->title && h->open == (e->kind != TDM_SENTENCE_BEGIN) &&
              (e->kind == TDM_SENTENCE_DONE) == (e->source != NULL);
    switch (e->kind) {
    case TDM_SENTENCE_BEGIN:
        h->open = true;
        h->pieces_here = 0;
        tdm_buf_reset(&h->stands);
        break;
    case TDM_SENTENCE_TEXT:
        h->fine = h->fine && e->n && tdm_utf8_valid((tdm_str){e->text, e->n});
        tdm_buf_add(&h->stands, e->text, e->n);
        h->fine = h->fine && !(h->never && strstr(h->stands.p, h->never));
        h->pieces++;
        h->pieces_here++;
        break;
    case TDM_SENTENCE_RESTART:
        h->fine = h->fine && h->stands.n;
        tdm_buf_reset(&h->stands);
        h->restarts++;
        break;
    case TDM_SENTENCE_DONE:
        h->fine = h->fine && e->n == strlen(e->text) && e->n == h->stands.n && !memcmp(e->text, h->stands.p, e->n);
        tdm_buf_fmt(&h->said, "%s|%s|%s|%s\n", e->item, e->title, e->text, e->source);
        if (h->pieces_here > h->most_pieces) h->most_pieces = h->pieces_here;
        h->open = false;
        h->place++;
        h->done++;
        break;
    }
    return h->events == h->stop_at;
}

static void hearing_clear(hearing *h)
{
    tdm_buf_clear(&h->stands);
    tdm_buf_clear(&h->said);
}

/* What an answer says, as hear() writes it down. */
static void lines_of(tdm_buf *out, const char *answer)
{
    cJSON *o, *one;
    tdm_err err;
    CHECK_OK(tdm_json_parse(&o, answer, strlen(answer), "an answer", &err), err);
    cJSON_ArrayForEach(one, cJSON_GetObjectItem(o, "recommendations"))
        tdm_buf_fmt(out, "%s|%s|%s|%s\n", tdm_json_str(one, "item", ""), tdm_json_str(one, "title", ""),
                    tdm_json_str(one, "text", ""), tdm_json_str(one, "text_source", ""));
    cJSON_Delete(o);
}

/* In the end what was told is the answer, which is what it is when nobody listens; kept, it is told in one piece. */
static void what_is_told_is_the_answer(void **state)
{
    (void)state;
    tdm_recommender *r = opened(), *fresh = opened();
    tdm_recommender_keep(fresh, 0);
    size_t longest = 0, letters = 0;
    for (int k = 0; k < 12; k++) {
        char user[16];
        snprintf(user, sizeof user, "u%d", k);
        tdm_query q = tea;
        q.user = user;
        char *silent = asked(fresh, &q);
        tdm_buf want = {0};
        lines_of(&want, silent);
        for (int again = 0; again < 2; again++) {
            hearing h = {.fine = true};
            q.stream = hear;
            q.stream_ctx = &h;
            char *answer = asked(r, &q);
            assert_string_equal(answer, silent);
            assert_string_equal(h.said.p, want.p);
            CHECK(h.fine && !h.open && h.done == 3 && h.pieces >= 3);
            CHECK(!again || (h.pieces == 3 && h.restarts == 0 && h.events == 9));
            if (h.most_pieces > longest) longest = h.most_pieces;
            letters += strstr(h.said.p, "tr\xc3\xa8s") != NULL;
            tdm_text_free(answer);
            hearing_clear(&h);
        }
        tdm_buf_clear(&want);
        tdm_text_free(silent);
    }
    CHECK(longest >= 5 && letters >= 1);
    tdm_recommender_close(r);
    tdm_recommender_close(fresh);
}

static void a_draft_holds_no_blocked_word_either(void **state)
{
    (void)state;
    tdm_err err;
    tdm_recommender *r = opened();
    size_t pieces = 0;
    CHECK_OK(tdm_file_write(words, "kind\nmorning\n", 13, &err), err);
    CHECK_OK(tdm_recommender_block(r, words, &err), err);
    for (int k = 0; k < 12; k += 2)
        for (int w = 0; w < 2; w++) {
            char user[16];
            snprintf(user, sizeof user, "u%d", k);
            hearing h = {.fine = true, .never = w ? "kind" : "morning"};
            tdm_query q = tea;
            q.user = user;
            q.seed = 7 + (uint64_t)w;
            q.stream = hear;
            q.stream_ctx = &h;
            tdm_text_free(asked(r, &q));
            CHECK(h.fine && h.done == 3);
            pieces += h.pieces;
            hearing_clear(&h);
        }
    CHECK(pieces > 60);
    tdm_recommender_close(r);
}

/* At each of the events once: the answer is not there, nothing is left behind, and nothing half made is kept. */
static void whoever_listens_may_stop_it(void **state)
{
    (void)state;
    tdm_recommender *r = opened();
    tdm_err err;
    char *answer;
    size_t stopped = 0;
    for (bool all = false; !all; stopped++) {
        tdm_recommender_keep(r, 8 << 20); /* forgets */
        size_t live = tdm_mem_live();
        hearing h = {.fine = true, .stop_at = stopped + 1};
        tdm_query q = tea;
        q.stream = hear;
        q.stream_ctx = &h;
        tdm_status st = tdm_recommender_recommend(r, &answer, &q, &err);
        all = st == TDM_OK;
        CHECK(all ? h.events <= stopped : st == TDM_E_CANCELLED && !answer && strstr(err.msg, "stopped"));
        CHECK(h.fine && (all || h.events == stopped + 1));
        CHECK((size_t)count(r, "cache", "kept") <= h.done + 1); /* stopped at DONE, one is whole and kept */
        tdm_text_free(answer);
        hearing_clear(&h);
        tdm_recommender_keep(r, 0);
        if (!all) CHECK(tdm_mem_live() == live);
    }
    CHECK(stopped > 9);
    tdm_recommender_close(r);
}

/* ---- many threads ---- */

typedef struct asking {
    tdm_recommender *r;
    const char *want[4];
    bool same;
} asking;

static const char *const users[4] = {"u2", "u3", "u4", "u5"};

static void *ask_often(void *ctx)
{
    asking *a = ctx;
    for (int k = 0; k < 12; k++) {
        tdm_query q = tea;
        q.user = users[k % 4];
        char *answer;
        if (tdm_recommender_recommend(a->r, &answer, &q, NULL)) a->same = false;
        else a->same = a->same && !strcmp(answer, a->want[k % 4]);
        tdm_text_free(answer);
    }
    return NULL;
}

static void threads_that_ask_at_once_get_the_same(void **state)
{
    (void)state;
    tdm_recommender *fresh = opened(), *r = opened();
    tdm_recommender_keep(fresh, 0);
    tdm_recommender_keep(r, 6000); /* not all that is asked fits: entries go while others are read */
    char *want[4];
    asking a[3];
    pthread_t thread[3];
    for (int k = 0; k < 4; k++) {
        tdm_query q = tea;
        q.user = users[k];
        want[k] = asked(fresh, &q);
    }
    for (int t = 0; t < 3; t++) {
        a[t] = (asking){.r = r, .want = {want[0], want[1], want[2], want[3]}, .same = true};
        CHECK(!pthread_create(&thread[t], NULL, ask_often, &a[t]));
    }
    for (int t = 0; t < 3; t++) {
        CHECK(!pthread_join(thread[t], NULL));
        CHECK(a[t].same);
    }
    CHECK(count(r, "cache", "found") + count(r, "cache", "missed") == 3 * 12 * 3);
    CHECK(count(r, "cache", "bytes") <= 6000);
    for (int k = 0; k < 4; k++) tdm_text_free(want[k]);
    tdm_recommender_close(fresh);
    tdm_recommender_close(r);
}

/* ---- the cache itself ---- */

static bool has(tdm_cache *c, const char *key, const char *text)
{
    char *found;
    tdm_err err;
    CHECK_OK(tdm_cache_find(c, &found, tdm_str_of(key), &err), err);
    if (found) assert_string_equal(found, text);
    tdm_free(found);
    return found != NULL;
}

static void add(tdm_cache *c, const char *key, const char *text)
{
    tdm_cache_add(c, tdm_str_of(key), tdm_str_of(text));
}

static void the_one_not_asked_for_the_longest_goes(void **state)
{
    (void)state;
    tdm_cache *c;
    tdm_err err;
    size_t live = tdm_mem_live();
    CHECK_OK(tdm_cache_open(&c, 1 << 20, &err), err);
    add(c, "a", "one");
    size_t each = tdm_cache_counted(c).bytes;
    tdm_cache_resize(c, 3 * each);
    CHECK(!has(c, "a", ""));
    add(c, "a", "one");
    add(c, "b", "two");
    add(c, "c", "six");
    CHECK(has(c, "a", "one"));
    add(c, "d", "ten"); /* b was not asked for the longest */
    CHECK(!has(c, "b", "") && has(c, "c", "six") && has(c, "d", "ten") && has(c, "a", "one"));
    add(c, "a", "new"); /* what is there stays */
    CHECK(has(c, "a", "one") && tdm_cache_counted(c).kept == 3 && tdm_cache_counted(c).bytes == 3 * each);
    char large[1000];
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = 0;
    add(c, "large", large); /* more than there is room for: nothing has to go for it */
    CHECK(!has(c, "large", "") && has(c, "a", "one") && tdm_cache_counted(c).kept == 3);
    add(c, "e", "two and some");
    CHECK(tdm_cache_counted(c).bytes <= 3 * each && tdm_cache_counted(c).kept == 2);
    tdm_mem_fail_after(0);
    add(c, "f", "too"); /* no memory: not kept, and no harm */
    tdm_mem_fail_after(-1);
    CHECK(!has(c, "f", "") && has(c, "e", "two and some"));
    tdm_cache_counts n = tdm_cache_counted(c);
    CHECK(n.found == 7 && n.missed == 4);
    tdm_cache_close(c);
    CHECK(tdm_mem_live() == live);
}

/* Twenty thousand keys over 4,096 chains, most of them gone again. */
static void chains_hold_together(void **state)
{
    (void)state;
    tdm_cache *c;
    tdm_err err;
    CHECK_OK(tdm_cache_open(&c, 1 << 20, &err), err);
    char key[32], text[32];
    for (int k = 0; k < 20000; k++) {
        snprintf(key, sizeof key, "key %d", k);
        snprintf(text, sizeof text, "text %d", k);
        add(c, key, text);
    }
    int kept = (int)tdm_cache_counted(c).kept;
    CHECK(kept > 5000 && kept < 20000);
    for (int k = 0; k < 20000; k++) {
        snprintf(key, sizeof key, "key %d", k);
        snprintf(text, sizeof text, "text %d", k);
        bool newer = k >= 20000 - kept;
        CHECK(has(c, key, text) == newer);
    }
    tdm_cache_close(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_second_answer_costs_no_decoding),
        cmocka_unit_test(whatever_differs_is_made_anew),
        cmocka_unit_test(blocked_words_are_not_found_in_what_was_kept),
        cmocka_unit_test(what_is_told_is_the_answer),
        cmocka_unit_test(a_draft_holds_no_blocked_word_either),
        cmocka_unit_test(whoever_listens_may_stop_it),
        cmocka_unit_test(threads_that_ask_at_once_get_the_same),
        cmocka_unit_test(the_one_not_asked_for_the_longest_goes),
        cmocka_unit_test(chains_hold_together),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
