/* SPDX-License-Identifier: Apache-2.0 */
/* test_explain.c - what may be told, what may be quoted, and which written sentences are shown. */
#include "fixture.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "check.h"
#include "cf/cf.h"
#include "data/small_log.h"
#include "hybrid/check.h"
#include "hybrid/explain.h"
#include "hybrid/tidy.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- a small log by hand ---- */

static void row(tdm_builder *b, const char *user, const char *item, float rating, int64_t time, const char *review)
{
    tdm_err err;
    tdm_row r = {.user = tdm_str_of(user),
                 .item = tdm_str_of(item),
                 .rating = rating,
                 .time = time,
                 .summary = tdm_str_of(""),
                 .review = tdm_str_of(review)};
    CHECK_OK(tdm_builder_add(b, &r, &err), err);
}

static void item(tdm_builder *b, const char *id, const char *title, const char *brand, const char *category)
{
    tdm_err err;
    tdm_item it = {
        .id = tdm_str_of(id), .title = tdm_str_of(title), .brand = tdm_str_of(brand), .category = tdm_str_of(category)};
    CHECK_OK(tdm_builder_item(b, &it, NULL, &err), err);
}

typedef struct shop {
    tdm_dataset *d;
    tdm_split *s;
    tdm_model *knn;
} shop;

/* Ann is asked about: tea, then a pot (disliked), a cup; her kettle is held out, and so is its review. */
static shop shop_open(void)
{
    tdm_builder *b;
    tdm_err err;
    shop x;
    char longest[900];
    memset(longest, 'x', 880);
    for (size_t k = 9; k < 880; k += 10) longest[k] = ' ';
    longest[880] = 0;
    CHECK_OK(tdm_builder_open(&b, 1, &err), err);
    row(b, "ann", "tea", 5, 1, "Ann says the tea is the best of them all.");
    row(b, "ann", "pot", 1, 2, "Ann says the pot leaks and is a sad thing.");
    row(b, "ann", "cup", 4, 3, "Ann says that the cup is quite alright.");
    row(b, "ann", "kettle", 5, 8, "Ann says secretly that the kettle sings.");
    row(b, "ann", "spoon", 5, 9, "Ann says secretly that the spoon shines.");
    for (int k = 0; k < 6; k++) {
        char user[8];
        snprintf(user, sizeof user, "p%d", k);
        row(b, user, "tea", 5, 1, "This tea is what I drink day after day.");
        row(b, user, "pot", 4, 2, "");
        row(b, user, "kettle", k ? 5 : 1, 3,
            k ? "It boils in a minute and sings softly." : "A bad kettle that never came to the boil.");
        row(b, user, "cup", 3, 4, "");
        row(b, user, "spoon", 4, 5, "Held out: the spoon of the one who left.");
        row(b, user, "tray", 4, 6, "Held out: the tray of the one who left.");
    }
    item(b, "tea", "Green\n tea", "Leaf", "Kitchen\nTea");
    item(b, "pot", "The Blue Pot", "Clay", "Kitchen\nPots");
    item(b, "cup", "Cup", "Clay", "Kitchen\nCups");
    item(b, "kettle", "Kettle of 3 litres", "Clay", "Kitchen\nPots");
    item(b, "spoon", longest, "", "");
    item(b, "tray", "Titania", "", "");
    CHECK_OK(small_log_finish(&x.d, b, 0, NULL, &err), err);
    tdm_builder_close(b);
    tdm_protocol p = {.split = TDM_SPLIT_LEAVE_ONE_OUT, .positive_from = 3, .seed = 1};
    CHECK_OK(tdm_split_make(&x.s, x.d, &p, &err), err);
    struct tdm_run run = {.seed = 1};
    tdm_params params = tdm_params_standard(tdm_user_knn_ops.params);
    tdm_fit_input in = {.train = x.s->train, .params = &params, .run = &run};
    CHECK_OK(tdm_user_knn_ops.fit(&x.knn, &in, &err), err);
    return x;
}

static void shop_close(shop *x)
{
    tdm_model_close(x->knn);
    tdm_split_close(x->s);
    tdm_dataset_close(x->d);
}

static uint32_t named(const shop *x, const char *id) { return tdm_dataset_item(x->d, tdm_str_of(id)); }

