/* SPDX-License-Identifier: Apache-2.0 */
/* test_sentences.c - which written sentences are shown, which words are in none, and what is told while they are
 * written.
 */
#include "check.h"
#include "hybrid/check.h"
#include "shop.h"

#include <stdio.h>
#include <string.h>

/* ---- the writer ---- */

typedef struct scribe {
    tdm_model base;
    tdm_model_ops ops;
    const char *const *say; /* what it writes at each call */
    size_t calls;
    uint64_t seed[8];
    const tdm_block *block; /* that it was told of */
    bool fails;
} scribe;

static tdm_status scribe_write(const tdm_model *m, char *out, size_t cap, double *logp, const tdm_reason *r,
                               tdm_err *err)
{
    scribe *s = (scribe *)(uintptr_t)m;
    if (s->fails) return tdm_fail(err, TDM_E_FORMAT, "the scribe is ill");
    s->seed[s->calls] = r->seed;
    s->block = r->block;
    snprintf(out, cap, "%s", s->say[s->calls++]);
    *logp = -1;
    return TDM_OK;
}

static void only_what_the_evidence_bears_out_is_shown(void **state)
{
    (void)state;
    shop x = shop_open();
    tdm_history h = tdm_dataset_history(x.s->train, tdm_dataset_user(x.d, tdm_str_of("ann")));
    tdm_explain_input in = shop_about(&x, &h, "kettle");
    scribe s = {.ops = {.name = "scribe", .write = scribe_write}};
    s.base.ops = &s.ops;
    in.writer = &s.base;

    s.say = (const char *const[]){"It goes well with your Green tea."};
    cJSON *o = shop_explained(&in);
    shop_must_say(o, "\"text\":\"It goes well with your Green tea.\",\"text_source\":\"gpt2\"");
    CHECK(s.calls == 1 && s.seed[0] == 1);
    cJSON_Delete(o);

    s.calls = 0; /* another try where the first says too much */
    s.say = (const char *const[]){"It costs only $20, a bargain.", "It holds 3 litres of water."};
    o = shop_explained(&in);
    shop_must_say(o, "\"text\":\"It holds 3 litres of water.\",\"text_source\":\"gpt2\"");
    CHECK(s.calls == 2 && s.seed[0] != s.seed[1]);
    cJSON_Delete(o);

    s.calls = 0;
    s.say = (const char *const[]){"", "Almost as good as the Titania.", "Line one\nline two of it."};
    o = shop_explained(&in);
    shop_must_say(o, "\"text_source\":\"evidence\"");
    shop_must_say(o, "\"text\":\"You liked \\\"Cup\\\", and all 6 other people who chose it chose this too.\"");
    CHECK(s.calls == 3);
    cJSON_Delete(o);

    tdm_err err;
    s.fails = true; /* a writer that breaks is not hushed up */
    o = cJSON_CreateObject();
    CHECK(tdm_explain(o, &in, &err) == TDM_E_FORMAT && strstr(err.msg, "ill"));
    cJSON_Delete(o);
    shop_close(&x);
}

/* ---- blocked words ---- */

static tdm_block *blocking(const char *list)
{
    tdm_block *b;
    tdm_err err;
    CHECK_OK(tdm_block_open(&b, &err), err);
    CHECK_OK(tdm_block_read(b, "list", tdm_str_of(list), &err), err);
    return b;
}

static const char *text_of(const cJSON *o) { return tdm_json_str(o, "text", "\xff"); }

