/* SPDX-License-Identifier: Apache-2.0 */
/* test_texts.c - measures of texts against numbers computed another way (tools/golden_texts.py), and at their edges. */
#include "check.h"

#include "base/json.h"
#include "base/mem.h"
#include "eval/texts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 64 };

static int rising(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void as_computed_otherwise(void **state)
{
    (void)state;
    cJSON *cases;
    const cJSON *c;
    tdm_err err;
    size_t n_cases = 0;
    CHECK_OK(tdm_json_read(&cases, TDM_SOURCE_DIR "/tests/eval/golden/texts.json", &err), err);
    cJSON_ArrayForEach(c, cases)
    {
        tdm_text_pair pair[MOST];
        uint64_t feature[MOST], word[TDM_TEXT_WORDS];
        size_t n = 0, features = 0;
        const cJSON *t, *f, *scores = cJSON_GetObjectItem(c, "scores");
        cJSON_ArrayForEach(t, cJSON_GetObjectItem(c, "texts")) pair[n++] = (tdm_text_pair){
            tdm_str_of(cJSON_GetArrayItem(t, 0)->valuestring), tdm_str_of(cJSON_GetArrayItem(t, 1)->valuestring)};
        cJSON_ArrayForEach(f, cJSON_GetObjectItem(c, "features"))
        {
            assert_int_equal(tdm_text_words(word, tdm_str_of(f->valuestring)), 1);
            feature[features++] = word[0];
        }
        qsort(feature, features, sizeof *feature, rising);
        tdm_text_scores s;
        CHECK_OK(tdm_texts_score(&s, pair, n, feature, features, &err), err);
#define X(field, name)                                                                                                 \
    if (!(fabs(s.field - tdm_json_num(scores, name, NAN)) < 1e-9))                                                     \
        fail_msg("case %zu: %s is %.9g, not %.9g", n_cases, name, s.field, tdm_json_num(scores, name, NAN));
        TDM_TEXT_MEASURES(X)
#undef X
        n_cases++;
    }
    assert_int_equal(n_cases, 24);
    cJSON_Delete(cases);
}

static tdm_text_scores score(const char *written, const char *reference)
{
    const tdm_text_pair p = {tdm_str_of(written), tdm_str_of(reference)};
    tdm_text_scores s;
    tdm_err err;
    CHECK_OK(tdm_texts_score(&s, &p, 1, NULL, 0, &err), err);
    return s;
}

static void edges(void **state)
{
    (void)state;
    static const char same[] = "It Works: a strap, for my guitar!";
    tdm_text_scores s = score(same, "it works a strap for my guitar");
    assert_true(fabs(s.bleu4 - 1) < 1e-12 && s.rouge1 == 1 && s.rouge2 == 1 && s.rougel == 1 && s.usr == 1);
    s = score("", "something");
    assert_true(s.bleu1 == 0 && s.rouge1 == 0 && s.rougel == 0 && s.distinct1 == 0);
    s = score("...", "");
    assert_true(s.bleu1 == 0 && s.rouge1 == 0);
    s = score("the the the the", "the cat"); /* Papineni's: matches are clipped */
    assert_true(fabs(s.bleu1 - 0.25) < 1e-12 && s.distinct1 == 0.25);
    s = score("the cat", "the cat sat on the mat"); /* short: exp(1 - 6/2) */
    assert_true(fabs(s.bleu1 - exp(-2)) < 1e-12);
    tdm_err err;
    CHECK_OK(tdm_texts_score(&s, NULL, 0, NULL, 0, &err), err);
    assert_true(s.usr == 0 && s.fmr == 0 && s.diversity == 0);
    uint64_t left[TDM_TEXT_WORDS], right[TDM_TEXT_WORDS];
    size_t n_left = tdm_text_words(left, tdm_str_of("a B b c")), n_right = tdm_text_words(right, tdm_str_of("b, b d!"));
    tdm_terms_sort(left, n_left);
    tdm_terms_sort(right, n_right);
    assert_true(n_left == 4 && n_right == 3 && tdm_terms_shared(left, n_left, right, n_right) == 2);
}

/* A text of more words than are read counts as its beginning. */
static void long_texts(void **state)
{
    (void)state;
    tdm_buf b = {0};
    uint64_t word[TDM_TEXT_WORDS];
    for (int i = 0; i < 3 * TDM_TEXT_WORDS; i++) tdm_buf_fmt(&b, "w%d ", i);
    assert_int_equal(tdm_text_words(word, (tdm_str){b.p, b.n}), TDM_TEXT_WORDS);
    tdm_text_scores s = score(b.p, b.p);
    assert_true(s.rougel == 1 && s.distinct2 == 1);
    tdm_buf_clear(&b);
    assert_int_equal(tdm_mem_live(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_computed_otherwise),
        cmocka_unit_test(edges),
        cmocka_unit_test(long_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