static tdm_explain_input about(const shop *x, const tdm_history *h, const char *id)
{
    return (tdm_explain_input){.data = x->d,
                               .train = x->s->train,
                               .model = x->knn,
                               .history = h,
                               .item = named(x, id),
                               .positive_from = 3,
                               .seed = 1};
}

static cJSON *explained(const tdm_explain_input *in)
{
    tdm_err err;
    cJSON *o = cJSON_CreateObject();
    CHECK_OK(tdm_explain(o, in, &err), err);
    CHECK(tdm_utf8_valid(tdm_str_of(tdm_json_str(o, "text", "\xff"))));
    return o;
}

static bool says(const cJSON *o, const char *what)
{
    char *text = cJSON_PrintUnformatted(o);
    bool found = strstr(text, what) != NULL;
    cJSON_free(text);
    return found;
}

static void must_say(const cJSON *o, const char *what)
{
    char *text = cJSON_PrintUnformatted(o);
    if (!strstr(text, what)) fail_msg("%s\ndoes not say %s", text, what);
    cJSON_free(text);
}

/* ---- what is told ---- */

static void the_evidence_is_what_the_rows_say(void **state)
{
    (void)state;
    shop x = shop_open();
    tdm_history h = tdm_dataset_history(x.s->train, tdm_dataset_user(x.d, tdm_str_of("ann")));
    CHECK(h.n == 3);
    tdm_explain_input in = about(&x, &h, "kettle");
    cJSON *o = explained(&in);
    must_say(o, "\"All 6 other people who chose \\\"Green tea\\\" went on to choose this.\"");
    must_say(o, "6 people with a similar history chose it.");
    must_say(o, "6 people chose it; its 6 ratings average 4.3 on a scale from 1 to 5."); /* (5 * 5 + 1) / 6 */
    must_say(o, "Somebody who chose it wrote: \\\"It boils in a minute and sings softly.\\\"");
    must_say(o, "It is of the same brand as \\\"Cup\\\", \\\"Clay\\\".");
    must_say(o, "\"text_source\":\"evidence\"");
    must_say(o, "\"neighbours\":[{\"user\":\"p");
    CHECK(cJSON_GetArraySize(cJSON_GetObjectItem(o, "neighbours")) == 6);
    cJSON_Delete(o);
    shop_close(&x);
}

/* The rows of one instant stand in some order in the file, which says nothing about who went on to what. */
static void one_instant_is_no_order(void **state)
{
    (void)state;
    shop x = shop_open();
    int64_t *time = tdm_new(x.d->N, sizeof *time);
    for (size_t k = 0; k < x.d->N; k++) time[k] = 7;
    tdm_dataset same = *x.s->train;
    same.time = time;
    tdm_history h = tdm_dataset_history(x.s->train, tdm_dataset_user(x.d, tdm_str_of("ann")));
    tdm_explain_input in = about(&x, &h, "kettle");
    in.train = &same;
    cJSON *o = explained(&in);
    must_say(o, "\"All 6 other people who chose \\\"Green tea\\\" chose this too.\"");
    CHECK(!says(o, "went on"));
    cJSON_Delete(o);
    tdm_free(time);
    shop_close(&x);
}

static void a_dislike_is_never_a_reason(void **state)
{
    (void)state;
    shop x = shop_open();
    tdm_history h = tdm_dataset_history(x.s->train, tdm_dataset_user(x.d, tdm_str_of("ann")));
    for (int k = 0; k < 2; k++) {
        tdm_explain_input in = about(&x, &h, "kettle");
        if (k) in.positive_from = NAN; /* then nothing is a dislike, and the pot counts */
        cJSON *o = explained(&in), *one;
        double sum = tdm_json_num(o, "rest", NAN);
        bool pot = false;
        cJSON_ArrayForEach(one, cJSON_GetObjectItem(o, "because"))
        {
            sum += tdm_json_num(one, "share", NAN);
            pot = pot || !strcmp(tdm_json_str(one, "item", ""), "pot");
        }
        CHECK(fabs(sum - 1) < 1e-5);
        CHECK(pot == (k == 1));
        CHECK(says(o, "The Blue Pot") == (k == 1));
        CHECK(!says(o, "liked \\\"The Blue Pot"));
        cJSON_Delete(o);
    }
    shop_close(&x);
}