/* Of the plain sentences the most telling that may be shown; of the evidence those lines alone. */
static void blocked_words_are_in_no_sentence_of_the_evidence(void **state)
{
    (void)state;
    static const struct {
        const char *list, *text, *source;
        int lines;
    } cases[] = {
        {"", "You liked \"Cup\", and all 6 other people who chose it chose this too.", "evidence", 7},
        {"zebra", "You liked \"Cup\", and all 6 other people who chose it chose this too.", "evidence", 7},
        {"CUP", "You liked \"Green tea\", and all 6 other people who chose it went on to choose this.", "evidence", 5},
        {"cup\ngreen   tea", "6 people with a similar history chose it.", "evidence", 4},
        {"cup\ntea\nhistory", "6 people chose it; its 6 ratings average 4.3 on a scale from 1 to 5.", "evidence", 3},
        {"you liked", "6 people with a similar history chose it.", "evidence", 7},
        {"people\ncup\ntea", "", "none", 2},
        {"people\ncup\ntea\nwrote\nlisted", "", "none", 0},
    };
    shop x = shop_open();
    tdm_history h = tdm_dataset_history(x.s->train, tdm_dataset_user(x.d, tdm_str_of("ann")));
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        tdm_explain_input in = shop_about(&x, &h, "kettle");
        tdm_block *b = blocking(cases[k].list);
        in.block = b;
        cJSON *o = shop_explained(&in), *line;
        assert_string_equal(text_of(o), cases[k].text);
        assert_string_equal(tdm_json_str(o, "text_source", ""), cases[k].source);
        int lines = cJSON_GetArraySize(cJSON_GetObjectItem(o, "evidence"));
        if (lines != cases[k].lines) fail_msg("%s: %d lines", cases[k].list, lines);
        cJSON_ArrayForEach(line, cJSON_GetObjectItem(o, "evidence"))
        {
            bool found;
            tdm_err err;
            CHECK_OK(tdm_block_find(b, &found, tdm_str_of(line->valuestring), NULL, &err), err);
            CHECK(!found);
        }
        cJSON_Delete(o);
        tdm_block_close(b);
    }
    shop_close(&x);
}

/* A review that holds one is not quoted; another is. */
static void another_review_is_quoted(void **state)
{
    (void)state;
    shop x = shop_open();
    tdm_history h = tdm_dataset_history(x.s->train, tdm_dataset_user(x.d, tdm_str_of("p1")));
    tdm_explain_input in = shop_about(&x, &h, "tea");
    cJSON *o = shop_explained(&in);
    shop_must_say(o, "wrote: \\\"Ann says the tea is the best of them all.");
    cJSON_Delete(o);
    tdm_block *b = blocking("the BEST");
    in.block = b;
    o = shop_explained(&in);
    shop_must_say(o, "wrote: \\\"This tea is what I drink day after day.");
    CHECK(!shop_says(o, "the best"));
    cJSON_Delete(o);
    tdm_block_close(b);
    shop_close(&x);
}

static void a_written_sentence_with_a_blocked_word_is_refused(void **state)
{
    (void)state;
    shop x = shop_open();
    tdm_history h = tdm_dataset_history(x.s->train, tdm_dataset_user(x.d, tdm_str_of("ann")));
    tdm_explain_input in = shop_about(&x, &h, "kettle");
    scribe s = {.ops = {.name = "scribe", .write = scribe_write}};
    tdm_block *b = blocking("bargain\nof water");
    s.base.ops = &s.ops;
    in.writer = &s.base;
    in.block = b;
    s.say = (const char *const[]){"It is a real BARGAIN, they say.", "It holds all of Water's weight.",
                                  "It goes well with your Green tea."};
    cJSON *o = shop_explained(&in);
    shop_must_say(o, "\"text\":\"It goes well with your Green tea.\",\"text_source\":\"gpt2\"");
    CHECK(s.calls == 3 && s.block == b);
    cJSON_Delete(o);
    s.calls = 0;
    s.say = (const char *const[]){"It is a bargain, they say.", "What a bargain it is.", "A bargain to all of us."};
    o = shop_explained(&in);
    shop_must_say(o, "\"text_source\":\"evidence\"");
    CHECK(s.calls == 3 && !shop_says(o, "bargain"));
    cJSON_Delete(o);
    tdm_block_close(b);
    shop_close(&x);
}

/* ---- what stands before it ---- */

