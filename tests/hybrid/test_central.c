/* SPDX-License-Identifier: Apache-2.0 */
/* test_central.c - which reviewer's sentence stands for an item, and when it is shown. */
#include "check.h"
#include "data/small_log.h"
#include "hybrid/central.h"
#include "hybrid/check.h"
#include "shop.h"

#include <stdio.h>
#include <string.h>

/* ---- a log of one item that matters ---- */

static const struct {
    const char *user;
    float rating;
    const char *review;
} lamp[] = {
    {"ann", 5, "The light is warm and very bright. It came late in a box."},
    {"bob", 5, "A \"warm\" light it is indeed. The light is warm and\tbright!\nToo short."},
    {"cat", 4, "My desk has a warm and bright light now? Bright."},
    {"dan", 1, "The light is warm and very bright, they said, and it broke."},
    {"eve", 5, "\xf0\x9f\x92\xa1\x01 No words \xff in common with anybody else here."},
};

static tdm_dataset *lamps(void)
{
    tdm_builder *b;
    tdm_dataset *d;
    tdm_err err;
    CHECK_OK(tdm_builder_open(&b, 1, &err), err);
    for (size_t k = 0; k < sizeof lamp / sizeof *lamp; k++) {
        tdm_row r = {.user = tdm_str_of(lamp[k].user),
                     .item = tdm_str_of("lamp"),
                     .rating = lamp[k].rating,
                     .time = 1,
                     .summary = tdm_str_of(""),
                     .review = tdm_str_of(lamp[k].review)};
        CHECK_OK(tdm_builder_add(b, &r, &err), err);
    }
    CHECK_OK(small_log_finish(&d, b, 0, NULL, &err), err);
    tdm_builder_close(b);
    return d;
}

static tdm_block *blocking(const char *list)
{
    tdm_block *b;
    tdm_err err;
    CHECK_OK(tdm_block_open(&b, &err), err);
    CHECK_OK(tdm_block_read(b, "list", tdm_str_of(list), &err), err);
    return b;
}

static void found(const tdm_dataset *d, const char *asker, const char *blocked, const char *expected)
{
    tdm_buf out = {0};
    tdm_err err;
    tdm_block *b = blocking(blocked);
    const tdm_explain_input in = {.data = d, .train = d, .item = 0, .positive_from = 3, .block = b};
    uint32_t who = *asker ? tdm_dataset_user(d, tdm_str_of(asker)) : TDM_NONE;
    CHECK_OK(tdm_central_find(&out, &in, who, &err), err);
    assert_string_equal(out.n ? out.p : "", expected);
    tdm_buf_clear(&out);
    tdm_block_close(b);
}

/* F1 of words: ann's first and bob's 12/13, ann's first and cat's 8/16, bob's and cat's 8/15, ann's second and cat's
 * 2/15. Bob's other sentences are quoted or short; dan disliked it and does not count. */
static void the_sentence_that_shares_most_stands(void **state)
{
    (void)state;
    tdm_dataset *d = lamps();
    found(d, "", "", "The light is warm and bright!");
    found(d, "bob", "", "My desk has a warm and bright light now?"); /* nobody is told what they wrote themselves */
    found(d, "", "warm and BRIGHT", "The light is warm and very bright.");
    found(d, "", "light\nbox", "\xf0\x9f\x92\xa1 No words in common with anybody else here.");
    found(d, "", "light\nbox\nwords", "");
    tdm_dataset_close(d);
}

/* ---- what is shown ---- */

static tdm_status scribe_write(const tdm_model *m, char *out, size_t cap, double *logp, const tdm_reason *r,
                               tdm_err *err)
{
    (void)m;
    (void)r;
    (void)err;
    snprintf(out, cap, "It goes well with your Green tea.");
    *logp = -1;
    return TDM_OK;
}

static cJSON *explained(tdm_explain_input *in, tdm_speaker speaker, const char *blocked)
{
    tdm_block *b = blocking(blocked);
    in->speaker = speaker;
    in->block = b;
    cJSON *o = shop_explained(in);
    tdm_block_close(b);
    return o;
}

static void a_reviewer_is_said_to_be_one(void **state)
{
    (void)state;
    shop x = shop_open();
    tdm_history h = tdm_dataset_history(x.s->train, tdm_dataset_user(x.d, tdm_str_of("ann")));
    tdm_explain_input in = shop_about(&x, &h, "kettle");
    tdm_explain_counts counts = {0};
    const tdm_model_ops ops = {.name = "scribe", .write = scribe_write};
    const tdm_model scribe = {&ops};
    in.writer = &scribe;
    in.counts = &counts;
    cJSON *o = explained(&in, TDM_SPEAKER_REVIEW, "");
    shop_must_say(o, "\"text\":\"Somebody who chose it wrote: \\\"It boils in a minute and sings softly.\\\"\"");
    shop_must_say(o, "\"text_source\":\"review\",\"quote\":\"It boils in a minute and sings softly.\"");
    CHECK(!shop_says(o, "secretly") && counts.review == 1 && !counts.tries); /* Ann's own review is held out */
    assert_true(cJSON_GetArraySize(cJSON_GetObjectItem(o, "evidence")) > 3); /* and the evidence is beside it */
    cJSON_Delete(o);
    in.lead = true;
    o = explained(&in, TDM_SPEAKER_REVIEW, "");
    shop_must_say(o, ". Somebody who chose it wrote: \\\"It boils in a minute and sings softly.\\\"\"");
    shop_must_say(o, "\"text\":\"Because you ");
    shop_must_say(o, "\"quote\":\"It boils in a minute and sings softly.\",\"tries\":0");
    cJSON_Delete(o);
    in.lead = false;
    o = explained(&in, TDM_SPEAKER_GPT2, "");
    shop_must_say(o, "\"text\":\"It goes well with your Green tea.\",\"text_source\":\"gpt2\"");
    CHECK(!cJSON_GetObjectItem(o, "quote"));
    cJSON_Delete(o);
    o = explained(&in, TDM_SPEAKER_EVIDENCE, "");
    shop_must_say(o, "\"text_source\":\"evidence\"");
    cJSON_Delete(o);
    o = explained(&in, TDM_SPEAKER_REVIEW, "minute"); /* nothing central is left: the next one speaks */
    shop_must_say(o, "\"text_source\":\"gpt2\"");
    CHECK(!shop_says(o, "minute"));
    cJSON_Delete(o);
    o = explained(&in, TDM_SPEAKER_REVIEW, "somebody"); /* it could only be shown without saying whose it is */
    shop_must_say(o, "\"text_source\":\"gpt2\"");
    CHECK(!cJSON_GetObjectItem(o, "quote"));
    cJSON_Delete(o);
    CHECK(counts.review == 2 && counts.gpt2 == 3 && counts.evidence == 1);
    shop_close(&x);
}

static void forms_and_names(void **state)
{
    (void)state;
    CHECK(tdm_sentence_form(tdm_str_of("It costs $20, and so does the Titania."))); /* its own evidence */
    CHECK(!tdm_sentence_form(tdm_str_of("A tab\tinside of it.")) && !tdm_sentence_form(tdm_str_of("Not UTF-8 \xff")));
    for (int s = TDM_SPEAKER_GPT2; s <= TDM_SPEAKER_EVIDENCE; s++)
        assert_int_equal(tdm_speaker_parse(tdm_speaker_name((tdm_speaker)s)), s);
    assert_int_equal(tdm_speaker_parse("everybody"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sentence_that_shares_most_stands),
        cmocka_unit_test(a_reviewer_is_said_to_be_one),
        cmocka_unit_test(forms_and_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