/* Of every item, for everybody: what was held out, and what the asker wrote, is never told. */
static void held_out_rows_and_own_words_are_never_cited(void **state)
{
    (void)state;
    shop x = shop_open();
    for (uint32_t u = 0; u < x.d->U; u++) {
        tdm_history h = tdm_dataset_history(x.d, u); /* also with all that the person ever chose as the history */
        bool ann = tdm_str_is(tdm_strings_at(&x.d->user_id, u), "ann");
        for (uint32_t i = 0; i < x.d->I; i++) {
            tdm_explain_input in = about(&x, &h, "tea");
            in.item = i;
            cJSON *o = explained(&in);
            CHECK(!says(o, "Held out") && !says(o, "secretly"));
            CHECK(!ann || !says(o, "Ann says"));
            cJSON_Delete(o);
        }
    }
    shop_close(&x);
}

/* The same on a drawn log: every quoted sentence is a training row of the item, by somebody else. */
static void quotes_come_from_training_rows_of_others(void **state)
{
    (void)state;
    tdm_err err;
    tdm_dataset *d = drawn_log(150, 60, 3);
    tdm_split *s;
    tdm_protocol p = {.split = TDM_SPLIT_LEAVE_ONE_OUT, .positive_from = NAN, .seed = 1};
    CHECK_OK(tdm_split_make(&s, d, &p, &err), err);
    struct tdm_run run = {.seed = 1};
    tdm_params params = tdm_params_standard(tdm_item_knn_ops.params);
    tdm_fit_input in = {.train = s->train, .params = &params, .run = &run};
    tdm_model *m;
    CHECK_OK(tdm_item_knn_ops.fit(&m, &in, &err), err);
    size_t quoted = 0;
    for (uint32_t u = 0; u < d->U; u++) {
        tdm_history h = tdm_dataset_history(d, u);
        for (uint32_t i = u % 5; i < d->I; i += 5) {
            tdm_explain_input ask = {
                .data = d, .train = s->train, .model = m, .history = &h, .item = i, .positive_from = NAN};
            cJSON *o = explained(&ask), *line;
            cJSON_ArrayForEach(line, cJSON_GetObjectItem(o, "evidence"))
            {
                const char *q = strstr(line->valuestring, "wrote: \"");
                unsigned who, what;
                if (!q) continue;
                assert_int_equal(sscanf(q, "wrote: \"Person %u read item %u", &who, &what), 2);
                char user[16], id[16];
                snprintf(user, sizeof user, "u%u", who);
                snprintf(id, sizeof id, "i%u", what);
                uint32_t v = tdm_dataset_user(d, tdm_str_of(user));
                bool there = false;
                for (int64_t k = s->train->offset[v]; k < s->train->offset[v + 1]; k++)
                    there = there || s->train->item[k] == i;
                CHECK(v != u && tdm_dataset_item(d, tdm_str_of(id)) == i && there);
                quoted++;
            }
            cJSON_Delete(o);
        }
    }
    CHECK(quoted > 500);
    tdm_model_close(m);
    tdm_split_close(s);
    tdm_dataset_close(d);
}