/* GPT-2's words stand behind what led to the item, or what of it may be said. */
static void what_led_to_it_stands_first(void **state)
{
    (void)state;
    static const struct {
        const char *list, *lead;
    } cases[] = {
        {"", "Because you liked \"Cup\" and \"Green tea\": "},
        {"cup", "Because you liked \"Green tea\": "},
        {"tea", "Because you liked \"Cup\": "},
        {"you liked", "6 people with a similar history chose it: "},
        {"you liked\nhistory", "6 people chose it; its 6 ratings average 4.3 on a scale from 1 to 5: "},
        {"you liked\npeople", ""},
        {"cup\" and", "Because you liked \"Cup\": "},
    };
    shop x = shop_open();
    tdm_history h = tdm_dataset_history(x.s->train, tdm_dataset_user(x.d, tdm_str_of("ann")));
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        tdm_explain_input in = shop_about(&x, &h, "kettle");
        scribe s = {.ops = {.name = "scribe", .write = scribe_write}};
        char text[200];
        s.base.ops = &s.ops;
        in.writer = &s.base;
        in.lead = true;
        in.block = blocking(cases[k].list);
        s.say = (const char *const[]){"", "It holds 3 litres of water."};
        cJSON *o = shop_explained(&in);
        snprintf(text, sizeof text, "%sIt holds 3 litres of water.", cases[k].lead);
        assert_string_equal(text_of(o), text);
        assert_string_equal(tdm_json_str(o, "written", ""), "It holds 3 litres of water.");
        assert_string_equal(tdm_json_str(o, "text_source", ""), "gpt2");
        CHECK(tdm_json_num(o, "tries", -1) == 2);
        cJSON_Delete(o);
        tdm_block_close((tdm_block *)(uintptr_t)in.block);
    }
    shop_close(&x);
}

/* A writer that has several is told which may be shown; what it may not show is counted. */
static tdm_status choosing_write(const tdm_model *m, char *out, size_t cap, double *logp, const tdm_reason *r,
                                 tdm_err *err)
{
    scribe *s = (scribe *)(uintptr_t)m;
    (void)err;
    *logp = -1;
    *out = 0;
    for (; s->say[s->calls]; s->calls++)
        if (r->fits(r->fits_ctx, tdm_str_of(s->say[s->calls])) && !*out) snprintf(out, cap, "%s", s->say[s->calls]);
    s->calls++;
    return TDM_OK;
}

static void a_writer_is_told_what_fits(void **state)
{
    (void)state;
    shop x = shop_open();
    tdm_history h = tdm_dataset_history(x.s->train, tdm_dataset_user(x.d, tdm_str_of("ann")));
    tdm_explain_input in = shop_about(&x, &h, "kettle");
    tdm_explain_counts count = {0};
    scribe s = {.ops = {.name = "scribe", .write = choosing_write}};
    s.base.ops = &s.ops;
    in.writer = &s.base;
    in.counts = &count;
    s.say = (const char *const[]){"It costs $20.",      "Better than a Titania.", NULL,        NULL,
                                  "It holds 5 litres.", "It holds 3 litres.",     "It boils.", NULL};
    cJSON *o = shop_explained(&in);
    shop_must_say(o, "\"text\":\"It holds 3 litres.\",\"text_source\":\"gpt2\"");
    CHECK(count.tries == 3 && count.unbacked == 1 && count.unfinished == 1 && count.gpt2 == 1 && !count.evidence);
    CHECK(count.again == 1);
    cJSON_Delete(o);
    shop_close(&x);
}

/* ---- drafts ---- */

static tdm_status drafting_write(const tdm_model *m, char *out, size_t cap, double *logp, const tdm_reason *r,
                                 tdm_err *err)
{
    scribe *s = (scribe *)(uintptr_t)m;
    *logp = -1;
    *out = 0;
    for (; s->say[s->calls]; s->calls++) {
        snprintf(out, cap, "%s", s->say[s->calls]);
        if (r->draft(r->draft_ctx, tdm_str_of(out))) return tdm_fail(err, TDM_E_CANCELLED, "stopped");
    }
    s->calls++;
    return TDM_OK;
}

static int write_down(void *ctx, tdm_str text)
{
    tdm_buf *b = ctx;
    tdm_buf_fmt(b, "%.*s|", TDM_STR_ARG(text));
    return 0;
}