static void strangers_and_odd_items_get_an_answer(void **state)
{
    (void)state;
    tdm_err err;
    shop x = shop_open();
    uint32_t cup = named(&x, "cup");
    tdm_history empty = {.now = TDM_NO_TIME, .self = TDM_NONE};
    tdm_history one = {.items = &cup, .n = 1, .now = TDM_NO_TIME, .self = TDM_NONE};
    for (uint32_t i = 0; i < x.d->I; i++)
        for (int k = 0; k < 2; k++) {
            tdm_explain_input in = about(&x, k ? &one : &empty, "tea");
            in.item = i;
            cJSON *o = explained(&in), *line;
            const char *text = tdm_json_str(o, "text", "");
            CHECK(strlen(text) > 20 && strlen(text) < 400 && !strchr(text, '\n'));
            cJSON_ArrayForEach(line, cJSON_GetObjectItem(o, "evidence"))
                CHECK(strlen(line->valuestring) < 400 && !strchr(line->valuestring, '\n'));
            cJSON_Delete(o);
        }
    tdm_explain_input in = about(&x, &one, "spoon"); /* a title of 880 characters is cut behind a word */
    in.model = x.knn;
    in.item = named(&x, "tray");
    cJSON *o = explained(&in);
    must_say(o, "Nobody else has chosen it yet"); /* all its rows are held out */
    cJSON_Delete(o);
    in.item = (uint32_t)x.d->I;
    o = cJSON_CreateObject();
    CHECK(tdm_explain(o, &in, &err) == TDM_E_ARG);
    cJSON_Delete(o);
    shop_close(&x);
}

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
    tdm_explain_input in = about(&x, &h, "kettle");
    scribe s = {.ops = {.name = "scribe", .write = scribe_write}};
    s.base.ops = &s.ops;
    in.writer = &s.base;

    s.say = (const char *const[]){"It goes well with your Green tea."};
    cJSON *o = explained(&in);
    must_say(o, "\"text\":\"It goes well with your Green tea.\",\"text_source\":\"gpt2\"");
    CHECK(s.calls == 1 && s.seed[0] == 1);
    cJSON_Delete(o);

    s.calls = 0; /* another try where the first says too much */
    s.say = (const char *const[]){"It costs only $20, a bargain.", "It holds 3 litres of water."};
    o = explained(&in);
    must_say(o, "\"text\":\"It holds 3 litres of water.\",\"text_source\":\"gpt2\"");
    CHECK(s.calls == 2 && s.seed[0] != s.seed[1]);
    cJSON_Delete(o);

    s.calls = 0;
    s.say = (const char *const[]){"", "Almost as good as the Titania.", "Line one\nline two of it."};
    o = explained(&in);
    must_say(o, "\"text_source\":\"evidence\"");
    must_say(o, "\"text\":\"You liked \\\"Cup\\\", and all 6 other people who chose it chose this too.\"");
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
        {"", "You liked \"Cup\", and all 6 other people who chose it chose this too.", "evidence", 6},
        {"zebra", "You liked \"Cup\", and all 6 other people who chose it chose this too.", "evidence", 6},
        {"CUP", "You liked \"Green tea\", and all 6 other people who chose it went on to choose this.", "evidence", 4},
        {"cup\ngreen   tea", "6 people with a similar history chose it.", "evidence", 3},
        {"cup\ntea\nhistory", "6 people chose it; its 6 ratings average 4.3 on a scale from 1 to 5.", "evidence", 2},
        {"you liked", "6 people with a similar history chose it.", "evidence", 6},
        {"people\ncup\ntea", "", "none", 1},
        {"people\ncup\ntea\nwrote", "", "none", 0},
    };
    shop x = shop_open();
    tdm_history h = tdm_dataset_history(x.s->train, tdm_dataset_user(x.d, tdm_str_of("ann")));
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        tdm_explain_input in = about(&x, &h, "kettle");
        tdm_block *b = blocking(cases[k].list);
        in.block = b;
        cJSON *o = explained(&in), *line;
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
    tdm_explain_input in = about(&x, &h, "tea");
    cJSON *o = explained(&in);
    must_say(o, "wrote: \\\"Ann says the tea is the best of them all.");
    cJSON_Delete(o);
    tdm_block *b = blocking("the BEST");
    in.block = b;
    o = explained(&in);
    must_say(o, "wrote: \\\"This tea is what I drink day after day.");
    CHECK(!says(o, "the best"));
    cJSON_Delete(o);
    tdm_block_close(b);
    shop_close(&x);
}

static void a_written_sentence_with_a_blocked_word_is_refused(void **state)
{
    (void)state;
    shop x = shop_open();
    tdm_history h = tdm_dataset_history(x.s->train, tdm_dataset_user(x.d, tdm_str_of("ann")));
    tdm_explain_input in = about(&x, &h, "kettle");
    scribe s = {.ops = {.name = "scribe", .write = scribe_write}};
    tdm_block *b = blocking("bargain\nof water");
    s.base.ops = &s.ops;
    in.writer = &s.base;
    in.block = b;
    s.say = (const char *const[]){"It is a real BARGAIN, they say.", "It holds all of Water's weight.",
                                  "It goes well with your Green tea."};
    cJSON *o = explained(&in);
    must_say(o, "\"text\":\"It goes well with your Green tea.\",\"text_source\":\"gpt2\"");
    CHECK(s.calls == 3 && s.block == b);
    cJSON_Delete(o);
    s.calls = 0;
    s.say = (const char *const[]){"It is a bargain, they say.", "What a bargain it is.", "A bargain to all of us."};
    o = explained(&in);
    must_say(o, "\"text_source\":\"evidence\"");
    CHECK(s.calls == 3 && !says(o, "bargain"));
    cJSON_Delete(o);
    tdm_block_close(b);
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
    tdm_explain_input in = about(&x, &h, "kettle");
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
    cJSON *o = explained(&in);
    assert_string_equal(
        heard.p, "A fine kettle|A fine kettle that is a|A fine kettle that is a sad|It costs|It holds 3 litres of|");
    must_say(o, "\"text\":\"It holds 3 litres of water.\",\"text_source\":\"gpt2\"");
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
        bool good = tdm_sentence_check(&why, tdm_str_of(cases[k].say), tdm_str_of(known), x.d);
        if (good != cases[k].good) fail_msg("\"%s\": %s", cases[k].say, good ? "passed" : why);
    }
    char endless[1000];
    memset(endless, 'a', sizeof endless);
    CHECK(!tdm_sentence_check(NULL, (tdm_str){endless, TDM_SENTENCE_BYTES + 1}, tdm_str_of(known), x.d));
    CHECK(tdm_sentence_check(NULL, (tdm_str){endless, TDM_SENTENCE_BYTES}, tdm_str_of(known), x.d));
    shop_close(&x);
}

static void tidied(const char *in, size_t most, const char *want)
{
    tdm_buf b = {0};
    tdm_tidy(&b, tdm_str_of(in), most);
    assert_string_equal(b.n ? b.p : "", want);
    CHECK(b.n <= most && tdm_utf8_valid((tdm_str){b.p, b.n}));
    tdm_buf_clear(&b);
}

static void texts_are_tidied(void **state)
{
    (void)state;
    tidied("  one\r\n\ttwo\x01three  ", 80, "one two three");
    tidied("", 80, "");
    tidied("\xff\xfe", 80, "");
    tidied("caf\xc3\xa9 noir", 80, "caf\xc3\xa9 noir");
    tidied("one two three four", 14, "one two\xe2\x80\xa6");
    tidied("abcdefghijklmnop", 10, "abcdefg\xe2\x80\xa6");
    tidied("\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", 8, "\xc3\xa9\xc3\xa9\xe2\x80\xa6"); /* no half letters */
    tdm_str s = tdm_tidy_sentence(tdm_str_of("So. This one is long enough to stand. And this."), 10, 60);
    CHECK(tdm_str_is(s, "This one is long enough to stand."));
    CHECK(tdm_tidy_sentence(tdm_str_of("no end to this text here"), 5, 60).n == 0);
}

/* ---- memory ---- */

static void every_failed_allocation_is_survived(void **state)
{
    (void)state;
    shop x = shop_open();
    tdm_history h = tdm_dataset_history(x.s->train, tdm_dataset_user(x.d, tdm_str_of("ann")));
    tdm_explain_input in = about(&x, &h, "kettle");
    tdm_block *b = blocking("cup\nclay");
    in.block = b;
    size_t live = tdm_mem_live();
    long n = 0;
    for (;; n++) {
        tdm_err err;
        cJSON *o = cJSON_CreateObject();
        tdm_mem_fail_after(n);
        tdm_status st = tdm_explain(o, &in, &err);
        tdm_mem_fail_after(-1);
        cJSON_Delete(o);
        CHECK(tdm_mem_live() == live);
        if (st == TDM_OK) break;
        CHECK(st == TDM_E_NOMEM);
    }
    CHECK(n > 10);
    tdm_block_close(b);
    shop_close(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_evidence_is_what_the_rows_say),
        cmocka_unit_test(one_instant_is_no_order),
        cmocka_unit_test(a_dislike_is_never_a_reason),
        cmocka_unit_test(held_out_rows_and_own_words_are_never_cited),
        cmocka_unit_test(quotes_come_from_training_rows_of_others),
        cmocka_unit_test(strangers_and_odd_items_get_an_answer),
        cmocka_unit_test(only_what_the_evidence_bears_out_is_shown),
        cmocka_unit_test(blocked_words_are_in_no_sentence_of_the_evidence),
        cmocka_unit_test(another_review_is_quoted),
        cmocka_unit_test(a_written_sentence_with_a_blocked_word_is_refused),
        cmocka_unit_test(a_draft_is_told_as_far_as_it_passes),
        cmocka_unit_test(sentences_are_checked),
        cmocka_unit_test(texts_are_tidied),
        cmocka_unit_test(every_failed_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