/* Whole words alone, and none that the check would refuse, nor what goes on from them. */
static void a_draft_is_told_as_far_as_it_passes(void **state)
{
    (void)state;
    shop x = shop_open();
    tdm_history h = tdm_dataset_history(x.s->train, tdm_dataset_user(x.d, tdm_str_of("ann")));
    tdm_explain_input in = shop_about(&x, &h, "kettle");
    tdm_buf heard = {0};
    tdm_block *b = blocking("sad thing");
    scribe s = {.ops = {.name = "scribe", .write = drafting_write}};
    s.base.ops = &s.ops;
    in.writer = &s.base;
    in.block = b;
    in.draft = write_down;
    in.draft_ctx = &heard;
    s.say = (const char *const[]){"A fi", "A fine kett", "A fine kettle th", "A fine kettle that",
                                  "A fine kettle that is a sad", "A fine kettle that is a sad thi",
                                  "A fine kettle that is a sad thing to", NULL,
                                  /* the next try */
                                  "It costs only", "It costs only $20, a bar", "It costs only $20, a bargain", NULL,
                                  /* and the last */
                                  "Finer than the Titania we", "It holds 3 litres of water.", NULL};
    cJSON *o = shop_explained(&in);
    assert_string_equal(
        heard.p, "A fine kettle|A fine kettle that is a|A fine kettle that is a sad|It costs|It holds 3 litres of|");
    shop_must_say(o, "\"text\":\"It holds 3 litres of water.\",\"text_source\":\"gpt2\"");
    cJSON_Delete(o);
    tdm_buf_clear(&heard);
    tdm_block_close(b);
    shop_close(&x);
}

/* ---- the check ---- */

static void sentences_are_checked(void **state)
{
    (void)state;
    shop x = shop_open();
    tdm_claims *c;
    tdm_err err;
    CHECK_OK(tdm_claims_open(&c, x.d, &err), err);
    static const char known[] = "Kettle of 3 litres\nGreen tea\n12 of the 1,340 people rated it 4.5\n";
    static const struct {
        const char *say;
        bool good;
    } cases[] = {
        {"A fine kettle for your green tea.", true},
        {"Liked by 12 of them, it holds 3 litres.", true},
        {"Of 1,340 people most rate it 4.5 or so.", true},
        {"Liked by 13 of them.", false},
        {"Liked by 1 of them at least.", false},
        {"Liked by 340 of them.", false},
        {"Rated 5 by most who have it.", false},
        {"Yours for \xe2\x82\xac and a smile.", false},
        {"Yours for $ and a smile.", false},
        {"Seven of \xd9\xa7 people say so.", false}, /* an Arabic digit */
        {"As nice as the blue pot on the shelf.", false},
        {"As nice as THE BLUE POT, they say.", false},
        {"The blue potter made this one.", true}, /* no title: a word goes on */
        {"One of the many who have it.", true},
        {"Twelve people or so have it.", false}, /* what is counted there is counted in digits */
        {"It has two of them.", false},
        {"Of 12 nights most are cold.", false}, /* not that twelve */
        {"Good value for 100% of us.", false},
        {"Made by clay, it seems.", false}, /* a brand, and others */
        {"As good as any leaf of it.", false},
        {"The claypot is none.", true},
        {"For every kitchen of the land.", false}, /* a category, of one or of many */
        {"For kitchens of the land.", false},
        {"A cup goes with it.", false},
        {"It is a kettle, no more.", true},
        {"They saw a Titania in the shop.", false},
        {"They saw a titania in the shop.", true},
        {"Titania was the queen who had one.", true}, /* a first word has its capital anyway */
        {"", false},
        {"Good.", false},
        {"A tab\tinside of it is no plain text.", false},
        {"A hidden \xe2\x80\xae turn of the text.", false},
        {"Not UTF-8 \xff at all, this.", false},
        {" Blanks at both of its ends ", false},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        const char *why;
        bool good = tdm_sentence_check(&why, tdm_str_of(cases[k].say), tdm_str_of(known), c);
        if (good != cases[k].good) fail_msg("\"%s\": %s", cases[k].say, good ? "passed" : why);
    }
    char endless[1000];
    memset(endless, 'a', sizeof endless);
    CHECK(!tdm_sentence_check(NULL, (tdm_str){endless, TDM_SENTENCE_BYTES + 1}, tdm_str_of(known), c));
    CHECK(tdm_sentence_check(NULL, (tdm_str){endless, TDM_SENTENCE_BYTES}, tdm_str_of(known), c));
    tdm_claims_close(c);
    shop_close(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_the_evidence_bears_out_is_shown),
        cmocka_unit_test(blocked_words_are_in_no_sentence_of_the_evidence),
        cmocka_unit_test(another_review_is_quoted),
        cmocka_unit_test(a_written_sentence_with_a_blocked_word_is_refused),
        cmocka_unit_test(what_led_to_it_stands_first),
        cmocka_unit_test(a_writer_is_told_what_fits),
        cmocka_unit_test(a_draft_is_told_as_far_as_it_passes),
        cmocka_unit_test(sentences_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
